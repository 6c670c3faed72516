import { copyBytes } from "../projections/memory/slice.ts"

/** Longest beginning of a request that is joined with the chunk that brings the rest. */
const joinLimit = 64 * 1024
/** Where they are joined; like the chunks themselves, of use only until the next chunk. */
const joined = Buffer.allocUnsafeSlow(joinLimit + 256 * 1024)

const none = new Uint8Array(0)
const slack = 4096

/**
 * The bytes of a connection that could not be used yet, because their request is not whole or has to wait. Empty most
 * of the time, and then it holds no memory; filled in whatever small pieces, it copies each byte a bounded number of times.
 */
export class QueryBuffer {
  bytes: Uint8Array = none
  /** The bytes stand in `bytes[start…end)`. */
  start = 0
  end = 0

  get length(): number {
    return this.end - this.start
  }

  /** Takes `bytes[from…to)` in. `needed` is the length the request at the start will have, 0 while unknown. */
  append(bytes: Uint8Array, from: number, to: number, needed: number): void {
    const held = this.length
    const added = to - from
    if (this.end + added > this.bytes.length) {
      const size = held + added
      // Doubling keeps the copying linear, and bounds what the mere announcement of a long request can cost.
      const double = size * 2 + slack
      const wanted = needed >= size ? Math.min(needed, double) : double
      if (wanted > this.bytes.length) this.move(wanted)
      else {
        this.bytes.copyWithin(0, this.start, this.end)
        this.start = 0
        this.end = held
      }
    }
    copyBytes(this.bytes, this.end, bytes, from, added)
    this.end += added
  }

  /**
   * Puts what is held in front of a chunk at least as long, so that the chunk need not be kept for the sake of a few
   * bytes before it. The result has `this.length + length` bytes; undefined when that does not pay or fit.
   */
  join(chunk: Uint8Array, length: number): Uint8Array | undefined {
    const held = this.length
    if (held > length || held > joinLimit || held + length > joined.length) return undefined
    copyBytes(joined, 0, this.bytes, this.start, held)
    copyBytes(joined, held, chunk, 0, length)
    return joined
  }

  /** Gives back room that was taken for much more than is left, and `needed` by the request that has begun. */
  shrink(needed: number): void {
    const enough = Math.max(this.length * 2, needed)
    if (this.bytes.length > joinLimit && enough < this.bytes.length / 4) this.move(enough + slack)
  }

  clear(): void {
    this.bytes = none
    this.start = this.end = 0
  }

  private move(room: number): void {
    const next = Buffer.allocUnsafeSlow(room)
    copyBytes(next, 0, this.bytes, this.start, this.length)
    this.end = this.length
    this.start = 0
    this.bytes = next
  }
}
