/**
 * The registers of a sparse HyperLogLog: runs of equal registers, one after the other, 16384 registers in all (Heule et al.
 * 2013 keep sparse sketches too; the runs are Redis's).
 *
 * ```
 * 00nnnnnn            n + 1 registers are zero
 * 01nnnnnn nnnnnnnn   n + 1 registers are zero, the upper bits of n first
 * 1rrrrrnn            n + 1 registers hold rank r + 1
 * ```
 *
 * A change touches only the run that holds the register and its neighbours. Which bytes come out is part of the format,
 * as long as both servers are to answer GET alike: where runs are split, which ones are joined again and which are not.
 */
import { headerBytes, registerCount } from "./hyperloglog.ts"

/** A register of a higher rank cannot be stored sparse. */
export const maximumSparseRank = 32

const isRanked = (op: number): boolean => (op & 0x80) !== 0
const isWide = (op: number): boolean => (op & 0xc0) === 0x40
const rankedLength = (op: number): number => (op & 3) + 1
/** The run's rank. */
const rankOf = (op: number): number => (op >>> 2 & 31) + 1
const ranked = (rank: number, length: number): number => 0x80 | rank - 1 << 2 | length - 1

/**
 * For each first byte of a run: how many registers it stands for, at least, and in the highest byte which bits of the byte
 * after it add to that. Which of the three kinds comes next is hard to foretell, for a processor as for anybody, so the
 * walk does not ask.
 */
const shapes = Int32Array.from(
  { length: 256 },
  (_, op) => isWide(op) ? 0xff << 24 | ((op & 0x3f) << 8) + 1 : isRanked(op) ? rankedLength(op) : op + 1
)

/** Longest run of zeros in one byte. */
const narrowZeros = 64

/** Writes a run of zeros, returns the place after it. */
const writeZeros = (bytes: Uint8Array, at: number, length: number): number => {
  if (length <= narrowZeros) {
    bytes[at] = length - 1
    return at + 1
  }
  bytes[at] = 0x40 | length - 1 >>> 8
  bytes[at + 1] = length - 1
  return at + 2
}

/** Writes the runs of a HyperLogLog without elements at `at`; returns the place after them. */
export const writeEmptyRuns = (bytes: Uint8Array, at: number): number => writeZeros(bytes, at, registerCount)

/** What `planRaise` found. */
export const Raise = {
  /** The register holds that rank already, or a higher one. */
  none: 0,
  /** The plan says what to write where. */
  planned: 1,
  /** The value has to become dense for it. */
  dense: 2,
  /** The runs end before the register. */
  corrupt: 3
} as const

/** Runs after the one changed that may be joined with others. */
const runsAfter = 5
/** Most bytes of a plan: the run before, three runs in place of one, and those after. */
const planBytes = 2 + 5 + 2 * runsAfter

/** A change of a few bytes: `removed` of them, from `offset` on, are to be replaced by those at `start` of `bytes`. */
export class RaisePlan {
  /** From the beginning of the value, its header included. */
  offset = 0
  removed = 0
  readonly bytes = new Uint8Array(planBytes)
  start = 0
  length = 0
  /** A run and its first register, to begin with when the next register wanted is a higher one. */
  resumeAt = headerBytes
  resumeRegister = 0

  /** Forgets where to resume: for another value, or when registers come in no order. */
  restart(): void {
    this.resumeAt = headerBytes
    this.resumeRegister = 0
  }
}

/**
 * Plans raising a register of the sparse value of `length` bytes at `start` to `rank`; nothing is written but the plan.
 * `limit`: most bytes of a sparse value, header included (`hll-sparse-max-bytes`). Returns a `Raise`.
 */
