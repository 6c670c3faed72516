import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("SORT without an order", () => {
  it("stays so once a BY had no star", () => {
    expect(transcript(
      `RPUSH l b a c
      MSET w:a 3 w:b 2 w:c x
      SORT l BY nosort BY w:*
      SORT l BY w:* BY nosort
      SORT l BY w:*`
    )).toMatchInlineSnapshot(`
      "> RPUSH l b a c
        #1 ListPushed key=l side=right elements=[b a c]
      (integer) 3
      > MSET w:a 3 w:b 2 w:c x
        #2 StringSet key=w:a value=3 expireAt=null
        #2 StringSet key=w:b value=2 expireAt=null
        #2 StringSet key=w:c value=x expireAt=null
      OK
      > SORT l BY nosort BY w:*
      ["b", "a", "c"]
      > SORT l BY w:* BY nosort
      ["b", "a", "c"]
      > SORT l BY w:*
      (error) ERR One or more scores can't be converted into double"
    `)
  })

  it("puts a set that is stored in the order of its bytes, or the other way round", () => {
    expect(transcript(
      `SADD s b a c
      SORT s BY nosort STORE up
      LRANGE up 0 -1
      SORT s BY nosort DESC STORE down
      LRANGE down 0 -1`
    )).toMatchInlineSnapshot(`
      "> SADD s b a c
        #1 SetMembersAdded key=s members=[b a c]
      (integer) 3
      > SORT s BY nosort STORE up
        #2 ListPushed key=up side=right elements=[a b c]
      (integer) 3
      > LRANGE up 0 -1
      ["a", "b", "c"]
      > SORT s BY nosort DESC STORE down
        #3 ListPushed key=down side=right elements=[c b a]
      (integer) 3
      > LRANGE down 0 -1
      ["c", "b", "a"]"
    `)
  })
})

describe("SORT by numbers", () => {
  it("takes what C reads in full, and refuses what a double cannot hold", () => {
    expect(transcript(
      `RPUSH good 2 0x1F -inf 0.5 -3e-1 inf 0.1 0.10000000000000000555
      SORT good
      RPUSH tiny 1e-310
      SORT tiny
      RPUSH nothing 1e-400
      SORT nothing
      RPUSH huge 1e400
      SORT huge
      RPUSH text nan
      SORT text`
    )).toMatchInlineSnapshot(`
      "> RPUSH good 2 0x1F -inf 0.5 -3e-1 inf 0.1 0.10000000000000000555
        #1 ListPushed key=good side=right elements=[2 0x1F -inf 0.5 -3e-1 inf 0.1 0.10000000000000000555]
      (integer) 8
      > SORT good
      ["-inf", "-3e-1", "0.1", "0.10000000000000000555", "0.5", "2", "0x1F", "inf"]
      > RPUSH tiny 1e-310
        #2 ListPushed key=tiny side=right elements=[1e-310]
      (integer) 1
      > SORT tiny
      (error) ERR One or more scores can't be converted into double
      > RPUSH nothing 1e-400
        #3 ListPushed key=nothing side=right elements=[1e-400]
      (integer) 1
      > SORT nothing
      (error) ERR One or more scores can't be converted into double
      > RPUSH huge 1e400
        #4 ListPushed key=huge side=right elements=[1e400]
      (integer) 1
      > SORT huge
      (error) ERR One or more scores can't be converted into double
      > RPUSH text nan
        #5 ListPushed key=text side=right elements=[nan]
      (integer) 1
      > SORT text
      (error) ERR One or more scores can't be converted into double"
    `)
  })
})
