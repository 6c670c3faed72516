import { describe, expect, it } from "vitest"
import { script, script3 } from "./support.ts"

describe("SET", () => {
  it("stores strings and integers over anything", () => {
    expect(script(`
      SET a hello
      GET a
      SET a ""
      GET a
      SET list v
      GET list
      SET n 9223372036854775807
      GET n
      SET b "\\x00\\xff"
      GET b
    `)).toMatchInlineSnapshot(`
      "> SET a hello
        #1 StringSet key=a value=hello expireAt=null
      OK
      > GET a
      "hello"
      > SET a ""
        #2 StringSet key=a value= expireAt=null
      OK
      > GET a
      ""
      > SET list v
        #3 StringSet key=list value=v expireAt=null
      OK
      > GET list
      "v"
      > SET n 9223372036854775807
        #4 StringSet key=n value=9223372036854775807 expireAt=null
      OK
      > GET n
      "9223372036854775807"
      > SET b "\\x00\\xff"
        #5 StringSet key=b value=\\x00\\xff expireAt=null
      OK
      > GET b
      "\\x00\\xff""
    `)
  })

  it("takes the deadline away, keeps it or sets one, always as an absolute time", () => {
    expect(script(`
      SET a 1 EX 10
      SET a 2 KEEPTTL
      SET a 3 PX 1500 GET
      SET a 4
      SET a 5 EXAT 1700000100
      SET a 6 PXAT 1700000200000
      SET a 7 keepttl get
      SET a 8 EX 5 EX 6
      SET fresh v KEEPTTL
      SET gone v PX 1
      +2
      SET gone w KEEPTTL
      SET past v PXAT 1
      GET past
    `)).toMatchInlineSnapshot(`
      "> SET a 1 EX 10
        #1 StringSet key=a value=1 expireAt=1700000010000
      OK
      > SET a 2 KEEPTTL
        #2 StringSet key=a value=2 expireAt=1700000010000
      OK
      > SET a 3 PX 1500 GET
        #3 StringSet key=a value=3 expireAt=1700000001500
      "2"
      > SET a 4
        #4 StringSet key=a value=4 expireAt=null
      OK
      > SET a 5 EXAT 1700000100
        #5 StringSet key=a value=5 expireAt=1700000100000
      OK
      > SET a 6 PXAT 1700000200000
        #6 StringSet key=a value=6 expireAt=1700000200000
      OK
      > SET a 7 keepttl get
        #7 StringSet key=a value=7 expireAt=1700000200000
      "6"
      > SET a 8 EX 5 EX 6
        #8 StringSet key=a value=8 expireAt=1700000006000
      OK
      > SET fresh v KEEPTTL
        #9 StringSet key=fresh value=v expireAt=null
      OK
      > SET gone v PX 1
        #10 StringSet key=gone value=v expireAt=1700000000001
      OK
      > +2
      > SET gone w KEEPTTL
        #11 by expire KeyExpired key=gone
        #12 StringSet key=gone value=w expireAt=null
      OK
      > SET past v PXAT 1
        #13 StringSet key=past value=v expireAt=1
      OK
      > GET past
        #14 by expire KeyExpired key=past
      (nil)"
    `)
  })

  it("obeys NX and XX", () => {
    expect(script(`
      SET a 1 XX
      SET a 1 NX
      SET a 2 NX
      SET a 3 XX
      SET a 4 NX GET
      SET b 5 NX GET
      SET c 6 XX GET
      SET list v NX
      SET list v NX GET
      SET list v GET
      SET list v XX
    `)).toMatchInlineSnapshot(`
      "> SET a 1 XX
      (nil)
      > SET a 1 NX
        #1 StringSet key=a value=1 expireAt=null
      OK
      > SET a 2 NX
      (nil)
      > SET a 3 XX
        #2 StringSet key=a value=3 expireAt=null
      OK
      > SET a 4 NX GET
      "3"
      > SET b 5 NX GET
        #3 StringSet key=b value=5 expireAt=null
      (nil)
      > SET c 6 XX GET
      (nil)
      > SET list v NX
      (nil)
      > SET list v NX GET
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SET list v GET
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SET list v XX
        #4 StringSet key=list value=v expireAt=null
      OK"
    `)
  })

  it("compares with the value or its digest", () => {
    expect(script(`
      SET a v IFEQ x
      SET a v1 IFNE x
      SET a v2 IFNE v1
      SET a v2 IFEQ v1 PX 5000
      SET a hello IFEQ v2 GET
      SET a other IFEQ wrong GET
      SET a x IFDEQ 0000000000000000
      SET a x IFDEQ 9555e8555c62dcfd GET
      SET a hello
      SET a y IFDNE 9555E8555C62DCFD
      SET a y IFDNE 0000000000000000
      SET n 11
      SET n 12 IFEQ 11
      SET none v IFDEQ 12
      SET none v IFDNE 12
      SET a z IFDEQ 123
      SET list v IFEQ x
      SET list v IFDNE 0000000000000000
    `)).toMatchInlineSnapshot(`
      "> SET a v IFEQ x
      (nil)
      > SET a v1 IFNE x
        #1 StringSet key=a value=v1 expireAt=null
      OK
      > SET a v2 IFNE v1
      (nil)
      > SET a v2 IFEQ v1 PX 5000
        #2 StringSet key=a value=v2 expireAt=1700000005000
      OK
      > SET a hello IFEQ v2 GET
        #3 StringSet key=a value=hello expireAt=null
      "v2"
      > SET a other IFEQ wrong GET
      "hello"
      > SET a x IFDEQ 0000000000000000
      (nil)
      > SET a x IFDEQ 9555e8555c62dcfd GET
        #4 StringSet key=a value=x expireAt=null
      "hello"
      > SET a hello
        #5 StringSet key=a value=hello expireAt=null
      OK
      > SET a y IFDNE 9555E8555C62DCFD
      (nil)
      > SET a y IFDNE 0000000000000000
        #6 StringSet key=a value=y expireAt=null
      OK
      > SET n 11
        #7 StringSet key=n value=11 expireAt=null
      OK
      > SET n 12 IFEQ 11
        #8 StringSet key=n value=12 expireAt=null
      OK
      > SET none v IFDEQ 12
      (nil)
      > SET none v IFDNE 12
        #9 StringSet key=none value=v expireAt=null
      OK
      > SET a z IFDEQ 123
      (error) ERR must be exactly 16 hexadecimal characters
      > SET list v IFEQ x
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SET list v IFDNE 0000000000000000
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("refuses options that contradict each other and times that are none", () => {
    expect(script(`
      SET a
      SET a v NX XX
      SET a v NX IFEQ v
      SET a v IFEQ v XX
      SET a v IFEQ v IFNE w
      SET a v IFEQ
      SET a v EX
      SET a v EX 5 PX 5
      SET a v EX 5 KEEPTTL
      SET a v KEEPTTL EX 5
      SET a v PERSIST
      SET a v EX abc
      SET a v EX abc WHAT
      SET a v EX 0
      SET a v PX -1
      SET list v EX 0 GET
      SET a v EX 9223372036854775807
      SET a v PX 9223372036854775807
      SET a v EXAT 9223372036854775807
      SET a v PXAT 9007199254740991
      SET a v PXAT 9007199254740992
    `)).toMatchInlineSnapshot(`
      "> SET a
      (error) ERR wrong number of arguments for 'set' command
      > SET a v NX XX
      (error) ERR syntax error
      > SET a v NX IFEQ v
      (error) ERR syntax error
      > SET a v IFEQ v XX
      (error) ERR syntax error
      > SET a v IFEQ v IFNE w
      (error) ERR syntax error
      > SET a v IFEQ
      (error) ERR syntax error
      > SET a v EX
      (error) ERR syntax error
      > SET a v EX 5 PX 5
      (error) ERR syntax error
      > SET a v EX 5 KEEPTTL
      (error) ERR syntax error
      > SET a v KEEPTTL EX 5
      (error) ERR syntax error
      > SET a v PERSIST
      (error) ERR syntax error
      > SET a v EX abc
      (error) ERR value is not an integer or out of range
      > SET a v EX abc WHAT
      (error) ERR syntax error
      > SET a v EX 0
      (error) ERR invalid expire time in 'set' command
      > SET a v PX -1
      (error) ERR invalid expire time in 'set' command
      > SET list v EX 0 GET
      (error) ERR invalid expire time in 'set' command
      > SET a v EX 9223372036854775807
      (error) ERR invalid expire time in 'set' command
      > SET a v PX 9223372036854775807
      (error) ERR invalid expire time in 'set' command
      > SET a v EXAT 9223372036854775807
      (error) ERR invalid expire time in 'set' command
      > SET a v PXAT 9007199254740991
        #1 StringSet key=a value=v expireAt=9007199254740991
      OK
      > SET a v PXAT 9007199254740992
      (error) ERR invalid expire time in 'set' command"
    `)
  })

  it("answers null in RESP3", () => {
    expect(script3(`
      SET a 1 XX
      SET a 1 GET
    `)).toMatchInlineSnapshot(`
      "> SET a 1 XX
      (null)
      > SET a 1 GET
        #1 StringSet key=a value=1 expireAt=null
      (null)"
    `)
  })
})

describe("SETNX, SETEX, PSETEX, GETSET", () => {
  it("SETNX sets what is absent", () => {
    expect(script(`
      SETNX a 1
      SETNX a 2
      SETNX list v
      SET gone v PX 5
      +5
      SETNX gone w
    `)).toMatchInlineSnapshot(`
      "> SETNX a 1
        #1 StringSet key=a value=1 expireAt=null
      (integer) 1
      > SETNX a 2
      (integer) 0
      > SETNX list v
      (integer) 0
      > SET gone v PX 5
        #2 StringSet key=gone value=v expireAt=1700000000005
      OK
      > +5
      > SETNX gone w
        #3 by expire KeyExpired key=gone
        #4 StringSet key=gone value=w expireAt=null
      (integer) 1"
    `)
  })

  it("SETEX and PSETEX resolve the time", () => {
    expect(script(`
      SETEX a 10 v
      PSETEX a 10 v
      SETEX list 1 v
      SETEX a 0 v
      SETEX a abc v
      SETEX a 9223372036854775807 v
      PSETEX a -1 v
      PSETEX a 9223372036854775807 v
    `)).toMatchInlineSnapshot(`
      "> SETEX a 10 v
        #1 StringSet key=a value=v expireAt=1700000010000
      OK
      > PSETEX a 10 v
        #2 StringSet key=a value=v expireAt=1700000000010
      OK
      > SETEX list 1 v
        #3 StringSet key=list value=v expireAt=1700000001000
      OK
      > SETEX a 0 v
      (error) ERR invalid expire time in 'setex' command
      > SETEX a abc v
      (error) ERR value is not an integer or out of range
      > SETEX a 9223372036854775807 v
      (error) ERR invalid expire time in 'setex' command
      > PSETEX a -1 v
      (error) ERR invalid expire time in 'psetex' command
      > PSETEX a 9223372036854775807 v
      (error) ERR invalid expire time in 'psetex' command"
    `)
  })

  it("GETSET answers what was there", () => {
    expect(script(`
      GETSET a 1
      SET a old EX 10
      GETSET a new
      GET a
      GETSET list v
    `)).toMatchInlineSnapshot(`
      "> GETSET a 1
        #1 StringSet key=a value=1 expireAt=null
      (nil)
      > SET a old EX 10
        #2 StringSet key=a value=old expireAt=1700000010000
      OK
      > GETSET a new
        #3 StringSet key=a value=new expireAt=null
      "old"
      > GET a
      "new"
      > GETSET list v
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
