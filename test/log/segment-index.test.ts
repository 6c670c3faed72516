import { describe, expect, it } from "vitest"
import { codes } from "../../src/log/events/catalog.ts"
import { KeyFilter, mayHoldOnDisk } from "../../src/log/key-filter.ts"
import { EventTally, SegmentIndex } from "../../src/log/segment-index.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { forSeeds, scaled } from "../support/random.ts"

const mayHold = ({ filter }: SegmentIndex, key: string): boolean => {
  const { bytes, length, start } = Slice.latin1(key)
  return filter.mayHold(bytes, start, length)
}

describe("the tally of a frame's events", () => {
  it("knows every key and counts every event, however keys repeat and wherever a segment ends", () => {
    forSeeds(scaled(50), (random) => {
      const keys = ["", "a", "b", "ab", "k".repeat(32), "k".repeat(33), `${"k".repeat(31)}x`, "key:1", "key:2"]
      const tally = new EventTally()
      const scratch = new Slice()
      for (let segment = 0; segment < 3; segment++) {
        const index = new SegmentIndex(1 << 20)
        const used = new Set<string>()
        let events = 0
        for (let frame = 0; frame < 5; frame++) {
          for (let n = random.below(20); n > 0; n--) {
            const name = random.pick(keys.slice(0, random.between(1, keys.length)))
            // The same slice and the same bytes of it, as requests come.
            const bytes = Buffer.from(`<${name}>`, "latin1")
            const key = scratch.set(bytes, 1, name.length)
            if (random.chance(0.5)) tally.add({ _tag: "ListPushed", key, side: "left", elements: [Slice.latin1("x")] })
            else tally.add({ _tag: "ListPopped", key, side: "right", elements: [Slice.latin1("x")] })
            used.add(name)
            events++
          }
          tally.settle(index)
        }
        for (const name of used) expect(mayHold(index, name)).toBe(true)
        const counts = new Map(index.typeCounts())
        expect((counts.get(codes.ListPushed) ?? 0) + (counts.get(codes.ListPopped) ?? 0)).toBe(events)
      }
    })
  })
})

describe("the key filter of the next segment", () => {
  it("is empty in memory that another has used, however much of it was made ready", () => {
    for (const pieces of [0, 1, 3, 100]) {
      const segmentBytes = 16 << 20
      const used = new SegmentIndex(segmentBytes)
      const tally = new EventTally()
      for (let i = 0; i < 50_000; i++) tally.add({ _tag: "KeyDeleted", key: Slice.latin1(`key:${i}`) })
      tally.settle(used)
      used.filter.seal()
      used.filter.recycle()
      for (let i = 0; i < pieces; i++) KeyFilter.prepare(segmentBytes)
      const next = new SegmentIndex(segmentBytes)
      for (let i = 0; i < 50_000; i++) if (mayHold(next, `key:${i}`)) throw new Error(`key:${i} is in an empty filter`)
    }
  })
})

describe("a sealed key filter", () => {
  it("tells the same when only the words of a key are read from disk", () => {
    for (const count of [0, 1, 700, 40_000]) {
      const index = new SegmentIndex(4 << 20)
      const tally = new EventTally()
      for (let i = 0; i < count; i++) tally.add({ _tag: "KeyDeleted", key: Slice.latin1(`key:${i}`) })
      tally.settle(index)
      const bytes = index.filter.seal().slice()
      const whole = KeyFilter.read(bytes)
      let held = 0
      for (let i = -20_000; i < count; i++) {
        const key = Buffer.from(`key:${i}`)
        const may = mayHoldOnDisk((offset, length) => bytes.subarray(offset, offset + length), key)
        if (may !== whole.mayHold(key, 0, key.length)) throw new Error(`key:${i} of ${count}`)
        if (may) held++
      }
      expect(held).toBeGreaterThanOrEqual(count)
      expect(held - count).toBeLessThan(1500)
    }
  })

  it("of another hash than is known excludes nothing", () => {
    const bytes = new SegmentIndex(4096).filter.seal().slice()
    bytes[6] = 2
    expect(mayHoldOnDisk((offset, length) => bytes.subarray(offset, offset + length), Buffer.from("k"))).toBe(true)
  })
})
