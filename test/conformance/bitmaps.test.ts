/**
 * Bitmaps against redis-server 7.0.15: random sequences, replies compared byte for byte in RESP2 and RESP3, all values and
 * their encodings after each sequence. Then what random sequences leave out: the longest strings there may be.
 *
 *   ANNALS_CONFORMANCE_BITMAPS  requests in each protocol, 25,000 unless told
 */
import { describe, expect, it } from "vitest"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"
import { servers } from "./agreement.ts"
import { bitmapSteps } from "./bitmaps.ts"
import { dumped } from "./dumps.ts"
import { canCompare, redisTitle } from "./subject.ts"

const wanted = Number(process.env["ANNALS_CONFORMANCE_BITMAPS"] ?? 25_000)

describe.skipIf(!canCompare)(`bitmaps against ${redisTitle}`, () => {
  const { agree, started } = servers()
  const clients = (): Promise<ReadonlyArray<RespClient>> => Promise.all(started.map((server) => server.client()))

  for (const protocol of [2, 3] as const) {
    it(
      `answers the same in RESP${protocol}`,
      () => agree({ name: "bitmaps", protocol, steps: bitmapSteps, requests: wanted }),
      600_000
    )
  }

  it("moves bitmaps both ways with DUMP and RESTORE, and copies them", async () => {
    const [theirs, ours] = (await clients()) as [RespClient, RespClient]
    const bytesOf = (client: RespClient, key: string) => client.raw(encodeRequest(["GET", key]), 1)
    for (const [from, to] of [[theirs, ours], [ours, theirs]] as const) {
      for (const last of [0, 7, 100, 9999, 1_000_003]) {
        await Promise.all([from, to].map((client) => client.command("FLUSHALL")))
        await from.command("SETBIT", "k", `${last}`, "1")
        await from.command("BITFIELD", "k", "INCRBY", "i13", `#${last % 77}`, "-5")
        await from.command("BITOP", "NOT", "inverse", "k")
        await from.command("BITOP", "XOR", "k", "k", "inverse", "k")
        expect(plain(await from.command("COPY", "k", "copy"))).toBe(1)
        expect(await bytesOf(from, "copy")).toEqual(await bytesOf(from, "k"))
        expect((await to.raw(encodeRequest(["RESTORE", "k", "0", await dumped(from, "k")]), 1))[0]!.toString()).toBe(
          "+OK\r\n"
        )
        expect(await bytesOf(to, "k")).toEqual(await bytesOf(from, "k"))
        const used = await Promise.all(
          [from, to].map(async (client) => plain(await client.command("MEMORY", "USAGE", "copy")))
        )
        expect(used[1]).toBe(null)
        expect(used[0]).toBeGreaterThan(last / 8)
        // A string that grew has an eighth to spare, in Redis as much as it holds, up to a megabyte.
        expect(used[0]).toBeLessThan(2 * (last / 8) + 1200)
      }
    }
    await Promise.all([theirs.close(), ours.close()])
  })

  it("answers the same about the longest strings", async () => {
    const last = "4294967295"
    const [theirs, ours] = (await clients()) as [RespClient, RespClient]
    for (
      const words of [
        ["FLUSHALL"],
        ["SETBIT", "k", "4294967296", "1"],
        ["SETBIT", "k", last, "1"],
        ["STRLEN", "k"],
        ["GETBIT", "k", last],
        ["GETBIT", "k", "4294967294"],
        ["BITCOUNT", "k", "4294967290", "-1", "BIT"],
        ["BITPOS", "k", "1"],
        ["BITPOS", "k", "1", "-9", "-1", "BIT"],
        ["BITFIELD", "k", "GET", "u63", last, "GET", "i2", "4294967294"],
        ["BITFIELD", "k", "INCRBY", "i64", last, "-9223372036854775808"],
        ["STRLEN", "k"],
        ["BITCOUNT", "k", "536870900", "-1"],
        ["BITPOS", "k", "1", "536870912"],
        ["SETRANGE", "k", "536870920", "x"],
        ["APPEND", "k", "x"],
        ["CONFIG", "SET", "proto-max-bulk-len", "1048576"],
        ["SETBIT", "m", "8388607", "1"],
        ["SETBIT", "m", "8388608", "1"],
        ["GETBIT", "m", "8388608"],
        ["BITFIELD", "m", "SET", "u8", "8388607", "255"],
        ["BITFIELD", "m", "SET", "u8", "8388608", "255"],
        ["BITFIELD", "m", "GET", "u8", "#1048576"],
        ["STRLEN", "m"],
        ["BITCOUNT", "k", "0", "99"],
        ["CONFIG", "SET", "proto-max-bulk-len", "536870912"],
        ["FLUSHALL"]
      ]
    ) {
      const [left, right] = await Promise.all([theirs, ours].map((client) => client.raw(encodeRequest(words), 1)))
      expect(right![0]!.toString("latin1"), words.join(" ")).toBe(left![0]!.toString("latin1"))
    }
    await Promise.all([theirs.close(), ours.close()])
  }, 60_000)
})
