/**
 * Which blocks of a segment can hold a key's history. A block is what lies between two entries of the sparse index: 64 KiB
 * or a second. Each has a Bloom filter of its size, ten bits a key, so that a question about one key reads one block in a
 * hundred beside those that hold it, where the segment's own filter (key-filter.ts) tells only that it lies somewhere
 * in 64 MiB. In a footer:
 *
 *      0  2  which hash: 1 the one below      2  2  probes per key
 *      4  4  blocks, as many as the sparse index has entries
 *      8  4  moving blocks: those that empty or swap databases, or take keys to another one
 *     12     per moving block  4 its place in the sparse index
 *            per block         2 words of its filter; 0: it may hold any key
 *            zeros up to a multiple of 4
 *            per block         its words of 4 bytes
 *
 * Probe i of a key looks at bit (hash + i · second hash mod 2^32) · bits / 2^32, rounded down.
 *
 * Hashes gather until their block ends; the filter is made of them then, at a few nanoseconds a key, for it fits the
 * processor's nearest cache.
 */
import { ByteWriter, WireError } from "./events/wire.ts"
import { get16, get32, put32 } from "./frame.ts"
import { onesIn } from "./key-filter.ts"

const hashKind = 1
const probes = 5
const bitsPerKey = 10
const headerBytes = 12
/** Words lie in chunks of so many, a block's in one of them: no block has more. */
const chunkWords = 1 << 14
/** A block of more keys than this holds any key: a filter of the largest size would be full. */
const mostKeys = 1 << 18
/** Below this share of bits that are set, keys came again and again, and a smaller filter will do. */
const sparse = 0.2
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** Chunks that nobody uses any more: fresh memory costs a page fault per 4 KiB. A segment of 64 MiB takes about 40. */
const spare: Array<Uint32Array> = []
const mostSpare = 64

/** A second hash out of the first, odd. */
const stepOf = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b) | 1

/** What is known of some blocks of an open segment, in memory of its own, for another thread. */
export interface BlockKeysCopy {
  /** Words of each block's filter; 0: it may hold any key. */
  readonly counts: Uint16Array
  readonly words: Uint32Array
  /** Moving ones among them, counted from the first of them. */
  readonly moving: ReadonlyArray<number>
}

/** The keys of the blocks of one segment, gathered in the order of the log. */
export class BlockKeys {
  private readonly chunks: Array<Uint32Array> = []
  /** Words used of the last chunk. */
  private used = chunkWords
  /** Per complete block where its words begin, in words of chunks one after the other, and how many they are. */
  private starts = new Uint32Array(64)
  private counts = new Uint16Array(64)
  private complete = 0
  /** Hashes of the keys of the block that is not complete. */
  private hashes = new Int32Array(1024)
  private hashCount = 0
  /** A block has begun that is not complete. */
  open = false
  private crowded = false
  /** Blocks, by their place, in which databases are emptied or swapped, or keys change databases. */
  readonly moving: Array<number> = []

  /** Blocks, the one that is not complete included. */
  get length(): number {
    return this.complete + (this.open ? 1 : 0)
  }

  /** Blocks whose keys are all known. */
  get completeBlocks(): number {
    return this.complete
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.chunks.length * chunkWords * 4 + this.hashes.byteLength + this.starts.length * 6
  }

  /** A block begins here; the one before it is complete. */
  begin(): void {
    this.end()
    this.open = true
  }

  /** Adds a key of the block, by its hash (`hashKey`). */
  add(hash: number): void {
    if (this.hashCount === this.hashes.length && !this.grow()) return
    this.hashes[this.hashCount++] = hash
  }

  /** In this block databases are emptied or swapped, or a key goes to another one. */
  moves(): void {
    if (this.moving.at(-1) !== this.complete) this.moving.push(this.complete)
  }

  /** The last block is complete: makes its filter. */
  end(): void {
    if (!this.open) return
    this.open = false
    if (this.crowded) this.note(0)
    else {
      let words = sizeFor(this.hashCount)
      const fill = this.fill(words) / (words * 32)
      if (fill < sparse && words > 1) {
        // As many different keys as that tells.
        this.used -= words
        words = sizeFor(Math.ceil(-words * 32 / probes * Math.log1p(-fill)))
        this.fill(words)
      }
      this.note(words)
    }
    this.hashCount = 0
    this.crowded = false
    if (this.hashes.length > 1 << 15) this.hashes = new Int32Array(1024)
  }

