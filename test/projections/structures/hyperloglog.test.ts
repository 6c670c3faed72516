import { describe, expect, it } from "vitest"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { estimate } from "../../../src/projections/structures/hyperloglog-estimate.ts"
import { murmur64, rankAndRegister } from "../../../src/projections/structures/hyperloglog-hash.ts"
import {
  describeRuns,
  maximumSparseRank,
  planRaise,
  Raise,
  RaisePlan,
  visitRuns,
  writeEmptyRuns
} from "../../../src/projections/structures/hyperloglog-sparse.ts"
import { histogramOf, Union } from "../../../src/projections/structures/hyperloglog-union.ts"
import {
  denseBytes,
  Encoding,
  estimateByte,
  headerBytes,
  isHyperLogLog,
  maximumRank,
  registerAt,
  registerCount,
  setRegister,
  storedEstimate,
  writeEstimate,
  writeHeader
} from "../../../src/projections/structures/hyperloglog.ts"
import { forSeeds, Random, scaled } from "../../support/random.ts"

const mask = 2n ** 64n - 1n

/** MurmurHash64A as it is written down, on integers of any size. */
const plainMurmur = (bytes: Uint8Array): bigint => {
  const m = 0xc6a4a7935bd1e995n
  let h = 0xadc83b19n ^ BigInt(bytes.length) * m & mask
  const whole = bytes.length & ~7
  for (let i = 0; i < whole; i += 8) {
    let k = Buffer.from(bytes).readBigUInt64LE(i) * m & mask
    k = (k ^ k >> 47n) * m & mask
    h = (h ^ k) * m & mask
  }
  if (whole < bytes.length) {
    for (let i = whole; i < bytes.length; i++) h ^= BigInt(bytes[i]!) << BigInt(8 * (i - whole))
    h = h * m & mask
  }
  h = (h ^ h >> 47n) * m & mask
  return h ^ h >> 47n
}

describe("the hash of an element", () => {
  it("is MurmurHash64A, whose low bits name the register and whose others the rank", () => {
    const ranks = new Set<number>()
    forSeeds(scaled(4000), (random) => {
      const length = random.below(80)
      const before = random.below(9)
      const bytes = random.bytes(before + length + random.below(9))
      const expected = plainMurmur(bytes.slice(before, before + length))
      const [high, low] = murmur64(bytes, before, length)
      expect(BigInt(high) << 32n | BigInt(low)).toBe(expected)
      let rank = 1
      for (let rest = expected >> 14n | 1n << 50n; (rest & 1n) === 0n; rest >>= 1n) rank++
      ranks.add(rank)
      expect(rankAndRegister(bytes, before, length)).toBe(rank << 14 | Number(expected & 0x3fffn))
    })
    expect(ranks.size).toBeGreaterThan(9)
  })
})

describe("dense registers", () => {
  it("keep what is written and leave the others alone", () => {
    forSeeds(20, (random) => {
      const start = random.below(5)
      const bytes = random.bytes(start + denseBytes)
      const model = Array.from({ length: registerCount }, (_, i) => registerAt(bytes, start, i))
      for (let i = 0; i < 3000; i++) {
        const register = random.chance(0.05) ? registerCount - 1 : random.below(registerCount)
        setRegister(bytes, start, register, model[register] = random.below(64))
      }
      expect(Array.from({ length: registerCount }, (_, i) => registerAt(bytes, start, i))).toEqual(model)
    })
  })
})

/** A sparse value changed by plans, and what its registers must be. */
class Sparse {
  bytes = new Uint8Array(40_000)
  length: number
  readonly model = new Uint8Array(registerCount)
  readonly plan = new RaisePlan()
  private readonly start: number

  constructor(start: number) {
    this.start = start
    writeHeader(this.bytes.subarray(start), Encoding.sparse)
    this.length = writeEmptyRuns(this.bytes, start + headerBytes) - start
  }

  raise(register: number, rank: number, limit: number): number {
    const { bytes, plan, start } = this
    const found = planRaise(bytes, start, this.length, register, rank, limit, plan)
    if (found !== Raise.planned) return found
    const at = start + plan.offset
    bytes.copyWithin(at + plan.length, at + plan.removed, start + this.length)
    bytes.set(plan.bytes.subarray(plan.start, plan.start + plan.length), at)
    this.length += plan.length - plan.removed
    this.model[register] = rank
    return found
  }

