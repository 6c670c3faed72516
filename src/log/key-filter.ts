/**
 * Which segments can hold a key's history: a Bloom filter, ten bits per key and more, one false alarm in about forty.
 * On disk:
 *
 *      0  4  number of blocks, a power of two      4  2  probes per key      6  2  which hash: 1 the one below
 *      8     blocks of 64 bytes
 *
 * A key sets three bits in each of two neighbouring words: its hash picks block and pair, a second one made from it the
 * bits. How many keys a segment will hold is not known beforehand, so the filter begins wide and is folded (upper half
 * onto lower, the block number loses its top bit) when the segment is sealed.
 *
 * At a million writes a second the filter's cache misses show: a key added at once costs 50 to 100 ns, in a run of
 * thousands about 12. So hashes gather, and go in together.
 */
import { WireError } from "./events/wire.ts"
import { get16, get32, put16, put32 } from "./frame.ts"

const blockBits = 512
const wordsPerBlock = blockBits / 32
const probes = 6
const bitsPerKey = 10
/** Blocks are never more than this: 16 MiB while the segment is open. */
const mostBlocks = 1 << 18

/** Hashes that gather before they go in: 64 KiB of them, a fifth of a millisecond. */
const gathered = 16_384
const hashKind = 1
const headerBytes = 8
/** Then words lie in memory as they do on disk. */
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** The hash that picks the bits, from the one that picks the place. */
const bitsOf = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b)
  return mixed ^ (mixed >>> 13)
}
/** Three bits of each of the pair's words; signed, like the results of the operators that combine them. */
const lowBits = (b: number): number => (1 << (b & 31)) | (1 << ((b >>> 5) & 31)) | (1 << ((b >>> 10) & 31))
const highBits = (b: number): number => (1 << ((b >>> 15) & 31)) | (1 << ((b >>> 20) & 31)) | (1 << ((b >>> 25) & 31))

/** The hash of a key, 32 bits. Part of the format: it may not change. */
export const hashKey = (bytes: Uint8Array, start: number, length: number): number => {
  let hash = 0x9e37_79b9 ^ length
  const end = start + length
  let i = start
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    hash = Math.imul(hash ^ word, 0xcc9e_2d51)
    hash ^= hash >>> 15
  }
  let rest = 0
  for (let shift = 0; i < end; i++, shift += 8) rest |= bytes[i]! << shift
  hash = Math.imul(hash ^ rest, 0xcc9e_2d51)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  return hash ^ (hash >>> 13)
}

/** Bits set in a word. */
export const onesIn = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}

/** Words looked at to judge how full a filter is. */
const sampledWords = 4096

/**
 * The memory of the next segment's filter, clean up to `clean` bytes. Fresh memory costs a page fault per 4 KiB, and
 * cleaning a millisecond: `prepare` sees to both beforehand, a piece at a time.
 */
let spare: { readonly buffer: ArrayBuffer; clean: number } | undefined
const cleanedAtOnce = 256 << 10

/** Memory for a filter, all zero. */
const take = (bytes: number): ArrayBuffer => {
  if (spare?.buffer.byteLength !== bytes) return new ArrayBuffer(bytes)
  const { buffer, clean } = spare
  spare = undefined
  new Uint8Array(buffer, clean).fill(0)
  return buffer
}

/** Blocks enough for the keys of a segment. */
const blocksFor = (segmentBytes: number): number => {
  const wanted = (segmentBytes / 26) * bitsPerKey / blockBits
  let blocks = 1
  while (blocks < wanted && blocks < mostBlocks) blocks *= 2
  return blocks
}

/** The key filter of one segment. */
export class KeyFilter {
  /** Room for the header on disk, then the words: sealing copies nothing. */
  private readonly buffer: ArrayBuffer
  private readonly words: Uint32Array
  private blocks: number
  private readonly waiting: Int32Array
  private waitingCount = 0
  /** Read from a footer whose hash is not known any more: it excludes nothing. */
  private readonly holdsAll: boolean

  private constructor(blocks: number, room: number, holdsAll: boolean) {
    this.blocks = blocks
    this.waiting = new Int32Array(room)
    const bytes = headerBytes + blocks * wordsPerBlock * 4
    this.buffer = take(bytes)
    this.words = new Uint32Array(this.buffer, headerBytes)
    this.holdsAll = holdsAll
  }

  /** A filter wide enough for any segment of `segmentBytes`. */
  static forSegment(segmentBytes: number): KeyFilter {
    return new KeyFilter(blocksFor(segmentBytes), gathered, false)
  }

  /** Readies a piece of the memory that the filter of the next segment will take. */
  static prepare(segmentBytes: number): void {
    const bytes = headerBytes + blocksFor(segmentBytes) * wordsPerBlock * 4
    if (spare?.buffer.byteLength !== bytes) spare = { buffer: new ArrayBuffer(bytes), clean: 0 }
    if (spare.clean === bytes) return
    const end = Math.min(bytes, spare.clean + cleanedAtOnce)
    new Uint8Array(spare.buffer).fill(0, spare.clean, end)
    spare.clean = end
  }

