/**
 * Where all data lives: slabs of raw memory outside the JavaScript heap, so that millions of keys cost the garbage
 * collector nothing. Blocks are named by 32-bit pointers in units of 8 bytes.
 *
 * ```
 * pointer   slab index (13 bits) | unit inside the slab (19 bits)
 * slab      4 MiB of a region = 64 pages of 64 KiB, or one ArrayBuffer of its own for a block over 1 MiB
 * run       one or more adjacent pages of a slab, cut into blocks of one size class
 * ```
 *
 * Every run has its own free list (linked through the first word of the freed blocks), a bump pointer into the part
 * never handed out yet (so untouched memory stays untouched) and a count of live blocks. A run whose last block is freed
 * becomes free pages again, whatever class wants them next; a slab without live runs is given back.
 */

import { Regions } from "./regions.ts"

/** A block in an arena, as a u32 in units of 8 bytes. 0 means none. */
export type Pointer = number

/** The index of the pointer's slab in `Arena.bytes` and `Arena.words`. */
export const slabOf = (p: Pointer): number => p >>> 19
/** The pointer's byte offset inside its slab's `Uint8Array`. */
export const byteOf = (p: Pointer): number => (p & 0x7ffff) << 3
/** The pointer's index inside its slab's `Uint32Array`. */
export const wordOf = (p: Pointer): number => (p & 0x7ffff) << 1

/** No slab index is left, or the operating system refused the memory. */
export class ArenaFull extends Error {
  override readonly name = "ArenaFull"
}

const slabBytes = 1 << 22
const slabLimit = 8192
export const pageBytes = 1 << 16
export const pagesPerSlab = 64
/** Up to here the classes are 8 bytes apart; above, an eighth of the power of two below them. */
const smallLimit = 1024
/** A larger block gets a slab of its own, which holds zeros until somebody writes to it. */
export const sharedLimit = 1 << 20
export const classCount = 209
const ownSlab = 255
/** Values of `unlisted`: in the list of its class, full, or being emptied. */
const full = 1
const evacuating = 2
/** Class of the pages that the first slab does not have. */
const noPage = 254
const firstPages = 16

/** The class for a size over `smallLimit` and up to `sharedLimit`. */
const largeClassOf = (size: number): number => {
  const exponent = 31 - Math.clz32(size - 1)
  return 121 + ((exponent - 10) << 3) + ((size - 1) >>> (exponent - 3))
}

/** Block size in units, pages per run and blocks per run of every class. Class 0 means a free page and has no blocks. */
const classUnits = new Uint32Array(classCount)
const runPages = new Uint8Array(classCount)
const runBlocks = new Uint16Array(classCount)

for (let c = 1; c < classCount; c++) {
  const size = c <= 128 ? c << 3 : (9 + ((c - 129) & 7)) << (7 + ((c - 129) >>> 3))
  classUnits[c] = size >>> 3
  // The shortest run that leaves at most a tenth of itself over; up to 8 KiB (an eighth of a page) one page will do.
  for (let pages = 1; pages <= pagesPerSlab; pages++) {
    const blocks = Math.floor(pages * pageBytes / size)
    const left = pages * pageBytes - blocks * size
    if (left * 10 > pages * pageBytes && !(pages === 1 && size <= 8192)) continue
    runPages[c] = pages
    runBlocks[c] = blocks
    break
  }
}

/** Blocks of one run of a class. */
export const blocksPerRun = (c: number): number => runBlocks[c]!

const noBytes = new Uint8Array(0)
const noWords = new Uint32Array(0)

const enlarged = <T extends Uint8Array | Uint16Array | Uint32Array>(old: T, next: T): T => {
  next.set(old)
  return next
}

/** An allocator with its own slabs. Slab 0 is never used, so that no block has pointer 0. */
export class Arena {
  /** One view per slab. A slab that was given back leaves an empty view. */
  readonly bytes: Array<Uint8Array> = [noBytes]
  readonly words: Array<Uint32Array> = [noWords]

  private readonly regions = new Regions(slabBytes)
  /** [used bytes, reserved bytes]: in a typed array, because a number field this large would be boxed anew at each write. */
  private readonly totals = new Float64Array(2)
  /** [used bytes] of all arenas that share it. */
  private meter: Float64Array
  /** Per class, the first page of the run to allocate from; its list (`next`, `previous`) holds all runs that may have room. */
  private readonly current = new Uint32Array(classCount)

