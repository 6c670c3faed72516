/**
 * Which segments may go. Whole sealed segments are dropped, oldest first, and only what the checkpoints cover: the data
 * of now never depends on what is gone. The newest sealed segment always stays.
 */
import type { Retention } from "../config/value-lists.ts"
import type { SealedSegment } from "./rotation.ts"

/** What the choice goes by. */
export interface RetentionFacts {
  /** Oldest first. */
  readonly sealed: ReadonlyArray<SealedSegment>
  /** Of the segment being written. */
  readonly activeBytes: number
  /** Newest sequence. */
  readonly sequence: number
  /** Every checkpoint there is covers the log up to here; 0 without one: nothing goes. */
  readonly covered: number
  /** Unix ms. */
  readonly now: number
}

const stored = (segment: SealedSegment): number => segment.stored ?? segment.bytes

/** How many of the oldest segments go, and why each. */
export const segmentsToDrop = (rule: Retention, facts: RetentionFacts): ReadonlyArray<string> => {
  const { activeBytes, covered, now, sealed, sequence } = facts
  const reasons: Array<string> = []
  if (rule.by === "for-ever") return reasons
  let bytes = sealed.reduce((sum, segment) => sum + stored(segment), activeBytes)
  for (const segment of sealed.slice(0, -1)) {
    const { lastSequence, lastTime } = segment.summary
    if (lastSequence > covered) break
    const reason = reasonFor(rule, {
      age: now - (lastTime || segment.header.created),
      behind: sequence - lastSequence,
      bytes
    })
    if (reason === undefined) break
    reasons.push(reason)
    bytes -= stored(segment)
  }
  return reasons
}

const reasonFor = (
  rule: Exclude<Retention, { by: "for-ever" }>,
  segment: { readonly age: number; readonly behind: number; readonly bytes: number }
): string | undefined => {
  switch (rule.by) {
    case "age":
      return segment.age > rule.ms ? `older than ${rule.ms / 1000} s` : undefined
    case "bytes":
      return segment.bytes > rule.bytes ? `the log took more than ${rule.bytes} bytes` : undefined
    case "sequences":
      return segment.behind >= rule.count ? `not among the last ${rule.count} sequences` : undefined
  }
}
