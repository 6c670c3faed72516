import { describe, expect, it } from "vitest"
import { bitOperations } from "../../../src/projections/memory/bits.ts"
import { combined } from "../../support/bit-model.ts"
import { Harness } from "../../support/harness.ts"
import { forSeeds, scaled } from "../../support/random.ts"
import { script } from "./support.ts"

describe("BITOP", () => {
  it("combines strings, shorter ones ending in zeros", () => {
    expect(script(`
      SET a foobar
      SET b abcdef
      BITOP AND d a b
      GET d
      OBJECT ENCODING d
      SET short "\\xf0"
      BITOP or d a short
      GET d
      BITOP XOR d a a
      GET d
      BITOP NOT d short
      GET d
      BITOP NOT a a
      GET a
      BITOP AND d a none
      GET d
      SET n 12
      BITOP OR n n n
      GET n
      OBJECT ENCODING n
    `)).toMatchInlineSnapshot(`
      "> SET a foobar
        #2 StringSet key=a value=foobar expireAt=null
      OK
      > SET b abcdef
        #3 StringSet key=b value=abcdef expireAt=null
      OK
      > BITOP AND d a b
        #4 StringsCombined key=d operation=AND sources=[a b]
      (integer) 6
      > GET d
      "\`bc\`ab"
      > OBJECT ENCODING d
      "raw"
      > SET short "\\xf0"
        #5 StringSet key=short value=\\xf0 expireAt=null
      OK
      > BITOP or d a short
        #6 StringsCombined key=d operation=OR sources=[a short]
      (integer) 6
      > GET d
      "\\xf6oobar"
      > BITOP XOR d a a
        #7 StringsCombined key=d operation=XOR sources=[a a]
      (integer) 6
      > GET d
      "\\x00\\x00\\x00\\x00\\x00\\x00"
      > BITOP NOT d short
        #8 StringsCombined key=d operation=NOT sources=[short]
      (integer) 1
      > GET d
      "\\x0f"
      > BITOP NOT a a
        #9 StringsCombined key=a operation=NOT sources=[a]
      (integer) 6
      > GET a
      "\\x99\\x90\\x90\\x9d\\x9e\\x8d"
      > BITOP AND d a none
        #10 StringsCombined key=d operation=AND sources=[a none]
      (integer) 6
      > GET d
      "\\x00\\x00\\x00\\x00\\x00\\x00"
      > SET n 12
        #11 StringSet key=n value=12 expireAt=null
      OK
      > BITOP OR n n n
        #12 StringsCombined key=n operation=OR sources=[n n]
      (integer) 2
      > GET n
      "12"
      > OBJECT ENCODING n
      "raw""
    `)
  })

  it("has all operations as the documentation of bitmaps shows them", () => {
    const harness = new Harness()
    const set = (key: string, ...bits: ReadonlyArray<number>): void =>
      bits.forEach((bit) => void harness.run("SETBIT", key, `${bit}`, "1"))
    set("A", 0, 1, 3, 4)
    set("B", 3, 4, 7)
    set("C", 1, 2, 4, 5)
    const results = {
      AND: "\x08",
      OR: "\xfd",
      DIFF: "\x80",
      DIFF1: "%",
      ANDOR: "X",
      ONE: "\xa5"
    }
    for (const [operation, result] of Object.entries(results)) {
      expect(harness.run("BITOP", operation, "R", "A", "B", "C")).toBe(":1\r\n")
      expect(harness.run("GET", "R"), operation).toBe(`$1\r\n${result}\r\n`)
    }
    harness.run("BITOP", "XOR", "R", "A", "B")
    expect(harness.run("GET", "R")).toBe("$1\r\n\xc1\r\n")
    harness.run("BITOP", "NOT", "R", "A")
    expect(harness.run("GET", "R")).toBe("$1\r\n'\r\n")
  })

  it("takes an absent source of the operations of 8.2 for zeros, in its place", () => {
    expect(script(`
      SET x "\\xf0"
      BITOP DIFF r none x
      GET r
      BITOP DIFF1 r none x
      GET r
      BITOP ANDOR r x none
      GET r
      BITOP one r x none x
      GET r
      BITOP ONE r x
      GET r
      BITOP DIFF r none none
      EXISTS r
    `)).toMatchInlineSnapshot(`
      "> SET x "\\xf0"
        #2 StringSet key=x value=\\xf0 expireAt=null
      OK
      > BITOP DIFF r none x
        #3 StringsCombined key=r operation=DIFF sources=[none x]
      (integer) 1
      > GET r
      "\\x00"
      > BITOP DIFF1 r none x
        #4 StringsCombined key=r operation=DIFF1 sources=[none x]
      (integer) 1
      > GET r
      "\\xf0"
      > BITOP ANDOR r x none
        #5 StringsCombined key=r operation=ANDOR sources=[x none]
      (integer) 1
      > GET r
      "\\x00"
      > BITOP one r x none x
        #6 StringsCombined key=r operation=ONE sources=[x none x]
      (integer) 1
      > GET r
      "\\x00"
      > BITOP ONE r x
        #7 StringsCombined key=r operation=ONE sources=[x]
      (integer) 1
      > GET r
      "\\xf0"
      > BITOP DIFF r none none
        #8 KeyDeleted key=r
      (integer) 0
      > EXISTS r
      (integer) 0"
    `)
  })

  it("puts the result in the place of anything, without a deadline, and of nothing makes nothing", () => {
    expect(script(`
      SET a foobar EX 100
      BITOP OR list a
      TYPE list
      BITOP NOT a a
      TTL a
      BITOP AND a none none2
      EXISTS a
      BITOP AND a none
      SET e ""
      BITOP NOT list e
      EXISTS list
      SET old x PX 5
      SET src y PX 5
      +10
      BITOP OR old src
      EXISTS old
    `)).toMatchInlineSnapshot(`
      "> SET a foobar EX 100
        #2 StringSet key=a value=foobar expireAt=1700000100000
      OK
      > BITOP OR list a
        #3 StringsCombined key=list operation=OR sources=[a]
      (integer) 6
      > TYPE list
      string
      > BITOP NOT a a
        #4 StringsCombined key=a operation=NOT sources=[a]
      (integer) 6
      > TTL a
      (integer) -1
      > BITOP AND a none none2
        #5 KeyDeleted key=a
      (integer) 0
      > EXISTS a
      (integer) 0
      > BITOP AND a none
      (integer) 0
      > SET e ""
        #6 StringSet key=e value= expireAt=null
      OK
      > BITOP NOT list e
        #7 KeyDeleted key=list
      (integer) 0
      > EXISTS list
      (integer) 0
      > SET old x PX 5
        #8 StringSet key=old value=x expireAt=1700000000005
      OK
      > SET src y PX 5
        #9 StringSet key=src value=y expireAt=1700000000005
      OK
      > +10
      > BITOP OR old src
        #10 by expire KeyExpired key=src
        #11 by expire KeyExpired key=old
      (integer) 0
      > EXISTS old
      (integer) 0"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(script(`
      SET a foobar
      BITOP NAND d a a
      BITOP NOT d a a
      BITOP DIFF d a
      BITOP diff1 d a
      BITOP ANDOR d a
      BITOP AND d
      BITOP AND d a list
      BITOP NAND d list
      EXISTS d
    `)).toMatchInlineSnapshot(`
      "> SET a foobar
        #2 StringSet key=a value=foobar expireAt=null
      OK
      > BITOP NAND d a a
      (error) ERR syntax error
      > BITOP NOT d a a
      (error) ERR BITOP NOT must be called with a single source key.
      > BITOP DIFF d a
      (error) ERR BITOP DIFF must be called with at least two source keys.
      > BITOP diff1 d a
      (error) ERR BITOP DIFF1 must be called with at least two source keys.
      > BITOP ANDOR d a
      (error) ERR BITOP ANDOR must be called with at least two source keys.
      > BITOP AND d
      (error) ERR wrong number of arguments for 'bitop' command
      > BITOP AND d a list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITOP NAND d list
      (error) ERR syntax error
      > EXISTS d
      (integer) 0"
    `)
  })

  it("gives what a plain array of bits gives, whatever the key held before and whether it is a source", () => {
    forSeeds(scaled(100), (random) => {
      const harness = new Harness()
      const held = new Map<string, Buffer>()
      const keys = ["a", "bb", "ccc", "d".repeat(70)]
      for (let i = 0; i < 30; i++) {
        const key = random.pick(keys)
        const dice = random.fraction()
        if (dice < 0.4) {
          const length = random.pick([0, 1, 20, 44, 45, 100, 700, random.chance(0.1) ? 3000 : 3])
          const value = random.chance(0.2) ? Buffer.from(`${random.below(100_000)}`) : Buffer.from(random.bytes(length))
          harness.run("SET", key, value, ...random.chance(0.2) ? ["EX", "100"] : [])
          held.set(key, value)
        } else if (dice < 0.45) {
          harness.run("DEL", key)
          harness.run("RPUSH", key, "x".repeat(random.below(300)))
          held.delete(key)
        } else {
          const operation = random.pick(bitOperations)
          const count = operation === "NOT" ? 1 : random.between(2, 5)
          const sources = Array.from({ length: count }, () => random.pick(keys))
          const isList = (name: string): boolean => harness.run("TYPE", name) === "+list\r\n"
          if (sources.some(isList)) continue
          const value = combined(operation, sources.map((source) => held.get(source) ?? Buffer.alloc(0)))
          expect(harness.run("BITOP", operation, key, ...sources)).toBe(`:${value.length}\r\n`)
          if (value.length === 0) held.delete(key)
          else held.set(key, value)
          expect(harness.run("TTL", key)).toBe(value.length === 0 ? ":-2\r\n" : ":-1\r\n")
        }
        for (const [name, value] of held) {
          expect(harness.run("GET", name)).toBe(`$${value.length}\r\n${value.toString("latin1")}\r\n`)
        }
      }
    })
  })
})
