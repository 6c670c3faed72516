import { describe, expect, it } from "vitest"
import { script, script3 } from "./support.ts"

describe("MGET, MSET, MSETNX", () => {
  it("MGET answers null for what is no string", () => {
    const commands = `
      MSET a 1 b two
      MGET a b none list a
      MGET
    `
    expect(script(commands)).toMatchInlineSnapshot(`
      "> MSET a 1 b two
        #1 StringSet key=a value=1 expireAt=null
        #1 StringSet key=b value=two expireAt=null
      OK
      > MGET a b none list a
      ["1", "two", (nil), (nil), "1"]
      > MGET
      (error) ERR wrong number of arguments for 'mget' command"
    `)
    expect(script3(commands)).toMatchInlineSnapshot(`
      "> MSET a 1 b two
        #1 StringSet key=a value=1 expireAt=null
        #1 StringSet key=b value=two expireAt=null
      OK
      > MGET a b none list a
      ["1", "two", (null), (null), "1"]
      > MGET
      (error) ERR wrong number of arguments for 'mget' command"
    `)
  })

  it("MSET sets all, the later pair of a key winning", () => {
    expect(script(`
      SET a old EX 10
      MSET a 1 b 2 a 3 list v
      MGET a b list
      MSET a 1 b
      MSET a
    `)).toMatchInlineSnapshot(`
      "> SET a old EX 10
        #1 StringSet key=a value=old expireAt=1700000010000
      OK
      > MSET a 1 b 2 a 3 list v
        #2 StringSet key=a value=1 expireAt=null
        #2 StringSet key=b value=2 expireAt=null
        #2 StringSet key=a value=3 expireAt=null
        #2 StringSet key=list value=v expireAt=null
      OK
      > MGET a b list
      ["3", "2", "v"]
      > MSET a 1 b
      (error) ERR wrong number of arguments for 'mset' command
      > MSET a
      (error) ERR wrong number of arguments for 'mset' command"
    `)
  })

  it("MSET records the death of a key first", () => {
    expect(script(`
      SET a old PX 1
      +1
      MSET b 1 a 2
    `)).toMatchInlineSnapshot(`
      "> SET a old PX 1
        #1 StringSet key=a value=old expireAt=1700000000001
      OK
      > +1
      > MSET b 1 a 2
        #2 by expire KeyExpired key=a
        #3 StringSet key=b value=1 expireAt=null
        #3 StringSet key=a value=2 expireAt=null
      OK"
    `)
  })

  it("MSETNX sets all or nothing", () => {
    expect(script(`
      MSETNX a 1 b 2 a 3
      MSETNX c 1 b 2
      MSETNX c 1 list 2
      MGET a b c
      MSETNX c 1 d
    `)).toMatchInlineSnapshot(`
      "> MSETNX a 1 b 2 a 3
        #1 StringSet key=a value=1 expireAt=null
        #1 StringSet key=b value=2 expireAt=null
        #1 StringSet key=a value=3 expireAt=null
      (integer) 1
      > MSETNX c 1 b 2
      (integer) 0
      > MSETNX c 1 list 2
      (integer) 0
      > MGET a b c
      ["3", "2", (nil)]
      > MSETNX c 1 d
      (error) ERR wrong number of arguments for 'msetnx' command"
    `)
  })
})

describe("MSETEX", () => {
  it("gives all keys one deadline", () => {
    expect(script(`
      MSETEX 2 a 1 b 2
      MSETEX 2 a 1 b 2 EX 10
      MSETEX 1 a 3 KEEPTTL
      MSETEX 2 a 4 new 4 KEEPTTL
      MSETEX 1 a 5 PX 5 NX
      MSETEX 2 a 5 none 5 XX
      MSETEX 2 a 5 list 5 XX PXAT 1700000099000
      MSETEX 2 c 6 c 7 NX exat 1700000099
    `)).toMatchInlineSnapshot(`
      "> MSETEX 2 a 1 b 2
        #1 StringSet key=a value=1 expireAt=null
        #1 StringSet key=b value=2 expireAt=null
      (integer) 1
      > MSETEX 2 a 1 b 2 EX 10
        #2 StringSet key=a value=1 expireAt=1700000010000
        #2 StringSet key=b value=2 expireAt=1700000010000
      (integer) 1
      > MSETEX 1 a 3 KEEPTTL
        #3 StringSet key=a value=3 expireAt=1700000010000
      (integer) 1
      > MSETEX 2 a 4 new 4 KEEPTTL
        #4 StringSet key=a value=4 expireAt=1700000010000
        #4 StringSet key=new value=4 expireAt=null
      (integer) 1
      > MSETEX 1 a 5 PX 5 NX
      (integer) 0
      > MSETEX 2 a 5 none 5 XX
      (integer) 0
      > MSETEX 2 a 5 list 5 XX PXAT 1700000099000
        #5 StringSet key=a value=5 expireAt=1700000099000
        #5 StringSet key=list value=5 expireAt=1700000099000
      (integer) 1
      > MSETEX 2 c 6 c 7 NX exat 1700000099
        #6 StringSet key=c value=6 expireAt=1700000099000
        #6 StringSet key=c value=7 expireAt=1700000099000
      (integer) 1"
    `)
  })

  it("refuses", () => {
    expect(script(`
      MSETEX 1 a
      MSETEX key1 val1 EX 10
      MSETEX 0 a 1
      MSETEX -1 a 1
      MSETEX 2147483648 a 1
      MSETEX 2147483647 a 1
      MSETEX 2 a 1 b
      MSETEX 1 a 1 WHAT
      MSETEX 1 a 1 NX XX
      MSETEX 1 a 1 EX 10 PX 10
      MSETEX 1 a 1 KEEPTTL EX 10
      MSETEX 1 a 1 EX 10 KEEPTTL
      MSETEX 1 a 1 EX
      MSETEX 1 a 1 EX 0
      MSETEX 1 a 1 EX abc
    `)).toMatchInlineSnapshot(`
      "> MSETEX 1 a
      (error) ERR wrong number of arguments for 'msetex' command
      > MSETEX key1 val1 EX 10
      (error) ERR invalid numkeys value
      > MSETEX 0 a 1
      (error) ERR invalid numkeys value
      > MSETEX -1 a 1
      (error) ERR invalid numkeys value
      > MSETEX 2147483648 a 1
      (error) ERR invalid numkeys value
      > MSETEX 2147483647 a 1
      (error) ERR wrong number of key-value pairs
      > MSETEX 2 a 1 b
      (error) ERR wrong number of key-value pairs
      > MSETEX 1 a 1 WHAT
      (error) ERR syntax error
      > MSETEX 1 a 1 NX XX
      (error) ERR syntax error
      > MSETEX 1 a 1 EX 10 PX 10
      (error) ERR syntax error
      > MSETEX 1 a 1 KEEPTTL EX 10
      (error) ERR syntax error
      > MSETEX 1 a 1 EX 10 KEEPTTL
      (error) ERR syntax error
      > MSETEX 1 a 1 EX
      (error) ERR syntax error
      > MSETEX 1 a 1 EX 0
      (error) ERR invalid expire time in 'msetex' command
      > MSETEX 1 a 1 EX abc
      (error) ERR value is not an integer or out of range"
    `)
  })
})
