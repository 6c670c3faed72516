import { describe, expect, it } from "vitest"
import { script } from "./support.ts"

describe("requests that make no sense are refused", () => {
  it("about deadlines of fields", () => {
    expect(script(`
      HSET h a 1
      HEXPIRE h 10 FIELDS 1
      HEXPIRE h x FIELDS 1 a
      HEXPIRE h -1 FIELDS 1 a
      HEXPIRE h 70368744178 FIELDS 1 a
      HPEXPIRE h 70368744177664 FIELDS 1 a
      HPEXPIREAT h 70368744177663 FIELDS 1 a
      HPEXPIREAT h 70368744177664 FIELDS 1 a
      HPEXPIREAT h 9223372036854775807 FIELDS 1 a
      HEXPIRE h 10 ZZ FIELDS 1 a
      HEXPIRE h 10 NX XX FIELDS 1 a
      HEXPIRE h 10 FIELDS 0 a
      HEXPIRE h 10 FIELDS x a
      HEXPIRE h 10 FIELDS 2 a
      HEXPIRE h 10 FIELDS 1 a b
      HEXPIRE text 10 FIELDS 1 a
      HTTL h FIELD 1 a
      HTTL h FIELDS 0 a
      HTTL h FIELDS 2 a
      HTTL text FIELDS 1 a
      HPTTL text FIELDS 1 a
      HEXPIRETIME text FIELDS 1 a
      HPEXPIRETIME text FIELDS 1 a
      HPERSIST text FIELDS 1 a
      HPERSIST h FIELDS 0 a
      HPEXPIRE text 1 FIELDS 1 a
      HEXPIREAT text 1 FIELDS 1 a
      HPEXPIREAT text 1 FIELDS 1 a
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1
        #2 HashFieldsSet key=h pairs=[a 1]
      (integer) 1
      > HEXPIRE h 10 FIELDS 1
      (error) ERR wrong number of arguments for 'hexpire' command
      > HEXPIRE h x FIELDS 1 a
      (error) ERR value is not an integer or out of range
      > HEXPIRE h -1 FIELDS 1 a
      (error) ERR invalid expire time, must be >= 0
      > HEXPIRE h 70368744178 FIELDS 1 a
      (error) ERR invalid expire time in 'hexpire' command
      > HPEXPIRE h 70368744177664 FIELDS 1 a
      (error) ERR invalid expire time in 'hpexpire' command
      > HPEXPIREAT h 70368744177663 FIELDS 1 a
        #3 HashFieldsExpirySet key=h expireAt=70368744177663 fields=[a]
      [(integer) 1]
      > HPEXPIREAT h 70368744177664 FIELDS 1 a
      (error) ERR invalid expire time in 'hpexpireat' command
      > HPEXPIREAT h 9223372036854775807 FIELDS 1 a
      (error) ERR invalid expire time in 'hpexpireat' command
      > HEXPIRE h 10 ZZ FIELDS 1 a
      (error) ERR Mandatory argument FIELDS is missing or not at the right position
      > HEXPIRE h 10 NX XX FIELDS 1 a
      (error) ERR Mandatory argument FIELDS is missing or not at the right position
      > HEXPIRE h 10 FIELDS 0 a
      (error) ERR Parameter \`numFields\` should be greater than 0
      > HEXPIRE h 10 FIELDS x a
      (error) ERR Parameter \`numFields\` should be greater than 0
      > HEXPIRE h 10 FIELDS 2 a
      (error) ERR The \`numfields\` parameter must match the number of arguments
      > HEXPIRE h 10 FIELDS 1 a b
      (error) ERR The \`numfields\` parameter must match the number of arguments
      > HEXPIRE text 10 FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HTTL h FIELD 1 a
      (error) ERR Mandatory argument FIELDS is missing or not at the right position
      > HTTL h FIELDS 0 a
      (error) ERR Number of fields must be a positive integer
      > HTTL h FIELDS 2 a
      (error) ERR The \`numfields\` parameter must match the number of arguments
      > HTTL text FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HPTTL text FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HEXPIRETIME text FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HPEXPIRETIME text FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HPERSIST text FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HPERSIST h FIELDS 0 a
      (error) ERR Number of fields must be a positive integer
      > HPEXPIRE text 1 FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HEXPIREAT text 1 FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HPEXPIREAT text 1 FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("of HSETEX", () => {
    expect(script(`
      HSETEX h FIELDS 1 a
      HSETEX h FIELDS 2 a b
      HSETEX h FIELDS 2 a b c
      HSETEX h FIELDS 1 a b unknown
      HSETEX h NX FIELDS 1 a b
      HSETEX h FXX FNX FIELDS 1 a b
      HSETEX h EX 100 PX 100 FIELDS 1 a b
      HSETEX h KEEPTTL EX 100 FIELDS 1 a b
      HSETEX h EX FIELDS 1 a b
      HSETEX h EXAT -1 FIELDS 1 a b
      HSETEX h EXAT 99999999999 FIELDS 1 a b
      HSETEX h FIELDS 0 a b
      HSETEX h FIELDS x a b
      HSETEX h FNX EX 100 KEEPTTL
      HSETEX text FIELDS 1 a b
    `)).toMatchInlineSnapshot(`
      "> HSETEX h FIELDS 1 a
      (error) ERR wrong number of arguments for 'hsetex' command
      > HSETEX h FIELDS 2 a b
      (error) ERR wrong number of arguments for 'hsetex' command
      > HSETEX h FIELDS 2 a b c
      (error) ERR wrong number of arguments for 'hsetex' command
      > HSETEX h FIELDS 1 a b unknown
      (error) ERR wrong number of arguments for 'hsetex' command
      > HSETEX h NX FIELDS 1 a b
      (error) ERR unknown argument: NX
      > HSETEX h FXX FNX FIELDS 1 a b
      (error) ERR Only one of FXX or FNX arguments can be specified
      > HSETEX h EX 100 PX 100 FIELDS 1 a b
      (error) ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
      > HSETEX h KEEPTTL EX 100 FIELDS 1 a b
      (error) ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
      > HSETEX h EX FIELDS 1 a b
      (error) ERR value is not an integer or out of range
      > HSETEX h EXAT -1 FIELDS 1 a b
      (error) ERR invalid expire time, must be >= 0
      > HSETEX h EXAT 99999999999 FIELDS 1 a b
      (error) ERR invalid expire time in 'hsetex' command
      > HSETEX h FIELDS 0 a b
      (error) ERR invalid number of fields
      > HSETEX h FIELDS x a b
      (error) ERR invalid number of fields
      > HSETEX h FNX EX 100 KEEPTTL
      (error) ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
      > HSETEX text FIELDS 1 a b
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
