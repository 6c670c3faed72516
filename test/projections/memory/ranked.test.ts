import { describe, expect, it } from "vitest"
import { Arena, byteOf, type Pointer, slabOf, wordOf } from "../../../src/projections/memory/arena.ts"
import { Ranked } from "../../../src/projections/memory/ranked.ts"
import { copyBytes, Slice } from "../../../src/projections/memory/slice.ts"
import { forSeeds, type Random } from "../../support/random.ts"

const offset = 12
const view = new DataView(new ArrayBuffer(8))

interface Member {
  readonly text: string
  score: number
  readonly p: Pointer
}

const setScore = (arena: Arena, p: Pointer, score: number): void => {
  view.setFloat64(0, score, true)
  arena.words[slabOf(p)]![wordOf(p) + 1] = view.getUint32(0, true)
  arena.words[slabOf(p)]![wordOf(p) + 2] = view.getUint32(4, true)
}

const make = (arena: Arena, text: string, score: number): Member => {
  const bytes = Buffer.from(text, "latin1")
  const p = arena.allocate(offset + bytes.length)
  arena.words[slabOf(p)]![wordOf(p)] = bytes.length << 2
  setScore(arena, p, score)
  copyBytes(arena.bytes[slabOf(p)]!, byteOf(p) + offset, bytes, 0, bytes.length)
  return { text, score, p }
}

const order = (a: Member, b: Member): number =>
  a.score < b.score
    ? -1
    : a.score > b.score
    ? 1
    : Buffer.compare(Buffer.from(a.text, "latin1"), Buffer.from(b.text, "latin1"))

const scoreOf = (random: Random, kinds: number): number =>
  random.chance(0.05)
    ? random.pick([Infinity, -Infinity, 0, -0, 5e-324, -5e-324, 1e300])
    : random.below(kinds) / 4 - kinds / 8

const place = (sorted: ReadonlyArray<Member>, member: Member): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (order(sorted[middle]!, member) < 0) low = middle + 1
    else high = middle
  }
  return low
}

describe("ranked", () => {
  it("does what a sorted array does", () => {
    forSeeds(60, (random, seed) => {
      const arena = new Arena()
      const ranked = new Ranked(arena, offset)
      const roots = [ranked.create(), ranked.create()]
      const models: Array<Array<Member>> = [[], []]
      const kinds = random.pick([1, 3, 50, 1_000_000])
      const prefix = random.pick(["", "m", "a common beginning "])
      let serial = 0
      const steps = random.pick([300, 3000, 9000])
      for (let step = 0; step < steps; step++) {
        const which = random.below(2)
        const model = models[which]!
        ranked.open(roots[which]!)
        const growing = step < steps / 2 ? 0.75 : 0.35
        if (model.length === 0 || random.chance(growing)) {
          const score = seed % 3 === 0 ? serial : scoreOf(random, kinds)
          const text = `${prefix}${random.below(40)}:${serial++}`
          const member = make(arena, text, score)
          ranked.add(member.p)
          model.splice(place(model, member), 0, member)
        } else if (random.chance(0.1)) {
          const from = random.below(model.length)
          const count = Math.min(random.below(60) + 1, model.length - from)
          const gone: Array<Pointer> = []
          ranked.takeRange(from, count, (p) => {
            gone.push(p)
            arena.free(p)
          })
          expect(gone).toEqual(model.splice(from, count).map(({ p }) => p))
        } else {
          const index = random.below(model.length)
          const [member] = model.splice(index, 1)
          ranked.take(member!.p)
          if (random.chance(0.5)) {
            member!.score = scoreOf(random, kinds)
            setScore(arena, member!.p, member!.score)
            ranked.add(member!.p)
            model.splice(place(model, member!), 0, member!)
          } else arena.free(member!.p)
        }
        expect(ranked.size).toBe(model.length)
        if (model.length === 0 || step % 7 !== 0) continue
        const index = random.below(model.length)
        expect(ranked.rankOf(model[index]!.p)).toBe(index)
        expect(ranked.select(index)).toBe(model[index]!.p)
        const bound = random.chance(0.7) ? model[index]!.score : scoreOf(random, kinds)
        expect(ranked.countBelowScore(bound, false)).toBe(model.filter(({ score }) => score < bound).length)
        expect(ranked.countBelowScore(bound, true)).toBe(model.filter(({ score }) => score <= bound).length)
        const text = Slice.latin1(random.chance(0.5) ? model[index]!.text : `${prefix}${random.below(40)}`)
        const lex = { text: text.latin1(), score: bound, p: 0 }
        expect(ranked.countBelowMember(bound, text, false)).toBe(model.filter((m) => order(m, lex) < 0).length)
        expect(ranked.countBelowMember(bound, text, true)).toBe(model.filter((m) => order(m, lex) <= 0).length)
      }
      for (const [which, model] of models.entries()) {
        ranked.open(roots[which]!)
        const forward: Array<Pointer> = []
        for (let p = ranked.seek(0); p !== 0; p = ranked.next()) forward.push(p)
        expect(forward).toEqual(model.map(({ p }) => p))
        const backward: Array<Pointer> = []
        for (let p = ranked.seek(model.length - 1); p !== 0; p = ranked.previous()) backward.push(p)
        expect(backward.reverse()).toEqual(forward)
        while (!ranked.releaseStep(roots[which]!, 100));
        for (const { p } of model) arena.free(p)
      }
      expect(arena.usedBytes).toBe(0)
    })
  })

  it("holds two hundred thousand members", () => {
    const arena = new Arena()
    const ranked = new Ranked(arena, offset)
    const root = ranked.create()
    const members = Array.from({ length: 200_000 }, (_, i) => make(arena, `m${i}`, Math.imul(i, 0x9e37_79b1) >>> 8))
    for (const { p } of members) ranked.add(p)
    members.sort(order)
    for (let i = 0; i < members.length; i += 997) {
      expect(ranked.rankOf(members[i]!.p)).toBe(i)
      expect(ranked.select(i)).toBe(members[i]!.p)
    }
    expect(ranked.tableBytes / members.length).toBeLessThan(22)
    let steps = 1
    while (!ranked.releaseStep(root, 1000)) steps++
    expect(steps).toBeGreaterThan(100)
    for (const { p } of members) arena.free(p)
    expect(arena.usedBytes).toBe(0)
  })
})