  check(): void {
    const found = new Uint8Array(registerCount)
    const whole = visitRuns(this.bytes, this.start, this.length, {
      run: (register, length, rank) => void found.fill(rank, register, register + length)
    })
    expect(whole).toBe(true)
    expect(Buffer.compare(found, this.model)).toBe(0)
  }
}

describe("sparse registers", () => {
  it("hold what they were raised to, in any order, with and without resuming, until the limit", () => {
    let full = 0
    forSeeds(scaled(60), (random) => {
      const sparse = new Sparse(random.below(7))
      const limit = random.pick([18, 60, 500, 3000, 30_000])
      const crowded = random.chance(0.5) ? 300 : registerCount
      const ordered = random.chance(0.5)
      for (let i = 0, register = 0; i < 2500; i++) {
        if (ordered) {
          register += random.below(4)
          if (register >= crowded) register = 0
          if (register === 0) sparse.plan.restart()
        } else {
          register = random.below(crowded)
          sparse.plan.restart()
        }
        const rank = random.chance(0.1) ? random.between(1, maximumSparseRank) : random.between(1, 4)
        const before = sparse.length
        switch (sparse.raise(register, rank, limit)) {
          case Raise.none:
            expect(sparse.model[register]).toBeGreaterThanOrEqual(rank)
            break
          case Raise.planned:
            expect(sparse.length).toBeLessThanOrEqual(Math.max(limit, before))
            break
          case Raise.dense:
            full++
            expect(before + 4).toBeGreaterThan(limit)
            break
          default:
            throw new Error("corrupt")
        }
        if (i % 500 === 0) sparse.check()
      }
      sparse.check()
    })
    expect(full).toBeGreaterThan(10)
  })

  it("are raised alike whether the walk resumes or starts anew", () => {
    forSeeds(scaled(40), (random) => {
      const [one, other] = [new Sparse(0), new Sparse(3)]
      for (let register = 0; register < 2000; register += random.pick([1, 1, 1, 2, 5, 90])) {
        const rank = random.between(1, 3)
        one.raise(register, rank, 20_000)
        other.plan.restart()
        other.raise(register, rank, 20_000)
        if (random.chance(0.3)) one.raise(register, rank + 1, 20_000)
        else continue
        other.plan.restart()
        other.raise(register, rank + 1, 20_000)
      }
      expect(one.length).toBe(other.length)
      expect(Buffer.compare(one.bytes.subarray(0, one.length), other.bytes.subarray(3, 3 + one.length))).toBe(0)
    })
  })

  it("cannot hold a high rank, and say when their runs make no sense", () => {
    const sparse = new Sparse(0)
    expect(sparse.raise(5, maximumSparseRank + 1, 3000)).toBe(Raise.dense)
    sparse.raise(5, 7, 3000)
    expect(describeRuns(sparse.bytes, 0, sparse.length)).toBe("z:5 v:7,1 Z:16378")
    const ignore = { run: () => {} }
    expect(visitRuns(sparse.bytes, 0, sparse.length - 2, ignore)).toBe(false)
    expect(visitRuns(sparse.bytes, 0, sparse.length - 1, ignore)).toBe(false)
    sparse.length -= 2
    expect(sparse.raise(5000, 1, 3000)).toBe(Raise.corrupt)
    sparse.length += 1
    expect(sparse.raise(5000, 1, 3000)).toBe(Raise.corrupt)
  })
})

