/** Imports on a simulated disk. */
import { openLog } from "../../src/log/store.ts"
import { StartUp } from "../../src/persistence/start-up.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { replay } from "../../src/projections/replay.ts"
import { RdbWalk } from "../../src/rdb/file-reader.ts"
import { RdbFileWriter, writeKeyspace } from "../../src/rdb/file-writer.ts"
import { type Imported, type ImportFile, importing } from "../../src/rdb/import.ts"
import { Intake } from "../../src/rdb/intake.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** A file in memory. */
export const bytesOf = (bytes: Uint8Array, name = "file"): ImportFile => ({
  name,
  size: () => bytes.length,
  read: (into, start, length, position) => {
    const piece = bytes.subarray(position, position + length)
    into.set(piece, start)
    return piece.length
  }
})

/** Imports files into a new directory. */
export const imported = (
  files: ReadonlyArray<ImportFile>
): { readonly disk: SimDisk; readonly result: Imported; readonly warnings: ReadonlyArray<string> } => {
  const disk = new SimDisk()
  const warnings: Array<string> = []
  let id = 1
  const steps = importing({
    disk,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    randomId: () => new Uint8Array(36).fill(id++),
    seed: 7,
    warn: (text) => void warnings.push(text)
  }, files)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return { disk, result: step.value, warnings }
  }
}

/** The data as a server would find it: by way of the checkpoint, and folded from the log alone. */
export const reopened = (disk: SimDisk): { readonly fromCheckpoint: Keyspace; readonly fromLog: Keyspace } => {
  const log = openLog(disk, new FakeClock(), logOptions())
  const fromCheckpoint = new Keyspace(16, { k0: 1, k1: 2 })
  const startUp = new StartUp({
    keyspace: fromCheckpoint,
    log,
    store: log.checkpoints,
    warn: (text) => {
      throw new Error(text)
    }
  })
  startUp.run()
  if (startUp.checkpoint?.sequence !== log.sequence()) throw new Error("the checkpoint does not cover the log")
  const fromLog = new Keyspace(16, { k0: 3, k1: 4 })
  replay(fromLog, log.read(1))
  log.close()
  return { fromCheckpoint, fromLog }
}

/** The data of an RDB file, those that are dead by now among them. */
export const loaded = (file: Uint8Array): Keyspace => {
  const copy = new Keyspace(16, { k0: 1, k1: 2 })
  const intake = new Intake({
    keyspace: copy,
    now: 0,
    warn: () => {},
    apply: (db, events) => {
      copy.turn.next(0)
      for (const event of events) evolve(copy, db, event)
    }
  })
  for (const _ of new RdbWalk(bytesOf(file), intake).steps());
  return copy
}

/** The data as Redis 7.0 can hold it: without deadlines of fields; what is dead is there until the log says that it is gone. */
export const withoutFieldDeadlines = (keyspace: Keyspace): Keyspace => {
  const chunks: Array<Buffer> = []
  const writer = new RdbFileWriter((bytes) => void chunks.push(Buffer.from(bytes)), {
    created: 0,
    fieldDeadlines: "left out"
  })
  for (const _ of writeKeyspace(writer, keyspace, 0));
  writer.end()
  return loaded(Buffer.concat(chunks))
}
