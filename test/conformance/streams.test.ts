/**
 * Streams against redis-server 7.0.15: random sequences, replies compared byte for byte in RESP2 and RESP3, all streams with
 * their groups after each sequence. Nodes are small, so that their borders are crossed all the time.
 *
 *   ANNALS_CONFORMANCE_STREAMS  requests, 50,000 unless told
 */
import { describe, it } from "vitest"
import { servers } from "./agreement.ts"
import { streamSteps } from "./streams.ts"
import { canCompare, redisTitle } from "./subject.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_STREAMS"] ?? 50_000)

describe.skipIf(!canCompare)(`streams against ${redisTitle}`, () => {
  const { agree } = servers(["--stream-node-max-entries", "5"])

  for (const protocol of [2, 3] as const) {
    it(
      `answers the same in RESP${protocol}`,
      () => agree({ name: "streams", protocol, steps: streamSteps(), requests: wanted / 2 }),
      600_000
    )
  }
})
