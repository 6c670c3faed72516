import { describe, expect, it } from "vitest"
import { script, script3 } from "./support.ts"

describe("ZUNION, ZINTER and ZDIFF", () => {
  it("put scores together", () => {
    expect(script(`
      ZADD a 1 x 2 y 3 z
      ZADD b 10 y 20 z 30 w
      ZUNION 2 a b WITHSCORES
      ZINTER 2 a b WITHSCORES
      ZDIFF 2 a b WITHSCORES
      ZDIFF 2 a a
      ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES
      ZUNION 2 a b AGGREGATE MIN WITHSCORES
      ZINTER 2 a b AGGREGATE max WITHSCORES
      ZUNION 2 a b AGGREGATE COUNT WITHSCORES
      ZUNION 2 a b WEIGHTS 3 4 AGGREGATE COUNT WITHSCORES
      ZUNION 3 a a none WITHSCORES
      ZINTERCARD 2 a b
      ZINTERCARD 2 a b LIMIT 1
      ZINTERCARD 2 a none
    `)).toMatchInlineSnapshot(`
      "> ZADD a 1 x 2 y 3 z
        #1 SortedSetMembersScored key=a members=[x y z] scores=[1 2 3]
      (integer) 3
      > ZADD b 10 y 20 z 30 w
        #2 SortedSetMembersScored key=b members=[y z w] scores=[10 20 30]
      (integer) 3
      > ZUNION 2 a b WITHSCORES
      ["x", "1", "y", "12", "z", "23", "w", "30"]
      > ZINTER 2 a b WITHSCORES
      ["y", "12", "z", "23"]
      > ZDIFF 2 a b WITHSCORES
      ["x", "1"]
      > ZDIFF 2 a a
      []
      > ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES
      ["x", "2", "y", "9", "w", "15", "z", "16"]
      > ZUNION 2 a b AGGREGATE MIN WITHSCORES
      ["x", "1", "y", "2", "z", "3", "w", "30"]
      > ZINTER 2 a b AGGREGATE max WITHSCORES
      ["y", "10", "z", "20"]
      > ZUNION 2 a b AGGREGATE COUNT WITHSCORES
      ["w", "1", "x", "1", "y", "2", "z", "2"]
      > ZUNION 2 a b WEIGHTS 3 4 AGGREGATE COUNT WITHSCORES
      ["x", "3", "w", "4", "y", "7", "z", "7"]
      > ZUNION 3 a a none WITHSCORES
      ["x", "2", "y", "4", "z", "6"]
      > ZINTERCARD 2 a b
      (integer) 2
      > ZINTERCARD 2 a b LIMIT 1
      (integer) 1
      > ZINTERCARD 2 a none
      (integer) 0"
    `)
  })

  it("take sets as inputs, whose members have score 1", () => {
    expect(script(`
      SADD s x 5
      ZADD a 2 x 3 y
      ZUNION 2 s a WITHSCORES
      ZINTER 2 a s WEIGHTS 1 10 WITHSCORES
      ZDIFF 2 s a WITHSCORES
      ZUNIONSTORE d 1 s
      OBJECT ENCODING d
    `)).toMatchInlineSnapshot(`
      "> SADD s x 5
        #1 SetMembersAdded key=s members=[x 5]
      (integer) 2
      > ZADD a 2 x 3 y
        #2 SortedSetMembersScored key=a members=[x y] scores=[2 3]
      (integer) 2
      > ZUNION 2 s a WITHSCORES
      ["5", "1", "x", "3", "y", "3"]
      > ZINTER 2 a s WEIGHTS 1 10 WITHSCORES
      ["x", "12"]
      > ZDIFF 2 s a WITHSCORES
      ["5", "1"]
      > ZUNIONSTORE d 1 s
        #3 SortedSetMembersScored key=d members=[x 5] scores=[1 1]
      (integer) 2
      > OBJECT ENCODING d
      "listpack""
    `)
  })

  it("make zero of what is no number", () => {
    expect(script(`
      ZADD a inf x 0 y
      ZADD b -inf x
      ZUNION 2 a b WEIGHTS 1 1 WITHSCORES
      ZUNION 1 a WEIGHTS inf WITHSCORES
    `)).toMatchInlineSnapshot(`
      "> ZADD a inf x 0 y
        #1 SortedSetMembersScored key=a members=[x y] scores=[Infinity 0]
      (integer) 2
      > ZADD b -inf x
        #2 SortedSetMembersScored key=b members=[x] scores=[-Infinity]
      (integer) 1
      > ZUNION 2 a b WEIGHTS 1 1 WITHSCORES
      ["x", "0", "y", "0"]
      > ZUNION 1 a WEIGHTS inf WITHSCORES
      ["y", "0", "x", "inf"]"
    `)
  })

  it("answer pairs in RESP3", () => {
    expect(script3(`
      ZADD a 1 x 2.5 y
      ZUNION 1 a WITHSCORES
      ZINTER 1 a
      ZDIFF 1 none WITHSCORES
    `)).toMatchInlineSnapshot(`
      "> ZADD a 1 x 2.5 y
        #1 SortedSetMembersScored key=a members=[x y] scores=[1 2.5]
      (integer) 2
      > ZUNION 1 a WITHSCORES
      [["x", (double) 1], ["y", (double) 2.5]]
      > ZINTER 1 a
      ["x", "y"]
      > ZDIFF 1 none WITHSCORES
      []"
    `)
  })

  it("refuse what makes no sense", () => {
    expect(script(`
      ZUNION 0 a
      ZUNION x a
      ZUNION 3 a b
      ZINTERCARD 0 a
      ZINTERCARD 1 a LIMIT -1
      ZINTERCARD 1 a LIMIT x
      ZUNION 1 a WEIGHTS
      ZUNION 1 a WEIGHTS x
      ZUNION 1 a AGGREGATE AVG
      ZDIFF 1 a WEIGHTS 1
      ZUNIONSTORE d 1 a WITHSCORES
      SET s 1
      ZUNION 2 a s WEIGHTS
      ZUNIONSTORE d 0 a
    `)).toMatchInlineSnapshot(`
      "> ZUNION 0 a
      (error) ERR at least 1 input key is needed for 'zunion' command
      > ZUNION x a
      (error) ERR value is not an integer or out of range
      > ZUNION 3 a b
      (error) ERR syntax error
      > ZINTERCARD 0 a
      (error) ERR at least 1 input key is needed for 'zintercard' command
      > ZINTERCARD 1 a LIMIT -1
      (error) ERR LIMIT can't be negative
      > ZINTERCARD 1 a LIMIT x
      (error) ERR LIMIT can't be negative
      > ZUNION 1 a WEIGHTS
      (error) ERR syntax error
      > ZUNION 1 a WEIGHTS x
      (error) ERR weight value is not a float
      > ZUNION 1 a AGGREGATE AVG
      (error) ERR syntax error
      > ZDIFF 1 a WEIGHTS 1
      (error) ERR syntax error
      > ZUNIONSTORE d 1 a WITHSCORES
      (error) ERR syntax error
      > SET s 1
        #1 StringSet key=s value=1 expireAt=null
      OK
      > ZUNION 2 a s WEIGHTS
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZUNIONSTORE d 0 a
      (error) ERR at least 1 input key is needed for 'zunionstore' command"
    `)
  })
})

