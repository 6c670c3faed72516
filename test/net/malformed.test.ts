/**
 * Requests damaged at random: the session answers byte for byte what a real server answers, wherever the bytes are cut,
 * and goes on to the next request or closes as that one does. The session runs in this process, so that thousands of
 * inputs take seconds.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ServerProcess } from "../support/processes.ts"
import { Random } from "../support/random.ts"
import { serverVersion, startRedis } from "../support/redis-server.ts"
import { encodeRequest } from "../support/resp.ts"
import { cutAnywhere, randomWord } from "./requests.ts"
import { World } from "./world.ts"

const count = 5_000
/** Connections to the real server at a time. */
const atOnce = 16

const pieces = [
  "*",
  "$",
  "\r",
  "\n",
  "\r\n",
  "\0",
  "-",
  "0",
  "1",
  "9",
  " ",
  "\"",
  "'",
  "\\",
  "\xff",
  "*1\r\n",
  "$4\r\n",
  "$-1\r\n"
]

/** Some good requests, none of which depends on what other connections do. */
const good = (random: Random): Buffer => {
  const word = randomWord(random)
  switch (random.below(6)) {
    case 0:
      return Buffer.from("PING\r\n")
    case 1:
      return Buffer.from(`ECHO "${random.below(1000)}"\r\n`)
    case 2:
      return encodeRequest(["ECHO", word])
    case 3:
      return encodeRequest(["PING", word])
    case 4:
      return encodeRequest([word, word])
    default:
      return encodeRequest(["NOSUCH", ...Array.from({ length: random.below(12) }, () => randomWord(random))])
  }
}

/** One to four good requests with one to three damages: bytes changed, left out, put in, moved or doubled. */
const malformed = (random: Random): Buffer => {
  let wire = Buffer.concat(Array.from({ length: random.between(1, 4) }, () => good(random)))
  for (let i = random.between(1, 3); i > 0 && wire.length > 0; i--) {
    const at = random.below(wire.length)
    const length = random.between(1, Math.min(8, wire.length - at))
    const piece = Buffer.from(random.pick(pieces), "latin1")
    const [before, hit, after] = [wire.subarray(0, at), wire.subarray(at, at + length), wire.subarray(at + length)]
    wire = random.pick([
      () => Buffer.concat([before, piece, wire.subarray(at)]),
      () => Buffer.concat([before, piece, after]),
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, hit, hit, after]),
      () => Buffer.concat([after, hit, before])
    ])()
  }
  // What comes behind shows whether both are still in step.
  return Buffer.concat([wire, encodeRequest(["ECHO", "in step"]), Buffer.from("\r\nPING behind\r\n")])
}

const version = serverVersion("redis-server")
if (version === undefined) console.warn("redis-server is not installed: malformed requests are not compared with it")

describe.skipIf(version === undefined)(`malformed requests against redis-server ${version ?? ""}`, () => {
  let redis: ServerProcess
  beforeAll(async () => {
    const started = await startRedis()
    if (started === undefined) throw new Error("redis-server is not installed")
    redis = started
  })
  afterAll(() => redis?.stop())

  const world = new World()

  const expectedOf = async (wire: Buffer): Promise<string> => {
    const client = await redis.client()
    client.send(wire)
    client.end()
    return (await client.untilClosed()).toString("latin1")
  }

  const actualOf = async (chunks: ReadonlyArray<Buffer>, random: Random): Promise<string> => {
    const client = world.connect()
    for (const chunk of chunks) {
      client.receive(chunk)
      if (random.chance(0.2)) await world.settle()
    }
    client.session.inputEnded()
    await world.settle()
    expect(client.outlet.destroyed).toBe(true)
    return client.outlet.bytes().toString("latin1")
  }

  it(`are answered the same (${count} inputs)`, async () => {
    let refused = 0
    const compare = async (seed: number): Promise<void> => {
      const wire = malformed(new Random(seed))
      const random = new Random(seed + 1_000_000)
      const expected = await expectedOf(wire)
      if (expected.includes("Protocol error")) refused++
      for (const chunks of [[wire], cutAnywhere(random, wire, 6)]) {
        const actual = await actualOf(chunks, random)
        expect(actual, `seed ${seed}: ${JSON.stringify(wire.toString("latin1").slice(0, 500))}`).toBe(expected)
      }
    }
    for (let seed = 1; seed <= count; seed += atOnce) {
      await Promise.all(Array.from({ length: Math.min(atOnce, count - seed + 1) }, (_, i) => compare(seed + i)))
    }
    // The generator must not degenerate into requests that are all right or all wrong.
    expect(refused).toBeGreaterThan(count / 10)
    expect(refused).toBeLessThan(count * 0.9)
    expect(world.clients.count).toBe(0)
    expect(world.harness.batches.length).toBe(0)
  })
})