  // Per page, indexed by slab * 64 + page. `classOf` and `runOf` are set for each page of a run, the rest for its first.
  private classOf = new Uint8Array(pagesPerSlab * 4)
  private runOf = new Uint32Array(pagesPerSlab * 4)
  private freeList = new Uint32Array(pagesPerSlab * 4)
  private bump = new Uint32Array(pagesPerSlab * 4)
  private limit = new Uint32Array(pagesPerSlab * 4)
  private live = new Uint16Array(pagesPerSlab * 4)
  /** 0 while a run is in its class's list, else why it is not. */
  private unlisted = new Uint8Array(pagesPerSlab * 4)
  private next = new Uint32Array(pagesPerSlab * 4)
  private previous = new Uint32Array(pagesPerSlab * 4)

  // Per slab.
  /** The most adjacent free pages; 0 for slabs that are absent or hold one large block. */
  private longestFree = new Uint8Array(4)
  private slabCapacity = 4
  /** Below these slab indices there is no slab with a free page, and no unused index. */
  private searchFrom = 1
  private unusedFrom = 1
  private emptySlabs = 0
  /** Pages of all runs. */
  private runPageCount = 0
  private ownBytes = 0

  /** @param meter counts the used bytes of several arenas together */
  constructor(meter: Float64Array = new Float64Array(1)) {
    this.meter = meter
  }

  /** Counts no longer towards the shared meter. */
  unmeter(): void {
    this.meter[0] = this.meter[0]! - this.totals[0]!
    this.meter = new Float64Array([this.totals[0]!])
  }

  /** The sum of the capacities of live blocks, in bytes. */
  get usedBytes(): number {
    return this.totals[0]!
  }

  /** The sizes of all slabs held, in bytes. Pages never written to cost the machine nothing. */
  get reservedBytes(): number {
    return this.totals[1]!
  }

  /** The sizes of all runs and large blocks, in bytes: what the used bytes are spread over. */
  get activeBytes(): number {
    return this.runPageCount * pageBytes + this.ownBytes
  }

  /** Bytes of memory this arena has written to and the system has not got back: more than that it cannot be resident. */
  get residentBytes(): number {
    const first = this.bytes[1]?.length === firstPages * pageBytes ? firstPages * pageBytes : 0
    return this.regions.touchedBytes + this.ownBytes + first
  }

  /** Active bytes per used byte; 1 when nothing is used. */
  fragmentation(): number {
    return this.usedBytes === 0 ? 1 : this.activeBytes / this.usedBytes
  }

  /** The number of pages there may be: runs are named by their first one. */
  get pageCount(): number {
    return this.bytes.length * pagesPerSlab
  }

  /** The class of the run that begins at a page; 0 where none does, or a large block stands. */
  runClassAt(page: number): number {
    const c = this.classOf[page]!
    return c < noPage && this.runOf[page] === page ? c : 0
  }

  /** Pages of a slab that belong to runs; 0 for slabs that cannot be emptied page by page. */
  pagesInUse(slab: number): number {
    if (this.bytes[slab]!.length !== slabBytes) return 0
    let used = 0
    for (let page = slab * pagesPerSlab, end = page + pagesPerSlab; page < end; page++) {
      if (this.classOf[page] !== 0) used++
    }
    return used
  }

  /** Live blocks of the run that begins at `page`. */
  liveBlocks(run: number): number {
    return this.live[run]!
  }

  /**
   * Empties a run as far as `move` can: it is called with each live block and may give it up (`free`) after allocating
   * another, which will not be in this run.
   */
  evacuate(run: number, move: (p: Pointer) => void): void {
    const c = this.runClassAt(run)
    if (c === 0) return
    const units = classUnits[c]!
    const start = run * (pageBytes >>> 3)
    // Full runs are not in the list; neither is this one from now on, so that nothing is allocated from it.
    if (this.unlisted[run] === 0) this.unlist(run, c)
    this.unlisted[run] = evacuating
    const taken = new Uint8Array(runBlocks[c]!).fill(1)
    const words = this.words[run >>> 6]!
    for (let p = this.freeList[run]!; p !== 0; p = words[(p & 0x7ffff) << 1]!) taken[(p - start) / units] = 0
    const blocks = (this.bump[run]! - start) / units
    for (let i = 0; i < blocks; i++) if (taken[i] === 1) move(start + i * units)
    if (this.runClassAt(run) === c && this.unlisted[run] === evacuating) this.list(run, c)
  }

  /**
   * A block of at least `size` bytes (1 to about 1 GiB), content undefined.
   * @throws ArenaFull
   */
  allocate(size: number): Pointer {
    if (size > sharedLimit) return this.allocateOwn(size)
    const c = size <= smallLimit ? (size + 7) >>> 3 : largeClassOf(size)
    const run = this.current[c]!
    let p = this.freeList[run]!
    if (p !== 0) this.freeList[run] = this.words[p >>> 19]![(p & 0x7ffff) << 1]!
    else {
      // Without a run this is run 0, whose bump pointer is at its limit too.
      p = this.bump[run]!
      if (p === this.limit[run]!) {
        this.refill(c)
        return this.allocate(size)
      }
      this.bump[run] = p + classUnits[c]!
    }
    this.live[run] = this.live[run]! + 1
    const taken = classUnits[c]! << 3
    this.totals[0] = this.totals[0]! + taken
    this.meter[0] = this.meter[0]! + taken
    return p
  }

