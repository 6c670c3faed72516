/**
 * From a changed HyperLogLog to events. They state which bytes of the string are others now: of a dense one the touched
 * registers, of a sparse one the runs that were replaced, a few bytes either way.
 */
import { Slice } from "../../projections/memory/slice.ts"
import {
  byteOfRegister,
  denseBytes,
  headerBytes,
  isFresh,
  staleBit,
  staleByte
} from "../../projections/structures/hyperloglog.ts"
import type { Decision } from "../decision.ts"

/** `removed` bytes from `offset` on were replaced by `value`. */
export const emitReplaced = (d: Decision, key: Slice, offset: number, removed: number, value: Slice): void =>
  d.emit(
    removed === value.length
      ? { _tag: "StringRangeSet", key, offset, value }
      : { _tag: "StringSpliced", key, offset, removed, value }
  )

const staleHeader = new Uint8Array(1)
const stale = new Slice(staleHeader)

/** The estimate in the header of `value` is out of date from now on; `always`: an event even when it was before. */
export const emitStale = (d: Decision, key: Slice, value: Slice, always = false): void => {
  if (!always && !isFresh(value.bytes, value.start)) return
  staleHeader[0] = value.bytes[value.start + staleByte]! | staleBit
  d.emit({ _tag: "StringRangeSet", key, offset: staleByte, value: stale })
}

/** Changes that lie closer together than this are one event: another would take as many bytes for itself. */
const gap = 12

/** The bytes of a dense HyperLogLog that one command changes, laid over the value in the arena, which stays as it is. */
export class DenseChanges {
  private readonly bytes = new Uint8Array(denseBytes)
  private readonly changed = new Uint8Array(denseBytes)
  /** Offsets of the bytes changed, the first `count`. */
  private readonly offsets = new Uint16Array(denseBytes)
  private count = 0
  private readonly first = new Slice()

  private at(value: Slice, offset: number): number {
    return this.changed[offset] === 1 ? this.bytes[offset]! : value.bytes[value.start + offset]!
  }

  private put(offset: number, byte: number): void {
    this.bytes[offset] = byte
    if (this.changed[offset] === 1) return
    this.changed[offset] = 1
    this.offsets[this.count++] = offset
  }

  /** Raises a register to at least this rank; false when it is as high already. */
  raise(value: Slice, register: number, rank: number): boolean {
    const offset = byteOfRegister(register)
    const shift = register * 6 & 7
    const low = this.at(value, offset)
    if (shift <= 2) {
      if ((low >>> shift & 63) >= rank) return false
      this.put(offset, (low & ~(63 << shift)) | rank << shift)
      return true
    }
    const high = this.at(value, offset + 1)
    const inHigh = 8 - shift
    if ((low >>> shift | high << inHigh & 63) >= rank) return false
    this.put(offset, (low & ~(63 << shift)) | rank << shift)
    this.put(offset + 1, (high & ~(63 >>> inHigh)) | rank >>> inHigh)
    return true
  }

  /** Makes the registers those of another dense value, at the beginning of `other`. */
  become(value: Slice, other: Uint8Array): void {
    const { bytes, start } = value
    for (let i = headerBytes; i < denseBytes; i++) if (bytes[start + i] !== other[i]) this.put(i, other[i]!)
  }

  /** Emits what has changed, and that the estimate is out of date; the next command starts anew. */
  emit(d: Decision, key: Slice, value: Slice): void {
    const { bytes, changed, offsets } = this
    // Without a change a merge is a write all the same: who watches the key is told, as in Redis.
    if (this.count === 0 || isFresh(value.bytes, value.start)) {
      this.put(staleByte, value.bytes[value.start + staleByte]! | staleBit)
    }
    const { count } = this
    // The two bytes of a single register, the most frequent case, are in order.
    if (count > 2 || offsets[0]! > offsets[count - 1]!) offsets.subarray(0, count).sort()
    for (let i = 0, slice = this.first; i < count; slice = new Slice()) {
      const from = offsets[i]!
      let to = from + 1
      changed[from] = 0
      for (i++; i < count && offsets[i]! - to < gap; i++) {
        const next = offsets[i]!
        for (; to < next; to++) bytes[to] = value.bytes[value.start + to]!
        changed[next] = 0
        to = next + 1
      }
      d.emit({ _tag: "StringRangeSet", key, offset: from, value: slice.set(bytes, from, to - from) })
    }
    this.count = 0
  }
}

/** Changes are gathered in this one. */
export const denseChanges = new DenseChanges()
