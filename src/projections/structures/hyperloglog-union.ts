/**
 * The union of HyperLogLogs: for each register the highest rank that any of them has. One byte per register meanwhile, four
 * of them to a word.
 */
import { type RunVisitor, visitRuns } from "./hyperloglog-sparse.ts"
import { denseBytes, headerBytes, isSparse, registerAt, registerCount, setRegister } from "./hyperloglog.ts"

const words = registerCount / 4
const packedBytes = denseBytes - headerBytes

const viewOf = (bytes: Uint8Array, at: number): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset + at, packedBytes)

/** The four registers of a group in the lowest 24 bits; what is above them is of the next group. */
const quadAt = (view: DataView, group: number): number =>
  group < words - 1 ? view.getUint32(group * 3, true) : view.getUint32(packedBytes - 4, true) >>> 8

/** Registers by rank, dealt out to four counters: most have one of few ranks, and one counter would wait for itself. */
class Counts {
  readonly lanes = new Int32Array(256)
  private readonly sums = new Int32Array(64)

  total(): Int32Array {
    const { lanes, sums } = this
    for (let rank = 0; rank < 64; rank++) {
      sums[rank] = lanes[rank]! + lanes[64 | rank]! + lanes[128 | rank]! + lanes[192 | rank]!
    }
    return sums
  }
}

/** Registers gathered from one HyperLogLog or several. */
export class Union implements RunVisitor {
  private readonly registers = new Uint8Array(registerCount)
  private readonly quads = new Uint32Array(this.registers.buffer)
  private readonly counts = new Counts()
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
    const view = viewOf(bytes, at)
    for (let i = 0; i < words; i++) {
      const packed = quadAt(view, i)
      const theirs = packed & 63 | (packed & 0xfc0) << 2 | (packed & 0x3f000) << 4 | (packed & 0xfc0000) << 6
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
    const view = viewOf(bytes, headerBytes)
    let packed = 0
    for (let i = 0; i < words; i++) {
      const quad = quads[i]!
      const before = packed
      packed = quad & 63 | quad >>> 2 & 0xfc0 | quad >>> 4 & 0x3f000 | quad >>> 6 & 0xfc0000
      // Four bytes at a time; the fourth is the next group's, which overwrites it. The last has none after it.
      if (i < words - 1) view.setUint32(i * 3, packed, true)
      else view.setUint32(packedBytes - 4, packed << 8 | before >>> 16, true)
    }
  }

  /** How many registers hold each rank; valid until asked again. */
  histogram(): Int32Array {
    const { counts: { lanes }, quads } = this
    lanes.fill(0)
    for (let i = 0; i < words; i++) {
      const quad = quads[i]!
      lanes[quad & 63]!++
      lanes[64 | quad >>> 8 & 63]!++
      lanes[128 | quad >>> 16 & 63]!++
      lanes[192 | quad >>> 24]!++
    }
    return this.counts.total()
  }
}

/** Counts the registers of one value by rank. */
class Histogram implements RunVisitor {
  readonly counts = new Int32Array(64)
  private readonly dealt = new Counts()

  run(_register: number, length: number, rank: number): void {
    this.counts[rank]! += length
    this.counts[0]! -= length
  }

  dense(bytes: Uint8Array, at: number): Int32Array {
    const { lanes } = this.dealt
    lanes.fill(0)
    const view = viewOf(bytes, at)
    for (let i = 0; i < words; i++) {
      const packed = quadAt(view, i)
      lanes[packed & 63]!++
      lanes[64 | packed >>> 6 & 63]!++
      lanes[128 | packed >>> 12 & 63]!++
      lanes[192 | packed >>> 18 & 63]!++
    }
    return this.dealt.total()
  }
}

const histogram = new Histogram()

/**
 * How many registers of the value of `length` bytes at `start` hold each rank; undefined when its runs make no sense.
 * Valid until asked again.
 */
export const histogramOf = (bytes: Uint8Array, start: number, length: number): Int32Array | undefined => {
  if (!isSparse(bytes, start)) return histogram.dense(bytes, start + headerBytes)
  const { counts } = histogram
  counts.fill(0)
  counts[0] = registerCount
  return visitRuns(bytes, start, length, histogram) ? counts : undefined
}
