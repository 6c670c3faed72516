/**
 * Random sequences of requests to a Redis and an Annals of their own, which have to answer the same.
 *
 *   ANNALS_CONFORMANCE_SEED  repeats one run
 */
import * as Fc from "fast-check"
import { afterAll, beforeAll, expect } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { startRedis } from "../support/redis-server.ts"
import { runSequence } from "./differential.ts"
import type { Step } from "./grammar.ts"
import type { Listeners } from "./listening.ts"

const seed = process.env["ANNALS_CONFORMANCE_SEED"]

/** The seed of a run: the one asked for, or any. */
export const seedOfRun = (): number => seed === undefined ? (Math.random() * 0x7fffffff) | 0 : Number(seed)

/** What is compared: these steps, in this protocol, until there were so many requests. */
export interface Comparison {
  readonly name: string
  readonly protocol: 2 | 3
  readonly steps: Fc.Arbitrary<Step>
  readonly requests: number
  /** Subscribers that have to be told the same. */
  readonly listeners?: Listeners
  /** Called before each round of ten sequences. */
  readonly before?: (round: number) => Promise<void>
}

/**
 * Both servers with DEBUG and these arguments, Annals with some that 7.0 does not know, for the tests of a `describe`; only
 * where there is a Redis.
 */
export const servers = (args: ReadonlyArray<string> = [], newer: ReadonlyArray<string> = []) => {
  const started: Array<ServerProcess> = []
  let ended = false
  beforeAll(async () => {
    const all = ["--enable-debug-command", "yes", ...args]
    started.push((await startRedis({ args: all }))!, await startAnnals({ args: [...all, ...newer] }))
    void started[1]!.ended.then(() => (ended = true))
  })
  afterAll(() => Promise.all(started.map((server) => server.stop())))

  /** Runs sequences until there were enough requests; the same answers are expected to each, and a server that goes on. */
  const agree = async ({ before, listeners, name, protocol, requests, steps }: Comparison): Promise<void> => {
    const [redis, annals] = started as [ServerProcess, ServerProcess]
    const first = seedOfRun()
    const sequence = Fc.noBias(Fc.array(steps, { maxLength: 600, size: "max" }))
    let done = 0
    for (let round = 0; done < requests; round++) {
      await before?.(round)
      await Fc.assert(
        Fc.asyncProperty(sequence, async (steps) => {
          done += await runSequence({ redis, annals }, protocol, steps, listeners)
          expect(ended, annals.output()).toBe(false)
        }),
        { seed: first + round, numRuns: 10 }
      )
    }
    expect(done).toBeGreaterThanOrEqual(requests)
    console.log(`${name}, RESP${protocol}: ${done} requests agree, seed ${first}`)
  }
  return { started: started as ReadonlyArray<ServerProcess>, agree }
}
