import { describe, expect, it } from "vitest"
import { script } from "./support.ts"

describe("INCR, DECR, INCRBY, DECRBY", () => {
  it("count from zero and keep the deadline", () => {
    expect(script(`
      INCR a
      DECR a
      DECR a
      INCRBY a 10
      DECRBY a -3
      INCRBY a 0
      SET b 5 EX 10
      INCR b
      GET b
      SET gone 5 PX 1
      +1
      INCR gone
      SET text 41
      APPEND text 0
      INCR text
    `)).toMatchInlineSnapshot(`
      "> INCR a
        #1 StringIncremented key=a value=1
      (integer) 1
      > DECR a
        #2 StringIncremented key=a value=0
      (integer) 0
      > DECR a
        #3 StringIncremented key=a value=-1
      (integer) -1
      > INCRBY a 10
        #4 StringIncremented key=a value=9
      (integer) 9
      > DECRBY a -3
        #5 StringIncremented key=a value=12
      (integer) 12
      > INCRBY a 0
        #6 StringIncremented key=a value=12
      (integer) 12
      > SET b 5 EX 10
        #7 StringSet key=b value=5 expireAt=1700000010000
      OK
      > INCR b
        #8 StringIncremented key=b value=6
      (integer) 6
      > GET b
      "6"
      > SET gone 5 PX 1
        #9 StringSet key=gone value=5 expireAt=1700000000001
      OK
      > +1
      > INCR gone
        #10 by expire KeyExpired key=gone
        #11 StringIncremented key=gone value=1
      (integer) 1
      > SET text 41
        #12 StringSet key=text value=41 expireAt=null
      OK
      > APPEND text 0
        #13 StringAppended key=text suffix=0
      (integer) 3
      > INCR text
        #14 StringIncremented key=text value=411
      (integer) 411"
    `)
  })

  it("are exact to the ends of 64 bits", () => {
    expect(script(`
      SET a 9007199254740991
      INCR a
      INCR a
      DECRBY a 2
      SET a 9223372036854775806
      INCR a
      INCR a
      DECRBY a 9223372036854775807
      DECRBY a 9223372036854775807
      DECR a
      DECR a
      INCRBY a -9223372036854775808
      GET a
      DECRBY none -9223372036854775808
      DECRBY none 9223372036854775807
    `)).toMatchInlineSnapshot(`
      "> SET a 9007199254740991
        #1 StringSet key=a value=9007199254740991 expireAt=null
      OK
      > INCR a
        #2 StringIncremented key=a value=9007199254740992
      (integer) 9007199254740992
      > INCR a
        #3 StringIncremented key=a value=9007199254740993
      (integer) 9007199254740993
      > DECRBY a 2
        #4 StringIncremented key=a value=9007199254740991
      (integer) 9007199254740991
      > SET a 9223372036854775806
        #5 StringSet key=a value=9223372036854775806 expireAt=null
      OK
      > INCR a
        #6 StringIncremented key=a value=9223372036854775807
      (integer) 9223372036854775807
      > INCR a
      (error) ERR increment or decrement would overflow
      > DECRBY a 9223372036854775807
        #7 StringIncremented key=a value=0
      (integer) 0
      > DECRBY a 9223372036854775807
        #8 StringIncremented key=a value=-9223372036854775807
      (integer) -9223372036854775807
      > DECR a
        #9 StringIncremented key=a value=-9223372036854775808
      (integer) -9223372036854775808
      > DECR a
      (error) ERR increment or decrement would overflow
      > INCRBY a -9223372036854775808
      (error) ERR increment or decrement would overflow
      > GET a
      "-9223372036854775808"
      > DECRBY none -9223372036854775808
      (error) ERR decrement would overflow
      > DECRBY none 9223372036854775807
        #10 StringIncremented key=none value=-9223372036854775807
      (integer) -9223372036854775807"
    `)
  })

  it("refuse what is no integer", () => {
    expect(script(`
      SET a abc
      INCR a
      INCRBY none abc
      INCRBY none 1.5
      INCRBY none +1
      INCRBY none 9223372036854775808
      INCRBY list abc
      DECRBY list -9223372036854775808
      INCR list
      SET a " 1"
      INCR a
      SET a 01
      INCR a
    `)).toMatchInlineSnapshot(`
      "> SET a abc
        #1 StringSet key=a value=abc expireAt=null
      OK
      > INCR a
      (error) ERR value is not an integer or out of range
      > INCRBY none abc
      (error) ERR value is not an integer or out of range
      > INCRBY none 1.5
      (error) ERR value is not an integer or out of range
      > INCRBY none +1
      (error) ERR value is not an integer or out of range
      > INCRBY none 9223372036854775808
      (error) ERR value is not an integer or out of range
      > INCRBY list abc
      (error) ERR value is not an integer or out of range
      > DECRBY list -9223372036854775808
      (error) ERR decrement would overflow
      > INCR list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SET a " 1"
        #2 StringSet key=a value= 1 expireAt=null
      OK
      > INCR a
      (error) ERR value is not an integer or out of range
      > SET a 01
        #3 StringSet key=a value=01 expireAt=null
      OK
      > INCR a
      (error) ERR value is not an integer or out of range"
    `)
  })
})