  /**
   * Gives a block back. Its memory may be reused, or be gone, at once: no view of it may be in the hands of the operating
   * system (an unfinished write to a socket or a file) any more.
   */
  free(p: Pointer): void {
    const run = this.runOf[p >>> 13]!
    const c = this.classOf[run]!
    if (c === ownSlab) return this.freeOwn(p)
    if (c === 0) throw new Error(`free: ${p} is not a block`)
    this.words[p >>> 19]![(p & 0x7ffff) << 1] = this.freeList[run]!
    this.freeList[run] = p
    const given = classUnits[c]! << 3
    this.totals[0] = this.totals[0]! - given
    this.meter[0] = this.meter[0]! - given
    const live = this.live[run]! - 1
    this.live[run] = live
    if (live === 0) this.releaseRun(run, c)
    else if (this.unlisted[run] === full) this.list(run, c)
  }

  /** The bytes usable in a block: its class's size, or the length of its own slab. */
  capacity(p: Pointer): number {
    const c = this.classOf[p >>> 13]!
    return c === ownSlab ? this.bytes[p >>> 19]!.length : classUnits[c]! << 3
  }

  /** Takes full runs off the class's list until one with room leads it, making a run if there is none. */
  private refill(c: number): void {
    if (c === 0 || c >= classCount) throw new RangeError("allocate: a block has at least one byte")
    for (let run = this.current[c]!; run !== 0; run = this.current[c]!) {
      if (this.freeList[run] !== 0 || this.bump[run] !== this.limit[run]) return
      this.unlist(run, c)
      this.unlisted[run] = full
    }
    this.addRun(c)
  }

  private list(run: number, c: number): void {
    const head = this.current[c]!
    this.next[run] = head
    this.previous[run] = 0
    if (head !== 0) this.previous[head] = run
    this.current[c] = run
    this.unlisted[run] = 0
  }

  private unlist(run: number, c: number): void {
    const next = this.next[run]!
    const previous = this.previous[run]!
    if (previous === 0) this.current[c] = next
    else this.next[previous] = next
    if (next !== 0) this.previous[next] = previous
  }

  private addRun(c: number): void {
    const pages = runPages[c]!
    const slab = this.slabWithPages(pages)
    const base = slab * pagesPerSlab
    let run = base
    for (let found = 0, page = base; found < pages; page++) {
      if (this.classOf[page] === 0) found++
      else {
        found = 0
        run = page + 1
      }
    }
    this.classOf.fill(c, run, run + pages)
    this.runPageCount += pages
    this.runOf.fill(run, run, run + pages)
    if (this.longestFree[slab] === pagesPerSlab) this.emptySlabs--
    this.measure(slab)
    const start = run * (pageBytes >>> 3)
    this.freeList[run] = 0
    this.live[run] = 0
    this.bump[run] = start
    this.limit[run] = start + runBlocks[c]! * classUnits[c]!
    this.list(run, c)
  }

  private releaseRun(run: number, c: number): void {
    if (this.unlisted[run] === 0) this.unlist(run, c)
    this.classOf.fill(0, run, run + runPages[c]!)
    this.runPageCount -= runPages[c]!
    const slab = run >>> 6
    this.measure(slab)
    if (this.longestFree[slab] === pagesPerSlab) {
      // One empty slab stays, so that work around a slab's edge does not ask the system for memory again and again.
      if (this.emptySlabs > 0) return this.dropSlab(slab)
      this.emptySlabs++
    }
    if (slab < this.searchFrom) this.searchFrom = slab
  }

  /** Finds the slab's longest row of free pages. */
  private measure(slab: number): void {
    let longest = 0
    for (let row = 0, page = slab * pagesPerSlab, end = page + pagesPerSlab; page < end; page++) {
      row = this.classOf[page] === 0 ? row + 1 : 0
      if (row > longest) longest = row
    }
    this.longestFree[slab] = longest
  }

