/**
 * Keyspace notifications against redis-server 7.0.15 in random sequences of requests of every family, the same that are
 * used to compare replies: subscribers are told the same, in the same order.
 *
 *   ANNALS_CONFORMANCE_NOTIFICATIONS  requests of each family, 2,500 unless told
 *   ANNALS_CONFORMANCE_SEED           repeats one run
 */
import * as Fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import { servers } from "./agreement.ts"
import { bitmapSteps } from "./bitmaps.ts"
import { collectionSteps, families } from "./collections.ts"
import { type Step, steps } from "./grammar.ts"
import { Listeners } from "./listening.ts"
import { streamSteps } from "./streams.ts"
import { canCompare, redisTitle } from "./subject.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_NOTIFICATIONS"] ?? 2500)

const kinds: Readonly<Record<string, Fc.Arbitrary<Step>>> = {
  ...Object.fromEntries(families.map((family) => [family, collectionSteps(family)])),
  stream: streamSteps(),
  bitmap: bitmapSteps,
  "string and key": steps(new Set(["LPUSH", "SADD", "HSET", "ZADD", "XADD"]), Date.now())
}

describe.skipIf(!canCompare)(`random sequences against ${redisTitle}`, () => {
  const { agree, started } = servers(["--notify-keyspace-events", "AKEmn"])
  beforeAll(async () => {
    // Whatever dies is told when it is met, not when a server comes to it.
    for (const server of started) await (await server.client()).command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
  })

  for (const [i, [kind, steps]] of Object.entries(kinds).entries()) {
    const protocol = i % 2 === 0 ? 2 : 3
    it(`are told the same of every ${kind} in RESP${protocol}`, async () => {
      const listeners = await Listeners.of(started, protocol, kind === "set" || kind === "list")
      await agree({ name: `notifications of ${kind}`, protocol, steps, requests: wanted, listeners })
      await listeners.close()
      expect(listeners.told).toBeGreaterThan(wanted / 2)
    }, 600_000)
  }
})
