/**
 * HyperLogLogs against redis-server 7.0.15: random sequences, replies compared byte for byte in RESP2 and RESP3, GET among
 * them, so that the bytes of every value are compared too; then values handed from one server to the other, both ways.
 *
 *   ANNALS_CONFORMANCE_HYPERLOGLOGS  requests per protocol, 50,000 unless told
 */
import * as Fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Random, scaled } from "../support/random.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { seedOfRun, servers } from "./agreement.ts"
import { linesOf } from "./collections.ts"
import { join, many, one, say, word, type Words } from "./parts.ts"
import { canCompare, redisTitle } from "./subject.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_HYPERLOGLOGS"] ?? 50_000)

/** Healthy ones, and those whose bytes somebody else has written. */
const sound = word("hll:1", "hll:2", "hll:3", "hll:4")
const spoilt = word("raw:1", "raw:2")
const key = Fc.oneof(
  { weight: 12, arbitrary: sound },
  { weight: 2, arbitrary: spoilt },
  { weight: 1, arbitrary: word("string:1", "list:1", "nokey") }
)
const element = Fc.oneof(
  { weight: 6, arbitrary: Fc.integer({ min: 0, max: 3000 }).map((n) => `e${n}`) },
  { weight: 2, arbitrary: Fc.integer({ min: 0, max: 1e9 }).map(String) },
  { weight: 1, arbitrary: word("", "\0", "\xff\r\n", "x".repeat(7), "y".repeat(8), "z".repeat(9), "long".repeat(400)) }
)

/** The length of a run in a byte: of one rank, or of zeros. */
const runLength = (op: number): number => op >= 0x80 ? (op & 3) + 1 : op + 1

/** A sparse value of short runs of any kind, its last one long; with `spoil` registers too many or too few. */
const handmade = (spoil: number): Fc.Arbitrary<string> =>
  Fc.tuple(
    Fc.array(Fc.oneof(Fc.integer({ min: 0x80, max: 0xff }), Fc.integer({ min: 0, max: 5 })), {
      minLength: 45, // shorter strings are embstr until they change, here; in Redis until a command of this family sees them
      maxLength: 120
    }),
    word("\0\0\0\0\0\0\0\0", "\x05\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\x80", "\xff\xff\xff\xff\xff\xff\xff\x7f")
  ).map(([ops, count]) => {
    const left = 16384 - ops.reduce((sum, op) => sum + runLength(op), 0) + spoil - 1
    return `HYLL\x01\0\0\0${count}${String.fromCharCode(...ops, 0x40 | left >>> 8, left & 0xff)}`
  })

const dense = (header: string): string => `HYLL\0\0\0\0\0\0\0\0\0\0\0${header}`

const line: Words = Fc.oneof(
  { weight: 30, arbitrary: say("PFADD", sound, element) },
  { weight: 12, arbitrary: join(say("PFADD", sound), many(0, 8, one(element))) },
  { weight: 2, arbitrary: join(say("PFADD", sound), many(50, 300, one(element))) },
  // One at a time: when the runs end too early, Redis keeps what came before, Annals does all or nothing.
  { weight: 6, arbitrary: say("PFADD", key, element) },
  { weight: 12, arbitrary: say("PFCOUNT", key) },
  { weight: 4, arbitrary: join(say("PFCOUNT", key), many(1, 4, one(key))) },
  {
    weight: 6,
    arbitrary: join(say("PFMERGE", sound), many(0, 4, one(Fc.oneof({ weight: 6, arbitrary: sound }, key))))
  },
  { weight: 1, arbitrary: say("PFMERGE", key, key) },
  { weight: 3, arbitrary: say("PFDEBUG", word("ENCODING", "DECODE", "decode", "NOSUCH"), key) },
  { weight: 1, arbitrary: say("PFDEBUG", word("TODENSE", "GETREG"), key) },
  { weight: 12, arbitrary: say("GET", sound) },
  { weight: 2, arbitrary: say("GET", key) },
  { weight: 3, arbitrary: say("DEL", key) },
  { weight: 2, arbitrary: say("COPY", sound, sound, "REPLACE") },
  { weight: 1, arbitrary: say("RENAME", sound, sound) },
  { weight: 1, arbitrary: say("EXPIRE", sound, "1000") },
  { weight: 2, arbitrary: say("OBJECT", "ENCODING", sound) },
  { weight: 2, arbitrary: say("STRLEN", sound) },
  { weight: 1, arbitrary: say("SET", sound, handmade(0)) },
  { weight: 1, arbitrary: say("SET", spoilt, Fc.oneof(handmade(0), handmade(1), handmade(-1))) },
  {
    weight: 1,
    arbitrary: say(
      "SET",
      spoilt,
      word(dense("\0") + "\xff".repeat(12_288), dense("\x80") + "\x41\x10\x04".repeat(4096))
    )
  },
  { weight: 1, arbitrary: say("APPEND", spoilt, word("\0", "\x80", "\x7f\xff")) },
  { weight: 1, arbitrary: say("SETRANGE", spoilt, word("0", "4", "5", "8", "14", "15"), word("\x02", "\x80", "\xff")) },
  { weight: 1, arbitrary: say("SET", "string:1", word("text", "12345678901234567", "HYLL")) },
  { weight: 1, arbitrary: say("RPUSH", "list:1", "x") },
  { weight: 1, arbitrary: say("PFADD") },
  { weight: 1, arbitrary: say(word("PFCOUNT", "PFMERGE", "PFDEBUG")) },
  { weight: 1, arbitrary: say("PFDEBUG", "ENCODING", sound, "x") }
)

