import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("EXISTS, TOUCH and TYPE", () => {
  it("count a key as often as it is named", () => {
    expect(transcript(`SET a 1
      EXISTS a
      EXISTS a missing a
      TOUCH a missing a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > EXISTS a
        (integer) 1
        > EXISTS a missing a
        (integer) 2
        > TOUCH a missing a
        (integer) 2"
      `)
  })

  it("tell the type", () => {
    expect(transcript(`SET a 1
      SET b text
      TYPE a
      TYPE b
      TYPE missing`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SET b text
          #2 StringSet key=b value=text expireAt=null
        OK
        > TYPE a
        string
        > TYPE b
        string
        > TYPE missing
        none"
      `)
  })

  it("bury dead keys they meet", () => {
    expect(transcript(`SET a 1 PX 10
      SET b 1 PX 10
      SET c 1 PX 10
      +9
      EXISTS a
      +1
      EXISTS a a
      TOUCH b
      TYPE c`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 10
          #1 StringSet key=a value=1 expireAt=1700000000010
        OK
        > SET b 1 PX 10
          #2 StringSet key=b value=1 expireAt=1700000000010
        OK
        > SET c 1 PX 10
          #3 StringSet key=c value=1 expireAt=1700000000010
        OK
        > +9
        > EXISTS a
        (integer) 1
        > +1
        > EXISTS a a
          #4 by expire KeyExpired key=a
        (integer) 0
        > TOUCH b
          #5 by expire KeyExpired key=b
        (integer) 0
        > TYPE c
          #6 by expire KeyExpired key=c
        none"
      `)
  })

  it("move the access time only by TOUCH", () => {
    expect(transcript(`SET a 1
      +5000
      EXISTS a
      TYPE a
      TTL a
      OBJECT IDLETIME a
      TOUCH a
      OBJECT IDLETIME a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > +5000
        > EXISTS a
        (integer) 1
        > TYPE a
        string
        > TTL a
        (integer) -1
        > OBJECT IDLETIME a
        (integer) 5
        > TOUCH a
        (integer) 1
        > OBJECT IDLETIME a
        (integer) 0"
      `)
  })

  it("refuse the wrong number of words", () => {
    expect(transcript(`EXISTS
      TOUCH
      TYPE
      TYPE a b`)).toMatchInlineSnapshot(`
        "> EXISTS
        (error) ERR wrong number of arguments for 'exists' command
        > TOUCH
        (error) ERR wrong number of arguments for 'touch' command
        > TYPE
        (error) ERR wrong number of arguments for 'type' command
        > TYPE a b
        (error) ERR wrong number of arguments for 'type' command"
      `)
  })
})
