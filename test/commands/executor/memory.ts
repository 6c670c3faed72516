/** What the tests of the memory limit share. */
import type { MemorySettings } from "../../../src/commands/memory-policy.ts"
import { noMemoryLimit } from "../../../src/commands/memory-policy.ts"
import { evictionPolicies } from "../../../src/log/events/fields.ts"
import { stateDigest } from "../../../src/projections/digest.ts"
import { evolve } from "../../../src/projections/evolve.ts"
import { Keyspace } from "../../../src/projections/keyspace.ts"
import { Harness, type SeenBatch } from "../../support/harness.ts"

export const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"

export const policies = [...evictionPolicies, "noeviction"] as const

/** Limits a harness's memory; 100 of tenacity, so that no clock decides how many keys go. */
export const limit = (harness: Harness, settings: Partial<MemorySettings>): void =>
  harness.executor.limitMemory({ ...noMemoryLimit(), tenacity: 100, ...settings })

/** The state that batches fold to, in a keyspace of another seed. */
export const folded = (batches: ReadonlyArray<SeenBatch>): string => {
  const keyspace = new Keyspace(16, { k0: 7, k1: 9 })
  for (const { db, events, time } of batches) {
    keyspace.turn.next(time)
    for (const event of events) evolve(keyspace, db, event)
  }
  return stateDigest(keyspace)
}

/** The batches of evictions among some, each one event. */
export const evictions = (batches: ReadonlyArray<SeenBatch>): ReadonlyArray<SeenBatch> =>
  batches.filter(({ origin }) => origin === "evict")

export const keyOf = (batch: SeenBatch): string => {
  const [event] = batch.events
  if (event === undefined || !("key" in event)) throw new Error("no event with a key")
  return event.key.latin1()
}
