import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

describe("DEL and UNLINK", () => {
  it("delete what is there and count it", () => {
    expect(transcript(`SET a 1
      SET b 2
      DEL a b missing
      EXISTS a b
      SET a 1
      UNLINK a missing
      UNLINK a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SET b 2
          #2 StringSet key=b value=2 expireAt=null
        OK
        > DEL a b missing
          #3 KeyDeleted key=a
          #3 KeyDeleted key=b
        (integer) 2
        > EXISTS a b
        (integer) 0
        > SET a 1
          #4 StringSet key=a value=1 expireAt=null
        OK
        > UNLINK a missing
          #5 KeyDeleted key=a
        (integer) 1
        > UNLINK a
        (integer) 0"
      `)
  })

  it("count a key named twice once", () => {
    expect(transcript(`SET a 1
      SET b 1
      DEL a b a b a
      DBSIZE
      SET a 1
      DEL a a a a a a a a a a a a a a a a a a a a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SET b 1
          #2 StringSet key=b value=1 expireAt=null
        OK
        > DEL a b a b a
          #3 KeyDeleted key=a
          #3 KeyDeleted key=b
        (integer) 2
        > DBSIZE
        (integer) 0
        > SET a 1
          #4 StringSet key=a value=1 expireAt=null
        OK
        > DEL a a a a a a a a a a a a a a a a a a a a
          #5 KeyDeleted key=a
        (integer) 1"
      `)
  })

  it("do not count dead keys", () => {
    expect(transcript(`SET a 1 PX 100
      SET b 1
      +100
      DEL a b a
      UNLINK a`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 100
          #1 StringSet key=a value=1 expireAt=1700000000100
        OK
        > SET b 1
          #2 StringSet key=b value=1 expireAt=null
        OK
        > +100
        > DEL a b a
          #3 by expire KeyExpired key=a
          #4 KeyDeleted key=b
        (integer) 1
        > UNLINK a
        (integer) 0"
      `)
  })

  it("take keys of any bytes, the empty one too", () => {
    expect(transcript(`SET "" 1
      SET "\\x00\\xff" 1
      DEL "" "\\x00\\xff"`)).toMatchInlineSnapshot(`
        "> SET "" 1
          #1 StringSet key= value=1 expireAt=null
        OK
        > SET "\\x00\\xff" 1
          #2 StringSet key=\\x00\\xff value=1 expireAt=null
        OK
        > DEL "" "\\x00\\xff"
          #3 KeyDeleted key=
          #3 KeyDeleted key=\\x00\\xff
        (integer) 2"
      `)
  })

  it("want a key", () => {
    expect(transcript(`DEL
      UNLINK`)).toMatchInlineSnapshot(`
        "> DEL
        (error) ERR wrong number of arguments for 'del' command
        > UNLINK
        (error) ERR wrong number of arguments for 'unlink' command"
      `)
  })

  it("find duplicates among many keys", () => {
    const harness = new Harness()
    const names = Array.from({ length: 500 }, (_, i) => `key:${i}`)
    for (const name of names) harness.run("SET", name, "1")
    expect(harness.run("DEL", ...names, ...names.toReversed())).toBe(":500\r\n")
    expect(harness.batches.at(-1)!.events.length).toBe(500)
    expect(harness.run("DBSIZE")).toBe(":0\r\n")
  })
})
