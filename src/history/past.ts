/**
 * The data as of a moment: the newest checkpoint at or before it, and the batches of the log from there on, through the
 * same fold as a start. It needs neither a server nor the lock of the data directory, and goes on in steps.
 */
import { checkpointFolder, checkpointName, CheckpointUnusable, sequenceOfCheckpoint } from "../log/checkpoint-file.ts"
import { CheckpointReader } from "../log/checkpoint-reader.ts"
import { get32 } from "../log/frame.ts"
import { sameBytes } from "../log/segment.ts"
import { CheckpointLoad } from "../projections/checkpoint-load.ts"
import { stateDigestSteps } from "../projections/digest.ts"
import { Keyspace } from "../projections/keyspace.ts"
import type { HashSeed } from "../projections/memory/hash.ts"
import { Replay } from "../projections/replay.ts"
import { PastTooLarge, withoutBeginning } from "./errors.ts"
import type { LogView } from "./log-view.ts"
import type { Moment } from "./moment.ts"

/** Events folded and frames of a checkpoint loaded between two steps: a few milliseconds. */
const eventsPerStep = 4096
const framesPerStep = 8
/** Others come to be where the log speaks of them. */
const databases = 1

/** A moment of one log: what has happened by then, and which time it is. */
export interface Point {
  /** Everything up to this batch has happened; 0: nothing has. */
  readonly sequence: number
  /** Unix ms, for deadlines: of the batch, or the time that was asked for. */
  readonly time: number
}

/**
 * What a moment stands for. Throws `Truncated`, and `BeyondHead` for a sequence after the newest or, when `now` (Unix ms)
 * is given, a time after it.
 */
export const pointOf = (view: LogView, moment: Moment, now?: number): Point => {
  const sequence = view.sequenceAt(moment, now)
  return { sequence, time: moment.kind === "time" ? moment.time : timeOf(view, sequence) }
}

/** When the newest batch up to a sequence was written, Unix ms; 0 before the first. */
export const timeOf = (view: LogView, sequence: number): number => {
  for (const { time } of view.batches({ to: sequence, reverse: true })) return time
  return 0
}

/** How a keyspace of the past is made. */
export interface PastOptions {
  /** Its keys and values may take so many bytes. */
  readonly limitBytes?: number
  /** Told every now and then how many they take. */
  readonly onGrowth?: (usedBytes: number) => void
  /** Told of a checkpoint that cannot be used; the one before it is tried then. */
  readonly warn?: (message: string) => void
}

/** All data as of one moment, in memory of its own. It can go on to later moments, not back. */
export class Past {
  readonly keyspace: Keyspace
  /** Everything up to this batch is in it. */
  sequence: number
  /** Unix ms: what commands that look at it take for now. */
  time = 0
  private readonly options: PastOptions
  constructor(keyspace: Keyspace, sequence: number, options: PastOptions = {}) {
    this.keyspace = keyspace
    this.sequence = sequence
    this.options = options
  }

  /**
   * Folds what happened from here to a later point. Yields how much of it is done, 0 to 1; given up in between, or after
   * an error, it is to be disposed of. Throws `PastTooLarge` and what reading a log throws.
   */
  *forward(view: LogView, to: Point): Generator<number, void> {
    const from = this.sequence
    if (to.sequence > from) {
      const replay = new Replay(this.keyspace, view.batches({ from: from + 1, to: to.sequence }), to.sequence)
      try {
        while (!replay.slice(eventsPerStep)) {
          if (replay.sequence > 0) this.sequence = replay.sequence
          this.checkSize()
          yield Math.max(0, replay.sequence - from) / (to.sequence - from)
        }
      } finally {
        replay.stop()
      }
      this.checkSize()
      this.sequence = to.sequence
    }
    this.time = to.time
  }

  /** Throws `PastTooLarge`. */
  checkSize(): void {
    const { limitBytes: limit = Infinity, onGrowth } = this.options
    const { usedBytes } = this.keyspace
    onGrowth?.(usedBytes)
    if (usedBytes <= limit) return
    throw new PastTooLarge({ limit, message: `the data of that moment takes more than ${limit} bytes of memory` })
  }

