import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("LPOS", () => {
  it("takes the least integer as a rank for the first match from the end, as redis-server 7.0 does", () => {
    expect(transcript(
      `RPUSH l a b a
      LPOS l a RANK -9223372036854775808
      LPOS l a RANK -9223372036854775808 COUNT 0
      LPOS l a RANK -9223372036854775807
      LPOS l a RANK 9223372036854775807
      LPOS l a RANK 0`
    )).toMatchInlineSnapshot(`
      "> RPUSH l a b a
        #1 ListPushed key=l side=right elements=[a b a]
      (integer) 3
      > LPOS l a RANK -9223372036854775808
      (integer) 2
      > LPOS l a RANK -9223372036854775808 COUNT 0
      [(integer) 2, (integer) 0]
      > LPOS l a RANK -9223372036854775807
      (nil)
      > LPOS l a RANK 9223372036854775807
      (nil)
      > LPOS l a RANK 0
      (error) ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
    `)
  })
})