  /** The first slab with that many adjacent free pages; low slabs fill up, so that high ones may empty. */
  private slabWithPages(pages: number): number {
    while (this.searchFrom < this.bytes.length && this.longestFree[this.searchFrom] === 0) this.searchFrom++
    for (let slab = this.searchFrom; slab < this.bytes.length; slab++) {
      if (this.longestFree[slab]! >= pages) return slab
    }
    if (this.bytes.length === 1 && pages <= firstPages) return this.addFirstSlab()
    const slab = this.addSlab(slabBytes)
    this.longestFree[slab] = pagesPerSlab
    this.emptySlabs++
    if (slab < this.searchFrom) this.searchFrom = slab
    return slab
  }

  /**
   * An arena begins with a slab of 1 MiB: most databases stay empty, and a mapping large enough for huge pages would make
   * each of them cost megabytes. Its missing pages are marked as taken for good.
   */
  private addFirstSlab(): number {
    const slab = this.addSlab(firstPages * pageBytes)
    const page = slab * pagesPerSlab
    this.classOf.fill(noPage, page + firstPages, page + pagesPerSlab)
    this.longestFree[slab] = firstPages
    return slab
  }

  /** A view of 4 MiB out of a region, or of an ArrayBuffer of its own for a large block. */
  private addSlab(size: number): number {
    let slab = this.unusedFrom
    while (slab < this.bytes.length && this.bytes[slab] !== noBytes) slab++
    this.unusedFrom = slab
    if (slab >= slabLimit) throw new ArenaFull(`all ${slabLimit} slabs are in use`)
    let bytes: Uint8Array
    try {
      bytes = size === slabBytes ? this.regions.take() : new Uint8Array(size)
    } catch {
      throw new ArenaFull(`no memory for a slab of ${size} bytes`)
    }
    if (slab >= this.slabCapacity) this.enlarge()
    this.bytes[slab] = bytes
    this.words[slab] = new Uint32Array(bytes.buffer, bytes.byteOffset, size >>> 2)
    this.totals[1] = this.totals[1]! + size
    return slab
  }

  private dropSlab(slab: number): void {
    const bytes = this.bytes[slab]!
    this.totals[1] = this.totals[1]! - bytes.length
    if (bytes.length === slabBytes) this.regions.give(bytes)
    else (bytes.buffer as ArrayBuffer).transfer(0)
    this.bytes[slab] = noBytes
    this.words[slab] = noWords
    this.longestFree[slab] = 0
    if (slab < this.unusedFrom) this.unusedFrom = slab
  }

  /** Gives up to 64 MiB of what is free back to the system; false when there is nothing left that could be. */
  giveBack(): boolean {
    return this.regions.giveBack()
  }

  /** Gives back a part of everything, whatever is allocated: for an arena nobody uses any more. False when all is gone. */
  dismantle(): boolean {
    for (let slab = this.bytes.length - 1; slab > 0; slab--) {
      const bytes = this.bytes[slab]!
      if (bytes.length === slabBytes || bytes.length === 0) continue
      this.bytes.length = slab
      ;(bytes.buffer as ArrayBuffer).transfer(0)
      return true
    }
    this.bytes.length = 0
    return this.regions.dropOne()
  }

  private enlarge(): void {
    const slabs = this.slabCapacity * 2
    const pages = slabs * pagesPerSlab
    this.classOf = enlarged(this.classOf, new Uint8Array(pages))
    this.runOf = enlarged(this.runOf, new Uint32Array(pages))
    this.freeList = enlarged(this.freeList, new Uint32Array(pages))
    this.bump = enlarged(this.bump, new Uint32Array(pages))
    this.limit = enlarged(this.limit, new Uint32Array(pages))
    this.live = enlarged(this.live, new Uint16Array(pages))
    this.unlisted = enlarged(this.unlisted, new Uint8Array(pages))
    this.next = enlarged(this.next, new Uint32Array(pages))
    this.previous = enlarged(this.previous, new Uint32Array(pages))
    this.longestFree = enlarged(this.longestFree, new Uint8Array(slabs))
    this.slabCapacity = slabs
  }

  private allocateOwn(size: number): Pointer {
    // Never the length of a common slab: lengths tell the two kinds apart.
    const length = Math.ceil(size / 8) * 8 === slabBytes ? slabBytes + 8 : Math.ceil(size / 8) * 8
    const slab = this.addSlab(length)
    const page = slab * pagesPerSlab
    this.classOf[page] = ownSlab
    this.runOf[page] = page
    this.totals[0] = this.totals[0]! + length
    this.meter[0] = this.meter[0]! + length
    this.ownBytes += length
    return page * (pageBytes >>> 3)
  }

  private freeOwn(p: Pointer): void {
    const slab = p >>> 19
    this.classOf[p >>> 13] = 0
    const { length } = this.bytes[slab]!
    this.totals[0] = this.totals[0]! - length
    this.meter[0] = this.meter[0]! - length
    this.ownBytes -= length
    this.dropSlab(slab)
  }
}