  /** Fingerprint of all data as the events left it (see digest.ts), equal wherever the same batches were folded. */
  digest(): Generator<undefined, string> {
    return stateDigestSteps(this.keyspace)
  }

  /** Gives its memory back. */
  dispose(): void {
    disposeOf(this.keyspace)
  }
}

/** Sequences of the checkpoints of a view's data directory, oldest first; whether they can be used is not known yet. */
export const checkpointsOf = ({ disk }: LogView): Array<number> =>
  disk.list(checkpointFolder).flatMap((base) => sequenceOfCheckpoint(base) ?? []).sort((a, b) => a - b)

/**
 * The data as of a moment. Yields how much of it is done, 0 to 1. Throws `Truncated` where neither the log nor a
 * checkpoint reaches back that far, `BeyondHead` (for a time after `now`, if that is given), `PastTooLarge`, and what
 * reading a log throws. Given up in between, it leaves nothing behind.
 */
export function* keyspaceAsOf(
  view: LogView,
  moment: Moment,
  options: PastOptions & { readonly now?: number } = {}
): Generator<number, Past> {
  return yield* pastAt(view, pointOf(view, moment, options.now), options)
}

/** The data as of a point of the log; see `keyspaceAsOf`. */
export function* pastAt(view: LogView, point: Point, options: PastOptions = {}): Generator<number, Past> {
  const { sequence } = point
  const all = checkpointsOf(view)
  for (const checkpoint of all.toReversed()) {
    if (checkpoint > sequence) continue
    if (checkpoint + 1 < view.oldest) break // the log does not go on from there
    try {
      const past = yield* loaded(view, checkpoint, options)
      return yield* finished(past, view, point)
    } catch (error) {
      if (!(error instanceof CheckpointUnusable)) throw error
      options.warn?.(`the checkpoint of sequence ${checkpoint} cannot be used: ${error.message}`)
    }
  }
  if (view.beginsLater) {
    const first = all.find((checkpoint) => checkpoint > sequence)
    throw withoutBeginning({ kind: "sequence", sequence }, view.oldest, first)
  }
  return yield* finished(new Past(new Keyspace(databases, ownSeed(view)), 0, options), view, point)
}

function* finished(past: Past, view: LogView, point: Point): Generator<number, Past> {
  let done = false
  try {
    yield* past.forward(view, point)
    done = true
    return past
  } finally {
    if (!done) past.dispose()
  }
}

/** What a checkpoint holds. Throws `CheckpointUnusable`, also when it is gone, and `PastTooLarge`. */
function* loaded(view: LogView, sequence: number, options: PastOptions): Generator<number, Past> {
  const reader = new CheckpointReader(view.disk, checkpointName(sequence))
  let past: Past | undefined
  let done = false
  try {
    const { header } = reader
    const storeId = view.parts[0]?.segment.header.storeId
    if (header.sequence !== sequence || (storeId !== undefined && !sameBytes(header.storeId, storeId))) {
      throw new CheckpointUnusable("it does not belong to this log", false)
    }
    past = new Past(new Keyspace(databases, header.hashSeed), sequence, options)
    const load = new CheckpointLoad(past.keyspace, reader)
    for (let frames = 1; !load.slice(); frames++) {
      if (frames % framesPerStep !== 0) continue
      past.checkSize()
      yield reader.position / reader.size
    }
    past.checkSize()
    done = true
    return past
  } finally {
    reader.close()
    if (!done) past?.dispose()
  }
}

/** Gives the memory of a keyspace that nobody uses any more back. */
export const disposeOf = ({ databases }: Keyspace): void => {
  for (const { arena } of databases) {
    arena.unmeter()
    while (arena.dismantle());
  }
}

/** A key for the hashes of data that comes from the log alone: others cannot know it, and it is the same each time. */
export const ownSeed = (view: LogView): HashSeed => {
  const id = view.parts[0]?.segment.header.storeId
  return id === undefined ? { k0: 1, k1: 2 } : { k0: get32(id, 0), k1: get32(id, 4) }
}
