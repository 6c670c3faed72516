/** A HyperLogLog that takes shape outside of the arena: a new one, or a sparse one to which much happens at once. */
import { copyBytes, Slice } from "../../projections/memory/slice.ts"
import {
  planRaise,
  Raise,
  RaisePlan,
  type RunVisitor,
  visitRuns,
  writeEmptyRuns
} from "../../projections/structures/hyperloglog-sparse.ts"
import {
  denseBytes,
  Encoding,
  encodingByte,
  headerBytes,
  registerAt,
  setRegister,
  staleBit,
  staleByte,
  writeHeader
} from "../../projections/structures/hyperloglog.ts"
import type { Decision } from "../decision.ts"
import { emitReplaced, emitStale } from "./changes.ts"
import { corrupted } from "./value.ts"

/** More than any sparse value takes that was not made by hand. */
const usualBytes = 20 * 1024

/** See the head of this file. One is enough: it is filled anew for each command. */
export class Draft implements RunVisitor {
  /** Whether it is dense: then `dense` holds it, otherwise the first `length` bytes of `sparse`. */
  isDense = false
  readonly dense = new Uint8Array(denseBytes)
  private sparse: Uint8Array = new Uint8Array(usualBytes)
  private readonly usual = this.sparse
  private length = 0
  private readonly plan = new RaisePlan()
  /** What it was made from; undefined when there was nothing. */
  private source: Slice | undefined = undefined
  /** Bytes at the beginning and at the end that are as they were in the source. */
  private sameHead = 0
  private sameTail = 0
  private readonly out = new Slice()

  /** Becomes one without elements. */
  begin(): void {
    this.source = undefined
    this.isDense = false
    this.sparse = this.usual
    writeHeader(this.sparse, Encoding.sparse)
    this.length = writeEmptyRuns(this.sparse, headerBytes)
    this.plan.restart()
  }

  /** Becomes a copy of a sparse one, which must stay where it is until `emit`. */
  load(value: Slice): void {
    const { bytes, length, start } = value
    this.source = value
    this.isDense = false
    this.sparse = this.usual
    this.length = length
    this.reserve(length)
    copyBytes(this.sparse, 0, bytes, start, length)
    this.sameHead = this.sameTail = length
    this.plan.restart()
  }

  private reserve(length: number): void {
    if (length <= this.sparse.length) return
    const larger = new Uint8Array(length + (length >>> 1))
    copyBytes(larger, 0, this.sparse, 0, Math.min(this.length, this.sparse.length))
    this.sparse = larger
  }

  /**
   * Raises a register to at least this rank; false when it is as high already. `limit`: most bytes while sparse. `inOrder`:
   * no register comes after a higher one.
   */
  raise(register: number, rank: number, limit: number, inOrder: boolean): boolean {
    if (this.isDense) return this.raiseDense(register, rank)
    const { plan } = this
    if (!inOrder) plan.restart()
    switch (planRaise(this.sparse, 0, this.length, register, rank, limit, plan)) {
      case Raise.none:
        return false
      case Raise.corrupt:
        throw corrupted
      case Raise.dense:
        this.becomeDense()
        return this.raiseDense(register, rank)
    }
    this.apply(plan)
    return true
  }

  private raiseDense(register: number, rank: number): boolean {
    if (registerAt(this.dense, 0, register) >= rank) return false
    setRegister(this.dense, 0, register, rank)
    return true
  }

  private apply({ bytes, length, offset, removed, start }: RaisePlan): void {
    const grown = this.length + length - removed
    this.reserve(grown)
    const { sparse } = this
    const tail = offset + removed
    if (length !== removed) sparse.copyWithin(offset + length, tail, this.length)
    copyBytes(sparse, offset, bytes, start, length)
    this.sameHead = Math.min(this.sameHead, offset)
    this.sameTail = Math.min(this.sameTail, this.length - tail)
    this.length = grown
  }

  /** Becomes dense; refuses when the runs make no sense. */
  becomeDense(): void {
    if (this.isDense) return
    const { dense, sparse } = this
    copyBytes(dense, 0, sparse, 0, headerBytes)
    dense[encodingByte] = Encoding.dense
    dense.fill(0, headerBytes)
    if (!visitRuns(sparse, 0, this.length, this)) throw corrupted
    this.isDense = true
  }

  run(register: number, length: number, rank: number): void {
    for (let i = 0; i < length; i++) setRegister(this.dense, 0, register + i, rank)
  }

  /**
   * Emits what makes the key hold this. The estimate counts as out of date, unless only the encoding has changed, which
   * `sameRegisters` says.
   */
  emit(d: Decision, key: Slice, sameRegisters = false): void {
    const { out, source } = this
    const whole = this.isDense ? this.dense : this.sparse
    if (!sameRegisters) whole[staleByte] = whole[staleByte]! | staleBit
    if (this.isDense || source === undefined) {
      const value = out.set(whole, 0, this.isDense ? denseBytes : this.length)
      d.emit({ _tag: "StringRangeSet", key, offset: 0, value })
      return
    }
    const { length, sameHead, sameTail } = this
    const sameRuns = sameHead === source.length
    emitStale(d, key, source, sameRuns) // a merge that changes nothing is a write all the same
    if (sameRuns) return
    const removed = source.length - sameTail - sameHead
    emitReplaced(d, key, sameHead, removed, out.set(whole, sameHead, length - sameTail - sameHead))
  }
}

/** Drafts are made in this one. */
export const draft = new Draft()
