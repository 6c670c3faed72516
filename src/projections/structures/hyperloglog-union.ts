/**
 * The union of HyperLogLogs: for each register the highest rank that any of them has. One byte per register meanwhile, four
 * of them to a word.
 */
import { type RunVisitor, visitRuns } from "./hyperloglog-sparse.ts"
import { denseBytes, headerBytes, isSparse, registerAt, registerCount, setRegister } from "./hyperloglog.ts"

const words = registerCount / 4

/** Registers gathered from one HyperLogLog or several. */
export class Union implements RunVisitor {
  private readonly registers = new Uint8Array(registerCount)
  private readonly quads = new Uint32Array(this.registers.buffer)
  private readonly counts = new Int32Array(64)
  /** Whether dense registers are taken four at a time; one at a time otherwise, with the same result (PFDEBUG SIMD). */
  wordwise = true

  clear(): void {
    this.registers.fill(0)
  }

  register(register: number): number {
    return this.registers[register]!
  }

  /** Adds the value of `length` bytes at `start`. False: its runs make no sense, and some may have been added. */
  add(bytes: Uint8Array, start: number, length: number): boolean {
    if (isSparse(bytes, start)) return visitRuns(bytes, start, length, this)
    if (this.wordwise) this.addQuads(bytes, start + headerBytes)
    else this.addOneByOne(bytes, start)
    return true
  }

  run(register: number, length: number, rank: number): void {
    const { registers } = this
    for (const end = register + length; register < end; register++) {
      if (registers[register]! < rank) registers[register] = rank
    }
  }

  /** Three bytes are four registers, spread over the bytes of a word; none of them uses its byte's highest bit. */
  private addQuads(bytes: Uint8Array, at: number): void {
    const { quads } = this
    for (let i = 0; i < words; i++, at += 3) {
      const a = bytes[at]!
      const b = bytes[at + 1]!
      const c = bytes[at + 2]!
      const theirs = a & 63 | (a >>> 6 | b << 2 & 60) << 8 | (b >>> 4 | c << 4 & 48) << 16 | c >>> 2 << 24
      const ours = quads[i]!
      // The highest bit of a byte survives where ours is not lower; spread, it chooses between the two.
      const atLeast = ((ours | 0x80808080) - theirs & 0x80808080) >>> 7
      const mask = Math.imul(atLeast, 0x7f)
      quads[i] = ours & mask | theirs & ~mask
    }
  }

  private addOneByOne(bytes: Uint8Array, start: number): void {
    const { registers } = this
    for (let i = 0; i < registerCount; i++) {
      const rank = registerAt(bytes, start, i)
      if (registers[i]! < rank) registers[i] = rank
    }
  }

  /** Writes the registers into the dense value at the beginning of `bytes`, over what was there. */
  writeDense(bytes: Uint8Array): void {
    if (!this.wordwise) {
      for (let i = 0; i < registerCount; i++) setRegister(bytes, 0, i, this.registers[i]!)
      return
    }
    const { quads } = this
    for (let i = 0, at = headerBytes; at < denseBytes; i++, at += 3) {
      const quad = quads[i]!
      const packed = quad & 63 | quad >>> 2 & 0xfc0 | quad >>> 4 & 0x3f000 | quad >>> 6 & 0xfc0000
      bytes[at] = packed
      bytes[at + 1] = packed >>> 8
      bytes[at + 2] = packed >>> 16
    }
  }

  /** How many registers hold each rank; valid until asked again. */
  histogram(): Int32Array {
    const { counts, registers } = this
    counts.fill(0)
    for (let i = 0; i < registerCount; i++) counts[registers[i]!]!++
    return counts
  }
}

/** Counts the registers of one value by rank. */
class Histogram implements RunVisitor {
  readonly counts = new Int32Array(64)

  run(_register: number, length: number, rank: number): void {
    this.counts[rank]! += length
    this.counts[0]! -= length
  }

  dense(bytes: Uint8Array, at: number): void {
    const { counts } = this
    counts[0] = 0
    for (let i = 0; i < words; i++, at += 3) {
      const a = bytes[at]!
      const b = bytes[at + 1]!
      const c = bytes[at + 2]!
      counts[a & 63]!++
      counts[a >>> 6 | b << 2 & 60]!++
      counts[b >>> 4 | c << 4 & 48]!++
      counts[c >>> 2]!++
    }
  }
}

const histogram = new Histogram()

/**
 * How many registers of the value of `length` bytes at `start` hold each rank; undefined when its runs make no sense.
 * Valid until asked again.
 */
export const histogramOf = (bytes: Uint8Array, start: number, length: number): Int32Array | undefined => {
  const { counts } = histogram
  counts.fill(0)
  if (!isSparse(bytes, start)) histogram.dense(bytes, start + headerBytes)
  else {
    counts[0] = registerCount
    if (!visitRuns(bytes, start, length, histogram)) return undefined
  }
  return counts
}
