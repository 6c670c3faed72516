/**
 * Lists, sets, hashes and sorted sets against redis-server 7.0.15: random sequences, replies compared byte for byte in RESP2 and
 * RESP3, digests of all values after each sequence. Limits are small, so that thresholds are crossed all the time.
 *
 *   ANNALS_CONFORMANCE_COLLECTIONS  requests per type, 100,000 unless told
 *   ANNALS_CONFORMANCE_SEED         repeats one run
 */
import * as Fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { startRedis } from "../support/redis-server.ts"
import { collectionSteps, families, type Family } from "./collections.ts"
import { runSequence } from "./differential.ts"
import { canCompare, redisTitle } from "./subject.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_COLLECTIONS"] ?? 100_000)
const seed = process.env["ANNALS_CONFORMANCE_SEED"]

const limits = [
  "--hash-max-listpack-entries 8",
  "--hash-max-listpack-value 16",
  "--set-max-intset-entries 8",
  "--list-max-listpack-size 6",
  "--zset-max-listpack-entries 8",
  "--zset-max-listpack-value 16"
].flatMap((option) => option.split(" "))

describe.skipIf(!canCompare)(`collections against ${redisTitle}`, () => {
  let redis: ServerProcess
  let annals: ServerProcess
  let ended = false

  beforeAll(async () => {
    const args = ["--enable-debug-command", "yes", ...limits]
    redis = (await startRedis({ args }))!
    annals = await startAnnals({ args: [...args, "--set-max-listpack-entries", "8", "--set-max-listpack-value", "16"] })
    void annals.ended.then(() => (ended = true))
  })
  afterAll(async () => {
    console.log("SERVER", annals.output().slice(-3000))
    await Promise.all([redis?.stop(), annals?.stop()])
  })

  const compare = async (family: Family, protocol: 2 | 3): Promise<void> => {
    const first = seed === undefined ? (Math.random() * 0x7fffffff) | 0 : Number(seed)
    const sequence = Fc.noBias(Fc.array(collectionSteps(family), { maxLength: 600, size: "max" }))
    let requests = 0
    for (let round = 0; requests < wanted / 2; round++) {
      await Fc.assert(
        Fc.asyncProperty(sequence, async (steps) => {
          requests += await runSequence({ redis, annals }, protocol, steps)
          expect(ended, annals.output()).toBe(false)
        }),
        { seed: first + round, numRuns: 10 }
      )
    }
    expect(requests).toBeGreaterThanOrEqual(wanted / 2)
    console.log(`${family}, RESP${protocol}: ${requests} requests agree, seed ${first}`)
  }

  for (const family of families) {
    for (const protocol of [2, 3] as const) {
      it(`answers the same about a ${family} in RESP${protocol}`, () => compare(family, protocol), 600_000)
    }
  }
})
