import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"
import { script, withText } from "./support.ts"

describe("deadlines of fields", () => {
  it("are set under conditions, asked for, and taken off", () => {
    expect(script(`
      HSET h a 1 b 2 c 3
      HEXPIRE h 10 FIELDS 2 a x
      OBJECT ENCODING h
      HPEXPIRE h 5000 NX FIELDS 2 a b
      HPEXPIRE h 20000 GT FIELDS 3 a b c
      HPEXPIRE h 1000 LT FIELDS 2 b c
      HEXPIREAT h 1700000100 XX FIELDS 2 a c
      HPEXPIREAT h 1700000100500 FIELDS 1 c
      HTTL h FIELDS 4 a b c x
      HPTTL h FIELDS 4 a b c x
      HEXPIRETIME h FIELDS 3 a b c
      HPEXPIRETIME h FIELDS 3 a b c
      HPERSIST h FIELDS 4 a a x b
      HTTL h FIELDS 3 a b c
      HSET h c 4
      HTTL h FIELDS 1 c
      HINCRBY h b 5
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3]
      (integer) 3
      > HEXPIRE h 10 FIELDS 2 a x
        #3 HashFieldsExpirySet key=h expireAt=1700000010000 fields=[a]
      [(integer) 1, (integer) -2]
      > OBJECT ENCODING h
      "listpackex"
      > HPEXPIRE h 5000 NX FIELDS 2 a b
        #4 HashFieldsExpirySet key=h expireAt=1700000005000 fields=[b]
      [(integer) 0, (integer) 1]
      > HPEXPIRE h 20000 GT FIELDS 3 a b c
        #5 HashFieldsExpirySet key=h expireAt=1700000020000 fields=[a b]
      [(integer) 1, (integer) 1, (integer) 0]
      > HPEXPIRE h 1000 LT FIELDS 2 b c
        #6 HashFieldsExpirySet key=h expireAt=1700000001000 fields=[b c]
      [(integer) 1, (integer) 1]
      > HEXPIREAT h 1700000100 XX FIELDS 2 a c
        #7 HashFieldsExpirySet key=h expireAt=1700000100000 fields=[a c]
      [(integer) 1, (integer) 1]
      > HPEXPIREAT h 1700000100500 FIELDS 1 c
        #8 HashFieldsExpirySet key=h expireAt=1700000100500 fields=[c]
      [(integer) 1]
      > HTTL h FIELDS 4 a b c x
      [(integer) 100, (integer) 1, (integer) 101, (integer) -2]
      > HPTTL h FIELDS 4 a b c x
      [(integer) 100000, (integer) 1000, (integer) 100500, (integer) -2]
      > HEXPIRETIME h FIELDS 3 a b c
      [(integer) 1700000100, (integer) 1700000001, (integer) 1700000101]
      > HPEXPIRETIME h FIELDS 3 a b c
      [(integer) 1700000100000, (integer) 1700000001000, (integer) 1700000100500]
      > HPERSIST h FIELDS 4 a a x b
        #9 HashFieldsPersisted key=h fields=[a b]
      [(integer) 1, (integer) -1, (integer) -2, (integer) 1]
      > HTTL h FIELDS 3 a b c
      [(integer) -1, (integer) -1, (integer) 101]
      > HSET h c 4
        #10 HashFieldsSet key=h pairs=[c 4]
      (integer) 0
      > HTTL h FIELDS 1 c
      [(integer) -1]
      > HINCRBY h b 5
        #11 HashFieldsUpdated key=h pairs=[b 7]
      (integer) 7"
    `)
  })

  it("that have passed remove the field at once, and the hash with its last", () => {
    expect(script(`
      HSET h a 1 b 2 c 3
      HEXPIRE h 0 FIELDS 1 a
      HPEXPIREAT h 1 FIELDS 3 a b b
      HEXPIREAT h 1 XX FIELDS 1 c
      HEXPIRE h 0 FIELDS 1 c
      EXISTS h
      HEXPIRE h 10 FIELDS 2 a b
      HTTL h FIELDS 1 a
      HPERSIST h FIELDS 1 a
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3]
      (integer) 3
      > HEXPIRE h 0 FIELDS 1 a
        #3 HashFieldsDeleted key=h fields=[a]
      [(integer) 2]
      > HPEXPIREAT h 1 FIELDS 3 a b b
        #4 HashFieldsDeleted key=h fields=[b]
      [(integer) -2, (integer) 2, (integer) -2]
      > HEXPIREAT h 1 XX FIELDS 1 c
      [(integer) 0]
      > HEXPIRE h 0 FIELDS 1 c
        #5 HashFieldsDeleted key=h fields=[c]
      [(integer) 2]
      > EXISTS h
      (integer) 0
      > HEXPIRE h 10 FIELDS 2 a b
      [(integer) -2, (integer) -2]
      > HTTL h FIELDS 1 a
      [(integer) -2]
      > HPERSIST h FIELDS 1 a
      [(integer) -2]"
    `)
  })

  it("are met twice when a field is named twice", () => {
    expect(script(`
      HSET h a 1
      HEXPIRE h 10 NX FIELDS 2 a a
      HEXPIRE h 20 GT FIELDS 2 a a
      HEXPIRE h 20 XX FIELDS 2 a a
      HPERSIST h FIELDS 2 a a
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1
        #2 HashFieldsSet key=h pairs=[a 1]
      (integer) 1
      > HEXPIRE h 10 NX FIELDS 2 a a
        #3 HashFieldsExpirySet key=h expireAt=1700000010000 fields=[a]
      [(integer) 1, (integer) 0]
      > HEXPIRE h 20 GT FIELDS 2 a a
        #4 HashFieldsExpirySet key=h expireAt=1700000020000 fields=[a]
      [(integer) 1, (integer) 0]
      > HEXPIRE h 20 XX FIELDS 2 a a
        #5 HashFieldsExpirySet key=h expireAt=1700000020000 fields=[a]
      [(integer) 1, (integer) 1]
      > HPERSIST h FIELDS 2 a a
        #6 HashFieldsPersisted key=h fields=[a]
      [(integer) 1, (integer) -1]"
    `)
  })

  it("end fields for every command that meets the hash", () => {
    expect(script(`
      HSET h a 1 b 2 c 3
      HPEXPIRE h 100 FIELDS 1 a
      HPEXPIRE h 200 FIELDS 1 b
      +99
      HGETALL h
      +1
      HGETALL h
      +100
      TYPE h
      HLEN h
      HPEXPIRE h 10 FIELDS 1 c
      +10
      EXISTS h
      DBSIZE
      HSET h a 1
      HPEXPIRE h 10 FIELDS 1 a
      +10
      HSET h b 2
      HGETALL h
      HPEXPIRE h 10 FIELDS 1 b
      +10
      KEYS *
      SCAN 0 COUNT 100
      RENAME h other
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3]
      (integer) 3
      > HPEXPIRE h 100 FIELDS 1 a
        #3 HashFieldsExpirySet key=h expireAt=1700000000100 fields=[a]
      [(integer) 1]
      > HPEXPIRE h 200 FIELDS 1 b
        #4 HashFieldsExpirySet key=h expireAt=1700000000200 fields=[b]
      [(integer) 1]
      > +99
      > HGETALL h
      ["a", "1", "b", "2", "c", "3"]
      > +1
      > HGETALL h
        #5 by expire HashFieldsExpired key=h fields=[a]
      ["b", "2", "c", "3"]
      > +100
      > TYPE h
        #6 by expire HashFieldsExpired key=h fields=[b]
      hash
      > HLEN h
      (integer) 1
      > HPEXPIRE h 10 FIELDS 1 c
        #7 HashFieldsExpirySet key=h expireAt=1700000000210 fields=[c]
      [(integer) 1]
      > +10
      > EXISTS h
        #8 by expire HashFieldsExpired key=h fields=[c]
      (integer) 0
      > DBSIZE
      (integer) 1
      > HSET h a 1
        #9 HashFieldsSet key=h pairs=[a 1]
      (integer) 1
      > HPEXPIRE h 10 FIELDS 1 a
        #10 HashFieldsExpirySet key=h expireAt=1700000000220 fields=[a]
      [(integer) 1]
      > +10
      > HSET h b 2
        #11 by expire HashFieldsExpired key=h fields=[a]
        #12 HashFieldsSet key=h pairs=[b 2]
      (integer) 1
      > HGETALL h
      ["b", "2"]
      > HPEXPIRE h 10 FIELDS 1 b
        #13 HashFieldsExpirySet key=h expireAt=1700000000230 fields=[b]
      [(integer) 1]
      > +10
      > KEYS *
      ["text"]
      > SCAN 0 COUNT 100
      ["0", ["text"]]
      > RENAME h other
        #14 by expire HashFieldsExpired key=h fields=[b]
      (error) ERR no such key"
    `)
  })

  it("count for nothing once a field gets a new value, and stay when its value changes", () => {
    expect(script(`
      HSET h a 1 b 2
      HPEXPIRE h 100 FIELDS 2 a b
      HINCRBY h a 1
      HINCRBYFLOAT h a 0.5
      HSET h b 3
      HPTTL h FIELDS 2 a b
      +100
      HINCRBY h a 1
      HPTTL h FIELDS 1 a
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2
        #2 HashFieldsSet key=h pairs=[a 1 b 2]
      (integer) 2
      > HPEXPIRE h 100 FIELDS 2 a b
        #3 HashFieldsExpirySet key=h expireAt=1700000000100 fields=[a b]
      [(integer) 1, (integer) 1]
      > HINCRBY h a 1
        #4 HashFieldsUpdated key=h pairs=[a 2]
      (integer) 2
      > HINCRBYFLOAT h a 0.5
        #5 HashFieldsUpdated key=h pairs=[a 2.5]
      "2.5"
      > HSET h b 3
        #6 HashFieldsSet key=h pairs=[b 3]
      (integer) 0
      > HPTTL h FIELDS 2 a b
      [(integer) 100, (integer) -1]
      > +100
      > HINCRBY h a 1
        #7 by expire HashFieldsExpired key=h fields=[a]
        #8 HashFieldsSet key=h pairs=[a 1]
      (integer) 1
      > HPTTL h FIELDS 1 a
      [(integer) -1]"
    `)
  })

  it("pass in tables as in packs", () => {
    expect(script(`
      HSET h a 1 b 2 c 3 d 4 e 5
      OBJECT ENCODING h
      HPEXPIRE h 100 FIELDS 3 a b c
      HPEXPIRE h 50 FIELDS 1 b
      HPERSIST h FIELDS 1 c
      HSET h a a-value-that-is-much-longer-than-one
      HPEXPIRE h 60 FIELDS 1 d
      +50
      HMGET h a b c d e
      +10
      HLEN h
      HPEXPIRE h 5 FIELDS 3 a c e
      +5
      HLEN h
      DBSIZE
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3 d 4 e 5
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3 d 4 e 5]
      (integer) 5
      > OBJECT ENCODING h
      "hashtable"
      > HPEXPIRE h 100 FIELDS 3 a b c
        #3 HashFieldsExpirySet key=h expireAt=1700000000100 fields=[a b c]
      [(integer) 1, (integer) 1, (integer) 1]
      > HPEXPIRE h 50 FIELDS 1 b
        #4 HashFieldsExpirySet key=h expireAt=1700000000050 fields=[b]
      [(integer) 1]
      > HPERSIST h FIELDS 1 c
        #5 HashFieldsPersisted key=h fields=[c]
      [(integer) 1]
      > HSET h a a-value-that-is-much-longer-than-one
        #6 HashFieldsSet key=h pairs=[a a-value-that-is-much-longer-than-one]
      (integer) 0
      > HPEXPIRE h 60 FIELDS 1 d
        #7 HashFieldsExpirySet key=h expireAt=1700000000060 fields=[d]
      [(integer) 1]
      > +50
      > HMGET h a b c d e
        #8 by expire HashFieldsExpired key=h fields=[b]
      ["a-value-that-is-much-longer-than-one", (nil), "3", "4", "5"]
      > +10
      > HLEN h
        #9 by expire HashFieldsExpired key=h fields=[d]
      (integer) 3
      > HPEXPIRE h 5 FIELDS 3 a c e
        #10 HashFieldsExpirySet key=h expireAt=1700000000065 fields=[a c e]
      [(integer) 1, (integer) 1, (integer) 1]
      > +5
      > HLEN h
        #11 by expire HashFieldsExpired key=h fields=[e c a]
      (integer) 0
      > DBSIZE
      (integer) 1"
    `)
  })

  it("hide fields while nothing may be recorded", () => {
    const harness = withText()
    harness.run("HSET", "h", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5")
    harness.run("HPEXPIRE", "h", "10", "FIELDS", "2", "a", "b")
    harness.now += 10
    harness.executor.pause = "write"
    expect(transcript(
      `
      HMGET h a b c
      HLEN h
      HEXISTS h a
      HSTRLEN h a
      HTTL h FIELDS 1 a
      HKEYS h
      HRANDFIELD h 9
      HSCAN h 0 COUNT 100 NOVALUES
      HPEXPIRETIME h FIELDS 1 b
    `,
      { harness }
    )).toMatchInlineSnapshot(`
      "> HMGET h a b c
      [(nil), (nil), "3"]
      > HLEN h
      (integer) 3
      > HEXISTS h a
      (integer) 0
      > HSTRLEN h a
      (integer) 0
      > HTTL h FIELDS 1 a
      [(integer) -2]
      > HKEYS h
      ["c", "d", "e"]
      > HRANDFIELD h 9
      ["c", "d", "e"]
      > HSCAN h 0 COUNT 100 NOVALUES
      ["0", ["d", "e", "c"]]
      > HPEXPIRETIME h FIELDS 1 b
      [(integer) -2]"
    `)
    harness.executor.pause = "none"
    expect(transcript(
      `
      HDEL h a b
      HLEN h
    `,
      { harness }
    )).toMatchInlineSnapshot(`
      "> HDEL h a b
        #4 by expire HashFieldsExpired key=h fields=[a b]
      (integer) 0
      > HLEN h
      (integer) 3"
    `)
  })
})
