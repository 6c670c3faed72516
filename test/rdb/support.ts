/** Imports on a simulated disk. */
import { openLog } from "../../src/log/store.ts"
import { StartUp } from "../../src/persistence/start-up.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { replay } from "../../src/projections/replay.ts"
import { type Imported, type ImportFile, importing } from "../../src/rdb/import.ts"
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
