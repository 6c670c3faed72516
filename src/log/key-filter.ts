/**
 * Which segments can hold a key's history: a Bloom filter, ten bits per key and more, one false alarm in about forty.
 * On disk:
 *
 *      0  4  number of blocks, a power of two      4  2  probes per key      6  2  reserved
 *      8     blocks of 64 bytes
 *
 * A key sets three bits in each of two neighbouring words: the first hash picks block and pair, the second the bits. At
 * a million writes a second the cache misses of a classic filter, and a loop over its probes, would show (they were a
 * tenth of a SET). How many keys a segment will hold is not known beforehand, so the filter begins wide and is folded
 * (upper half onto lower, the block number loses its top bit) when the segment is sealed.
 */
import { WireError } from "./events/wire.ts"
import { get16, get32, put16, put32 } from "./frame.ts"

const blockBits = 512
const wordsPerBlock = blockBits / 32
const probes = 6
const bitsPerKey = 10
/** Blocks are never more than this: 16 MiB while the segment is open. */
const mostBlocks = 1 << 18

/** Three bits of each of the pair's words; signed, like the results of the operators that combine them. */
const lowBits = (b: number): number => (1 << (b & 31)) | (1 << ((b >>> 5) & 31)) | (1 << ((b >>> 10) & 31))
const highBits = (b: number): number => (1 << ((b >>> 15) & 31)) | (1 << ((b >>> 20) & 31)) | (1 << ((b >>> 25) & 31))

/** Hashes of a key are two 32-bit numbers: the first picks the block, the second the bits. */
export const keyHashes = new Uint32Array(2)

/** Hashes a key into `keyHashes`. Part of the format: it may not change. */
export const hashKey = (bytes: Uint8Array, start: number, length: number): void => {
  let a = 0x9e37_79b9 ^ length
  let b = 0x85eb_ca6b ^ length
  const end = start + length
  let i = start
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    a = Math.imul(a ^ word, 0xcc9e_2d51)
    a ^= a >>> 15
    b = Math.imul(b + word, 0x1b87_3593)
    b ^= b >>> 13
  }
  let rest = 0
  for (let shift = 0; i < end; i++, shift += 8) rest |= bytes[i]! << shift
  a = Math.imul(a ^ rest, 0xcc9e_2d51)
  b = Math.imul(b + rest, 0x1b87_3593)
  a = Math.imul(a ^ (a >>> 16), 0x85eb_ca6b)
  b = Math.imul(b ^ (b >>> 16), 0xc2b2_ae35)
  keyHashes[0] = a ^ (a >>> 13)
  keyHashes[1] = b ^ (b >>> 16)
}

/** The key filter of one segment. */
export class KeyFilter {
  private words: Uint32Array
  private blocks: number
  /** Keys added that the filter did not seem to hold yet: close to the number of different keys. */
  private keys = 0

  private constructor(blocks: number) {
    this.blocks = blocks
    this.words = new Uint32Array(blocks * wordsPerBlock)
  }

  /** A filter wide enough for any segment of `segmentBytes`. */
  static forSegment(segmentBytes: number): KeyFilter {
    const wanted = (segmentBytes / 26) * bitsPerKey / blockBits
    let blocks = 1
    while (blocks < wanted && blocks < mostBlocks) blocks *= 2
    return new KeyFilter(blocks)
  }

  /** Adds a key by its two hashes. */
  add(a: number, b: number): void {
    const words = this.words
    const at = (a & (this.blocks - 1)) * wordsPerBlock + ((a >>> 29) << 1)
    const low = words[at]!
    const high = words[at + 1]!
    const newLow = (low | lowBits(b)) >>> 0
    const newHigh = (high | highBits(b)) >>> 0
    // Most keys of a busy segment are known already: then nothing is written.
    if (newLow === low && newHigh === high) return
    words[at] = newLow
    words[at + 1] = newHigh
    this.keys++
  }

  /** Whether the segment may hold events of a key; false is certain. */
  mayHold(bytes: Uint8Array, start: number, length: number): boolean {
    hashKey(bytes, start, length)
    const a = keyHashes[0]!
    const b = keyHashes[1]!
    const at = (a & (this.blocks - 1)) * wordsPerBlock + ((a >>> 29) << 1)
    const low = lowBits(b)
    const high = highBits(b)
    return (this.words[at]! & low) === (low | 0) && (this.words[at + 1]! & high) === (high | 0)
  }

  /** Folded to its final size, as bytes. The filter itself is used up. */
  seal(): Uint8Array {
    while (this.blocks > 1 && this.blocks * blockBits >= 2 * bitsPerKey * this.keys) {
      this.blocks /= 2
      const half = this.blocks * wordsPerBlock
      for (let i = 0; i < half; i++) this.words[i]! |= this.words[half + i]!
    }
    const words = this.blocks * wordsPerBlock
    const bytes = new Uint8Array(8 + words * 4)
    put32(bytes, 0, this.blocks)
    put16(bytes, 4, probes)
    for (let i = 0; i < words; i++) put32(bytes, 8 + i * 4, this.words[i]!)
    return bytes
  }

  /** Reads what `seal` wrote; throws `WireError`. */
  static read(bytes: Uint8Array): KeyFilter {
    const blocks = bytes.length < 8 ? 0 : get32(bytes, 0)
    if (blocks === 0 || (blocks & (blocks - 1)) !== 0 || blocks > mostBlocks || bytes.length < 8 + blocks * 64) {
      throw new WireError("key filter size")
    }
    if (get16(bytes, 4) !== probes) throw new WireError("key filter probes")
    const filter = new KeyFilter(blocks)
    for (let i = 0; i < filter.words.length; i++) filter.words[i] = get32(bytes, 8 + i * 4)
    return filter
  }
}
