/** The data as it was after one batch: the newest checkpoint before it, and the log from there on. */
import { checkpointFolder, checkpointName, CheckpointUnusable, sequenceOfCheckpoint } from "../log/checkpoint-file.ts"
import { CheckpointReader } from "../log/checkpoint-reader.ts"
import type { Disk } from "../log/disk.ts"
import { hex } from "../log/segment.ts"
import type { LogView } from "../history/log-view.ts"
import { CheckpointLoad } from "../projections/checkpoint-load.ts"
import { Keyspace } from "../projections/keyspace.ts"
import { Replay } from "../projections/replay.ts"
import { type Context, Failed } from "./context.ts"
import { Progress } from "./progress.ts"

/** Databases a keyspace begins with; those a log speaks of come to be. */
const databases = 16
const eventsPerSlice = 65_536
/** Without a checkpoint any key will do. */
const seed = { k0: 0x3b9aca07, k1: 0x5deece66 }

/** Sequences of the checkpoints there are, oldest first. */
export const checkpointsOf = (disk: Disk): Array<number> =>
  disk.list(checkpointFolder).flatMap((base) => sequenceOfCheckpoint(base) ?? []).sort((a, b) => a - b)

/** Loads a checkpoint, all of it checked, of the store whose log this is. Throws `CheckpointUnusable`. */
export const loadCheckpoint = (disk: Disk, view: LogView, sequence: number, progress?: Progress): Keyspace => {
  const reader = new CheckpointReader(disk, checkpointName(sequence))
  try {
    const store = view.parts[0]?.segment.header.storeId
    if (store !== undefined && hex(store) !== hex(reader.header.storeId)) {
      throw new CheckpointUnusable(`it belongs to the store ${hex(reader.header.storeId)}, the log to ${hex(store)}`)
    }
    if (reader.header.sequence !== sequence) {
      throw new CheckpointUnusable(`it says that it is of sequence ${reader.header.sequence}`)
    }
    const keyspace = new Keyspace(databases, reader.header.hashSeed)
    const load = new CheckpointLoad(keyspace, reader)
    while (!load.slice()) progress?.at(reader.position)
    return keyspace
  } finally {
    reader.close()
  }
}

/** Folds the log from one sequence to another, both included, into a keyspace. */
export const foldOn = (view: LogView, keyspace: Keyspace, from: number, to: number, progress?: Progress): void => {
  const tail = new Replay(keyspace, view.batches({ from, to }))
  while (!tail.slice(eventsPerSlice)) progress?.at(tail.sequence - from)
}

/** The data after batch `sequence`; 0: before the first. Throws `Failed` when it cannot be had. */
export const stateAt = (context: Context, disk: Disk, view: LogView, sequence: number): Keyspace => {
  const refused: Array<string> = []
  for (const checkpoint of checkpointsOf(disk).toReversed()) {
    if (checkpoint > sequence || checkpoint > view.head || checkpoint + 1 < view.oldest) continue
    try {
      const keyspace = loadCheckpoint(disk, view, checkpoint)
      if (checkpoint < sequence) foldShowing(context, view, keyspace, checkpoint + 1, sequence)
      return keyspace
    } catch (error) {
      if (!(error instanceof CheckpointUnusable)) throw error
      refused.push(`the checkpoint of ${checkpoint}: ${error.message}`)
    }
  }
  if (view.beginsLater) {
    const why = refused.length === 0 ? "" : ` (${refused.join("; ")})`
    throw new Failed(
      `the log begins with sequence ${view.oldest}, and no checkpoint at or before ${sequence} covers what came before${why}`
    )
  }
  const keyspace = new Keyspace(databases, seed)
  if (sequence > 0) foldShowing(context, view, keyspace, 1, sequence)
  return keyspace
}

const foldShowing = (context: Context, view: LogView, keyspace: Keyspace, from: number, to: number): void => {
  const progress = new Progress(context, "folding the log", to - from + 1)
  try {
    foldOn(view, keyspace, from, to, progress)
  } finally {
    progress.end()
  }
}
