import { describe, expect, it } from "vitest"
import { script } from "./support.ts"

describe("HGETDEL, HGETEX, HSETEX", () => {
  it("HGETDEL answers fields and removes them", () => {
    expect(script(`
      HSET h a 1 b 2 c 3
      HGETDEL h FIELDS 3 a x a
      HGETDEL h FIELDS 2 b c
      EXISTS h
      HGETDEL h FIELDS 2 a b
      HGETDEL h FIELD 1 a
      HGETDEL h FIELDS 0 a
      HGETDEL h FIELDS 2 a
      HGETDEL h FIELDS 1 a b
      HGETDEL text FIELDS 1 a
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3]
      (integer) 3
      > HGETDEL h FIELDS 3 a x a
        #3 HashFieldsDeleted key=h fields=[a]
      ["1", (nil), (nil)]
      > HGETDEL h FIELDS 2 b c
        #4 HashFieldsDeleted key=h fields=[b c]
      ["2", "3"]
      > EXISTS h
      (integer) 0
      > HGETDEL h FIELDS 2 a b
      [(nil), (nil)]
      > HGETDEL h FIELD 1 a
      (error) ERR Mandatory argument FIELDS is missing or not at the right position
      > HGETDEL h FIELDS 0 a
      (error) ERR Number of fields must be a positive integer
      > HGETDEL h FIELDS 2 a
      (error) ERR The \`numfields\` parameter must match the number of arguments
      > HGETDEL h FIELDS 1 a b
      (error) ERR The \`numfields\` parameter must match the number of arguments
      > HGETDEL text FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("HGETEX answers fields and changes their deadlines", () => {
    expect(script(`
      HSET h a 1 b 2 c 3
      HGETEX h FIELDS 2 a x
      HGETEX h EX 10 FIELDS 3 a a x
      HGETEX h PX 1500 FIELDS 1 b
      HPTTL h FIELDS 3 a b c
      HGETEX h PERSIST FIELDS 3 a b c
      HGETEX h EXAT 1700000100 FIELDS 1 a
      HGETEX h PXAT 1 FIELDS 2 c c
      HGETEX h EX 0 FIELDS 2 a b
      EXISTS h
      HGETEX h EX 10 FIELDS 1 a
      HGETEX h FIELDS 1
      HGETEX h FIELD 1 a
      HGETEX h EX 10 PERSIST FIELDS 1 a
      HGETEX h EX x FIELDS 1 a
      HGETEX h EX -1 FIELDS 1 a
      HGETEX h PXAT 70368744177664 FIELDS 1 a
      HGETEX h FIELDS 0 a
      HGETEX h FIELDS 2 a
      HGETEX text FIELDS 1 a
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3]
      (integer) 3
      > HGETEX h FIELDS 2 a x
      ["1", (nil)]
      > HGETEX h EX 10 FIELDS 3 a a x
        #3 HashFieldsExpirySet key=h expireAt=1700000010000 fields=[a]
      ["1", "1", (nil)]
      > HGETEX h PX 1500 FIELDS 1 b
        #4 HashFieldsExpirySet key=h expireAt=1700000001500 fields=[b]
      ["2"]
      > HPTTL h FIELDS 3 a b c
      [(integer) 10000, (integer) 1500, (integer) -1]
      > HGETEX h PERSIST FIELDS 3 a b c
        #5 HashFieldsPersisted key=h fields=[a b]
      ["1", "2", "3"]
      > HGETEX h EXAT 1700000100 FIELDS 1 a
        #6 HashFieldsExpirySet key=h expireAt=1700000100000 fields=[a]
      ["1"]
      > HGETEX h PXAT 1 FIELDS 2 c c
        #7 HashFieldsDeleted key=h fields=[c]
      ["3", (nil)]
      > HGETEX h EX 0 FIELDS 2 a b
        #8 HashFieldsDeleted key=h fields=[a b]
      ["1", "2"]
      > EXISTS h
      (integer) 0
      > HGETEX h EX 10 FIELDS 1 a
      [(nil)]
      > HGETEX h FIELDS 1
      (error) ERR wrong number of arguments for 'hgetex' command
      > HGETEX h FIELD 1 a
      (error) ERR Mandatory argument FIELDS is missing or not at the right position
      > HGETEX h EX 10 PERSIST FIELDS 1 a
      (error) ERR Mandatory argument FIELDS is missing or not at the right position
      > HGETEX h EX x FIELDS 1 a
      (error) ERR value is not an integer or out of range
      > HGETEX h EX -1 FIELDS 1 a
      (error) ERR invalid expire time, must be >= 0
      > HGETEX h PXAT 70368744177664 FIELDS 1 a
      (error) ERR invalid expire time in 'hgetex' command
      > HGETEX h FIELDS 0 a
      (error) ERR Number of fields must be a positive integer
      > HGETEX h FIELDS 2 a
      (error) ERR The \`numfields\` parameter must match the number of arguments
      > HGETEX text FIELDS 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("HSETEX sets fields under conditions, with deadlines", () => {
    expect(script(`
      HSETEX h FIELDS 2 a 1 b 2
      HSETEX h FNX FIELDS 2 a 5 c 5
      HSETEX h FXX FIELDS 2 a 5 c 5
      HSETEX h FXX PX 5000 FIELDS 2 a 3 b 4
      HSETEX h KEEPTTL FNX FIELDS 1 c 9
      HSETEX h KEEPTTL FIELDS 2 a 6 d 7
      HPTTL h FIELDS 4 a b c d
      HSETEX h FIELDS 1 a 8
      HPTTL h FIELDS 1 a
      HSETEX h EX 0 FIELDS 3 a 1 a 2 new 3
      HGETALL h
      HSETEX other PXAT 1 FIELDS 1 a 1
      EXISTS other
      HSETEX h EX 10 FIELDS 2 z 1 z 2
    `)).toMatchInlineSnapshot(`
      "> HSETEX h FIELDS 2 a 1 b 2
        #2 HashFieldsSet key=h pairs=[a 1 b 2]
      (integer) 1
      > HSETEX h FNX FIELDS 2 a 5 c 5
      (integer) 0
      > HSETEX h FXX FIELDS 2 a 5 c 5
      (integer) 0
      > HSETEX h FXX PX 5000 FIELDS 2 a 3 b 4
        #3 HashFieldsSet key=h pairs=[a 3 b 4]
        #3 HashFieldsExpirySet key=h expireAt=1700000005000 fields=[a b]
      (integer) 1
      > HSETEX h KEEPTTL FNX FIELDS 1 c 9
        #4 HashFieldsSet key=h pairs=[c 9]
      (integer) 1
      > HSETEX h KEEPTTL FIELDS 2 a 6 d 7
        #5 HashFieldsUpdated key=h pairs=[a 6]
        #5 HashFieldsSet key=h pairs=[d 7]
      (integer) 1
      > HPTTL h FIELDS 4 a b c d
      [(integer) 5000, (integer) 5000, (integer) -1, (integer) -1]
      > HSETEX h FIELDS 1 a 8
        #6 HashFieldsSet key=h pairs=[a 8]
      (integer) 1
      > HPTTL h FIELDS 1 a
      [(integer) -1]
      > HSETEX h EX 0 FIELDS 3 a 1 a 2 new 3
        #7 HashFieldsDeleted key=h fields=[a]
      (integer) 1
      > HGETALL h
      ["b", "4", "c", "9", "d", "7"]
      > HSETEX other PXAT 1 FIELDS 1 a 1
      (integer) 1
      > EXISTS other
      (integer) 0
      > HSETEX h EX 10 FIELDS 2 z 1 z 2
        #8 HashFieldsSet key=h pairs=[z 1 z 2]
        #8 HashFieldsExpirySet key=h expireAt=1700000010000 fields=[z]
      (integer) 1"
    `)
  })
})
