/**
 * What the log knows about where things are in the segment it writes, for who reads the files elsewhere: of a segment
 * without a footer they would have to look at every frame. Told a part at a time, each what has come since the one before.
 */
import type { ActiveSegment } from "./active-segment.ts"
import type { BlockKeysCopy } from "./block-keys.ts"
import type { IndexEntry } from "./segment-index.ts"

/** So much at a time; where more has gathered, of many small blocks or a huge segment, whoever reads looks for himself. */
const mostBlocks = 1 << 15
const mostWords = 2 << 20

/** How much was told already. */
export interface KnownOfOpen {
  /** Of the segment, within this process. */
  readonly id: number
  readonly blocks: number
  readonly sessions: number
}

/** A part of the index of the open segment. */
export interface OpenSegment extends KnownOfOpen {
  readonly firstSequence: number
  readonly lsn: number
  /** Time, sequence and position of each complete block from number `blocks` on, and of the one behind them. */
  readonly entries: Float64Array
  readonly keys: BlockKeysCopy
  /** Ref and position of each definition from number `sessions` on that stands in a complete block. */
  readonly definitions: Float64Array
}

/**
 * What has come to be known since. Undefined when nothing has; "later" while what was there when the log was opened has
 * not all been looked at.
 */
export type TellOpen = (known: KnownOfOpen | undefined) => OpenSegment | "later" | undefined

/** See `TellOpen`. */
export const openSegmentOf = (
  segment: ActiveSegment,
  known: KnownOfOpen | undefined
): ReturnType<TellOpen> => {
  const { header, id, index } = segment
  const { blockKeys, entries, sessions } = index
  if (!index.complete) return "later"
  if (index.gaps || entries.length !== blockKeys.length) return undefined
  const { blocks, sessions: told } = known?.id === id ? known : { blocks: 0, sessions: 0 }
  const complete = blockKeys.completeBlocks
  if (complete === blocks) return undefined
  if (complete - blocks > mostBlocks || blockKeys.wordsFrom(blocks) > mostWords) return undefined
  const places = new Float64Array((complete - blocks + 1) * 3)
  // Without a block that goes on they end where the segment does.
  const end: IndexEntry = { time: segment.lastTime, sequence: segment.lastSequence + 1, position: segment.end }
  const behind = entries[complete] ?? end
  for (let i = blocks; i <= complete; i++) {
    const { position, sequence, time } = entries[i] ?? end
    places.set([time, sequence, position], (i - blocks) * 3)
  }
  const definitions: Array<number> = []
  for (let i = told; i < sessions.length && sessions[i]!.position < behind.position; i++) {
    definitions.push(sessions[i]!.ref, sessions[i]!.position)
  }
  return {
    id,
    firstSequence: header.firstSequence,
    lsn: header.lsn,
    blocks,
    sessions: told,
    entries: places,
    keys: blockKeys.copy(blocks),
    definitions: Float64Array.from(definitions)
  }
}

/** How much is known to who has been told everything up to this part. */
export const knownAfter = ({ blocks, definitions, id, keys, sessions }: OpenSegment): KnownOfOpen => ({
  id,
  blocks: blocks + keys.counts.length,
  sessions: sessions + definitions.length / 2
})
