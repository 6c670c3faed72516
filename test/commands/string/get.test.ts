import { describe, expect, it } from "vitest"
import { script, script3, withList } from "./support.ts"

describe("GET, STRLEN, GETDEL", () => {
  it("answers strings, and null for absent and dead keys", () => {
    expect(script(`
      GET a
      STRLEN a
      SET a hello PX 10
      GET a
      STRLEN a
      +10
      GET a
      SET n -555
      STRLEN n
      GET list
      STRLEN list
      GET
    `)).toMatchInlineSnapshot(`
      "> GET a
      (nil)
      > STRLEN a
      (integer) 0
      > SET a hello PX 10
        #1 StringSet key=a value=hello expireAt=1700000000010
      OK
      > GET a
      "hello"
      > STRLEN a
      (integer) 5
      > +10
      > GET a
        #2 by expire KeyExpired key=a
      (nil)
      > SET n -555
        #3 StringSet key=n value=-555 expireAt=null
      OK
      > STRLEN n
      (integer) 4
      > GET list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > STRLEN list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > GET
      (error) ERR wrong number of arguments for 'get' command"
    `)
  })

  it("GETDEL removes what it answers", () => {
    expect(script(`
      SET a hello
      GETDEL a
      GETDEL a
      SET n 5
      GETDEL n
      GETDEL list
    `)).toMatchInlineSnapshot(`
      "> SET a hello
        #1 StringSet key=a value=hello expireAt=null
      OK
      > GETDEL a
        #2 KeyDeleted key=a
      "hello"
      > GETDEL a
      (nil)
      > SET n 5
        #3 StringSet key=n value=5 expireAt=null
      OK
      > GETDEL n
        #4 KeyDeleted key=n
      "5"
      > GETDEL list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("counts hits and misses", () => {
    const harness = withList()
    for (const words of [["SET", "a", "1"], ["GET", "a"], ["GET", "b"], ["MGET", "a", "b", "c"], ["INCR", "a"]]) {
      harness.run(...words)
    }
    expect(harness.executor.statistics.keyspaceHits).toBe(2)
    expect(harness.executor.statistics.keyspaceMisses).toBe(3)
  })
})

describe("GETEX", () => {
  it("records only what changes", () => {
    expect(script(`
      SET a v
      GETEX a
      GETEX a PERSIST
      GETEX a EX 10
      GETEX a EX 10
      GETEX a PX 10000
      GETEX a EXAT 1700000020
      GETEX a PXAT 1700000030000
      GETEX a PERSIST
      GETEX a EXAT 1
      GETEX a
      GETEX a EX 0
    `)).toMatchInlineSnapshot(`
      "> SET a v
        #1 StringSet key=a value=v expireAt=null
      OK
      > GETEX a
      "v"
      > GETEX a PERSIST
      "v"
      > GETEX a EX 10
        #2 KeyExpirySet key=a expireAt=1700000010000
      "v"
      > GETEX a EX 10
      "v"
      > GETEX a PX 10000
      "v"
      > GETEX a EXAT 1700000020
        #3 KeyExpirySet key=a expireAt=1700000020000
      "v"
      > GETEX a PXAT 1700000030000
        #4 KeyExpirySet key=a expireAt=1700000030000
      "v"
      > GETEX a PERSIST
        #5 KeyPersisted key=a
      "v"
      > GETEX a EXAT 1
        #6 KeyDeleted key=a
      "v"
      > GETEX a
      (nil)
      > GETEX a EX 0
      (nil)"
    `)
  })

  it("refuses in the order of Redis", () => {
    expect(script(`
      SET a v
      GETEX a WHAT
      GETEX a EX
      GETEX a EX 0
      GETEX a EX abc
      GETEX a PERSIST EX 5
      GETEX a EX 5 PERSIST
      GETEX a EX 5 PX 5
      GETEX a KEEPTTL
      GETEX a PERSIST PERSIST
      GETEX none WHAT
      GETEX none EX 0
      GETEX list WHAT
      GETEX list EX 0
      GETEX a PX 9223372036854775807
    `)).toMatchInlineSnapshot(`
      "> SET a v
        #1 StringSet key=a value=v expireAt=null
      OK
      > GETEX a WHAT
      (error) ERR syntax error
      > GETEX a EX
      (error) ERR syntax error
      > GETEX a EX 0
      (error) ERR invalid expire time in 'getex' command
      > GETEX a EX abc
      (error) ERR value is not an integer or out of range
      > GETEX a PERSIST EX 5
      (error) ERR syntax error
      > GETEX a EX 5 PERSIST
      (error) ERR syntax error
      > GETEX a EX 5 PX 5
      (error) ERR syntax error
      > GETEX a KEEPTTL
      (error) ERR syntax error
      > GETEX a PERSIST PERSIST
      "v"
      > GETEX none WHAT
      (error) ERR syntax error
      > GETEX none EX 0
      (nil)
      > GETEX list WHAT
      (error) ERR syntax error
      > GETEX list EX 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > GETEX a PX 9223372036854775807
      (error) ERR invalid expire time in 'getex' command"
    `)
  })
})

describe("DIGEST", () => {
  it("answers 16 hexadecimal digits", () => {
    expect(script(`
      DIGEST a
      SET a "Hello world"
      DIGEST a
      SET a ""
      DIGEST a
      SET a 123
      DIGEST a
      SET a v8
      DIGEST a
      DIGEST list
      DIGEST a b
    `)).toMatchInlineSnapshot(`
      "> DIGEST a
      (nil)
      > SET a "Hello world"
        #1 StringSet key=a value=Hello world expireAt=null
      OK
      > DIGEST a
      "b6acb9d84a38ff74"
      > SET a ""
        #2 StringSet key=a value= expireAt=null
      OK
      > DIGEST a
      "2d06800538d394c2"
      > SET a 123
        #3 StringSet key=a value=123 expireAt=null
      OK
      > DIGEST a
      "404a763b3f4c8c9a"
      > SET a v8
        #4 StringSet key=a value=v8 expireAt=null
      OK
      > DIGEST a
      "0cc76dbb41381419"
      > DIGEST list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > DIGEST a b
      (error) ERR wrong number of arguments for 'digest' command"
    `)
  })

  it("answers null in RESP3", () => {
    expect(script3("DIGEST a")).toMatchInlineSnapshot(`
      "> DIGEST a
      (null)"
    `)
  })
})

describe("DELEX", () => {
  it("removes any key without a condition", () => {
    expect(script(`
      DELEX a
      SET a v
      DELEX a
      DELEX list
      DELEX list
    `)).toMatchInlineSnapshot(`
      "> DELEX a
      (integer) 0
      > SET a v
        #1 StringSet key=a value=v expireAt=null
      OK
      > DELEX a
        #2 KeyDeleted key=a
      (integer) 1
      > DELEX list
        #3 KeyDeleted key=list
      (integer) 1
      > DELEX list
      (integer) 0"
    `)
  })

  it("removes a string that meets the condition", () => {
    expect(script(`
      DELEX a IFEQ v
      SET a hello
      DELEX a IFEQ other
      DELEX a ifne hello
      DELEX a IFDEQ 0000000000000000
      DELEX a IFDNE 9555E8555C62DCFD
      DELEX a IFDEQ 9555E8555C62DCFD
      SET a 0123
      DELEX a IFEQ 123
      DELEX a IFNE 123
      SET a v PX 1
      +1
      DELEX a IFEQ v
    `)).toMatchInlineSnapshot(`
      "> DELEX a IFEQ v
      (integer) 0
      > SET a hello
        #1 StringSet key=a value=hello expireAt=null
      OK
      > DELEX a IFEQ other
      (integer) 0
      > DELEX a ifne hello
      (integer) 0
      > DELEX a IFDEQ 0000000000000000
      (integer) 0
      > DELEX a IFDNE 9555E8555C62DCFD
      (integer) 0
      > DELEX a IFDEQ 9555E8555C62DCFD
        #2 KeyDeleted key=a
      (integer) 1
      > SET a 0123
        #3 StringSet key=a value=0123 expireAt=null
      OK
      > DELEX a IFEQ 123
      (integer) 0
      > DELEX a IFNE 123
        #4 KeyDeleted key=a
      (integer) 1
      > SET a v PX 1
        #5 StringSet key=a value=v expireAt=1700000000001
      OK
      > +1
      > DELEX a IFEQ v
        #6 by expire KeyExpired key=a
      (integer) 0"
    `)
  })

  it("refuses", () => {
    expect(script(`
      SET a hello
      DELEX a IFEQ
      DELEX none IFEQ v w
      DELEX a WHAT v
      DELEX none WHAT v
      DELEX a IFDEQ 123
      DELEX none IFDEQ 123
      DELEX list IFEQ v
      DELEX list WHAT v
    `)).toMatchInlineSnapshot(`
      "> SET a hello
        #1 StringSet key=a value=hello expireAt=null
      OK
      > DELEX a IFEQ
      (error) ERR wrong number of arguments for 'delex' command
      > DELEX none IFEQ v w
      (error) ERR wrong number of arguments for 'delex' command
      > DELEX a WHAT v
      (error) ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE
      > DELEX none WHAT v
      (integer) 0
      > DELEX a IFDEQ 123
      (error) ERR must be exactly 16 hexadecimal characters
      > DELEX none IFDEQ 123
      (integer) 0
      > DELEX list IFEQ v
      (error) ERR Key should be of string type if conditions are specified
      > DELEX list WHAT v
      (error) ERR Key should be of string type if conditions are specified"
    `)
  })
})