  /** Blocks that may hold events of a key with this hash; those left out do not. */
  blocksOf(hash: number): Array<number> {
    const { complete } = this
    const step = stepOf(hash)
    const found: Array<number> = []
    for (let block = 0; block < complete; block++) if (this.mayHold(block, hash, step)) found.push(block)
    if (this.open && (this.crowded || this.hashes.subarray(0, this.hashCount).includes(hash | 0))) found.push(complete)
    return found
  }

  /** Adds the blocks of another, which is used up, behind these, and goes on with its last one. */
  append(later: BlockKeys): void {
    this.end()
    for (const block of later.moving) this.moving.push(this.complete + block)
    for (let block = 0; block < later.complete; block++) {
      const words = later.counts[block]!
      this.allocate(words).set(later.wordsOf(block))
      this.note(words)
    }
    this.hashes = later.hashes
    this.hashCount = later.hashCount
    this.open = later.open
    this.crowded = later.crowded
  }

  /** Forgets the blocks from one on. */
  truncate(blocks: number): void {
    if (blocks > this.complete) return
    if (blocks < this.complete) {
      const start = this.starts[blocks]!
      this.chunks.length = Math.min(this.chunks.length, Math.ceil((start + 1) / chunkWords))
      this.used = this.chunks.length === 0 ? chunkWords : start - (this.chunks.length - 1) * chunkWords
      this.complete = blocks
    }
    this.open = this.crowded = false
    this.hashCount = 0
    while ((this.moving.at(-1) ?? -1) >= blocks) this.moving.pop()
  }

  /** Words of the filters of the complete blocks from one on. */
  wordsFrom(block: number): number {
    let words = 0
    for (let i = block; i < this.complete; i++) words += this.counts[i]!
    return words
  }

  /** A copy of the complete blocks from one on. */
  copy(from: number): BlockKeysCopy {
    const words = new Uint32Array(this.wordsFrom(from))
    let at = 0
    for (const run of this.runs(from)) {
      words.set(run, at)
      at += run.length
    }
    const moving = this.moving.filter((block) => block >= from && block < this.complete).map((block) => block - from)
    return { counts: this.counts.slice(from, this.complete), words, moving }
  }

  /** Adds what such a copy holds. */
  paste({ counts, moving, words }: BlockKeysCopy): void {
    this.end()
    for (const block of moving) this.moving.push(this.complete + block)
    let at = 0
    for (const count of counts) {
      this.allocate(count).set(words.subarray(at, at + count))
      this.note(count)
      at += count
    }
  }

  /** As bytes, in parts that follow one another; the large ones are this object's own memory. All blocks are complete then. */
  encode(): ReadonlyArray<Uint8Array> {
    this.end()
    const { complete, counts, moving } = this
    const head = new ByteWriter(headerBytes + moving.length * 4 + complete * 2 + 2)
    head.u16(hashKind)
    head.u16(probes)
    head.u32(complete)
    head.u32(moving.length)
    for (const block of moving) head.u32(block)
    for (let block = 0; block < complete; block++) head.u16(counts[block]!)
    if (complete % 2 === 1) head.u16(0)
    const parts = [head.toBytes()]
    for (const run of this.runs(0)) parts.push(asBytes(run))
    return parts
  }

  /** Gives the memory to others: neither this object nor what it encoded may be used any more. */
  recycle(): void {
    for (const chunk of this.chunks) if (spare.length < mostSpare) spare.push(chunk)
    this.chunks.length = this.complete = 0
    this.used = chunkWords
  }

  /** Reads what `encode` wrote; undefined when it was made with a hash that is not known here. Throws `WireError`. */
  static decode(bytes: Uint8Array): BlockKeys | undefined {
    if (bytes.length < headerBytes) throw new WireError("block keys size")
    if (get16(bytes, 0) !== hashKind || get16(bytes, 2) !== probes) return undefined
    const blocks = get32(bytes, 4)
    const moving = get32(bytes, 8)
    const countsAt = headerBytes + moving * 4
    let at = countsAt + (blocks + (blocks & 1)) * 2
    if (at > bytes.length) throw new WireError("block keys size")
    const keys = new BlockKeys()
    for (let i = 0; i < moving; i++) keys.moving.push(get32(bytes, headerBytes + i * 4))
    for (let block = 0; block < blocks; block++) {
      const count = get16(bytes, countsAt + block * 2)
      if (count > chunkWords || at + count * 4 > bytes.length) throw new WireError("block keys words")
      const words = keys.allocate(count)
      if (littleEndian) {
        new Uint8Array(words.buffer, words.byteOffset, count * 4).set(bytes.subarray(at, at + count * 4))
      }
      else for (let i = 0; i < count; i++) words[i] = get32(bytes, at + i * 4)
      keys.note(count)
      at += count * 4
    }
    return keys
  }