  /** Adds a key by its hash. */
  add(hash: number): void {
    this.waiting[this.waitingCount++] = hash
    if (this.waitingCount === gathered) this.settle()
  }

  /** Puts in what has gathered. No branch depends on what the words hold: the processor need not wait for them. */
  private settle(): void {
    const { waiting, waitingCount, words } = this
    const mask = this.blocks - 1
    for (let i = 0; i < waitingCount; i++) {
      const hash = waiting[i]!
      const bits = bitsOf(hash)
      const at = (hash & mask) * wordsPerBlock + ((hash >>> 29) << 1)
      words[at] = words[at]! | lowBits(bits)
      words[at + 1] = words[at + 1]! | highBits(bits)
    }
    this.waitingCount = 0
  }

  /** Whether the segment may hold events of a key; false is certain. */
  mayHold(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.holdsAll) return true
    this.settle()
    const hash = hashKey(bytes, start, length)
    const bits = bitsOf(hash)
    const at = (hash & (this.blocks - 1)) * wordsPerBlock + ((hash >>> 29) << 1)
    const low = lowBits(bits)
    const high = highBits(bits)
    return (this.words[at]! & low) === (low | 0) && (this.words[at + 1]! & high) === (high | 0)
  }

  /** The share of bits that are set; in a wide filter judged by some of the words, of each position in a block in turn. */
  private get fill(): number {
    const { words, blocks } = this
    const sample = Math.min(blocks * wordsPerBlock, sampledWords)
    const stride = blocks * wordsPerBlock / sample
    let ones = 0
    for (let i = 0; i < sample; i++) {
      ones += onesIn(words[i * stride + (stride < wordsPerBlock ? 0 : i & (wordsPerBlock - 1))]!)
    }
    return ones / (sample * 32)
  }

  /** Gives the memory to the next filter: neither this one nor what it sealed may be used any more. */
  recycle(): void {
    spare = { buffer: this.buffer, clean: 0 }
  }

  /** Folded to its final size, as bytes, which are the filter's own memory. The filter itself is used up. */
  seal(): Uint8Array {
    this.settle()
    const { words } = this
    // A quarter of the bits set means twenty bits a key: half as many will do.
    while (this.blocks > 1 && this.fill <= 0.25) {
      this.blocks /= 2
      const half = this.blocks * wordsPerBlock
      for (let i = 0; i < half; i++) words[i] = words[i]! | words[half + i]!
    }
    const bytes = new Uint8Array(this.buffer, 0, headerBytes + this.blocks * wordsPerBlock * 4)
    if (!littleEndian) {
      for (let at = bytes.length - 4; at >= headerBytes; at -= 4) {
        put32(bytes, at, words[at / 4 - 2]!)
      }
    }
    put32(bytes, 0, this.blocks)
    put16(bytes, 4, probes)
    put16(bytes, 6, hashKind)
    return bytes
  }

  /** Throws `WireError` for what `seal` did not write. Returns the number of blocks. */
  static check(bytes: Uint8Array): number {
    const blocks = bytes.length < 8 ? 0 : get32(bytes, 0)
    if (blocks === 0 || (blocks & (blocks - 1)) !== 0 || blocks > mostBlocks || bytes.length < 8 + blocks * 64) {
      throw new WireError("key filter size")
    }
    if (get16(bytes, 4) !== probes) throw new WireError("key filter probes")
    return blocks
  }

  /** Reads what `seal` wrote; throws `WireError`. */
  static read(bytes: Uint8Array): KeyFilter {
    const blocks = KeyFilter.check(bytes)
    const filter = new KeyFilter(blocks, 0, get16(bytes, 6) !== hashKind)
    if (littleEndian) new Uint8Array(filter.buffer).set(bytes.subarray(0, filter.buffer.byteLength))
    else for (let i = 0; i < filter.words.length; i++) filter.words[i] = get32(bytes, 8 + i * 4)
    return filter
  }
}

/** Reads `length` bytes at an offset from the beginning of a filter on disk. */
export type FilterBytes = (offset: number, length: number) => Uint8Array

/**
 * Whether a filter on disk, known to be sound, may hold a key; false is certain. Reads its head and the two words that
 * tell: for whoever looks into many segments and cannot keep the filters of all.
 */
export const mayHoldOnDisk = (read: FilterBytes, key: Uint8Array): boolean => {
  const head = read(0, headerBytes)
  if (get16(head, 6) !== hashKind) return true
  const hash = hashKey(key, 0, key.length)
  const at = (hash & (get32(head, 0) - 1)) * wordsPerBlock + ((hash >>> 29) << 1)
  const words = read(headerBytes + at * 4, 8)
  const bits = bitsOf(hash)
  const low = lowBits(bits)
  const high = highBits(bits)
  return (get32(words, 0) & low) === (low | 0) && (get32(words, 4) & high) === (high | 0)
}
