import { describe, expect, it } from "vitest"
import { Arena, ArenaFull, byteOf, type Pointer, slabOf, wordOf } from "../../../src/projections/memory/arena.ts"
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

/** The order has just the members of the model, found by rank and by themselves. */
const expectSame = (ranked: Ranked, model: ReadonlyArray<Member>): void => {
  expect(ranked.size).toBe(model.length)
  let i = 0
  for (let p = ranked.seek(0); p !== 0; p = ranked.next(), i++) {
    if (p !== model[i]!.p) throw new Error(`at ${i} forward`)
  }
  if (i !== model.length) throw new Error(`${i} forward`)
  for (let p = ranked.seek(i - 1); p !== 0; p = ranked.previous()) {
    if (p !== model[--i]!.p) throw new Error(`at ${i} backward`)
  }
  if (i !== 0) throw new Error(`${i} left backward`)
  for (; i < model.length; i++) {
    if (ranked.rankOf(model[i]!.p) !== i) throw new Error(`rank ${ranked.rankOf(model[i]!.p)}, not ${i}`)
    if (ranked.select(i) !== model[i]!.p) throw new Error(`member of rank ${i}`)
  }
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
          const index = random.pick([0, model.length - 1, random.below(model.length), random.below(model.length)])
          const [member] = model.splice(index, 1)
          if (random.chance(0.5)) ranked.take(member!.p)
          else ranked.takeOut(member!.p)
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
        const after = model.filter(({ score }) => score >= bound)
        let at = 0
        for (let p = ranked.seekScore(bound); p !== 0; p = ranked.next(), at++) {
          if (p !== after[at]!.p || ranked.currentScore !== after[at]!.score + 0) {
            throw new Error(`${at} from ${bound} on`)
          }
        }
        expect(at).toBe(after.length)
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

  it("moves, replaces and counts members in every order of arrival", () => {
    forSeeds(24, (random, seed) => {
      const arena = new Arena()
      const ranked = new Ranked(arena, offset)
      // A second object sees each change of the first: neither keeps anything of the order.
      const other = new Ranked(arena, offset)
      const root = ranked.create()
      other.open(root)
      const kinds = random.pick([1, 20, 1_000_000])
      const prefix = random.pick(["", "a common beginning ", "\u00ff\u0000"])
      const arrival = seed % 3
      const size = random.pick([40, 700, 7000])
      const model: Array<Member> = []
      for (let i = 0; i < size; i++) {
        const score = arrival === 0 ? scoreOf(random, kinds) : arrival === 1 ? i >>> 1 : -(i >>> 1)
        const member = make(arena, `${prefix}${random.below(9)}:${i}`, score)
        ranked.add(member.p)
        model.splice(place(model, member), 0, member)
      }
      expectSame(other, model)
      for (let step = 0; step < 6000 && model.length > 0; step++) {
        const index = random.below(model.length)
        const member = model[index]!
        const choice = random.below(4)
        if (choice < 2) {
          // Beside its place, onto a neighbour's score, or anywhere.
          const beside = model[index + random.between(-1, 1)]?.score ?? Infinity
          const score = random.chance(0.4) ? beside : random.chance(0.5) ? member.score + 1e-3 : scoreOf(random, kinds)
          ranked.move(member.p, score)
          expect(Object.is(ranked.scoreAt(member.p), score)).toBe(true)
          model.splice(index, 1)
          member.score = score
          model.splice(place(model, member), 0, member)
        } else if (choice === 2) {
          const next = make(arena, member.text, member.score)
          ranked.replacePointer(member.p, next.p)
          arena.free(member.p)
          model[index] = next
        } else if (random.chance(0.2)) {
          ranked.take(member.p)
          arena.free(member.p)
          model.splice(index, 1)
        }
        if (other.size !== model.length) throw new Error(`size ${other.size}, not ${model.length}`)
        if (other.first() !== (model[0]?.p ?? 0)) throw new Error("first")
        if (other.last() !== (model.at(-1)?.p ?? 0)) throw new Error("last")
        const probe = random.below(model.length)
        if (model.length > 0 && other.rankOf(model[probe]!.p) !== probe) throw new Error(`rank of ${probe}`)
        if (step % 1500 === 0) expectSame(other, model)
      }
      expectSame(ranked, model)
      ranked.release(root)
      for (const { p } of model) arena.free(p)
      expect(arena.usedBytes).toBe(0)
    })
  })

  it("takes out ranges as long as many leaves", () => {
    forSeeds(12, (random) => {
      const arena = new Arena()
      const ranked = new Ranked(arena, offset)
      const root = ranked.create()
      const kinds = random.pick([2, 1_000_000])
      const model = Array.from(
        { length: 20_000 },
        (_, i) => make(arena, `${random.below(99)}:${i}`, scoreOf(random, kinds))
      )
      for (const { p } of model) ranked.add(p)
      model.sort(order)
      const elsewhere = ranked.create()
      ranked.open(root)
      while (model.length > 0) {
        const from = random.chance(0.3) ? 0 : random.below(model.length)
        const count = random.pick([1, 84, 900, 5000])
        const gone: Array<Pointer> = []
        ranked.takeRange(from, count, (p) => {
          gone.push(p)
          arena.free(p)
          ranked.open(elsewhere)
        })
        expect(ranked.handle).toBe(root)
        expect(gone).toEqual(model.splice(from, count).map(({ p }) => p))
        expectSame(ranked, model)
        if (model.length < 500) break
      }
      ranked.takeRange(0, Infinity, (p) => arena.free(p))
      expect(ranked.size).toBe(0)
      expect(ranked.tableBytes).toBe(0)
      ranked.takeRange(0, 1, () => expect.unreachable())
      ranked.release(root)
      ranked.release(elsewhere)
      expect(arena.usedBytes).toBe(0)
    })
  })

  it("changes nothing when it finds the arena full", () => {
    for (const arrival of ["ascending", "descending", "random"]) {
      forSeeds(1, (random) => {
        const arena = new Arena()
        const allocate = arena.allocate
        let left = Infinity
        const ranked = new Ranked(arena, offset)
        const root = ranked.create()
        const model: Array<Member> = []
        let refused = 0
        // First without any memory, then with room for one node, two, and so on.
        const persist = (change: () => void): void => {
          arena.allocate = (size) => {
            if (left-- === 0) throw new ArenaFull("test")
            return allocate.call(arena, size)
          }
          for (let nodes = 0;; nodes++) {
            left = nodes
            const { usedBytes } = arena
            const { size, tableBytes } = ranked
            try {
              change()
              break
            } catch (error) {
              expect(error).toBeInstanceOf(ArenaFull)
              expect([arena.usedBytes, ranked.size, ranked.tableBytes]).toEqual([usedBytes, size, tableBytes])
              if (refused++ % 20 === 0) expectSame(ranked, model)
            }
          }
          arena.allocate = allocate
        }
        for (let i = 0; i < 9000; i++) {
          const score = arrival === "ascending" ? i : arrival === "descending" ? -i : random.below(1e9)
          const member = make(arena, `${i}`, score)
          persist(() => ranked.add(member.p))
          model.splice(place(model, member), 0, member)
        }
        const before = refused
        expect(before).toBeGreaterThan(100)
        // Into one leaf after another, until each of them is split.
        for (let i = 0; i < 1500; i++) {
          const index = random.below(model.length)
          const member = model[index]!
          const score = model[100]!.score + random.fraction() / 2
          persist(() => ranked.move(member.p, score))
          model.splice(index, 1)
          member.score = score
          model.splice(place(model, member), 0, member)
        }
        expect(refused).toBeGreaterThan(before + 5)
        expectSame(ranked, model)
        ranked.release(root)
        for (const { p } of model) arena.free(p)
        expect(arena.usedBytes).toBe(0)
      })
    }
  })

  it("keeps the cursor while other orders are looked at and changed through the same object", () => {
    const arena = new Arena()
    const ranked = new Ranked(arena, offset)
    const roots = [ranked.create(), ranked.create()]
    const members = Array.from({ length: 6000 }, (_, i) => make(arena, `${i}`, i))
    ranked.open(roots[0]!)
    for (const { p } of members) ranked.add(p)
    const seen: Array<Pointer> = []
    for (let p = ranked.seek(0); p !== 0; p = ranked.next()) {
      seen.push(p)
      if (seen.length % 3 > 0) continue
      ranked.open(roots[1]!)
      const copy = make(arena, `${p}`, -p)
      members.push(copy)
      ranked.add(copy.p)
      expect(ranked.select(ranked.rankOf(copy.p))).toBe(copy.p)
      ranked.open(roots[0]!)
      expect(ranked.rankOf(p)).toBe(seen.length - 1)
    }
    expect(seen).toEqual(members.slice(0, 6000).map(({ p }) => p))
    expect(ranked.next()).toBe(0)
    expect(ranked.previous()).toBe(0)
    expect(ranked.seek(6000)).toBe(0)
    expect(ranked.next()).toBe(0)
    for (const root of roots) ranked.release(root)
    for (const { p } of members) arena.free(p)
    expect(arena.usedBytes).toBe(0)
  })

  it("fills leaves to nine tenths by keys in order and to three quarters by others, and stays small for few members", () => {
    for (const [arrival, most] of [["ascending", 14], ["descending", 14], ["random", 16]] as const) {
      forSeeds(1, (random) => {
        const arena = new Arena()
        const ranked = new Ranked(arena, offset)
        const root = ranked.create()
        const score = (i: number): number =>
          arrival === "ascending" ? i : arrival === "descending" ? -i : random.below(2 ** 32)
        const members = Array.from({ length: 50_000 }, (_, i) => make(arena, "", score(i)))
        ranked.add(members[0]!.p)
        expect(ranked.tableBytes).toBeLessThanOrEqual(104)
        for (const { p } of members.slice(1)) ranked.add(p)
        expect(ranked.tableBytes / ranked.size).toBeLessThan(most)
        // All but every fiftieth: no node may stay nearly empty.
        members.forEach(({ p }, i) => i % 50 === 0 || ranked.take(p))
        expect(ranked.size).toBe(1000)
        expect(ranked.tableBytes / ranked.size).toBeLessThan(40)
        ranked.release(root)
      })
    }
  })

  it("is emptied from either end, which it tells beforehand", () => {
    for (const last of [false, true]) {
      const arena = new Arena()
      const ranked = new Ranked(arena, offset)
      const root = ranked.create()
      const members = Array.from({ length: 20_000 }, (_, i) => make(arena, `${i % 7}`.repeat(9), i >>> 3))
      for (const { p } of members) ranked.add(p)
      members.sort(order)
      if (last) members.reverse()
      const coming = new Uint32Array(16)
      members.forEach(({ p }, i) => {
        if (i % 13 === 0) {
          const many = ranked.outermost(last, 16, coming)
          expect(many).toBeGreaterThan(0)
          expect([...coming.subarray(0, many)]).toEqual(members.slice(i, i + many).map((member) => member.p))
        }
        ranked.takeOut(p)
        arena.free(p)
        if (i % 1000 !== 0 || i + 1 === members.length) return
        expect(ranked.size).toBe(members.length - i - 1)
        expect(ranked.select(last ? ranked.size - 1 : 0)).toBe(members[i + 1]!.p)
      })
      expect(ranked.outermost(last, 16, coming)).toBe(0)
      ranked.release(root)
      expect(arena.usedBytes).toBe(0)
    }
  })

  it("refuses to take out what is not there", () => {
    const arena = new Arena()
    const ranked = new Ranked(arena, offset)
    ranked.create()
    const [a, b, twin] = [make(arena, "a", 1), make(arena, "b", 1), make(arena, "a", 1)]
    expect(() => ranked.take(a.p)).toThrow("no member")
    expect(() => ranked.takeOut(a.p)).toThrow("no member")
    ranked.add(a.p)
    for (const { p } of [b, twin]) expect(() => ranked.take(p)).toThrow("no member")
    expect(() => ranked.move(b.p, 3)).toThrow("no member")
    expect([ranked.size, ranked.first()]).toEqual([1, a.p])
  })
})