describe("a union", () => {
  it("is the same whether registers are taken by the word or one by one, and as a plain maximum", () => {
    forSeeds(30, (random) => {
      const byWord = new Union()
      const oneByOne = new Union()
      oneByOne.wordwise = false
      const model = new Uint8Array(registerCount)
      for (const union of [byWord, oneByOne]) union.clear()
      for (let n = random.between(1, 4); n > 0; n--) {
        const start = random.below(4)
        const bytes = random.bytes(start + denseBytes)
        bytes[start + 4] = Encoding.dense
        for (const union of [byWord, oneByOne]) expect(union.add(bytes, start, denseBytes)).toBe(true)
        for (let i = 0; i < registerCount; i++) model[i] = Math.max(model[i]!, registerAt(bytes, start, i))
      }
      const [left, right] = [new Uint8Array(denseBytes), new Uint8Array(denseBytes)]
      byWord.writeDense(left)
      oneByOne.writeDense(right)
      expect(Buffer.compare(left, right)).toBe(0)
      const counts = new Int32Array(64)
      for (let i = 0; i < registerCount; i++) {
        counts[model[i]!]!++
        if (registerAt(left, 0, i) !== model[i]) throw new Error(`register ${i}`)
      }
      expect(byWord.histogram()).toEqual(counts)
      expect(histogramOf(left, 0, denseBytes)).toEqual(counts)
    })
  })
})

describe("an estimate", () => {
  const counts = (fill: Readonly<Record<number, number>>): Int32Array => {
    const all = new Int32Array(64)
    for (const [rank, count] of Object.entries(fill)) all[Number(rank)] = count
    return all
  }

  it("is what Redis 7.0.15 answers for registers made by hand", () => {
    expect(estimate(counts({ 0: registerCount }))).toBe(0)
    expect(estimate(counts({ 0: registerCount - 1, 1: 1 }))).toBe(1)
    expect(estimate(counts({ 45: 10_922, 51: 5462 }))).toBe(620_736_569_970_872_832)
    expect(estimate(counts({ 50: registerCount }))).toBeGreaterThan(2 ** 63)
    expect(estimate(counts({ [maximumRank]: registerCount }))).toBe(Infinity)
  })

  it("is within three standard errors of the truth from ten elements to a million", () => {
    const random = new Random(20_170_206)
    const bytes = new Uint8Array(denseBytes)
    writeHeader(bytes, Encoding.dense)
    const element = new Uint8Array(12)
    let checked = 0
    for (let added = 1, next = 10; added <= 1_000_000; added++) {
      random.fill(element)
      const position = rankAndRegister(element, 0, element.length)
      const [register, rank] = [position & 0x3fff, position >>> 14]
      if (registerAt(bytes, 0, register) < rank) setRegister(bytes, 0, register, rank)
      if (added < next) continue
      next = Math.min(next * 2, next < 1_000_000 ? 1_000_000 : Infinity)
      const found = estimate(histogramOf(bytes, 0, denseBytes)!)
      expect(Math.abs(found - added), `${added} added, ${found} estimated`).toBeLessThanOrEqual(
        Math.max(1, added * 3 * 0.0081)
      )
      checked++
    }
    expect(checked).toBe(18)
  })

  it("is kept in the header to the last bit", () => {
    const bytes = new Uint8Array(headerBytes)
    for (const value of [0, 1, 255, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
      writeEstimate(bytes, estimateByte, value)
      expect(storedEstimate(bytes, 0)).toBe(value)
    }
    writeEstimate(bytes, estimateByte, 620_736_569_970_872_832)
    expect(storedEstimate(bytes, 0)).toBe(620_736_569_970_872_832n)
    expect(Buffer.from(bytes.subarray(8)).toString("hex")).toBe("0052" + "35209f4c9d08")
    writeEstimate(bytes, estimateByte, Infinity)
    expect(Buffer.from(bytes.subarray(8)).toString("hex")).toBe("0000000000000080")
  })
})

describe("the header", () => {
  it("tells a HyperLogLog from other strings", () => {
    const valid = (bytes: Uint8Array): boolean => isHyperLogLog(new Slice(bytes))
    const sparse = new Uint8Array(headerBytes)
    writeHeader(sparse, Encoding.sparse)
    expect(valid(sparse)).toBe(true)
    expect(valid(sparse.subarray(0, 15))).toBe(false)
    const dense = new Uint8Array(denseBytes + 1)
    writeHeader(dense, Encoding.dense)
    expect([denseBytes - 1, denseBytes, denseBytes + 1].map((length) => valid(dense.subarray(0, length))))
      .toEqual([false, true, false])
    for (let i = 0; i <= 4; i++) {
      const other = sparse.slice()
      other[i] = 2
      expect(valid(other)).toBe(false)
    }
  })
})
