import type { Random } from "./random.ts"

/** What a disk writes as one piece: a power cut leaves a sector either as it was or as it should be. */
export const sectorBytes = 512

/** What an fsync under way has promised to make durable: the file as it was when the call was made. */
export interface Flight {
  readonly size: number
  readonly lowest: number
  readonly sectors: Map<number, Uint8Array>
}

/**
 * One file of the simulated disk: what programs see (`current`, the page cache) beside what the platter holds
 * (`durable`), and which sectors differ because no fsync has succeeded since they were written.
 */
export class SimFile {
  /** What programs call it now: a rename changes the name of open handles too. */
  name: string
  private current: Uint8Array
  size = 0
  private durable: Uint8Array
  durableSize = 0
  private dirty = new Set<number>()
  /** Sectors whose fsync failed: the kernel calls them clean, so a later fsync "succeeds" without writing them. */
  private dropped = new Set<number>()
  private readonly flights = new Set<Flight>()
  /** Smallest size since the last successful fsync: a cut that may not have reached the platter. */
  private lowest = 0

  constructor(name: string, bytes: Uint8Array = new Uint8Array(0)) {
    this.name = name
    this.current = bytes.slice()
    this.durable = bytes.slice()
    this.size = this.durableSize = this.lowest = bytes.length
  }

  /** A copy of what programs see. */
  bytes(): Uint8Array {
    return this.current.slice(0, this.size)
  }

  /** True when a power cut now could change the file. */
  get unsynced(): boolean {
    return this.dirty.size > 0 || this.dropped.size > 0 || this.flights.size > 0 || this.size !== this.durableSize ||
      this.lowest < this.durableSize
  }

  write(bytes: Uint8Array, start: number, length: number, position: number): void {
    const end = position + length
    if (end > this.current.length) this.current = grown(this.current, end)
    if (position > this.size) this.current.fill(0, this.size, position)
    this.current.set(bytes.subarray(start, start + length), position)
    const from = Math.min(position, this.size)
    this.size = Math.max(this.size, end)
    for (let sector = Math.floor(from / sectorBytes); sector * sectorBytes < end; sector++) {
      this.dirty.add(sector)
      this.dropped.delete(sector)
    }
  }

  read(bytes: Uint8Array, start: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.size - position))
    bytes.set(this.current.subarray(position, position + count), start)
    return count
  }

  truncate(size: number): void {
    if (size > this.size) {
      this.write(new Uint8Array(size - this.size), 0, size - this.size, this.size)
      return
    }
    this.current.fill(0, size, this.size)
    this.size = size
    this.lowest = Math.min(this.lowest, size)
    const last = Math.ceil(size / sectorBytes)
    for (const sectors of [this.dirty, this.dropped]) {
      for (const sector of sectors) if (sector >= last) sectors.delete(sector)
    }
    if (size % sectorBytes !== 0) { // the end of the last sector is zeroed, so it will be written again
      this.dirty.add(last - 1)
      this.dropped.delete(last - 1)
    }
  }

  /** Damages what is stored, behind the back of every cache. */
  flip(position: number, bit: number): void {
    if (position >= this.size) throw new RangeError(`byte ${position} of ${this.size}`)
    this.current[position]! ^= 1 << bit
    if (position < this.durableSize) this.durable[position]! ^= 1 << bit
  }

  /** An fsync of this file has failed, and what it was to save has not been written again since. */
  get unreliable(): boolean {
    return this.dropped.size > 0
  }

  /** An fsync begins: it covers everything not durable now, what other calls under way are writing included. */
  startSync(): Flight {
    const sectors = new Map<number, Uint8Array>()
    let lowest = this.lowest
    const cover = (sector: number): void => {
      const at = sector * sectorBytes
      if (at < this.size) sectors.set(sector, this.current.slice(at, Math.min(at + sectorBytes, this.size)))
    }
    for (const flight of this.flights) {
      lowest = Math.min(lowest, flight.lowest)
      for (const sector of flight.sectors.keys()) cover(sector)
    }
    for (const sector of this.dirty) cover(sector)
    const flight = { size: this.size, lowest, sectors }
    this.flights.add(flight)
    this.dirty = new Set()
    this.lowest = this.size
    return flight
  }

  finishSync(flight: Flight): void {
    if (!this.flights.has(flight)) return // one begun later has finished before and covered this one
    for (const earlier of this.flights) {
      this.flights.delete(earlier)
      if (earlier === flight) break
    }
    if (flight.size > this.durable.length) this.durable = grown(this.durable, flight.size)
    if (flight.lowest < this.durableSize) this.durable.fill(0, flight.lowest, this.durableSize)
    if (flight.size > this.durableSize) this.durable.fill(0, this.durableSize, flight.size)
    for (const [sector, bytes] of flight.sectors) this.durable.set(bytes, sector * sectorBytes)
    this.durableSize = flight.size
  }

  /** The fsync failed: the kernel drops the pages' dirty marks, so nothing will write them unless they change again. */
  failSync(flight: Flight): void {
    if (!this.flights.delete(flight)) return
    for (const sector of flight.sectors.keys()) {
      for (const other of this.flights) other.sectors.delete(sector)
      if (!this.dirty.has(sector) && sector * sectorBytes < this.size) this.dropped.add(sector)
    }
    this.lowest = Math.min(this.lowest, flight.lowest)
  }

  /**
   * One of the states a power cut may leave. Sectors never synced are old or new where the file had bytes before; where
   * it grew they are new, zero, foreign bytes or, with all that follow, absent.
   */
  afterPowerCut(random: Random, stale: (random: Random) => Uint8Array | undefined): Uint8Array {
    if (!this.unsynced) return this.durable.slice(0, this.durableSize)
    let lowest = this.lowest
    const pending = new Set([...this.dirty, ...this.dropped])
    for (const flight of this.flights) {
      lowest = Math.min(lowest, flight.lowest)
      for (const sector of flight.sectors.keys()) pending.add(sector)
    }
    const kept = lowest < this.durableSize && random.chance(0.5) ? lowest : this.durableSize
    const growth = Math.max(0, this.size - kept)
    // Whole outcomes are likely in reality, and rare when every sector is diced alone; so is the full size with holes.
    const style = random.pick(["nothing", "all", "beginning", "most", "some", "some of a part"] as const)
    const part = style === "beginning" || style === "some of a part"
    const length = style === "nothing" ? kept : part ? kept + random.below(growth + 1) : kept + growth
    const bytes = new Uint8Array(length)
    bytes.set(this.durable.subarray(0, Math.min(kept, length)))
    const whole = style === "all" || style === "beginning"
    for (const sector of [...pending].sort((a, b) => a - b)) {
      const from = sector * sectorBytes
      const to = Math.min(from + sectorBytes, length)
      if (from >= length) break
      const isNew = whole || random.chance(style === "most" ? 0.9 : 0.5)
      if (isNew) {
        bytes.set(this.current.subarray(from, Math.min(to, this.size)), from)
        continue
      }
      const appended = Math.max(from, kept)
      if (appended >= to) continue
      const kind = random.below(5)
      if (kind === 0) bytes.fill(0xff, appended, to)
      else if (kind === 1 || kind === 2) random.fill(bytes, appended, to)
      else if (kind === 3) {
        const old = stale(random)
        if (old !== undefined) bytes.set(old.subarray(appended - from, to - from), appended)
      }
    }
    return bytes
  }
}

const grown = (bytes: Uint8Array, size: number): Uint8Array => {
  const larger = new Uint8Array(Math.max(size, bytes.length * 2, 1024))
  larger.set(bytes)
  return larger
}