describe.skipIf(!canCompare)(`HyperLogLogs against ${redisTitle}`, () => {
  const { agree, started } = servers()

  const setLimit = async (bytes: string): Promise<void> => {
    for (const server of started) {
      const client = await server.client()
      expect(plain(await client.command("CONFIG", "SET", "hll-sparse-max-bytes", bytes))).toBe("OK")
      await client.close()
    }
  }

  for (const protocol of [2, 3] as const) {
    it(`answers the same in RESP${protocol}, whatever hll-sparse-max-bytes is`, () =>
      agree({
        name: "HyperLogLogs",
        protocol,
        steps: linesOf(line),
        requests: wanted,
        before: (round) => setLimit(["3000", "200", "0", "16000"][round % 4]!)
      }), 600_000)
  }

  /** Values of every size, moved by GET and SET or by DUMP and RESTORE, then changed where they came to. */
  const move = async (from: RespClient, to: RespClient, by: "SET" | "RESTORE", seed: number): Promise<void> => {
    const random = new Random(seed)
    const elements = (count: number) => Array.from({ length: count }, () => `e${random.below(1e6)}`)
    for (let i = 0; i < scaled(60); i++) {
      const count = random.pick([0, 1, 2, 10, 100, 700, 1500, 5000, 20_000])
      const more = elements(random.pick([1, 3, 400]))
      await Promise.all([from.command("FLUSHALL"), to.command("FLUSHALL")])
      await from.pipeline([["PFADD", "h", ...elements(count)], ["PFADD", "other", ...elements(50)]])
      if (random.chance(0.5)) await from.command("PFCOUNT", "h")
      for (const key of ["h", "other"]) {
        const value = await from.command(by === "SET" ? "GET" : "DUMP", key)
        if (value.type !== "bulk") throw new Error(`${key} is a ${value.type}`)
        const words = by === "SET" ? ["SET", key, value.value] : ["RESTORE", key, "0", value.value]
        expect(plain(await to.command(...words))).toBe("OK")
      }
      const requests = [
        ["GET", "h"],
        ["PFCOUNT", "h"],
        ["PFADD", "h", ...more],
        ["PFCOUNT", "h", "other"],
        ["PFMERGE", "other", "h"],
        ["PFCOUNT", "other"],
        ["GET", "h"],
        ["GET", "other"]
      ]
      const [left, right] = await Promise.all([from.pipeline(requests), to.pipeline(requests)])
      expect(right, `${by}, seed ${seed}, value ${i} of ${count} elements`).toEqual(left)
    }
  }

  for (const by of ["SET", "RESTORE"] as const) {
    it(`values are handed over by ${by} both ways, and mean the same there`, async () => {
      await setLimit("3000")
      const clients = await Promise.all(started.map((server) => server.client()))
      const [one, other] = clients as [RespClient, RespClient]
      const first = seedOfRun()
      await move(one, other, by, first)
      await move(other, one, by, first + 1)
      await Promise.all(clients.map((client) => client.close()))
    })
  }
})
