/** What happens here, passed on as commands, makes the same data in redis-server: whenever it is translated. */
import { describe, expect, it } from "vitest"
import type { Batch } from "../../src/log/event-log.ts"
import { digest } from "../../src/projections/digest.ts"
import { PassingOn } from "../../src/rdb/passing-on.ts"
import { RequestBytes } from "../../src/rdb/requests.ts"
import { canCompare, redisTitle, startReference } from "../conformance/subject.ts"
import { Harness } from "../support/harness.ts"
import { Random, scaled } from "../support/random.ts"
import { parseReply, plain, type TypedReply } from "../support/resp-client.ts"
import { randomRequest, randomTransaction } from "../support/workload.ts"
import { withoutFieldDeadlines } from "./support.ts"

const steps = scaled(6000)
/** Nothing dies in Redis by itself before this. */
const longFromNow = 7_000_000_000_000

/** Requests in some bytes. */
const requestsIn = (bytes: Buffer): number => {
  let count = 0
  for (let at = 0; at < bytes.length; count++) {
    let line = bytes.indexOf("\r\n", at)
    let words = Number(bytes.toString("latin1", at + 1, line))
    at = line + 2
    for (; words > 0; words--) {
      line = bytes.indexOf("\r\n", at)
      at = line + 4 + Number(bytes.toString("latin1", at + 1, line))
    }
  }
  return count
}

/** A small sorted set of Redis has no room for the sign of a score of zero. */
const makesNegativeZeros = ([name, ...words]: ReadonlyArray<string>): boolean =>
  name!.startsWith("Z") && (words.includes("-0") || words.includes("WEIGHTS"))

const hasError = (reply: TypedReply): boolean =>
  reply.type === "error" || (reply.type === "array" && reply.items.some(hasError))

describe.skipIf(!canCompare)(`the log passed on to ${redisTitle}`, () => {
  it("makes the same of every type, at once and late", async () => {
    const seed = (Math.random() * 0x7fffffff) | 0
    const random = new Random(seed)
    const redis = await startReference()
    const client = await redis.client()
    const harness = new Harness()
    harness.now = longFromNow
    const out = new RequestBytes()
    const passing = new PassingOn(out, harness.keyspace)
    let passed = 0
    const pass = async (to = harness.batches.length): Promise<void> => {
      for (; passed < to; passed++) {
        passing.batch(harness.batches[passed] as Batch, harness.batches.length)
      }
      const bytes = Buffer.from(out.bytes.subarray(0, out.length))
      out.clear()
      for (const reply of await client.raw(bytes, requestsIn(bytes))) {
        if (hasError(parseReply(reply))) expect.fail(`${reply.toString("latin1")}, seed ${seed}`)
      }
    }
    try {
      for (let i = 1; i <= steps; i++) {
        harness.now += random.chance(0.1) ? random.below(3000) : 0
        const requests = random.chance(0.1)
          ? randomTransaction(random, harness.now)
          : [randomRequest(random, harness.now)]
        if (!requests.some(makesNegativeZeros)) { for (const words of requests) harness.run(...words) }
        if (random.chance(i % 1000 < 500 ? 0.5 : 0.02)) {
          // Not always all of it: memory is ahead by another number of batches each time.
          await pass(random.chance(0.5) ? random.between(passed, harness.batches.length) : harness.batches.length)
        }
        if (i % 2000 > 0) continue
        await pass()
        const wanted = digest(withoutFieldDeadlines(harness.keyspace), 0)
        expect(plain(await client.command("DEBUG", "DIGEST")), `seed ${seed}, step ${i}`).toBe(wanted)
      }
    } finally {
      await client.close()
      await redis.stop()
    }
  }, 120_000)
})
