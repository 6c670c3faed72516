import { describe, expect, it } from "vitest"
import { script } from "./support.ts"

describe("HSET, HMSET, HSETNX", () => {
  it("answer how many fields are new, each counted once", () => {
    expect(script(`
      HSET h a 1
      HSET h a 2 b 3 b 4
      HSET h a
      HSET h a 1 b
      HMSET h c 5 d 6
      HMSET h c
      HMSET h c 1 d
      HSETNX h a 9
      HSETNX h e 9
      OBJECT ENCODING h
      HGETALL h
      HSET text a 1
      HMSET text a 1
      HSETNX text a 1
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1
        #2 HashFieldsSet key=h pairs=[a 1]
      (integer) 1
      > HSET h a 2 b 3 b 4
        #3 HashFieldsSet key=h pairs=[a 2 b 3 b 4]
      (integer) 1
      > HSET h a
      (error) ERR wrong number of arguments for 'hset' command
      > HSET h a 1 b
      (error) ERR wrong number of arguments for 'hset' command
      > HMSET h c 5 d 6
        #4 HashFieldsSet key=h pairs=[c 5 d 6]
      OK
      > HMSET h c
      (error) ERR wrong number of arguments for 'hmset' command
      > HMSET h c 1 d
      (error) ERR wrong number of arguments for 'hmset' command
      > HSETNX h a 9
      (integer) 0
      > HSETNX h e 9
        #5 HashFieldsSet key=h pairs=[e 9]
      (integer) 1
      > OBJECT ENCODING h
      "hashtable"
      > HGETALL h
      ["a", "2", "c", "5", "d", "6", "b", "4", "e", "9"]
      > HSET text a 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HMSET text a 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HSETNX text a 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("reading fields", () => {
  it("answers values, null and zero for what is absent", () => {
    expect(script(`
      HSET h a 1 b hello c ""
      HGET h a
      HGET h b
      HGET h c
      HGET h nothing
      HGET nokey a
      HMGET h b nothing a a
      HMGET nokey a b
      HEXISTS h a
      HEXISTS h nothing
      HEXISTS nokey a
      HSTRLEN h b
      HSTRLEN h a
      HSTRLEN h nothing
      HSTRLEN nokey a
      HLEN h
      HLEN nokey
      HKEYS h
      HVALS h
      HGETALL h
      HKEYS nokey
      HGETALL nokey
      HGET text a
      HMGET text a
      HEXISTS text a
      HSTRLEN text a
      HLEN text
      HKEYS text
      HVALS text
      HGETALL text
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b hello c ""
        #2 HashFieldsSet key=h pairs=[a 1 b hello c ]
      (integer) 3
      > HGET h a
      "1"
      > HGET h b
      "hello"
      > HGET h c
      ""
      > HGET h nothing
      (nil)
      > HGET nokey a
      (nil)
      > HMGET h b nothing a a
      ["hello", (nil), "1", "1"]
      > HMGET nokey a b
      [(nil), (nil)]
      > HEXISTS h a
      (integer) 1
      > HEXISTS h nothing
      (integer) 0
      > HEXISTS nokey a
      (integer) 0
      > HSTRLEN h b
      (integer) 5
      > HSTRLEN h a
      (integer) 1
      > HSTRLEN h nothing
      (integer) 0
      > HSTRLEN nokey a
      (integer) 0
      > HLEN h
      (integer) 3
      > HLEN nokey
      (integer) 0
      > HKEYS h
      ["a", "b", "c"]
      > HVALS h
      ["1", "hello", ""]
      > HGETALL h
      ["a", "1", "b", "hello", "c", ""]
      > HKEYS nokey
      []
      > HGETALL nokey
      []
      > HGET text a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HMGET text a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HEXISTS text a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HSTRLEN text a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HLEN text
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HKEYS text
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HVALS text
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HGETALL text
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("answers maps in RESP3", () => {
    expect(script(
      `
      HSET h a 1 b 2
      HGETALL h
      HGETALL nokey
      HKEYS h
      HMGET h a nothing
      HGET h nothing
    `,
      3
    )).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2
        #2 HashFieldsSet key=h pairs=[a 1 b 2]
      (integer) 2
      > HGETALL h
      {"a", "1", "b", "2"}
      > HGETALL nokey
      {}
      > HKEYS h
      ["a", "b"]
      > HMGET h a nothing
      ["1", (null)]
      > HGET h nothing
      (null)"
    `)
  })

  it("goes on when the hash has become a table", () => {
    expect(script(`
      HSET h a 1 b 2 c 3 d 4 e 5
      OBJECT ENCODING h
      HGET h c
      HGET h x
      HSET h c a-longer-value-than-before
      HMGET h a b c d e f
      HSTRLEN h c
      HLEN h
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3 d 4 e 5
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3 d 4 e 5]
      (integer) 5
      > OBJECT ENCODING h
      "hashtable"
      > HGET h c
      "3"
      > HGET h x
      (nil)
      > HSET h c a-longer-value-than-before
        #3 HashFieldsSet key=h pairs=[c a-longer-value-than-before]
      (integer) 0
      > HMGET h a b c d e f
      ["1", "2", "a-longer-value-than-before", "4", "5", (nil)]
      > HSTRLEN h c
      (integer) 26
      > HLEN h
      (integer) 5"
    `)
  })
})

describe("HDEL", () => {
  it("removes fields once, and the hash with its last", () => {
    expect(script(`
      HSET h a 1 b 2 c 3
      HDEL h x
      HDEL h a a x
      HLEN h
      HDEL h b c
      EXISTS h
      HDEL h b
      HDEL text a
      HSET t a 1 b 2 c 3 d 4 e 5
      HDEL t a b c d e
      TYPE t
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3
        #2 HashFieldsSet key=h pairs=[a 1 b 2 c 3]
      (integer) 3
      > HDEL h x
      (integer) 0
      > HDEL h a a x
        #3 HashFieldsDeleted key=h fields=[a]
      (integer) 1
      > HLEN h
      (integer) 2
      > HDEL h b c
        #4 HashFieldsDeleted key=h fields=[b c]
      (integer) 2
      > EXISTS h
      (integer) 0
      > HDEL h b
      (integer) 0
      > HDEL text a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HSET t a 1 b 2 c 3 d 4 e 5
        #5 HashFieldsSet key=t pairs=[a 1 b 2 c 3 d 4 e 5]
      (integer) 5
      > HDEL t a b c d e
        #6 HashFieldsDeleted key=t fields=[a b c d e]
      (integer) 5
      > TYPE t
      none"
    `)
  })
})

describe("HINCRBY, HINCRBYFLOAT", () => {
  it("count from zero, and refuse what is no number or too large", () => {
    expect(script(`
      HINCRBY h n 5
      HINCRBY h n -7
      HINCRBY h n x
      HSET h t abc big 9223372036854775807
      HINCRBY h t 1
      HINCRBY h big 1
      HINCRBYFLOAT h n 0.5
      HINCRBYFLOAT h n 1.5
      HINCRBYFLOAT h t 1
      HINCRBYFLOAT h n inf
      HINCRBYFLOAT h n nan
      HINCRBYFLOAT h n x
      HINCRBYFLOAT h f 3.0e3
      HSET h i inf
      HINCRBYFLOAT h i 1
      HINCRBY text a 1
      HINCRBYFLOAT text a 1
    `)).toMatchInlineSnapshot(`
      "> HINCRBY h n 5
        #2 HashFieldsSet key=h pairs=[n 5]
      (integer) 5
      > HINCRBY h n -7
        #3 HashFieldsUpdated key=h pairs=[n -2]
      (integer) -2
      > HINCRBY h n x
      (error) ERR value is not an integer or out of range
      > HSET h t abc big 9223372036854775807
        #4 HashFieldsSet key=h pairs=[t abc big 9223372036854775807]
      (integer) 2
      > HINCRBY h t 1
      (error) ERR hash value is not an integer
      > HINCRBY h big 1
      (error) ERR increment or decrement would overflow
      > HINCRBYFLOAT h n 0.5
        #5 HashFieldsUpdated key=h pairs=[n -1.5]
      "-1.5"
      > HINCRBYFLOAT h n 1.5
        #6 HashFieldsUpdated key=h pairs=[n 0]
      "0"
      > HINCRBYFLOAT h t 1
      (error) ERR hash value is not a float
      > HINCRBYFLOAT h n inf
      (error) ERR value is NaN or Infinity
      > HINCRBYFLOAT h n nan
      (error) ERR value is not a valid float
      > HINCRBYFLOAT h n x
      (error) ERR value is not a valid float
      > HINCRBYFLOAT h f 3.0e3
        #7 HashFieldsSet key=h pairs=[f 3000]
      "3000"
      > HSET h i inf
        #8 HashFieldsSet key=h pairs=[i inf]
      (integer) 1
      > HINCRBYFLOAT h i 1
      (error) ERR increment would produce NaN or Infinity
      > HINCRBY text a 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > HINCRBYFLOAT text a 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("HRANDFIELD", () => {
  it("answers fields that there are, as many as asked for", () => {
    expect(script(`
      HRANDFIELD nokey
      HRANDFIELD nokey 3
      HSET h a 1
      HRANDFIELD h
      HRANDFIELD h 5
      HRANDFIELD h 5 WITHVALUES
      HRANDFIELD h -3
      HRANDFIELD h -2 WITHVALUES
      HRANDFIELD h 0
      HRANDFIELD h x
      HRANDFIELD h 1 x
      HRANDFIELD h 1 WITHVALUES x
      HRANDFIELD h -9223372036854775808
      HRANDFIELD h -9223372036854775807 WITHVALUES
      HRANDFIELD text
    `)).toMatchInlineSnapshot(`
      "> HRANDFIELD nokey
      (nil)
      > HRANDFIELD nokey 3
      []
      > HSET h a 1
        #2 HashFieldsSet key=h pairs=[a 1]
      (integer) 1
      > HRANDFIELD h
      "a"
      > HRANDFIELD h 5
      ["a"]
      > HRANDFIELD h 5 WITHVALUES
      ["a", "1"]
      > HRANDFIELD h -3
      ["a", "a", "a"]
      > HRANDFIELD h -2 WITHVALUES
      ["a", "1", "a", "1"]
      > HRANDFIELD h 0
      []
      > HRANDFIELD h x
      (error) ERR value is not an integer or out of range
      > HRANDFIELD h 1 x
      (error) ERR syntax error
      > HRANDFIELD h 1 WITHVALUES x
      (error) ERR syntax error
      > HRANDFIELD h -9223372036854775808
      (error) ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
      > HRANDFIELD h -9223372036854775807 WITHVALUES
      (error) ERR value is out of range
      > HRANDFIELD text
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("pairs fields and values in RESP3", () => {
    expect(script(
      `
      HSET h a 1
      HRANDFIELD h 5 WITHVALUES
      HRANDFIELD h -2 WITHVALUES
    `,
      3
    )).toMatchInlineSnapshot(`
      "> HSET h a 1
        #2 HashFieldsSet key=h pairs=[a 1]
      (integer) 1
      > HRANDFIELD h 5 WITHVALUES
      [["a", "1"]]
      > HRANDFIELD h -2 WITHVALUES
      [["a", "1"], ["a", "1"]]"
    `)
  })
})

describe("HSCAN", () => {
  it("answers a small hash at once, as the options want it", () => {
    expect(script(`
      HSET h a 1 b 2
      HSCAN h 0
      HSCAN h 0 MATCH b*
      HSCAN h 0 NOVALUES
      HSCAN h 0 COUNT 1 NOVALUES MATCH a
      HSCAN h 0 COUNT 0
      HSCAN h 0 COUNT
      HSCAN h 0 BOGUS 1
      HSCAN h x
      HSCAN nokey x
      HSCAN nokey 0 BOGUS
      HSCAN text 0
    `)).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2
        #2 HashFieldsSet key=h pairs=[a 1 b 2]
      (integer) 2
      > HSCAN h 0
      ["0", ["a", "1", "b", "2"]]
      > HSCAN h 0 MATCH b*
      ["0", ["b", "2"]]
      > HSCAN h 0 NOVALUES
      ["0", ["a", "b"]]
      > HSCAN h 0 COUNT 1 NOVALUES MATCH a
      ["0", ["a"]]
      > HSCAN h 0 COUNT 0
      (error) ERR syntax error
      > HSCAN h 0 COUNT
      (error) ERR syntax error
      > HSCAN h 0 BOGUS 1
      (error) ERR syntax error
      > HSCAN h x
      (error) ERR invalid cursor
      > HSCAN nokey x
      (error) ERR invalid cursor
      > HSCAN nokey 0 BOGUS
      ["0", []]
      > HSCAN text 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