describe("INCRBYFLOAT", () => {
  it("adds decimals and keeps the deadline", () => {
    expect(script(`
      INCRBYFLOAT a 10.5
      INCRBYFLOAT a 0.1
      INCRBYFLOAT a -10.6
      SET a 5.0e3 EX 10
      INCRBYFLOAT a 2.0e2
      SET a 3
      INCRBYFLOAT a 1.0
      SET a 0x10
      INCRBYFLOAT a 0x1p-2
      SET a 0
      INCRBYFLOAT a 1e-17
      INCRBYFLOAT a -0
      SET a 17179869184
      INCRBYFLOAT a 1.5
      SET gone 5 PX 1
      +1
      INCRBYFLOAT gone 1
    `)).toMatchInlineSnapshot(`
      "> INCRBYFLOAT a 10.5
        #1 StringFloatIncremented key=a value=10.5
      "10.5"
      > INCRBYFLOAT a 0.1
        #2 StringFloatIncremented key=a value=10.6
      "10.6"
      > INCRBYFLOAT a -10.6
        #3 StringFloatIncremented key=a value=0
      "0"
      > SET a 5.0e3 EX 10
        #4 StringSet key=a value=5.0e3 expireAt=1700000010000
      OK
      > INCRBYFLOAT a 2.0e2
        #5 StringFloatIncremented key=a value=5200
      "5200"
      > SET a 3
        #6 StringSet key=a value=3 expireAt=null
      OK
      > INCRBYFLOAT a 1.0
        #7 StringFloatIncremented key=a value=4
      "4"
      > SET a 0x10
        #8 StringSet key=a value=0x10 expireAt=null
      OK
      > INCRBYFLOAT a 0x1p-2
        #9 StringFloatIncremented key=a value=16.25
      "16.25"
      > SET a 0
        #10 StringSet key=a value=0 expireAt=null
      OK
      > INCRBYFLOAT a 1e-17
        #11 StringFloatIncremented key=a value=0.00000000000000001
      "0.00000000000000001"
      > INCRBYFLOAT a -0
        #12 StringFloatIncremented key=a value=0.00000000000000001
      "0.00000000000000001"
      > SET a 17179869184
        #13 StringSet key=a value=17179869184 expireAt=null
      OK
      > INCRBYFLOAT a 1.5
        #14 StringFloatIncremented key=a value=17179869185.5
      "17179869185.5"
      > SET gone 5 PX 1
        #15 StringSet key=gone value=5 expireAt=1700000000001
      OK
      > +1
      > INCRBYFLOAT gone 1
        #16 by expire KeyExpired key=gone
        #17 StringFloatIncremented key=gone value=1
      "1""
    `)
  })

  it("refuses what is no number and sums without end", () => {
    expect(script(`
      SET a abc
      INCRBYFLOAT a 1
      INCRBYFLOAT none abc
      INCRBYFLOAT none nan
      INCRBYFLOAT none inf
      INCRBYFLOAT none " 1"
      INCRBYFLOAT none 1e5000
      INCRBYFLOAT none ""
      SET a 1.18e4932
      INCRBYFLOAT a 1.18e4932
      SET a inf
      INCRBYFLOAT a 1
      INCRBYFLOAT list abc
    `)).toMatchInlineSnapshot(`
      "> SET a abc
        #1 StringSet key=a value=abc expireAt=null
      OK
      > INCRBYFLOAT a 1
      (error) ERR value is not a valid float
      > INCRBYFLOAT none abc
      (error) ERR value is not a valid float
      > INCRBYFLOAT none nan
      (error) ERR value is not a valid float
      > INCRBYFLOAT none inf
      (error) ERR increment would produce NaN or Infinity
      > INCRBYFLOAT none " 1"
      (error) ERR value is not a valid float
      > INCRBYFLOAT none 1e5000
      (error) ERR value is not a valid float
      > INCRBYFLOAT none ""
      (error) ERR value is not a valid float
      > SET a 1.18e4932
        #2 StringSet key=a value=1.18e4932 expireAt=null
      OK
      > INCRBYFLOAT a 1.18e4932
      (error) ERR increment would produce NaN or Infinity
      > SET a inf
        #3 StringSet key=a value=inf expireAt=null
      OK
      > INCRBYFLOAT a 1
      (error) ERR increment would produce NaN or Infinity
      > INCRBYFLOAT list abc
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
