/** Logs of random workloads, with what their data was on the way. */
import { stateDigest } from "../../src/projections/digest.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { compressAll } from "../support/compressing.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { randomRequest, randomTransaction, workloadDatabases } from "../support/workload.ts"

/** A log and what is known about it. */
export interface Lived {
  readonly world: CheckpointWorld
  readonly disk: SimDisk
  /** By sequence, after each request. */
  readonly digests: ReadonlyMap<number, string>
  /** By time, the last digest of it and its sequence. */
  readonly byTime: ReadonlyMap<number, { readonly sequence: number; readonly digest: string }>
}

/** How a log is lived. */
export interface LifeOptions {
  readonly requests: number
  readonly segmentBytes?: number
  /** A checkpoint after so many requests; absent: none. */
  readonly checkpointEvery?: number
  /** Old segments are compressed after so many requests; absent: never. */
  readonly compressEvery?: number
  /** Later by so many ms than the clock of other tests: its deadlines are still to come for a real server. */
  readonly ahead?: number
  /** Without digests: they take most of the time. */
  readonly blind?: boolean
}

/** Runs a random workload; several requests share a frame now and then. */
export const live = async (seed: number, options: LifeOptions): Promise<Lived> => {
  const disk = new SimDisk()
  disk.immediate = true
  const random = new Random(seed)
  const { segmentBytes = 8192 } = options
  const world = new CheckpointWorld(random, disk, { segmentBytes, chainInterval: { ms: 400, bytes: 3000 } })
  const { clock, connection, executor, log } = world
  clock.wall += options.ahead ?? 0
  const digests = new Map<number, string>()
  const byTime = new Map<number, { readonly sequence: number; readonly digest: string }>()
  if (options.blind !== true) digests.set(0, stateDigest(world.keyspace))
  for (let i = 1; i <= options.requests; i++) {
    const before = log.sequence()
    if (random.chance(0.1)) connection.client.db = random.below(workloadDatabases)
    const script = random.chance(0.05)
      ? randomTransaction(random, clock.now())
      : [randomRequest(random, clock.now())]
    for (const request of script) world.run(...request)
    if (random.chance(0.02)) executor.expire(1)
    const sequence = log.sequence()
    if (sequence > before && options.blind !== true) {
      const digest = stateDigest(world.keyspace)
      digests.set(sequence, digest)
      byTime.set(clock.now(), { sequence, digest })
    }
    if (random.chance(0.5)) {
      log.commit()
      log.tick()
    }
    if (random.chance(0.3)) clock.advance(random.below(100))
    if (options.checkpointEvery !== undefined && i % options.checkpointEvery === 0) world.checkpoint()
    if (options.compressEvery !== undefined && i % options.compressEvery === 0) await compressAll(log)
  }
  log.commit()
  return { world, disk, digests, byTime }
}