  private grow(): boolean {
    if (this.hashCount >= mostKeys) {
      this.crowded = true
      this.hashCount = 0
    }
    if (this.crowded) return false
    const wider = new Int32Array(this.hashes.length * 4)
    wider.set(this.hashes)
    this.hashes = wider
    return true
  }

  /** Words for a block, all zero, of a chunk. */
  private allocate(words: number): Uint32Array {
    if (this.used + words > chunkWords) {
      this.chunks.push(spare.pop() ?? new Uint32Array(chunkWords))
      this.used = 0
    }
    const chunk = this.chunks.at(-1)
    if (chunk === undefined) return new Uint32Array(0)
    const taken = chunk.subarray(this.used, this.used + words)
    this.used += words
    return taken
  }

  /** Notes a complete block, whose words were allocated last. */
  private note(words: number): void {
    const { complete } = this
    if (complete === this.starts.length) {
      const starts = new Uint32Array(complete * 2)
      const counts = new Uint16Array(complete * 2)
      starts.set(this.starts)
      counts.set(this.counts)
      this.starts = starts
      this.counts = counts
    }
    this.starts[complete] = Math.max(0, this.chunks.length - 1) * chunkWords + this.used - words
    this.counts[complete] = words
    this.complete = complete + 1
  }

  /** The words of the complete blocks from one on: those in one chunk follow one another. */
  private *runs(from: number): Generator<Uint32Array, void> {
    const { chunks, complete, counts, starts } = this
    for (let first = from; first < complete;) {
      const chunk = starts[first]! >>> 14
      let next = first
      let words = 0
      while (next < complete && (starts[next]! >>> 14) === chunk) words += counts[next++]!
      const at = starts[first]! & (chunkWords - 1)
      if (words > 0) yield chunks[chunk]!.subarray(at, at + words)
      first = next
    }
  }

  private wordsOf(block: number): Uint32Array {
    const start = this.starts[block]!
    const words = this.counts[block]!
    if (words === 0) return new Uint32Array(0)
    const at = start & (chunkWords - 1)
    return this.chunks[start >>> 14]!.subarray(at, at + words)
  }

  /** Makes a filter of so many words out of the gathered hashes; the number of bits that are set. */
  private fill(words: number): number {
    const { hashCount, hashes } = this
    const filter = this.allocate(words).fill(0)
    const scale = words * 32 / 0x1_0000_0000
    for (let i = 0; i < hashCount; i++) {
      let hash = hashes[i]!
      const step = stepOf(hash)
      for (let probe = 0; probe < probes; probe++) {
        const bit = ((hash >>> 0) * scale) | 0
        filter[bit >>> 5] = filter[bit >>> 5]! | (1 << (bit & 31))
        hash = (hash + step) | 0
      }
    }
    let ones = 0
    for (let i = 0; i < words; i++) ones += onesIn(filter[i]!)
    return ones
  }

  private mayHold(block: number, hash: number, step: number): boolean {
    const words = this.counts[block]!
    if (words === 0) return true
    const start = this.starts[block]!
    const chunk = this.chunks[start >>> 14]!
    const at = start & (chunkWords - 1)
    const scale = words * 32 / 0x1_0000_0000
    for (let probe = 0; probe < probes; probe++) {
      const bit = ((hash >>> 0) * scale) | 0
      if ((chunk[at + (bit >>> 5)]! & (1 << (bit & 31))) === 0) return false
      hash = (hash + step) | 0
    }
    return true
  }
}

/** Words of a filter for so many keys. */
const sizeFor = (keys: number): number => Math.max(1, Math.min(chunkWords, Math.ceil(keys * bitsPerKey / 32)))

/** Words as they stand on disk. */
const asBytes = (words: Uint32Array): Uint8Array => {
  if (littleEndian) return new Uint8Array(words.buffer, words.byteOffset, words.length * 4)
  const bytes = new Uint8Array(words.length * 4)
  for (let i = 0; i < words.length; i++) put32(bytes, i * 4, words[i]!)
  return bytes
}
