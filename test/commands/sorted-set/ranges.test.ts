import { describe, expect, it } from "vitest"
import { script, script3 } from "./support.ts"

describe("ZRANGE and its older forms", () => {
  it("go by rank", () => {
    expect(script(`
      ZADD z 1 a 2 b 3 c 4 d
      ZRANGE z 0 -1
      ZRANGE z 1 2 WITHSCORES
      ZRANGE z -2 -1
      ZRANGE z 5 9
      ZRANGE z 0 1 REV
      ZREVRANGE z 0 1 WITHSCORES
      ZRANGE z 0 1 LIMIT 0 -1
      ZRANGE z 0 1 LIMIT 0 1
      ZREVRANGE z 0 1 REV
      ZRANGE z x 1
      ZRANGE absent 0 -1
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c 4 d
        #1 SortedSetMembersScored key=z members=[a b c d] scores=[1 2 3 4]
      (integer) 4
      > ZRANGE z 0 -1
      ["a", "b", "c", "d"]
      > ZRANGE z 1 2 WITHSCORES
      ["b", "2", "c", "3"]
      > ZRANGE z -2 -1
      ["c", "d"]
      > ZRANGE z 5 9
      []
      > ZRANGE z 0 1 REV
      ["d", "c"]
      > ZREVRANGE z 0 1 WITHSCORES
      ["d", "4", "c", "3"]
      > ZRANGE z 0 1 LIMIT 0 -1
      ["a", "b"]
      > ZRANGE z 0 1 LIMIT 0 1
      (error) ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
      > ZREVRANGE z 0 1 REV
      (error) ERR syntax error
      > ZRANGE z x 1
      (error) ERR value is not an integer or out of range
      > ZRANGE absent 0 -1
      []"
    `)
  })

  it("go by score", () => {
    expect(script(`
      ZADD z 1 a 2 b 2 c 3 d
      ZRANGEBYSCORE z 2 3 WITHSCORES
      ZRANGEBYSCORE z (1 (3
      ZRANGEBYSCORE z -inf +inf LIMIT 1 2
      ZRANGEBYSCORE z -inf +inf LIMIT -1 2
      ZRANGEBYSCORE z -inf +inf LIMIT 1 -1
      ZREVRANGEBYSCORE z 3 1 LIMIT 0 2
      ZRANGE z 3 2 BYSCORE REV WITHSCORES
      ZRANGE z 2 3 BYSCORE LIMIT 2 9
      ZRANGEBYSCORE z a b
      ZRANGEBYSCORE z 1 2 LIMIT 1
      ZRANGEBYSCORE z 1 2 LIMIT a 1
      ZRANGEBYSCORE z 1 2 BYSCORE
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 2 c 3 d
        #1 SortedSetMembersScored key=z members=[a b c d] scores=[1 2 2 3]
      (integer) 4
      > ZRANGEBYSCORE z 2 3 WITHSCORES
      ["b", "2", "c", "2", "d", "3"]
      > ZRANGEBYSCORE z (1 (3
      ["b", "c"]
      > ZRANGEBYSCORE z -inf +inf LIMIT 1 2
      ["b", "c"]
      > ZRANGEBYSCORE z -inf +inf LIMIT -1 2
      []
      > ZRANGEBYSCORE z -inf +inf LIMIT 1 -1
      ["b", "c", "d"]
      > ZREVRANGEBYSCORE z 3 1 LIMIT 0 2
      ["d", "c"]
      > ZRANGE z 3 2 BYSCORE REV WITHSCORES
      ["d", "3", "c", "2", "b", "2"]
      > ZRANGE z 2 3 BYSCORE LIMIT 2 9
      ["d"]
      > ZRANGEBYSCORE z a b
      (error) ERR min or max is not a float
      > ZRANGEBYSCORE z 1 2 LIMIT 1
      (error) ERR syntax error
      > ZRANGEBYSCORE z 1 2 LIMIT a 1
      (error) ERR value is not an integer or out of range
      > ZRANGEBYSCORE z 1 2 BYSCORE
      (error) ERR syntax error"
    `)
  })

  it("go by member", () => {
    expect(script(`
      ZADD z 0 a 0 b 0 c 0 d
      ZRANGEBYLEX z - +
      ZRANGEBYLEX z [b (d
      ZRANGEBYLEX z (a [zz LIMIT 1 1
      ZREVRANGEBYLEX z + [b
      ZRANGE z [c - BYLEX REV
      ZRANGE z - + BYLEX WITHSCORES
      ZRANGEBYLEX z a b
      ZADD small 0 a 0 12
      ZRANGEBYLEX small [1 [a
      ZRANGEBYLEX small (12 +
    `)).toMatchInlineSnapshot(`
      "> ZADD z 0 a 0 b 0 c 0 d
        #1 SortedSetMembersScored key=z members=[a b c d] scores=[0 0 0 0]
      (integer) 4
      > ZRANGEBYLEX z - +
      ["a", "b", "c", "d"]
      > ZRANGEBYLEX z [b (d
      ["b", "c"]
      > ZRANGEBYLEX z (a [zz LIMIT 1 1
      ["c"]
      > ZREVRANGEBYLEX z + [b
      ["d", "c", "b"]
      > ZRANGE z [c - BYLEX REV
      ["c", "b", "a"]
      > ZRANGE z - + BYLEX WITHSCORES
      (error) ERR syntax error, WITHSCORES not supported in combination with BYLEX
      > ZRANGEBYLEX z a b
      (error) ERR min or max not valid string range item
      > ZADD small 0 a 0 12
        #2 SortedSetMembersScored key=small members=[a 12] scores=[0 0]
      (integer) 2
      > ZRANGEBYLEX small [1 [a
      ["12", "a"]
      > ZRANGEBYLEX small (12 +
      ["a"]"
    `)
  })

  it("answer pairs in RESP3", () => {
    expect(script3(`
      ZADD z 1 a 2.5 b
      ZRANGE z 0 -1 WITHSCORES
      ZREVRANGEBYSCORE z inf 2 WITHSCORES
      ZRANGE z 0 -1
      ZRANGE absent 0 -1 WITHSCORES
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2.5 b
        #1 SortedSetMembersScored key=z members=[a b] scores=[1 2.5]
      (integer) 2
      > ZRANGE z 0 -1 WITHSCORES
      [["a", (double) 1], ["b", (double) 2.5]]
      > ZREVRANGEBYSCORE z inf 2 WITHSCORES
      [["b", (double) 2.5]]
      > ZRANGE z 0 -1
      ["a", "b"]
      > ZRANGE absent 0 -1 WITHSCORES
      []"
    `)
  })
})

describe("ZRANGESTORE", () => {
  it("keeps a range in the place of what was there", () => {
    expect(script(`
      ZADD z 1 a 2 b 3 c
      SET s text
      ZRANGESTORE s z 1 -1
      ZRANGESTORE z z 0 0 REV
      ZRANGE z 0 -1 WITHSCORES
      ZRANGESTORE z s 5 6 BYSCORE
      EXISTS z
      ZRANGESTORE z absent 0 -1
      ZRANGESTORE z s 0 -1 WITHSCORES
      SET t 1
      ZRANGESTORE z t 0 -1
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c
        #1 SortedSetMembersScored key=z members=[a b c] scores=[1 2 3]
      (integer) 3
      > SET s text
        #2 StringSet key=s value=text expireAt=null
      OK
      > ZRANGESTORE s z 1 -1
        #3 KeyDeleted key=s
        #3 SortedSetMembersScored key=s members=[b c] scores=[2 3]
      (integer) 2
      > ZRANGESTORE z z 0 0 REV
        #4 KeyDeleted key=z
        #4 SortedSetMembersScored key=z members=[c] scores=[3]
      (integer) 1
      > ZRANGE z 0 -1 WITHSCORES
      ["c", "3"]
      > ZRANGESTORE z s 5 6 BYSCORE
        #5 KeyDeleted key=z
      (integer) 0
      > EXISTS z
      (integer) 0
      > ZRANGESTORE z absent 0 -1
      (integer) 0
      > ZRANGESTORE z s 0 -1 WITHSCORES
      (error) ERR syntax error
      > SET t 1
        #6 StringSet key=t value=1 expireAt=null
      OK
      > ZRANGESTORE z t 0 -1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("removal", () => {
  it("takes members out by name", () => {
    expect(script(`
      ZADD z 1 a 2 b 3 c
      ZREM z b b nobody
      ZREM z nobody
      ZREM z c
      ZREM z a
      EXISTS z
      ZREM z a
      SET s 1
      ZREM s a
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c
        #1 SortedSetMembersScored key=z members=[a b c] scores=[1 2 3]
      (integer) 3
      > ZREM z b b nobody
        #2 SortedSetMembersRemoved key=z members=[b]
      (integer) 1
      > ZREM z nobody
      (integer) 0
      > ZREM z c
        #3 SortedSetMembersRemoved key=z members=[c]
      (integer) 1
      > ZREM z a
        #4 SortedSetMembersRemoved key=z members=[a]
      (integer) 1
      > EXISTS z
      (integer) 0
      > ZREM z a
      (integer) 0
      > SET s 1
        #5 StringSet key=s value=1 expireAt=null
      OK
      > ZREM s a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("takes ranges out", () => {
    expect(script(`
      ZADD z 1 a 2 b 3 c 4 d 5 e
      ZREMRANGEBYRANK z -1 -1
      ZREMRANGEBYSCORE z (1 2
      ZREMRANGEBYSCORE z 9 10
      ZREMRANGEBYRANK z 0 9
      EXISTS z
      ZADD l 0 a 0 b
      ZREMRANGEBYLEX l [b +
      ZREMRANGEBYLEX l - +
      EXISTS l
      ZREMRANGEBYSCORE l x 1
      ZREMRANGEBYRANK absent 0 1
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c 4 d 5 e
        #1 SortedSetMembersScored key=z members=[a b c d e] scores=[1 2 3 4 5]
      (integer) 5
      > ZREMRANGEBYRANK z -1 -1
        #2 SortedSetRangeRemoved key=z start=4 stop=4
      (integer) 1
      > ZREMRANGEBYSCORE z (1 2
        #3 SortedSetRangeRemoved key=z start=1 stop=1
      (integer) 1
      > ZREMRANGEBYSCORE z 9 10
      (integer) 0
      > ZREMRANGEBYRANK z 0 9
        #4 SortedSetRangeRemoved key=z start=0 stop=2
      (integer) 3
      > EXISTS z
      (integer) 0
      > ZADD l 0 a 0 b
        #5 SortedSetMembersScored key=l members=[a b] scores=[0 0]
      (integer) 2
      > ZREMRANGEBYLEX l [b +
        #6 SortedSetRangeRemoved key=l start=1 stop=1
      (integer) 1
      > ZREMRANGEBYLEX l - +
        #7 SortedSetRangeRemoved key=l start=0 stop=0
      (integer) 1
      > EXISTS l
      (integer) 0
      > ZREMRANGEBYSCORE l x 1
      (error) ERR min or max is not a float
      > ZREMRANGEBYRANK absent 0 1
      (integer) 0"
    `)
  })
})
