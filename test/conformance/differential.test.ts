/**
 * Annals against redis-server 7.0.15: random sequences of requests, replies compared byte for byte in RESP2 and RESP3,
 * and the whole state after each sequence. What may differ is listed in tolerances.ts, row by row.
 *
 *   ANNALS_CONFORMANCE_COMMANDS   requests to send, 150,000 unless told
 *   ANNALS_CONFORMANCE_SEED       repeats one run; with ANNALS_CONFORMANCE_PATH, one counterexample
 *   ANNALS_CONFORMANCE_SUBJECT    "redis-server" compares Redis with itself, to test the suite
 */
import * as Fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ServerProcess } from "../support/processes.ts"
import { encodeRequest } from "../support/resp-client.ts"
import { runSequence } from "./differential.ts"
import { commandNames, steps } from "./grammar.ts"
import { canCompare, redisTitle, startReference, startSubject, subjectIsRedis } from "./subject.ts"
import { tolerances, used } from "./tolerances.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_COMMANDS"] ?? 150_000)
const seed = process.env["ANNALS_CONFORMANCE_SEED"]
const path = process.env["ANNALS_CONFORMANCE_PATH"]
const otherTypes = ["LPUSH", "SADD", "HSET", "ZADD", "XADD"]

describe.skipIf(!canCompare)(`against ${redisTitle}`, () => {
  let redis: ServerProcess
  let annals: ServerProcess
  let subjectEnded = false
  let available: ReadonlySet<string>

  const start = async (): Promise<void> => {
    annals = await startSubject()
    subjectEnded = false
    void annals.ended.then(() => (subjectEnded = true))
  }

  /** Both servers; the one under test anew when a sequence ended it, so that the sequence can still be shrunk. */
  const servers = async () => {
    if (subjectEnded) await start()
    return { redis, annals }
  }

  const known = async (server: ServerProcess): Promise<ReadonlySet<string>> => {
    const client = await server.client()
    const names = [...commandNames, ...otherTypes]
    const replies = await client.pipeline(names.map((name) => [name]))
    await client.close()
    return new Set(
      names.filter((_, i) => {
        const reply = replies[i]!
        return !(reply.type === "error" && reply.value.startsWith("ERR unknown command"))
      })
    )
  }

  beforeAll(async () => {
    redis = await startReference()
    await start()
    const names = await known(annals)
    available = new Set(otherTypes.filter((name) => names.has(name)))
  })

  afterAll(async () => {
    await Promise.all([redis?.stop(), annals?.stop()])
  })

  it("knows every command under test", async () => {
    expect([...await known(annals)].toSorted()).toEqual(expect.arrayContaining([...commandNames].toSorted()))
  })

  const compare = async (protocol: 2 | 3): Promise<void> => {
    const first = seed === undefined ? (Math.random() * 0x7fffffff) | 0 : Number(seed)
    const sequence = Fc.noBias(Fc.array(steps(available, Date.now()), { maxLength: 400, size: "max" }))
    let requests = 0
    for (let round = 0; requests < wanted / 2; round++) {
      await Fc.assert(
        Fc.asyncProperty(sequence, async (generated) => {
          requests += await runSequence(await servers(), protocol, generated)
          expect(subjectEnded, annals.output()).toBe(false)
        }),
        { seed: first + round, numRuns: 10, ...path === undefined ? {} : { path } }
      )
      if (path !== undefined) break
    }
    console.log(`RESP${protocol}: ${requests} requests agree, seed ${first}`)
  }

  it("answers the same in RESP2", () => compare(2), 600_000)
  it("answers the same in RESP3", () => compare(3), 600_000)

  it("names every tolerated difference once, with its reason", () => {
    const requests = tolerances.flatMap((row) => row.requests)
    expect(new Set(requests).size).toBe(requests.length)
    expect(tolerances.every((row) => row.reason.length > 0)).toBe(true)
    console.log("tolerated:", Object.fromEntries(used))
  })

  it.skipIf(subjectIsRedis)("refuses deadlines beyond 2^53-1 ms, which Redis takes", async () => {
    const client = await annals.client()
    const beyond = ["9007199254740992", "9223372036854775807"]
    for (const deadline of beyond) {
      await client.command("SET", "k", "v")
      for (
        const request of [
          ["PEXPIREAT", "k", deadline],
          ["SET", "k", "w", "PXAT", deadline],
          ["GETEX", "k", "PXAT", deadline],
          ["EXPIREAT", "k", "9007199254741"],
          ["EXPIRE", "k", "9007199254740"],
          ["PEXPIRE", "k", "9007199254740991"],
          ["SETEX", "k", "9007199254740", "w"],
          ["PSETEX", "k", "9007199254740991", "w"]
        ]
      ) {
        const [reply] = await client.raw(encodeRequest(request), 1)
        expect(reply!.toString()).toBe(`-ERR invalid expire time in '${request[0]!.toLowerCase()}' command\r\n`)
      }
      expect(await client.pipeline([["GET", "k"], ["PTTL", "k"]])).toEqual([
        { type: "bulk", value: Buffer.from("v") },
        { type: "integer", value: -1n }
      ])
    }
    await client.command("PEXPIREAT", "k", "9007199254740991")
    expect(await client.command("PEXPIRETIME", "k")).toEqual({ type: "integer", value: 9007199254740991n })
    await client.close()
  })
})
