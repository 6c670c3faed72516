import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

// The clock stands at 1,700,000,000,000.

describe("EXPIRE and its kin", () => {
  it("set the same moment in four ways", () => {
    expect(transcript(`SET k v
      EXPIRE k 100
      PEXPIRE k 100000
      EXPIREAT k 1700000100
      PEXPIREAT k 1700000100000
      PTTL k
      EXPIRE missing 100`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k 100
          #2 KeyExpirySet key=k expireAt=1700000100000
        (integer) 1
        > PEXPIRE k 100000
          #3 KeyExpirySet key=k expireAt=1700000100000
        (integer) 1
        > EXPIREAT k 1700000100
          #4 KeyExpirySet key=k expireAt=1700000100000
        (integer) 1
        > PEXPIREAT k 1700000100000
          #5 KeyExpirySet key=k expireAt=1700000100000
        (integer) 1
        > PTTL k
        (integer) 100000
        > EXPIRE missing 100
        (integer) 0"
      `)
  })

  it("delete at once when the moment has come", () => {
    expect(transcript(`SET k v
      EXPIRE k 0
      SET k v
      EXPIRE k -1
      SET k v
      PEXPIREAT k 1700000000000
      SET k v
      PEXPIREAT k 1700000000001
      SET k v
      EXPIREAT k 1
      SET k v
      EXPIREAT k -5
      SET k v
      EXPIRE k -9223372036854775
      SET k v
      PEXPIRE k -9223372036854775808
      EXISTS k`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k 0
          #2 KeyDeleted key=k
        (integer) 1
        > SET k v
          #3 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k -1
          #4 KeyDeleted key=k
        (integer) 1
        > SET k v
          #5 StringSet key=k value=v expireAt=null
        OK
        > PEXPIREAT k 1700000000000
          #6 KeyDeleted key=k
        (integer) 1
        > SET k v
          #7 StringSet key=k value=v expireAt=null
        OK
        > PEXPIREAT k 1700000000001
          #8 KeyExpirySet key=k expireAt=1700000000001
        (integer) 1
        > SET k v
          #9 StringSet key=k value=v expireAt=null
        OK
        > EXPIREAT k 1
          #10 KeyDeleted key=k
        (integer) 1
        > SET k v
          #11 StringSet key=k value=v expireAt=null
        OK
        > EXPIREAT k -5
          #12 KeyDeleted key=k
        (integer) 1
        > SET k v
          #13 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k -9223372036854775
          #14 KeyDeleted key=k
        (integer) 1
        > SET k v
          #15 StringSet key=k value=v expireAt=null
        OK
        > PEXPIRE k -9223372036854775808
          #16 KeyDeleted key=k
        (integer) 1
        > EXISTS k
        (integer) 0"
      `)
  })

  it("let the key die", () => {
    expect(transcript(`SET k v
      EXPIRE k 1
      +999
      GET k
      +1
      GET k
      EXPIRE k 10`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k 1
          #2 KeyExpirySet key=k expireAt=1700000001000
        (integer) 1
        > +999
        > GET k
        "v"
        > +1
        > GET k
          #3 by expire KeyExpired key=k
        (nil)
        > EXPIRE k 10
        (integer) 0"
      `)
  })

  it("NX: only without a deadline; XX: only with one", () => {
    expect(transcript(`SET k v
      EXPIRE k 100 XX
      EXPIRE k 100 NX
      EXPIRE k 200 nx
      EXPIRE k 300 xx`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k 100 XX
        (integer) 0
        > EXPIRE k 100 NX
          #2 KeyExpirySet key=k expireAt=1700000100000
        (integer) 1
        > EXPIRE k 200 nx
        (integer) 0
        > EXPIRE k 300 xx
          #3 KeyExpirySet key=k expireAt=1700000300000
        (integer) 1"
      `)
  })

  it("GT: only later, and no deadline is latest; LT: only earlier", () => {
    expect(transcript(`SET k v
      EXPIRE k 100 GT
      EXPIRE k 100 LT
      EXPIRE k 100 LT
      EXPIRE k 100 GT
      EXPIRE k 101 GT
      EXPIRE k 99 XX LT
      EXPIRE k 98 LT LT
      EXPIRE k -1 GT
      EXPIRE k -1 LT`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k 100 GT
        (integer) 0
        > EXPIRE k 100 LT
          #2 KeyExpirySet key=k expireAt=1700000100000
        (integer) 1
        > EXPIRE k 100 LT
        (integer) 0
        > EXPIRE k 100 GT
        (integer) 0
        > EXPIRE k 101 GT
          #3 KeyExpirySet key=k expireAt=1700000101000
        (integer) 1
        > EXPIRE k 99 XX LT
          #4 KeyExpirySet key=k expireAt=1700000099000
        (integer) 1
        > EXPIRE k 98 LT LT
          #5 KeyExpirySet key=k expireAt=1700000098000
        (integer) 1
        > EXPIRE k -1 GT
        (integer) 0
        > EXPIRE k -1 LT
          #6 KeyDeleted key=k
        (integer) 1"
      `)
  })

  it("refuse options that exclude each other, and unknown ones first", () => {
    expect(transcript(`SET k v
      EXPIRE k 1 NX XX
      EXPIRE k 1 NX GT
      PEXPIRE k 1 NX LT
      EXPIREAT k 1 GT LT
      PEXPIREAT k 1 XX GT LT
      EXPIRE k text NX XX
      EXPIRE k 1 NX XX KEEP
      EXPIRE missing 1 what`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k 1 NX XX
        (error) ERR NX and XX, GT or LT options at the same time are not compatible
        > EXPIRE k 1 NX GT
        (error) ERR NX and XX, GT or LT options at the same time are not compatible
        > PEXPIRE k 1 NX LT
        (error) ERR NX and XX, GT or LT options at the same time are not compatible
        > EXPIREAT k 1 GT LT
        (error) ERR GT and LT options at the same time are not compatible
        > PEXPIREAT k 1 XX GT LT
        (error) ERR GT and LT options at the same time are not compatible
        > EXPIRE k text NX XX
        (error) ERR NX and XX, GT or LT options at the same time are not compatible
        > EXPIRE k 1 NX XX KEEP
        (error) ERR Unsupported option KEEP
        > EXPIRE missing 1 what
        (error) ERR Unsupported option what"
      `)
  })

  it("refuse what is no time, or beyond the last", () => {
    expect(transcript(`SET k v
      EXPIRE k text
      EXPIRE missing 1.5
      EXPIRE k 9223372036854775808
      EXPIRE k 9223372036854775807
      PEXPIRE k 9223372036854775807
      EXPIREAT k 9223372036854775807
      PEXPIREAT k 9223372036854775807
      EXPIRE k -9223372036854775808
      EXPIREAT k -9223372036854775808
      PEXPIREAT k 9007199254740991
      PEXPIREAT k 9007199254740992
      EXPIREAT k 9007199254740
      EXPIREAT k 9007199254741
      EXPIRE k
      EXPIRE`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > EXPIRE k text
        (error) ERR value is not an integer or out of range
        > EXPIRE missing 1.5
        (error) ERR value is not an integer or out of range
        > EXPIRE k 9223372036854775808
        (error) ERR value is not an integer or out of range
        > EXPIRE k 9223372036854775807
        (error) ERR invalid expire time in 'expire' command
        > PEXPIRE k 9223372036854775807
        (error) ERR invalid expire time in 'pexpire' command
        > EXPIREAT k 9223372036854775807
        (error) ERR invalid expire time in 'expireat' command
        > PEXPIREAT k 9223372036854775807
        (error) ERR invalid expire time in 'pexpireat' command
        > EXPIRE k -9223372036854775808
        (error) ERR invalid expire time in 'expire' command
        > EXPIREAT k -9223372036854775808
        (error) ERR invalid expire time in 'expireat' command
        > PEXPIREAT k 9007199254740991
          #2 KeyExpirySet key=k expireAt=9007199254740991
        (integer) 1
        > PEXPIREAT k 9007199254740992
        (error) ERR invalid expire time in 'pexpireat' command
        > EXPIREAT k 9007199254740
          #3 KeyExpirySet key=k expireAt=9007199254740000
        (integer) 1
        > EXPIREAT k 9007199254741
        (error) ERR invalid expire time in 'expireat' command
        > EXPIRE k
        (error) ERR wrong number of arguments for 'expire' command
        > EXPIRE
        (error) ERR wrong number of arguments for 'expire' command"
      `)
  })

  it("PERSIST takes the deadline off", () => {
    expect(transcript(`SET k v EX 100
      PERSIST k
      TTL k
      PERSIST k
      PERSIST missing
      SET k v PX 1
      +1
      PERSIST k
      PERSIST`)).toMatchInlineSnapshot(`
        "> SET k v EX 100
          #1 StringSet key=k value=v expireAt=1700000100000
        OK
        > PERSIST k
          #2 KeyPersisted key=k
        (integer) 1
        > TTL k
        (integer) -1
        > PERSIST k
        (integer) 0
        > PERSIST missing
        (integer) 0
        > SET k v PX 1
          #3 StringSet key=k value=v expireAt=1700000000001
        OK
        > +1
        > PERSIST k
          #4 by expire KeyExpired key=k
        (integer) 0
        > PERSIST
        (error) ERR wrong number of arguments for 'persist' command"
      `)
  })
})

describe("TTL and its kin", () => {
  it("tell what is left and when it ends", () => {
    expect(transcript(`SET k v PX 1499
      TTL k
      PTTL k
      EXPIRETIME k
      PEXPIRETIME k
      +999
      TTL k
      PTTL k
      +1
      TTL k
      +499
      TTL k
      PTTL k`)).toMatchInlineSnapshot(`
        "> SET k v PX 1499
          #1 StringSet key=k value=v expireAt=1700000001499
        OK
        > TTL k
        (integer) 1
        > PTTL k
        (integer) 1499
        > EXPIRETIME k
        (integer) 1700000001
        > PEXPIRETIME k
        (integer) 1700000001499
        > +999
        > TTL k
        (integer) 1
        > PTTL k
        (integer) 500
        > +1
        > TTL k
        (integer) 0
        > +499
        > TTL k
          #2 by expire KeyExpired key=k
        (integer) -2
        > PTTL k
        (integer) -2"
      `)
  })

  it("-1 without a deadline, -2 without a key", () => {
    expect(transcript(`SET k v
      TTL k
      PTTL k
      EXPIRETIME k
      PEXPIRETIME k
      TTL missing
      PTTL missing
      EXPIRETIME missing
      PEXPIRETIME missing
      TTL
      PTTL a b
      EXPIRETIME
      PEXPIRETIME`)).toMatchInlineSnapshot(`
        "> SET k v
          #1 StringSet key=k value=v expireAt=null
        OK
        > TTL k
        (integer) -1
        > PTTL k
        (integer) -1
        > EXPIRETIME k
        (integer) -1
        > PEXPIRETIME k
        (integer) -1
        > TTL missing
        (integer) -2
        > PTTL missing
        (integer) -2
        > EXPIRETIME missing
        (integer) -2
        > PEXPIRETIME missing
        (integer) -2
        > TTL
        (error) ERR wrong number of arguments for 'ttl' command
        > PTTL a b
        (error) ERR wrong number of arguments for 'pttl' command
        > EXPIRETIME
        (error) ERR wrong number of arguments for 'expiretime' command
        > PEXPIRETIME
        (error) ERR wrong number of arguments for 'pexpiretime' command"
      `)
  })
})
