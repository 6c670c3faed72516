/**
 * Lists, sets, hashes and sorted sets against redis-server 7.0.15: random sequences, replies compared byte for byte in RESP2 and
 * RESP3, digests of all values after each sequence. Limits are small, so that thresholds are crossed all the time.
 *
 *   ANNALS_CONFORMANCE_COLLECTIONS  requests per type, 100,000 unless told
 *   ANNALS_CONFORMANCE_SEED         repeats one run
 */
import { describe, it } from "vitest"
import { servers } from "./agreement.ts"
import { collectionSteps, families } from "./collections.ts"
import { canCompare, redisTitle } from "./subject.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_COLLECTIONS"] ?? 100_000)

const limits = [
  "--hash-max-listpack-entries 8",
  "--hash-max-listpack-value 16",
  "--set-max-intset-entries 8",
  "--list-max-listpack-size 6",
  "--zset-max-listpack-entries 8",
  "--zset-max-listpack-value 16"
].flatMap((option) => option.split(" "))

describe.skipIf(!canCompare)(`collections against ${redisTitle}`, () => {
  const { agree } = servers(limits, ["--set-max-listpack-entries", "8", "--set-max-listpack-value", "16"])

  for (const family of families) {
    for (const protocol of [2, 3] as const) {
      it(
        `answers the same about a ${family} in RESP${protocol}`,
        () => agree({ name: family, protocol, steps: collectionSteps(family), requests: wanted / 2 }),
        600_000
      )
    }
  }
})