describe("ZUNIONSTORE, ZINTERSTORE and ZDIFFSTORE", () => {
  it("keep the result in the place of what was there", () => {
    expect(script(`
      ZADD a 1 x 2 y
      ZADD b 3 y 4 z
      SET d text
      ZUNIONSTORE d 2 a b
      OBJECT ENCODING d
      ZINTERSTORE d 2 a b WEIGHTS 2 1
      OBJECT ENCODING d
      ZDIFFSTORE a 2 a b
      ZRANGE a 0 -1 WITHSCORES
      ZINTERSTORE d 2 a b
      EXISTS d
      ZUNIONSTORE none 1 nobody
    `)).toMatchInlineSnapshot(`
      "> ZADD a 1 x 2 y
        #1 SortedSetMembersScored key=a members=[x y] scores=[1 2]
      (integer) 2
      > ZADD b 3 y 4 z
        #2 SortedSetMembersScored key=b members=[y z] scores=[3 4]
      (integer) 2
      > SET d text
        #3 StringSet key=d value=text expireAt=null
      OK
      > ZUNIONSTORE d 2 a b
        #4 KeyDeleted key=d
        #4 SortedSetMembersScored key=d members=[x y z] scores=[1 5 4]
      (integer) 3
      > OBJECT ENCODING d
      "skiplist"
      > ZINTERSTORE d 2 a b WEIGHTS 2 1
        #5 KeyDeleted key=d
        #5 SortedSetMembersScored key=d members=[y] scores=[7]
      (integer) 1
      > OBJECT ENCODING d
      "listpack"
      > ZDIFFSTORE a 2 a b
        #6 KeyDeleted key=a
        #6 SortedSetMembersScored key=a members=[x] scores=[1]
      (integer) 1
      > ZRANGE a 0 -1 WITHSCORES
      ["x", "1"]
      > ZINTERSTORE d 2 a b
        #7 KeyDeleted key=d
      (integer) 0
      > EXISTS d
      (integer) 0
      > ZUNIONSTORE none 1 nobody
      (integer) 0"
    `)
  })
})
