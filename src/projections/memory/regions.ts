/**
 * Slabs are cut from regions of 64 MiB. The system backs a large mapping with huge pages where it is allowed to (on Linux
 * with transparent huge pages and GLIBC_TUNABLES=glibc.malloc.hugetlb=1, which the start scripts set), and a look-up among
 * millions of keys waits for the page table almost as long as for the data: SET and GET gained an eighth with 1 M keys.
 * Pages of a region that were never written cost nothing.
 *
 * The collector counts what is reserved, though, and every 64 MiB have it go through the whole heap, in the middle of
 * the work, which leaves garbage of its own behind: the memory of a million small hashes grew by 60 MB more. So the first
 * region is a single slab, for most arenas stay small, and what outgrows it gets several regions at the same time.
 */
const slabsPerRegion = 16
/** Made together when an arena outgrows its first region. */
const regionsAtFirst = 4

/** Where a slab stands: its region and its place in it. */
class Region {
  readonly buffer: ArrayBuffer
  readonly allFree: number
  /** Bit i: slab i is free. */
  free: number
  /** Bit i: slab i has been in use since the region was made. */
  touched = 0
  constructor(slabs: number, slabBytes: number) {
    this.buffer = new ArrayBuffer(slabs * slabBytes)
    this.free = this.allFree = (1 << slabs) - 1
  }
}

/** The regions of one arena. */
export class Regions {
  private readonly slabBytes: number
  private readonly regions: Array<Region> = []
  /** Regions none of whose slabs is in use any more. */
  private idle = 0
  /** Bytes of slabs in use, or used before and not given back to the system. */
  touchedBytes = 0

  constructor(slabBytes: number) {
    this.slabBytes = slabBytes
  }

  /** A free slab, zeroed or not. Throws what the system throws when it has no memory. */
  take(): Uint8Array {
    let region = this.regions.find(({ free }) => free !== 0)
    if (region === undefined) {
      region = this.add()
      if (this.regions.length === 2) this.addMore()
    } else if (region.free === region.allFree && region.touched !== 0) this.idle--
    const place = 31 - Math.clz32(region.free & -region.free)
    region.free &= ~(1 << place)
    if ((region.touched & 1 << place) === 0) this.touchedBytes += this.slabBytes
    region.touched |= 1 << place
    return new Uint8Array(region.buffer, place * this.slabBytes, this.slabBytes)
  }

  /** Another region, the first of them small. Throws what the system throws when it has no memory. */
  private add(): Region {
    const region = new Region(this.regions.length === 0 ? 1 : slabsPerRegion, this.slabBytes)
    this.regions.push(region)
    return region
  }

  /** The further ones of those that are made together. */
  private addMore(): void {
    try {
      while (this.regions.length <= regionsAtFirst) this.add()
    } catch {
      // No room for so much: one after the other then, as each is needed.
    }
  }

  /** Takes a slab back. A region without slabs in use waits for `giveBack`. */
  give(slab: Uint8Array): void {
    const region = this.regions.find(({ buffer }) => buffer === slab.buffer)!
    region.free |= 1 << (slab.byteOffset / this.slabBytes)
    if (region.free === region.allFree) this.idle++
  }

  /**
   * Gives one region without slabs in use back to the system. False when there is none. The system takes milliseconds for
   * each, and what ends a collection of millions leaves many of them at the same time.
   */
  giveBack(): boolean {
    if (this.idle === 0) return false
    const at = this.regions.findIndex(({ allFree, free, touched }) => free === allFree && touched !== 0)
    const [region] = this.regions.splice(at, 1) as [Region]
    this.idle--
    for (let bits = region.touched; bits !== 0; bits &= bits - 1) this.touchedBytes -= this.slabBytes
    // Detaching frees the memory now. Left to the collector, which sees only a small heap, it might stay for minutes.
    region.buffer.transfer(0)
    return true
  }

  /** Gives one region back, whatever it holds. False when there was none. */
  dropOne(): boolean {
    const region = this.regions.pop()
    if (region === undefined) return false
    if (region.free === region.allFree && region.touched !== 0) this.idle--
    region.buffer.transfer(0)
    return true
  }
}
