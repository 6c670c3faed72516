import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("moving elements within one list", () => {
  it("keeps the deadline of a list that is turned round as a whole", () => {
    expect(transcript(
      `RPUSH l a
      PEXPIRE l 5000
      LMOVE l l LEFT LEFT
      RPOPLPUSH l l
      PTTL l
      RPUSH l b c
      LMOVE l l RIGHT LEFT
      LMOVEM l l LEFT RIGHT COUNT 3 BULK
      LRANGE l 0 -1
      PTTL l`
    )).toMatchInlineSnapshot(`
      "> RPUSH l a
        #1 ListPushed key=l side=right elements=[a]
      (integer) 1
      > PEXPIRE l 5000
        #2 KeyExpirySet key=l expireAt=1700000005000
      (integer) 1
      > LMOVE l l LEFT LEFT
        #3 ListPushed key=l side=left elements=[a]
        #3 ListPopped key=l side=right elements=[a]
      "a"
      > RPOPLPUSH l l
        #4 ListPushed key=l side=left elements=[a]
        #4 ListPopped key=l side=right elements=[a]
      "a"
      > PTTL l
      (integer) 5000
      > RPUSH l b c
        #5 ListPushed key=l side=right elements=[b c]
      (integer) 3
      > LMOVE l l RIGHT LEFT
        #6 ListPopped key=l side=right elements=[c]
        #6 ListPushed key=l side=left elements=[c]
      "c"
      > LMOVEM l l LEFT RIGHT COUNT 3 BULK
        #7 ListPushed key=l side=right elements=[c a b]
        #7 ListPopped key=l side=left elements=[c a b]
      ["c", "a", "b"]
      > LRANGE l 0 -1
      ["c", "a", "b"]
      > PTTL l
      (integer) 5000"
    `)
  })
})
