import { describe, expect, it } from "vitest"
import { script } from "./support.ts"

describe("BITCOUNT", () => {
  it("counts in all of a string, between bytes and between bits", () => {
    expect(script(`
      SET a foobar
      BITCOUNT a
      BITCOUNT a 0 0
      BITCOUNT a 1 1
      BITCOUNT a 1 1 BYTE
      BITCOUNT a 5 30 BIT
      BITCOUNT a -2 -1
      BITCOUNT a -100 100
      BITCOUNT a 3 2
      BITCOUNT a 100 200
      BITCOUNT a -9223372036854775808 9223372036854775807 bit
      BITCOUNT a 0 0 BIT
      BITCOUNT a 1 1 BIT
      SET n 123
      BITCOUNT n
      SET e ""
      BITCOUNT e
      BITCOUNT none
    `)).toMatchInlineSnapshot(`
      "> SET a foobar
        #2 StringSet key=a value=foobar expireAt=null
      OK
      > BITCOUNT a
      (integer) 26
      > BITCOUNT a 0 0
      (integer) 4
      > BITCOUNT a 1 1
      (integer) 6
      > BITCOUNT a 1 1 BYTE
      (integer) 6
      > BITCOUNT a 5 30 BIT
      (integer) 17
      > BITCOUNT a -2 -1
      (integer) 7
      > BITCOUNT a -100 100
      (integer) 26
      > BITCOUNT a 3 2
      (integer) 0
      > BITCOUNT a 100 200
      (integer) 0
      > BITCOUNT a -9223372036854775808 9223372036854775807 bit
      (integer) 26
      > BITCOUNT a 0 0 BIT
      (integer) 0
      > BITCOUNT a 1 1 BIT
      (integer) 1
      > SET n 123
        #3 StringSet key=n value=123 expireAt=null
      OK
      > BITCOUNT n
      (integer) 10
      > SET e ""
        #4 StringSet key=e value= expireAt=null
      OK
      > BITCOUNT e
      (integer) 0
      > BITCOUNT none
      (integer) 0"
    `)
  })

  it("refuses what makes no sense, but of an absent key looks at nothing else", () => {
    expect(script(`
      SET a foobar
      BITCOUNT a 1
      BITCOUNT a 0 x
      BITCOUNT a 0 1 BITS
      BITCOUNT a -1 -2 BITS
      BITCOUNT a 0 1 BIT 5
      BITCOUNT list
      BITCOUNT list x
      BITCOUNT none x
      BITCOUNT
    `)).toMatchInlineSnapshot(`
      "> SET a foobar
        #2 StringSet key=a value=foobar expireAt=null
      OK
      > BITCOUNT a 1
      (error) ERR syntax error
      > BITCOUNT a 0 x
      (error) ERR value is not an integer or out of range
      > BITCOUNT a 0 1 BITS
      (error) ERR syntax error
      > BITCOUNT a -1 -2 BITS
      (integer) 0
      > BITCOUNT a 0 1 BIT 5
      (error) ERR syntax error
      > BITCOUNT list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITCOUNT list x
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITCOUNT none x
      (integer) 0
      > BITCOUNT
      (error) ERR wrong number of arguments for 'bitcount' command"
    `)
  })
})

describe("BITPOS", () => {
  it("finds the first one and the first zero", () => {
    expect(script(`
      SET a "\\xff\\xf0\\x00"
      BITPOS a 0
      BITPOS a 1
      SET b "\\x00\\xff\\xf0"
      BITPOS b 1 0
      BITPOS b 1 2
      BITPOS b 1 2 -1 BYTE
      BITPOS b 1 7 15 BIT
      BITPOS b 1 7 -3 BIT
      BITPOS b 1 20 -1 BIT
      BITPOS b 0 8 11 BIT
      BITPOS b 1 3
      BITPOS b 1 2 1
      SET n 123
      BITPOS n 1
    `)).toMatchInlineSnapshot(`
      "> SET a "\\xff\\xf0\\x00"
        #2 StringSet key=a value=\\xff\\xf0\\x00 expireAt=null
      OK
      > BITPOS a 0
      (integer) 12
      > BITPOS a 1
      (integer) 0
      > SET b "\\x00\\xff\\xf0"
        #3 StringSet key=b value=\\x00\\xff\\xf0 expireAt=null
      OK
      > BITPOS b 1 0
      (integer) 8
      > BITPOS b 1 2
      (integer) 16
      > BITPOS b 1 2 -1 BYTE
      (integer) 16
      > BITPOS b 1 7 15 BIT
      (integer) 8
      > BITPOS b 1 7 -3 BIT
      (integer) 8
      > BITPOS b 1 20 -1 BIT
      (integer) -1
      > BITPOS b 0 8 11 BIT
      (integer) -1
      > BITPOS b 1 3
      (integer) -1
      > BITPOS b 1 2 1
      (integer) -1
      > SET n 123
        #4 StringSet key=n value=123 expireAt=null
      OK
      > BITPOS n 1
      (integer) 2"
    `)
  })

  it("takes what follows a string for zeros when no end is given", () => {
    expect(script(`
      SET ones "\\xff\\xff\\xff"
      BITPOS ones 0
      BITPOS ones 0 1
      BITPOS ones 0 0 -1
      BITPOS ones 0 3
      SET zeros "\\x00\\x00\\x00"
      BITPOS zeros 1
      BITPOS zeros 1 0 -1 BIT
      SET e ""
      BITPOS e 0
      BITPOS none 0
      BITPOS none 1
    `)).toMatchInlineSnapshot(`
      "> SET ones "\\xff\\xff\\xff"
        #2 StringSet key=ones value=\\xff\\xff\\xff expireAt=null
      OK
      > BITPOS ones 0
      (integer) 24
      > BITPOS ones 0 1
      (integer) 24
      > BITPOS ones 0 0 -1
      (integer) -1
      > BITPOS ones 0 3
      (integer) -1
      > SET zeros "\\x00\\x00\\x00"
        #3 StringSet key=zeros value=\\x00\\x00\\x00 expireAt=null
      OK
      > BITPOS zeros 1
      (integer) -1
      > BITPOS zeros 1 0 -1 BIT
      (integer) -1
      > SET e ""
        #4 StringSet key=e value= expireAt=null
      OK
      > BITPOS e 0
      (integer) -1
      > BITPOS none 0
      (integer) 0
      > BITPOS none 1
      (integer) -1"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(script(`
      SET a foobar
      BITPOS a 2
      BITPOS a x
      BITPOS none 2
      BITPOS none 1 x
      BITPOS a 1 x
      BITPOS a 1 0 x
      BITPOS a 1 0 x BITS
      BITPOS a 1 0 1 BIT 2
      BITPOS list 1
      BITPOS a
    `)).toMatchInlineSnapshot(`
      "> SET a foobar
        #2 StringSet key=a value=foobar expireAt=null
      OK
      > BITPOS a 2
      (error) ERR The bit argument must be 1 or 0.
      > BITPOS a x
      (error) ERR value is not an integer or out of range
      > BITPOS none 2
      (error) ERR The bit argument must be 1 or 0.
      > BITPOS none 1 x
      (integer) -1
      > BITPOS a 1 x
      (error) ERR value is not an integer or out of range
      > BITPOS a 1 0 x
      (error) ERR value is not an integer or out of range
      > BITPOS a 1 0 x BITS
      (error) ERR syntax error
      > BITPOS a 1 0 1 BIT 2
      (error) ERR syntax error
      > BITPOS list 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITPOS a
      (error) ERR wrong number of arguments for 'bitpos' command"
    `)
  })
})
