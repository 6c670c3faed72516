/**
 * Streams against redis-server 7.0.15: random sequences, replies compared byte for byte in RESP2 and RESP3, all streams with
 * their groups after each sequence. Nodes are small, so that their borders are crossed all the time.
 *
 *   ANNALS_CONFORMANCE_STREAMS  requests, 50,000 unless told
 *   ANNALS_CONFORMANCE_SEED     repeats one run
 */
import * as Fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { startRedis } from "../support/redis-server.ts"
import { runSequence } from "./differential.ts"
import { streamSteps } from "./streams.ts"
import { canCompare, redisTitle } from "./subject.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_STREAMS"] ?? 50_000)
const seed = process.env["ANNALS_CONFORMANCE_SEED"]

describe.skipIf(!canCompare)(`streams against ${redisTitle}`, () => {
  let redis: ServerProcess
  let annals: ServerProcess
  let ended = false

  beforeAll(async () => {
    const args = ["--enable-debug-command", "yes", "--stream-node-max-entries", "5"]
    redis = (await startRedis({ args }))!
    annals = await startAnnals({ args })
    void annals.ended.then(() => (ended = true))
  })
  afterAll(() => Promise.all([redis?.stop(), annals?.stop()]))

  for (const protocol of [2, 3] as const) {
    it(`answers the same in RESP${protocol}`, async () => {
      const first = seed === undefined ? (Math.random() * 0x7fffffff) | 0 : Number(seed)
      const sequence = Fc.noBias(Fc.array(streamSteps(), { maxLength: 600, size: "max" }))
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
      console.log(`streams, RESP${protocol}: ${requests} requests agree, seed ${first}`)
    }, 600_000)
  }
})
