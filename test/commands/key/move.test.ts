import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

describe("RENAME and RENAMENX", () => {
  it("carry value and deadline to the new name", () => {
    expect(transcript(`SET a 1 PX 1000
      SET b 2
      RENAME a b
      GET b
      PTTL b
      EXISTS a
      RENAMENX b c
      PTTL c`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 1000
          #1 StringSet key=a value=1 expireAt=1700000001000
        OK
        > SET b 2
          #2 StringSet key=b value=2 expireAt=null
        OK
        > RENAME a b
          #3 KeyRenamed key=a to=b
        OK
        > GET b
        "1"
        > PTTL b
        (integer) 1000
        > EXISTS a
        (integer) 0
        > RENAMENX b c
          #4 KeyRenamed key=b to=c
        (integer) 1
        > PTTL c
        (integer) 1000"
      `)
  })

  it("RENAMENX leaves a taken name alone", () => {
    expect(transcript(`SET a 1
      SET b 2
      RENAMENX a b
      MGET a b`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SET b 2
          #2 StringSet key=b value=2 expireAt=null
        OK
        > RENAMENX a b
        (integer) 0
        > MGET a b
        ["1", "2"]"
      `)
  })

  it("to the same name change nothing", () => {
    expect(transcript(`SET a 1
      RENAME a a
      RENAMENX a a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > RENAME a a
        OK
        > RENAMENX a a
        (integer) 0"
      `)
  })

  it("want an existing key", () => {
    expect(transcript(`RENAME missing b
      RENAME missing missing
      RENAMENX missing missing
      RENAME a
      RENAMENX a b c`)).toMatchInlineSnapshot(`
        "> RENAME missing b
        (error) ERR no such key
        > RENAME missing missing
        (error) ERR no such key
        > RENAMENX missing missing
        (error) ERR no such key
        > RENAME a
        (error) ERR wrong number of arguments for 'rename' command
        > RENAMENX a b c
        (error) ERR wrong number of arguments for 'renamenx' command"
      `)
  })

  it("take dead keys for absent", () => {
    expect(transcript(`SET a 1
      SET b 2 PX 10
      +10
      RENAME b c
      SET b 2 PX 10
      +10
      RENAMENX a b`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SET b 2 PX 10
          #2 StringSet key=b value=2 expireAt=1700000000010
        OK
        > +10
        > RENAME b c
          #3 by expire KeyExpired key=b
        (error) ERR no such key
        > SET b 2 PX 10
          #4 StringSet key=b value=2 expireAt=1700000000020
        OK
        > +10
        > RENAMENX a b
          #5 by expire KeyExpired key=b
          #6 KeyRenamed key=a to=b
        (integer) 1"
      `)
  })
})

describe("COPY", () => {
  it("copies value and deadline", () => {
    expect(transcript(`SET a hello PX 1000
      COPY a b
      PTTL b
      APPEND a !
      GET b
      COPY a b
      COPY a b REPLACE
      GET b`)).toMatchInlineSnapshot(`
        "> SET a hello PX 1000
          #1 StringSet key=a value=hello expireAt=1700000001000
        OK
        > COPY a b
          #2 KeyCopied key=a to=b toDb=0
        (integer) 1
        > PTTL b
        (integer) 1000
        > APPEND a !
          #3 StringAppended key=a suffix=!
        (integer) 6
        > GET b
        "hello"
        > COPY a b
        (integer) 0
        > COPY a b REPLACE
          #4 KeyCopied key=a to=b toDb=0
        (integer) 1
        > GET b
        "hello!""
      `)
  })

  it("to another database", () => {
    const harness = new Harness()
    expect(transcript(
      `SET a 1
      COPY a a DB 3
      COPY a a db 3
      COPY a a db 3 replace
      COPY a b REPLACE DB 15`,
      { harness }
    )).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > COPY a a DB 3
          #2 KeyCopied key=a to=a toDb=3
        (integer) 1
        > COPY a a db 3
        (integer) 0
        > COPY a a db 3 replace
          #3 KeyCopied key=a to=a toDb=3
        (integer) 1
        > COPY a b REPLACE DB 15
          #4 KeyCopied key=a to=b toDb=15
        (integer) 1"
      `)
    harness.connection.client.db = 3
    expect(transcript("GET a", { harness })).toMatchInlineSnapshot(`
      "> GET a
      "1""
    `)
  })

  it("takes the last of several DB options", () => {
    expect(transcript(`SET a 1
      COPY a a DB 0 DB 1
      COPY a b DB 1 DB 0`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > COPY a a DB 0 DB 1
          #2 KeyCopied key=a to=a toDb=1
        (integer) 1
        > COPY a b DB 1 DB 0
          #3 KeyCopied key=a to=b toDb=0
        (integer) 1"
      `)
  })

  it("refuses", () => {
    expect(transcript(`SET a 1
      COPY a a
      COPY missing missing
      COPY a a DB 0
      COPY a b DB 16
      COPY a b DB -1
      COPY a b DB text
      COPY a b DB 2147483648
      COPY a b DB
      COPY a b WHAT
      COPY missing b
      COPY a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > COPY a a
        (error) ERR source and destination objects are the same
        > COPY missing missing
        (error) ERR source and destination objects are the same
        > COPY a a DB 0
        (error) ERR source and destination objects are the same
        > COPY a b DB 16
        (error) ERR DB index is out of range
        > COPY a b DB -1
        (error) ERR DB index is out of range
        > COPY a b DB text
        (error) ERR value is not an integer or out of range
        > COPY a b DB 2147483648
        (error) ERR value is out of range, value must between -2147483648 and 2147483647
        > COPY a b DB
        (error) ERR syntax error
        > COPY a b WHAT
        (error) ERR syntax error
        > COPY missing b
        (integer) 0
        > COPY a
        (error) ERR wrong number of arguments for 'copy' command"
      `)
  })

  it("takes dead keys for absent, in both databases", () => {
    expect(transcript(`SET a 1 PX 10
      SET b 2 PX 20
      COPY b b DB 1
      +10
      COPY a c
      SET a 1
      +10
      COPY a b
      COPY a b DB 1`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 10
          #1 StringSet key=a value=1 expireAt=1700000000010
        OK
        > SET b 2 PX 20
          #2 StringSet key=b value=2 expireAt=1700000000020
        OK
        > COPY b b DB 1
          #3 KeyCopied key=b to=b toDb=1
        (integer) 1
        > +10
        > COPY a c
          #4 by expire KeyExpired key=a
        (integer) 0
        > SET a 1
          #5 StringSet key=a value=1 expireAt=null
        OK
        > +10
        > COPY a b
          #6 by expire KeyExpired key=b
          #7 KeyCopied key=a to=b toDb=0
        (integer) 1
        > COPY a b DB 1
          #8 db1 by expire KeyExpired key=b
          #9 KeyCopied key=a to=b toDb=1
        (integer) 1"
      `)
  })
})

describe("MOVE", () => {
  it("moves a key with its deadline, unless the name is taken there", () => {
    const harness = new Harness()
    expect(transcript(
      `SET a 1 PX 1000
      MOVE a 2
      EXISTS a
      SET a 2
      MOVE a 2
      MOVE missing 2`,
      { harness }
    )).toMatchInlineSnapshot(`
        "> SET a 1 PX 1000
          #1 StringSet key=a value=1 expireAt=1700000001000
        OK
        > MOVE a 2
          #2 KeyMoved key=a toDb=2
        (integer) 1
        > EXISTS a
        (integer) 0
        > SET a 2
          #3 StringSet key=a value=2 expireAt=null
        OK
        > MOVE a 2
        (integer) 0
        > MOVE missing 2
        (integer) 0"
      `)
    harness.connection.client.db = 2
    expect(transcript(
      `GET a
      PTTL a
      +1000`,
      { harness }
    )).toMatchInlineSnapshot(`
        "> GET a
        "1"
        > PTTL a
        (integer) 1000
        > +1000"
      `)
    harness.connection.client.db = 0
    expect(transcript("MOVE a 2", { harness })).toMatchInlineSnapshot(`
      "> MOVE a 2
        #4 db2 by expire KeyExpired key=a
        #5 KeyMoved key=a toDb=2
      (integer) 1"
    `)
  })

  it("refuses", () => {
    expect(transcript(`SET a 1
      MOVE a 0
      MOVE missing 0
      MOVE a 16
      MOVE a -1
      MOVE a text
      MOVE a 2147483648
      MOVE a -9223372036854775809
      MOVE a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > MOVE a 0
        (error) ERR source and destination objects are the same
        > MOVE missing 0
        (error) ERR source and destination objects are the same
        > MOVE a 16
        (error) ERR DB index is out of range
        > MOVE a -1
        (error) ERR DB index is out of range
        > MOVE a text
        (error) ERR value is not an integer or out of range
        > MOVE a 2147483648
        (error) ERR value is out of range, value must between -2147483648 and 2147483647
        > MOVE a -9223372036854775809
        (error) ERR value is not an integer or out of range
        > MOVE a
        (error) ERR wrong number of arguments for 'move' command"
      `)
  })

  it("takes a dead key for absent", () => {
    expect(transcript(`SET a 1 PX 10
      +10
      MOVE a 2`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 10
          #1 StringSet key=a value=1 expireAt=1700000000010
        OK
        > +10
        > MOVE a 2
          #2 by expire KeyExpired key=a
        (integer) 0"
      `)
  })
})
