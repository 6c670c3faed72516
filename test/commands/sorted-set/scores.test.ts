import { describe, expect, it } from "vitest"
import { script, script3 } from "./support.ts"

describe("ZADD", () => {
  it("adds members and gives them other scores", () => {
    expect(script(`
      ZADD z 1 a
      ZADD z 1 a
      ZADD z 2 a 3 b 2.5 c 4 b
      ZADD z CH 2 a 5 b 1 d
      ZRANGE z 0 -1 WITHSCORES
      OBJECT ENCODING z
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a
        #1 SortedSetMembersScored key=z members=[a] scores=[1]
      (integer) 1
      > ZADD z 1 a
      (integer) 0
      > ZADD z 2 a 3 b 2.5 c 4 b
        #2 SortedSetMembersScored key=z members=[a b c] scores=[2 4 2.5]
      (integer) 2
      > ZADD z CH 2 a 5 b 1 d
        #3 SortedSetMembersScored key=z members=[b d] scores=[5 1]
      (integer) 2
      > ZRANGE z 0 -1 WITHSCORES
      ["d", "1", "a", "2", "c", "2.5", "b", "5"]
      > OBJECT ENCODING z
      "skiplist""
    `)
  })

  it("keeps its conditions", () => {
    expect(script(`
      ZADD z 5 a 5 b
      ZADD z NX 9 a 9 c
      ZADD z XX 6 a 6 nobody
      ZADD z GT CH 5 a 7 b
      ZADD z LT CH 9 a 1 b
      ZADD z GT 1 d
      ZADD z NX 1 twice 2 twice
      ZADD absent XX 1 a
      ZRANGE z 0 -1 WITHSCORES
    `)).toMatchInlineSnapshot(`
      "> ZADD z 5 a 5 b
        #1 SortedSetMembersScored key=z members=[a b] scores=[5 5]
      (integer) 2
      > ZADD z NX 9 a 9 c
        #2 SortedSetMembersScored key=z members=[c] scores=[9]
      (integer) 1
      > ZADD z XX 6 a 6 nobody
        #3 SortedSetMembersScored key=z members=[a] scores=[6]
      (integer) 0
      > ZADD z GT CH 5 a 7 b
        #4 SortedSetMembersScored key=z members=[b] scores=[7]
      (integer) 1
      > ZADD z LT CH 9 a 1 b
        #5 SortedSetMembersScored key=z members=[b] scores=[1]
      (integer) 1
      > ZADD z GT 1 d
        #6 SortedSetMembersScored key=z members=[d] scores=[1]
      (integer) 1
      > ZADD z NX 1 twice 2 twice
        #7 SortedSetMembersScored key=z members=[twice] scores=[1]
      (integer) 1
      > ZADD absent XX 1 a
      (integer) 0
      > ZRANGE z 0 -1 WITHSCORES
      ["b", "1", "d", "1", "twice", "1", "a", "6", "c", "9"]"
    `)
  })

  it("increments", () => {
    expect(script(`
      ZADD z INCR 1.5 a
      ZADD z INCR 0 a
      ZADD z XX INCR 1 nobody
      ZADD z NX INCR 1 a
      ZADD z GT INCR -1 a
      ZINCRBY z -2 a
      ZINCRBY z inf a
      ZINCRBY z -inf a
      ZADD z INCR -inf a
    `)).toMatchInlineSnapshot(`
      "> ZADD z INCR 1.5 a
        #1 SortedSetMembersScored key=z members=[a] scores=[1.5]
      "1.5"
      > ZADD z INCR 0 a
      "1.5"
      > ZADD z XX INCR 1 nobody
      (nil)
      > ZADD z NX INCR 1 a
      (nil)
      > ZADD z GT INCR -1 a
      (nil)
      > ZINCRBY z -2 a
        #2 SortedSetMembersScored key=z members=[a] scores=[-0.5]
      "-0.5"
      > ZINCRBY z inf a
        #3 SortedSetMembersScored key=z members=[a] scores=[Infinity]
      "inf"
      > ZINCRBY z -inf a
      (error) ERR resulting score is not a number (NaN)
      > ZADD z INCR -inf a
      (error) ERR resulting score is not a number (NaN)"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(script(`
      ZADD z NX XX 1 a
      ZADD z GT LT 1 a
      ZADD z NX GT 1 a
      ZADD z INCR 1 a 2 b
      ZADD z 1 a 2
      ZADD z NX CH
      ZADD z x a
      ZADD z nan a
      ZADD z 1e400 a
      ZADD z 1e-400 a
      ZADD z "" a
      ZADD z " 1" a
      ZADD z 1 a x b
      SET s 1
      ZADD s 1 a
      ZINCRBY s 1 a
      ZINCRBY z one a
      EXISTS z
    `)).toMatchInlineSnapshot(`
      "> ZADD z NX XX 1 a
      (error) ERR XX and NX options at the same time are not compatible
      > ZADD z GT LT 1 a
      (error) ERR GT, LT, and/or NX options at the same time are not compatible
      > ZADD z NX GT 1 a
      (error) ERR GT, LT, and/or NX options at the same time are not compatible
      > ZADD z INCR 1 a 2 b
      (error) ERR INCR option supports a single increment-element pair
      > ZADD z 1 a 2
      (error) ERR syntax error
      > ZADD z NX CH
      (error) ERR syntax error
      > ZADD z x a
      (error) ERR value is not a valid float
      > ZADD z nan a
      (error) ERR value is not a valid float
      > ZADD z 1e400 a
      (error) ERR value is not a valid float
      > ZADD z 1e-400 a
      (error) ERR value is not a valid float
      > ZADD z "" a
      (error) ERR value is not a valid float
      > ZADD z " 1" a
      (error) ERR value is not a valid float
      > ZADD z 1 a x b
      (error) ERR value is not a valid float
      > SET s 1
        #1 StringSet key=s value=1 expireAt=null
      OK
      > ZADD s 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZINCRBY s 1 a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZINCRBY z one a
      (error) ERR value is not a valid float
      > EXISTS z
      (integer) 0"
    `)
  })

  it("reads numbers as C does, and keeps every score exactly", () => {
    expect(script(`
      ZADD z -0 a
      ZADD z 0x1p4 b
      ZADD z -Infinity c 1e300 d +.5 e 9007199254740993 f 0.1 g 5e-324 h
      ZMSCORE z a b c d e f g h i
      OBJECT ENCODING z
      ZADD small -0 a
      ZSCORE small a
      OBJECT ENCODING small
    `)).toMatchInlineSnapshot(`
      "> ZADD z -0 a
        #1 SortedSetMembersScored key=z members=[a] scores=[0]
      (integer) 1
      > ZADD z 0x1p4 b
        #2 SortedSetMembersScored key=z members=[b] scores=[16]
      (integer) 1
      > ZADD z -Infinity c 1e300 d +.5 e 9007199254740993 f 0.1 g 5e-324 h
        #3 SortedSetMembersScored key=z members=[c d e f g h] scores=[-Infinity 1e+300 0.5 9007199254740992 0.1 5e-324]
      (integer) 6
      > ZMSCORE z a b c d e f g h i
      ["-0", "16", "-inf", "1e+300", "0.5", "9007199254740992", "0.1", "5e-324", (nil)]
      > OBJECT ENCODING z
      "skiplist"
      > ZADD small -0 a
        #4 SortedSetMembersScored key=small members=[a] scores=[0]
      (integer) 1
      > ZSCORE small a
      "-0"
      > OBJECT ENCODING small
      "listpack""
    `)
  })
})

describe("asking for scores and ranks", () => {
  it("answers scores, ranks and numbers", () => {
    expect(script(`
      ZADD z 1 a 2 b
      ZSCORE z b
      ZSCORE z c
      ZMSCORE z a c b
      ZCARD z
      ZRANK z b
      ZREVRANK z b
      ZRANK z c
      ZRANK z b WITHSCORE
      ZREVRANK z c WITHSCORE
      ZRANK z b WITHSCORES
      ZRANK z b WITHSCORE x
      ZADD z 3 c
      OBJECT ENCODING z
      ZRANK z b
      ZREVRANK z b
      ZRANK z d
      ZSCORE z c
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b
        #1 SortedSetMembersScored key=z members=[a b] scores=[1 2]
      (integer) 2
      > ZSCORE z b
      "2"
      > ZSCORE z c
      (nil)
      > ZMSCORE z a c b
      ["1", (nil), "2"]
      > ZCARD z
      (integer) 2
      > ZRANK z b
      (integer) 1
      > ZREVRANK z b
      (integer) 0
      > ZRANK z c
      (nil)
      > ZRANK z b WITHSCORE
      [(integer) 1, "2"]
      > ZREVRANK z c WITHSCORE
      (nil array)
      > ZRANK z b WITHSCORES
      (error) ERR syntax error
      > ZRANK z b WITHSCORE x
      (error) ERR wrong number of arguments for 'zrank' command
      > ZADD z 3 c
        #2 SortedSetMembersScored key=z members=[c] scores=[3]
      (integer) 1
      > OBJECT ENCODING z
      "skiplist"
      > ZRANK z b
      (integer) 1
      > ZREVRANK z b
      (integer) 1
      > ZRANK z d
      (nil)
      > ZSCORE z c
      "3""
    `)
  })

  it("answers doubles in RESP3", () => {
    expect(script3(`
      ZADD z INCR 1.5 a
      ZSCORE z a
      ZMSCORE z a b
      ZRANK z a WITHSCORE
      ZRANK z b WITHSCORE
      ZINCRBY z inf a
    `)).toMatchInlineSnapshot(`
      "> ZADD z INCR 1.5 a
        #1 SortedSetMembersScored key=z members=[a] scores=[1.5]
      (double) 1.5
      > ZSCORE z a
      (double) 1.5
      > ZMSCORE z a b
      [(double) 1.5, (null)]
      > ZRANK z a WITHSCORE
      [(integer) 0, (double) 1.5]
      > ZRANK z b WITHSCORE
      (null)
      > ZINCRBY z inf a
        #2 SortedSetMembersScored key=z members=[a] scores=[Infinity]
      (double) inf"
    `)
  })

  it("counts within ranges", () => {
    expect(script(`
      ZADD z 1 a 2 b 3 c
      ZCOUNT z 1 2
      ZCOUNT z (1 +inf
      ZCOUNT z 3 1
      ZCOUNT z a 2
      ZCOUNT absent -inf inf
      ZADD l 0 a 0 b 0 c
      ZLEXCOUNT l - +
      ZLEXCOUNT l [b (c
      ZLEXCOUNT l + -
      ZLEXCOUNT l b c
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c
        #1 SortedSetMembersScored key=z members=[a b c] scores=[1 2 3]
      (integer) 3
      > ZCOUNT z 1 2
      (integer) 2
      > ZCOUNT z (1 +inf
      (integer) 2
      > ZCOUNT z 3 1
      (integer) 0
      > ZCOUNT z a 2
      (error) ERR min or max is not a float
      > ZCOUNT absent -inf inf
      (integer) 0
      > ZADD l 0 a 0 b 0 c
        #2 SortedSetMembersScored key=l members=[a b c] scores=[0 0 0]
      (integer) 3
      > ZLEXCOUNT l - +
      (integer) 3
      > ZLEXCOUNT l [b (c
      (integer) 1
      > ZLEXCOUNT l + -
      (integer) 0
      > ZLEXCOUNT l b c
      (error) ERR min or max not valid string range item"
    `)
  })

  it("finds nothing at absent keys and refuses other types", () => {
    expect(script(`
      ZSCORE none a
      ZMSCORE none a b
      ZCARD none
      ZRANK none a
      SET s 1
      ZSCORE s a
      ZMSCORE s a
      ZCARD s
      ZRANK s a
      ZCOUNT s 0 1
      ZLEXCOUNT s - +
    `)).toMatchInlineSnapshot(`
      "> ZSCORE none a
      (nil)
      > ZMSCORE none a b
      [(nil), (nil)]
      > ZCARD none
      (integer) 0
      > ZRANK none a
      (nil)
      > SET s 1
        #1 StringSet key=s value=1 expireAt=null
      OK
      > ZSCORE s a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZMSCORE s a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZCARD s
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZRANK s a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZCOUNT s 0 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZLEXCOUNT s - +
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