export const planRaise = (
  bytes: Uint8Array,
  start: number,
  length: number,
  register: number,
  rank: number,
  limit: number,
  plan: RaisePlan
): number => {
  if (rank > maximumSparseRank) return Raise.dense
  const end = start + length
  let at = start + plan.resumeAt
  let first = plan.resumeRegister
  let before = -1
  let firstBefore = 0
  let span = 0
  while (at < end) {
    const op = bytes[at]!
    const shape = shapes[op]!
    span = (shape & 0xffff) + (bytes[at + 1]! & shape >>> 24)
    if (register < first + span) break
    before = at
    firstBefore = first
    at += 1 + (op >>> 6 & ~(op >>> 7) & 1)
    first += span
  }
  if (at >= end || (at + 1 === end && isWide(bytes[at]!))) return Raise.corrupt
  if (before < 0 && at > start + headerBytes) { // resumed at the very run: the one before it is wanted too
    plan.restart()
    return planRaise(bytes, start, length, register, rank, limit, plan)
  }
  const op = bytes[at]!
  const size = isWide(op) ? 2 : 1
  if (isRanked(op) && rankOf(op) >= rank) return Raise.none

  // The window: the run before, what replaces the run, and the runs after that could be joined.
  const window = plan.bytes
  const from = before < 0 ? at : before
  let used = 0
  for (let i = from; i < at; i++) window[used++] = bytes[i]!
  const kept = used
  const left = register - first
  const right = first + span - 1 - register
  if (isRanked(op)) {
    if (left > 0) window[used++] = ranked(rankOf(op), left)
    window[used++] = ranked(rank, 1)
    if (right > 0) window[used++] = ranked(rankOf(op), right)
  } else {
    if (left > 0) used = writeZeros(window, used, left)
    window[used++] = ranked(rank, 1)
    if (right > 0) used = writeZeros(window, used, right)
  }
  const growth = used - kept - size
  // Joining could win a byte back, but a value that would be too long before it is becomes dense.
  if (growth > 0 && length + growth > limit) return Raise.dense
  let to = at + size
  for (let runs = 0; runs < runsAfter && to < end; runs++) {
    const wide = isWide(bytes[to]!)
    window[used++] = bytes[to++]!
    if (wide && to < end) window[used++] = bytes[to++]!
  }
  used = joinRuns(window, used)

  plan.resumeAt = from - start
  plan.resumeRegister = before < 0 ? first : firstBefore
  trim(plan, bytes, from, to, used)
  plan.offset -= start
  return Raise.planned
}

/** Joins neighbours of one rank as far as one run can hold them, in five steps from the first run on, as Redis does. */
const joinRuns = (window: Uint8Array, used: number): number => {
  let at = 0
  for (let steps = 5; steps > 0 && at < used; steps--) {
    const op = window[at]!
    if (!isRanked(op)) {
      at += isWide(op) ? 2 : 1
      continue
    }
    const next = at + 1 < used ? window[at + 1]! : 0
    const together = rankedLength(op) + rankedLength(next)
    if (isRanked(next) && rankOf(op) === rankOf(next) && together <= 4) {
      window.copyWithin(at, at + 1, used--)
      window[at] = ranked(rankOf(op), together)
    } else at++
  }
  return used
}

/** Leaves out of the plan what the window (its first `used` bytes) and the bytes from `from` to `to` have in common. */
const trim = (plan: RaisePlan, bytes: Uint8Array, from: number, to: number, used: number): void => {
  const window = plan.bytes
  const removed = to - from
  const most = Math.min(used, removed)
  let same = 0
  while (same < most && window[same] === bytes[from + same]) same++
  let tail = 0
  while (tail < most - same && window[used - 1 - tail] === bytes[to - 1 - tail]) tail++
  plan.offset = from + same
  plan.removed = removed - same - tail
  plan.start = same
  plan.length = used - same - tail
}

/** Told of each run of registers that are not zero. */
export interface RunVisitor {
  run(register: number, length: number, rank: number): void
}

/** Names the runs of the sparse value of `length` bytes at `start`; false when they are not 16384 registers in all. */
export const visitRuns = (bytes: Uint8Array, start: number, length: number, visitor: RunVisitor): boolean => {
  const end = start + length
  let register = 0
  for (let at = start + headerBytes; at < end; at++) {
    const op = bytes[at]!
    if (isRanked(op)) {
      const run = rankedLength(op)
      if (register + run > registerCount) return false
      visitor.run(register, run, rankOf(op))
      register += run
    } else if (isWide(op)) {
      if (++at === end) return false
      register += ((op & 0x3f) << 8 | bytes[at]!) + 1
    } else register += op + 1
  }
  return register === registerCount
}

/** The runs as PFDEBUG DECODE spells them. */
export const describeRuns = (bytes: Uint8Array, start: number, length: number): string => {
  const words: Array<string> = []
  const end = start + length
  for (let at = start + headerBytes; at < end; at++) {
    const op = bytes[at]!
    if (isRanked(op)) words.push(`v:${rankOf(op)},${rankedLength(op)}`)
    else if (isWide(op)) words.push(`Z:${((op & 0x3f) << 8 | (++at < end ? bytes[at]! : 0)) + 1}`)
    else words.push(`z:${op + 1}`)
  }
  return words.join(" ")
}
