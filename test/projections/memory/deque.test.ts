import { describe, expect, it } from "vitest"
import { Arena, type Pointer } from "../../../src/projections/memory/arena.ts"
import { Deque } from "../../../src/projections/memory/deque.ts"
import * as Pack from "../../../src/projections/memory/pack.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { forSeeds, type Random, scaled } from "../../support/random.ts"

const digits = new Uint8Array(Pack.digitsBytes)
const into = new Slice()

const contents = (deque: Deque): Array<string> => {
  const found: Array<string> = []
  for (let more = deque.seek(0); more; more = deque.next()) {
    found.push(Pack.textAt(deque.bytes, deque.at, into, digits).latin1())
  }
  return found
}
const backwards = (deque: Deque): Array<string> => {
  const found: Array<string> = []
  for (let more = deque.seek(deque.length - 1); more; more = deque.previous()) {
    found.push(Pack.textAt(deque.bytes, deque.at, into, digits).latin1())
  }
  return found
}
const packOf = (deque: Deque, node: Pointer): string =>
  Buffer.from(deque.bytesOf(node).subarray(deque.startOf(node), deque.endOf(node))).toString("latin1")

const element = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.4) return `${random.between(-100, 100_000)}`
  if (dice < 0.42) return ""
  if (dice < 0.995) return "v".repeat(random.below(40)) + random.below(10)
  return "long ".repeat(random.pick([100, 1700, 5000]))
}

