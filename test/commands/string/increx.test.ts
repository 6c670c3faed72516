import { describe, expect, it } from "vitest"
import { script, script3 } from "./support.ts"

describe("INCREX", () => {
  it("counts by one, by integers and by decimals", () => {
    const commands = `
      INCREX a
      INCREX a BYINT 5
      INCREX a BYINT -10
      INCREX a BYINT 0
      INCREX a BYFLOAT 0.25
      INCREX a byfloat 1
      SET b 0.1
      INCREX b BYFLOAT 0.2
    `
    expect(script(commands)).toMatchInlineSnapshot(`
      "> INCREX a
        #1 StringIncremented key=a value=1
      [(integer) 1, (integer) 1]
      > INCREX a BYINT 5
        #2 StringIncremented key=a value=6
      [(integer) 6, (integer) 5]
      > INCREX a BYINT -10
        #3 StringIncremented key=a value=-4
      [(integer) -4, (integer) -10]
      > INCREX a BYINT 0
        #4 StringIncremented key=a value=-4
      [(integer) -4, (integer) 0]
      > INCREX a BYFLOAT 0.25
        #5 StringFloatIncremented key=a value=-3.75
      ["-3.75", "0.25"]
      > INCREX a byfloat 1
        #6 StringFloatIncremented key=a value=-2.75
      ["-2.75", "1"]
      > SET b 0.1
        #7 StringSet key=b value=0.1 expireAt=null
      OK
      > INCREX b BYFLOAT 0.2
        #8 StringFloatIncremented key=b value=0.3
      ["0.3", "0.2"]"
    `)
    expect(script3(commands)).toMatchInlineSnapshot(`
      "> INCREX a
        #1 StringIncremented key=a value=1
      [(integer) 1, (integer) 1]
      > INCREX a BYINT 5
        #2 StringIncremented key=a value=6
      [(integer) 6, (integer) 5]
      > INCREX a BYINT -10
        #3 StringIncremented key=a value=-4
      [(integer) -4, (integer) -10]
      > INCREX a BYINT 0
        #4 StringIncremented key=a value=-4
      [(integer) -4, (integer) 0]
      > INCREX a BYFLOAT 0.25
        #5 StringFloatIncremented key=a value=-3.75
      [(double) -3.75, (double) 0.25]
      > INCREX a byfloat 1
        #6 StringFloatIncremented key=a value=-2.75
      [(double) -2.75, (double) 1]
      > SET b 0.1
        #7 StringSet key=b value=0.1 expireAt=null
      OK
      > INCREX b BYFLOAT 0.2
        #8 StringFloatIncremented key=b value=0.3
      [(double) 0.3, (double) 0.2]"
    `)
  })

  it("leaves everything alone when the sum is out of bounds", () => {
    expect(script(`
      SET a 99 EX 100
      INCREX a BYINT 5 UBOUND 100
      INCREX a BYINT -100 LBOUND 0 PERSIST
      INCREX a BYINT 1 LBOUND 0 UBOUND 100
      INCREX a BYINT 9223372036854775807
      INCREX a BYFLOAT 0.5 UBOUND 100.25
      INCREX a BYFLOAT 0.5 UBOUND 100.25 EX 5
      INCREX none BYINT 10 UBOUND 5
      INCREX none BYFLOAT -0.5 UBOUND -1.5
      SET a 50
      INCREX a BYINT 5 UBOUND 30
      INCREX a BYINT -25 UBOUND 30
    `)).toMatchInlineSnapshot(`
      "> SET a 99 EX 100
        #1 StringSet key=a value=99 expireAt=1700000100000
      OK
      > INCREX a BYINT 5 UBOUND 100
      [(integer) 99, (integer) 0]
      > INCREX a BYINT -100 LBOUND 0 PERSIST
      [(integer) 99, (integer) 0]
      > INCREX a BYINT 1 LBOUND 0 UBOUND 100
        #2 StringIncremented key=a value=100
      [(integer) 100, (integer) 1]
      > INCREX a BYINT 9223372036854775807
      [(integer) 100, (integer) 0]
      > INCREX a BYFLOAT 0.5 UBOUND 100.25
      ["100", "0"]
      > INCREX a BYFLOAT 0.5 UBOUND 100.25 EX 5
      ["100", "0"]
      > INCREX none BYINT 10 UBOUND 5
      [(integer) 0, (integer) 0]
      > INCREX none BYFLOAT -0.5 UBOUND -1.5
      ["0", "0"]
      > SET a 50
        #3 StringSet key=a value=50 expireAt=null
      OK
      > INCREX a BYINT 5 UBOUND 30
      [(integer) 50, (integer) 0]
      > INCREX a BYINT -25 UBOUND 30
        #4 StringIncremented key=a value=25
      [(integer) 25, (integer) -25]"
    `)
  })

  it("goes as far as the bounds with SATURATE", () => {
    expect(script(`
      SET a 99
      INCREX a BYINT 5 UBOUND 100 SATURATE
      INCREX a BYINT -500 LBOUND 0 SATURATE
      INCREX a BYINT -5 LBOUND 20 SATURATE
      SET a 9223372036854775800
      INCREX a BYINT 9223372036854775800 SATURATE
      INCREX a BYINT 1 SATURATE UBOUND -9223372036854775808
      SET a 10
      INCREX a BYFLOAT 100 UBOUND 42.5 SATURATE
      INCREX a BYFLOAT -100 LBOUND -5.5 SATURATE EX 10
      INCREX none LBOUND 5 SATURATE
      INCREX other UBOUND 0 SATURATE
    `)).toMatchInlineSnapshot(`
      "> SET a 99
        #1 StringSet key=a value=99 expireAt=null
      OK
      > INCREX a BYINT 5 UBOUND 100 SATURATE
        #2 StringIncremented key=a value=100
      [(integer) 100, (integer) 1]
      > INCREX a BYINT -500 LBOUND 0 SATURATE
        #3 StringIncremented key=a value=0
      [(integer) 0, (integer) -100]
      > INCREX a BYINT -5 LBOUND 20 SATURATE
        #4 StringIncremented key=a value=20
      [(integer) 20, (integer) 20]
      > SET a 9223372036854775800
        #5 StringSet key=a value=9223372036854775800 expireAt=null
      OK
      > INCREX a BYINT 9223372036854775800 SATURATE
        #6 StringIncremented key=a value=9223372036854775807
      [(integer) 9223372036854775807, (integer) 7]
      > INCREX a BYINT 1 SATURATE UBOUND -9223372036854775808
      (error) ERR applied increment would overflow
      > SET a 10
        #7 StringSet key=a value=10 expireAt=null
      OK
      > INCREX a BYFLOAT 100 UBOUND 42.5 SATURATE
        #8 StringFloatIncremented key=a value=42.5
      ["42.5", "32.5"]
      > INCREX a BYFLOAT -100 LBOUND -5.5 SATURATE EX 10
        #9 StringFloatIncremented key=a value=-5.5
        #9 KeyExpirySet key=a expireAt=1700000010000
      ["-5.5", "-48"]
      > INCREX none LBOUND 5 SATURATE
        #10 StringIncremented key=none value=5
      [(integer) 5, (integer) 5]
      > INCREX other UBOUND 0 SATURATE
        #11 StringIncremented key=other value=0
      [(integer) 0, (integer) 0]"
    `)
  })

  it("treats sums beyond the largest number as out of bounds", () => {
    const huge = "1.18e4932"
    expect(script(`
      SET a ${huge}
      INCREX a BYFLOAT ${huge} UBOUND 5 SATURATE
      SET a 10
      INCREX a BYFLOAT ${huge} UBOUND 100
      INCREX a BYFLOAT 1 UBOUND inf
      INCREX a BYFLOAT 1 LBOUND -inf UBOUND -inf
      INCREX a BYFLOAT 1 LBOUND -inf UBOUND -inf SATURATE
      INCREX a BYFLOAT 1 LBOUND inf
    `)).toMatchInlineSnapshot(`
      "> SET a 1.18e4932
        #1 StringSet key=a value=1.18e4932 expireAt=null
      OK
      > INCREX a BYFLOAT 1.18e4932 UBOUND 5 SATURATE
        #2 StringFloatIncremented key=a value=5
      ["5", "-11800000000000000000006528129180936992026904371401604717298… (4934 bytes)"]
      > SET a 10
        #3 StringSet key=a value=10 expireAt=null
      OK
      > INCREX a BYFLOAT 1.18e4932 UBOUND 100
      ["10", "0"]
      > INCREX a BYFLOAT 1 UBOUND inf
        #4 StringFloatIncremented key=a value=11
      ["11", "1"]
      > INCREX a BYFLOAT 1 LBOUND -inf UBOUND -inf
      ["11", "0"]
      > INCREX a BYFLOAT 1 LBOUND -inf UBOUND -inf SATURATE
      (error) ERR applied increment would be Infinity
      > INCREX a BYFLOAT 1 LBOUND inf
      (error) ERR LBOUND can't be greater than UBOUND"
    `)
  })

  it("has its say about the deadline", () => {
    expect(script(`
      INCREX a EX 100
      INCREX a
      INCREX a EX 50 ENX
      INCREX a PX 50000
      INCREX a PERSIST
      INCREX a PERSIST
      INCREX a EXAT 1700000100 ENX
      INCREX a EXAT 1 ENX
      INCREX a PXAT 1
      INCREX a PXAT 1
      INCREX b EX 100 BYINT 5 ENX
      SET gone 5 PX 1
      +1
      INCREX gone EX 5 ENX
    `)).toMatchInlineSnapshot(`
      "> INCREX a EX 100
        #1 StringIncremented key=a value=1
        #1 KeyExpirySet key=a expireAt=1700000100000
      [(integer) 1, (integer) 1]
      > INCREX a
        #2 StringIncremented key=a value=2
      [(integer) 2, (integer) 1]
      > INCREX a EX 50 ENX
        #3 StringIncremented key=a value=3
      [(integer) 3, (integer) 1]
      > INCREX a PX 50000
        #4 StringIncremented key=a value=4
        #4 KeyExpirySet key=a expireAt=1700000050000
      [(integer) 4, (integer) 1]
      > INCREX a PERSIST
        #5 StringIncremented key=a value=5
        #5 KeyPersisted key=a
      [(integer) 5, (integer) 1]
      > INCREX a PERSIST
        #6 StringIncremented key=a value=6
      [(integer) 6, (integer) 1]
      > INCREX a EXAT 1700000100 ENX
        #7 StringIncremented key=a value=7
        #7 KeyExpirySet key=a expireAt=1700000100000
      [(integer) 7, (integer) 1]
      > INCREX a EXAT 1 ENX
        #8 StringIncremented key=a value=8
      [(integer) 8, (integer) 1]
      > INCREX a PXAT 1
        #9 KeyDeleted key=a
      [(integer) 9, (integer) 1]
      > INCREX a PXAT 1
      [(integer) 1, (integer) 1]
      > INCREX b EX 100 BYINT 5 ENX
        #10 StringIncremented key=b value=5
        #10 KeyExpirySet key=b expireAt=1700000100000
      [(integer) 5, (integer) 5]
      > SET gone 5 PX 1
        #11 StringSet key=gone value=5 expireAt=1700000000001
      OK
      > +1
      > INCREX gone EX 5 ENX
        #12 by expire KeyExpired key=gone
        #13 StringIncremented key=gone value=1
        #13 KeyExpirySet key=gone expireAt=1700000005001
      [(integer) 1, (integer) 1]"
    `)
  })

  it("refuses", () => {
    expect(script(`
      INCREX
      INCREX a WHAT
      INCREX a WHAT 1
      INCREX a BYINT
      INCREX a BYINT 1 BYINT 2
      INCREX a BYINT 1 BYFLOAT 2
      INCREX a LBOUND 1 LBOUND 2
      INCREX a SATURATE SATURATE
      INCREX a ENX ENX EX 10
      INCREX a PERSIST PERSIST
      INCREX a PERSIST ENX
      INCREX a ENX PERSIST
      INCREX a EX 10 PERSIST
      INCREX a PERSIST EX 10
      INCREX a EX 10 EX 20
      INCREX a EX 10 PX 20
      INCREX a ENX
      INCREX a BYINT abc
      INCREX a BYINT 1.5
      INCREX a BYFLOAT abc
      INCREX a BYFLOAT nan
      INCREX a BYFLOAT -inf
      INCREX a LBOUND 1.5
      INCREX a UBOUND abc
      INCREX a BYFLOAT 1 LBOUND abc
      INCREX a BYFLOAT 1 UBOUND abc
      INCREX a LBOUND 10 UBOUND 5
      INCREX a BYFLOAT 0.5 LBOUND 10.5 UBOUND 1.5
      INCREX a EX 0
      INCREX a PX abc
      INCREX a PXAT 9223372036854775807
      SET a hello
      INCREX a
      INCREX a BYFLOAT 1
      SET a 1.5
      INCREX a BYINT 1
      SET a inf
      INCREX a BYFLOAT 1
      INCREX list
      INCREX list BYFLOAT 1
    `)).toMatchInlineSnapshot(`
      "> INCREX
      (error) ERR wrong number of arguments for 'increx' command
      > INCREX a WHAT
      (error) ERR syntax error
      > INCREX a WHAT 1
      (error) ERR syntax error
      > INCREX a BYINT
      (error) ERR syntax error
      > INCREX a BYINT 1 BYINT 2
      (error) ERR syntax error
      > INCREX a BYINT 1 BYFLOAT 2
      (error) ERR syntax error
      > INCREX a LBOUND 1 LBOUND 2
      (error) ERR syntax error
      > INCREX a SATURATE SATURATE
      (error) ERR syntax error
      > INCREX a ENX ENX EX 10
      (error) ERR syntax error
      > INCREX a PERSIST PERSIST
      (error) ERR syntax error
      > INCREX a PERSIST ENX
      (error) ERR syntax error
      > INCREX a ENX PERSIST
      (error) ERR syntax error
      > INCREX a EX 10 PERSIST
      (error) ERR syntax error
      > INCREX a PERSIST EX 10
      (error) ERR syntax error
      > INCREX a EX 10 EX 20
      (error) ERR syntax error
      > INCREX a EX 10 PX 20
      (error) ERR syntax error
      > INCREX a ENX
      (error) ERR ENX flag requires an expiration
      > INCREX a BYINT abc
      (error) ERR Increment is not an integer or out of range
      > INCREX a BYINT 1.5
      (error) ERR Increment is not an integer or out of range
      > INCREX a BYFLOAT abc
      (error) ERR Increment is not a valid float
      > INCREX a BYFLOAT nan
      (error) ERR Increment is not a valid float
      > INCREX a BYFLOAT -inf
      (error) ERR BYFLOAT increment cannot be Infinity
      > INCREX a LBOUND 1.5
      (error) ERR LBOUND is not an integer or out of range
      > INCREX a UBOUND abc
      (error) ERR UBOUND is not an integer or out of range
      > INCREX a BYFLOAT 1 LBOUND abc
      (error) ERR LBOUND is not a valid float
      > INCREX a BYFLOAT 1 UBOUND abc
      (error) ERR UBOUND is not a valid float
      > INCREX a LBOUND 10 UBOUND 5
      (error) ERR LBOUND can't be greater than UBOUND
      > INCREX a BYFLOAT 0.5 LBOUND 10.5 UBOUND 1.5
      (error) ERR LBOUND can't be greater than UBOUND
      > INCREX a EX 0
      (error) ERR invalid expire time in 'increx' command
      > INCREX a PX abc
      (error) ERR value is not an integer or out of range
      > INCREX a PXAT 9223372036854775807
      (error) ERR invalid expire time in 'increx' command
      > SET a hello
        #1 StringSet key=a value=hello expireAt=null
      OK
      > INCREX a
      (error) ERR value is not an integer or out of range
      > INCREX a BYFLOAT 1
      (error) ERR value is not a valid float
      > SET a 1.5
        #2 StringSet key=a value=1.5 expireAt=null
      OK
      > INCREX a BYINT 1
      (error) ERR value is not an integer or out of range
      > SET a inf
        #3 StringSet key=a value=inf expireAt=null
      OK
      > INCREX a BYFLOAT 1
      (error) ERR value cannot be Infinity
      > INCREX list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > INCREX list BYFLOAT 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