describe("deque", () => {
  it("does what an array does, and leaves nothing behind", () => {
    forSeeds(scaled(150), (random) => {
      const arena = new Arena()
      const deque = new Deque(arena)
      const fill = random.pick([-1, -2, -5, 1, 3, 100])
      const roots = [deque.create(), deque.create()]
      const models: Array<Array<string>> = [[], []]
      const steps = random.pick([100, 1500, 4000, 8000])
      for (let step = 0; step < steps; step++) {
        const which = random.below(2)
        const model = models[which]!
        deque.open(roots[which]!)
        const dice = random.fraction()
        const growing = step < steps / 2 ? 0.7 : 0.3
        if (dice < growing) {
          for (let i = random.chance(0.1) ? 60 : 1; i > 0; i--) {
            const text = element(random)
            if (random.chance(0.5)) {
              deque.pushLeft(Slice.latin1(text), fill)
              model.unshift(text)
            } else {
              deque.pushRight(Slice.latin1(text), fill)
              model.push(text)
            }
          }
        } else if (random.chance(0.4)) {
          const count = random.chance(0.1) ? random.below(100) : 1
          if (random.chance(0.5)) {
            deque.popLeft(count)
            model.splice(0, count)
          } else {
            deque.popRight(count)
            model.splice(Math.max(0, model.length - count), count)
          }
        } else if (random.chance(0.3)) {
          const index = random.below(model.length + 1)
          const text = element(random)
          deque.insertAt(index, Slice.latin1(text), fill)
          model.splice(index, 0, text)
        } else if (random.chance(0.45)) {
          const index = random.below(model.length + 2)
          const text = element(random)
          expect(deque.replaceAt(index, Slice.latin1(text), fill)).toBe(index < model.length)
          if (index < model.length) model[index] = text
        } else if (random.chance(0.5)) {
          const index = random.below(model.length + 1)
          const count = random.below(random.chance(0.2) ? 500 : 4)
          deque.removeRange(index, count, fill)
          model.splice(index, count)
        } else if (random.chance(0.7)) {
          const indexes = model.map((_, i) => i).filter(() => random.chance(0.1))
          deque.removeAll(indexes, fill)
          const gone = new Set(indexes)
          models[which] = model.filter((_, i) => !gone.has(i))
        } else if (model.length > 0) {
          const start = random.below(model.length)
          const stop = start + random.below(model.length - start)
          deque.trim(start, stop)
          models[which] = model.slice(start, stop + 1)
        }
        expect(deque.length).toBe(models[which]!.length)
        if (step % 50 === 0) expect(contents(deque)).toEqual(models[which])
      }
      for (const [which, model] of models.entries()) {
        deque.open(roots[which]!)
        expect(contents(deque)).toEqual(model)
        expect(backwards(deque).reverse()).toEqual(model)
        for (let i = 0; i < 20 && model.length > 0; i++) {
          const index = random.below(model.length)
          expect(deque.seek(index)).toBe(true)
          expect(Pack.textAt(deque.bytes, deque.at, into, digits).latin1()).toBe(model[index])
        }
        const whole = new Uint8Array(deque.packBytes())
        expect(deque.toPack(whole, 0)).toBe(whole.length)
        const copy = deque.create()
        deque.appendPack(whole, 0, whole.length, fill)
        expect(contents(deque.open(copy))).toEqual(model)
        while (!deque.releaseStep(copy, 5));
        while (!deque.releaseStep(roots[which]!, 5));
      }
      expect(arena.usedBytes).toBe(0)
    })
  })

  it("tells of every node before it changes, so that a checkpoint has what was there", () => {
    forSeeds(80, (random) => {
      const arena = new Arena()
      const deque = new Deque(arena)
      deque.create()
      const fill = random.pick([-1, 2, 7, 50])
      const model: Array<string> = []
      for (let i = random.between(1, 1500); i > 0; i--) {
        const text = element(random)
        deque.pushRight(Slice.latin1(text), fill)
        model.push(text)
      }
      deque.numberNodes()
      const saved: Array<readonly [number, string, number]> = []
      const save = (node: Pointer): void => {
        if (deque.markOf(node) === 1) return
        saved.push([deque.ordinalOf(node), packOf(deque, node), deque.countOf(node)])
        deque.setMark(node, 1)
      }
      deque.mark = 1
      deque.changing = save
      for (let step = 0; step < 60; step++) {
        const index = random.below(deque.length + 1)
        const text = Slice.latin1(element(random))
        const dice = random.below(6)
        if (dice === 0) deque.pushLeft(text, fill)
        else if (dice === 1) deque.pushRight(text, fill)
        else if (dice === 2) deque.insertAt(index, text, fill)
        else if (dice === 3) deque.replaceAt(index, text, fill)
        else if (dice === 4) deque.removeRange(index, random.below(40), fill)
        else deque.popLeft(random.below(10))
      }
      for (let node = deque.firstNode(); node !== 0; node = deque.nextNode(node)) {
        if (deque.markOf(node) !== 1) save(node)
      }
      // What was saved, in whatever order it comes, is the list as it was.
      saved.sort(() => random.fraction() - 0.5)
      deque.changing = undefined
      const loaded = deque.create()
      for (const [ordinal, pack, count] of saved) {
        const bytes = Buffer.from(pack, "latin1")
        deque.insertNodeByOrdinal(ordinal, bytes, 0, bytes.length, count)
      }
      expect(contents(deque.open(loaded))).toEqual(model)
    })
  })

  it("tells of nodes with the mark too, so that a walk over the nodes never stands in one that has gone", () => {
    forSeeds(150, (random) => {
      const deque = new Deque(new Arena())
      deque.create()
      const fill = random.pick([-1, 2, 7, 50])
      for (let i = random.between(1, 1500); i > 0; i--) deque.pushRight(Slice.latin1(element(random)), fill)
      deque.mark = 1
      let walk = deque.firstNode()
      deque.changing = (node) => {
        if (walk === node) walk = deque.nextNode(node)
        deque.setMark(node, 1)
      }
      for (let step = 0; step < 300 && walk !== 0; step++) {
        if (random.chance(0.1)) {
          deque.setMark(walk, 1)
          walk = deque.nextNode(walk)
        }
        const index = random.below(deque.length + 1)
        const text = Slice.latin1(element(random))
        const dice = random.below(8)
        if (dice < 2) deque.pushRight(text, fill)
        else if (dice === 2) deque.pushLeft(text, fill)
        else if (dice === 3) deque.insertAt(index, text, fill)
        else if (dice === 4) deque.replaceAt(index, text, fill)
        else if (dice === 5) deque.removeRange(index, random.below(40), fill)
        else if (dice === 6) deque.removeAll([index].filter((i) => i < deque.length), fill)
        else deque.popLeft(random.below(10))
        let node = deque.firstNode()
        while (node !== walk && node !== 0) node = deque.nextNode(node)
        expect(node).toBe(walk)
      }
    })
  })

  it("takes little more memory than its elements, and gives it back", () => {
    const arena = new Arena()
    const deque = new Deque(arena)
    const root = deque.create()
    for (let i = 0; i < 200_000; i++) deque.pushRight(Slice.latin1("abc"), -2)
    expect(arena.usedBytes).toBeLessThan(200_000 * 5 * 1.05)
    for (let i = 0; i < 150; i++) deque.popLeft(1000)
    expect(arena.usedBytes).toBeLessThan(50_000 * 5 * 1.1)
    deque.popRight(50_000)
    while (!deque.releaseStep(root, 100));
    expect(arena.usedBytes).toBe(0)
  })

  it("holds elements of every size, up to a few of 100 MiB", () => {
    const sizes = [0, 1, 62, 63, 64, 4090, 4095, 4096, 16_377, 16_378, 65_536, 70_000, 1 << 20, 5 << 20]
    // A long element is told by its length and one letter, which all of its bytes are.
    const buffer = Buffer.alloc(100 << 20)
    const write = (size: number, letter: number): Slice => {
      buffer.fill(letter, 0, size)
      return new Slice(buffer, 0, size)
    }
    const check = (deque: Deque, model: ReadonlyArray<readonly [number, number]>): void => {
      expect(deque.length).toBe(model.length)
      let more = deque.seek(0)
      for (const [size, letter] of model) {
        const { bytes, length, start } = Pack.textAt(deque.bytes, deque.at, into, digits)
        expect([more, length]).toEqual([true, size])
        for (const i of [0, length >> 1, length - 1]) if (length > 0) expect(bytes[start + i]).toBe(letter)
        more = deque.next()
      }
      expect(more).toBe(false)
    }
    forSeeds(6, (random, seed) => {
      const arena = new Arena()
      const deque = new Deque(arena)
      const fill = random.pick([-1, -2, -5, 1, 100])
      const root = deque.create()
      let model: Array<readonly [number, number]> = []
      for (let step = 0; step < 150; step++) {
        const size = seed === 1 && step % 50 === 10 ? 100 << 20 : random.pick(sizes)
        const letter = random.between(97, 122)
        const index = random.below(model.length + 1)
        const dice = random.below(9)
        if (dice < 2) {
          deque.pushLeft(write(size, letter), fill)
          model.unshift([size, letter])
        } else if (dice < 4) {
          deque.pushRight(write(size, letter), fill)
          model.push([size, letter])
        } else if (dice < 6) {
          deque.insertAt(index, write(size, letter), fill)
          model.splice(index, 0, [size, letter])
        } else if (dice === 6) {
          const there = index < model.length
          expect(deque.replaceAt(index, write(size, letter), fill)).toBe(there)
          if (there) model[index] = [size, letter]
        } else if (dice === 7) {
          deque.removeRange(index, 2, fill)
          model.splice(index, 2)
        } else {
          const gone = model.map((_, i) => i).filter(() => random.chance(0.1))
          deque.removeAll(gone, fill)
          model = model.filter((_, i) => !gone.includes(i))
        }
        check(deque, model)
      }
      while (!deque.releaseStep(root, 5));
      expect(arena.usedBytes).toBe(0)
    })
  })

  it("loads nodes in whatever order they come, among other lists", () => {
    forSeeds(100, (random) => {
      const arena = new Arena()
      const deque = new Deque(arena)
      const roots = [deque.create(), deque.create()]
      const count = random.between(1, 200)
      const bytes = new Uint8Array(20)
      const order = Array.from({ length: count }, (_, i) => i)
      const shape = random.below(3)
      if (shape === 1) order.reverse()
      else if (shape === 2) { for (const i of order) order.splice(random.below(count), 0, ...order.splice(i, 1)) }
      for (const ordinal of order) {
        for (const root of roots) {
          const end = Pack.encode(bytes, Pack.encode(bytes, 0, Slice.latin1(`${ordinal}`)), Slice.latin1("x"))
          deque.open(root).insertNodeByOrdinal(ordinal, bytes, 0, end, 2)
        }
        // The other list goes, with the node that came last.
        if (random.chance(0.02)) {
          while (!deque.releaseStep(roots[1]!, 5));
          roots[1] = deque.create()
        }
      }
      deque.open(roots[0]!)
      expect(contents(deque)).toEqual(Array.from({ length: count }, (_, i) => [`${i}`, "x"]).flat())
      expect(backwards(deque).reverse()).toEqual(contents(deque))
      for (const root of roots) while (!deque.releaseStep(root, 5));
      expect(arena.usedBytes).toBe(0)
    })
  })

  it("has memory for its elements and little more, whatever became of them", () => {
    const text = Slice.latin1("v".repeat(20))
    const short = Slice.latin1("short")
    const changes: Record<string, (deque: Deque, random: Random) => void> = {
      "every other one removed": (deque) =>
        deque.removeAll(Array.from({ length: deque.length / 2 }, (_, i) => 2 * i), -2),
      "nine of ten removed": (deque) =>
        deque.removeAll(Array.from({ length: deque.length }, (_, i) => i).filter((i) => i % 10 > 0), -2),
      "half removed one by one": (deque, random) => {
        for (let left = deque.length / 2; left > 0; left--) deque.removeRange(random.below(deque.length), 1, -2)
      },
      "all but both ends removed at once": (deque) => deque.removeRange(2000, deque.length - 4000, -2),
      "as many inserted between": (deque, random) => {
        for (let left = deque.length; left > 0; left--) deque.insertAt(1 + random.below(deque.length - 1), text, -2)
      },
      "replaced by shorter ones": (deque) => {
        for (let i = 0; i < deque.length; i++) deque.replaceAt(i, short, -2)
      },
      "long ones replaced by short ones": (deque) => {
        const long = Slice.latin1("long".repeat(3000))
        for (let i = 0; i < 1000; i++) deque.replaceAt(i * 7, long, -2)
        for (let i = 0; i < 1000; i++) deque.replaceAt(i * 7, text, -2)
      }
    }
    forSeeds(3, (random) => {
      for (const [what, change] of Object.entries(changes)) {
        const arena = new Arena()
        const deque = new Deque(arena)
        const root = deque.create()
        for (let i = 0; i < 20_000; i++) deque.pushRight(text, -2)
        change(deque, random)
        const perByte = arena.usedBytes / deque.packBytes()
        expect(`${what}: ${perByte < 1.25 ? "little more" : perByte}`).toBe(`${what}: little more`)
        while (!deque.releaseStep(root, 5000));
        expect(arena.usedBytes).toBe(0)
      }
    })
  })

  it("is a queue of any length without taking more and more memory", () => {
    for (const fill of [-1, -2, -5, 100]) {
      for (const length of [1, 50, 800, 812, 813, 816, 1630, 1632, 1633, 5000]) {
        const arena = new Arena()
        const deque = new Deque(arena)
        deque.create()
        for (let i = 0; i < length; i++) deque.pushRight(Slice.latin1(`${i % 10}xy`), fill)
        for (let i = length; i < 20_000; i++) {
          const [pushed, popped] = i < 10_000 + length ? [i, i - length] : [20_000 - i, i]
          const text = Slice.latin1(`${pushed % 10}xy`)
          if (i < 10_000 + length) {
            deque.pushRight(text, fill)
            deque.seek(0)
            expect(Pack.textAt(deque.bytes, deque.at, into, digits).latin1()).toBe(`${popped % 10}xy`)
            deque.popLeft(1)
          } else {
            deque.pushLeft(text, fill)
            deque.popRight(1)
          }
        }
        expect(deque.length).toBe(length)
        // Two blocks at the ends, with what is free in them.
        expect(arena.usedBytes).toBeLessThan(1.1 * deque.packBytes() + 2 * (fill === -5 ? 65_536 : 8192))
      }
    }
  })
})
