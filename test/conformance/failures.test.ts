/** What is refused, and what is counted of that: strings that grow too long, a failed save, aborted transactions. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { plain, type RespClient } from "../support/resp-client.ts"
import { bothServers, canCompare, redisTitle, subjectIsRedis } from "./subject.ts"

const lines = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text.trim().split("\n").map((line) => line.trim().split(" ").map((word) => word === "\"\"" ? "" : word))

describe.skipIf(!canCompare)(`refusals against ${redisTitle}`, () => {
  const { clients, same, servers } = bothServers()

  it("APPEND, SETRANGE and LCS at a lowered proto-max-bulk-len", async () => {
    const mebibyte = 1024 * 1024
    await same(lines(`CONFIG SET proto-max-bulk-len 2mb
      SETRANGE k 2097152 x
      SETRANGE k 2097151 xy
      EXISTS k
      SETRANGE k 2097151 x
      STRLEN k
      APPEND k x
      APPEND k ""
      SETRANGE k 2097152 ""
      SETRANGE k 0 y
      SETRANGE k 9223372036854775807 x
      SETRANGE k 9223372036854775807 ""
      SETRANGE k -1 ""
      CONFIG SET proto-max-bulk-len 1mb
      STRLEN k
      APPEND k ""
      APPEND k x
      SETRANGE k 0 ""
      SETRANGE k 0 x
      SETRANGE k 1048575 xy
      SETRANGE k 1048575 y
      GETRANGE k 1048574 1048577
      SET short abc
      APPEND short d
      SETRANGE short 1048576 x
      CONFIG SET proto-max-bulk-len 512mb
      APPEND k z
      STRLEN k
      SETRANGE k 2097153 x
      STRLEN k
      CONFIG SET proto-max-bulk-len 1mb
      DEL k short`))
    // A table of 513 by 512 cells of four bytes is just too large.
    await same([
      ["SET", "a", "a".repeat(511)],
      ["SET", "b", "b".repeat(511)],
      ["LCS", "a", "b", "LEN"],
      ["SET", "a", "a".repeat(512)],
      ["LCS", "a", "b", "LEN"],
      // What was queued while longer words were allowed meets no limit at an absent key.
      ["CONFIG", "SET", "proto-max-bulk-len", "512mb"],
      ["MULTI"],
      ["CONFIG", "SET", "proto-max-bulk-len", "1mb"],
      ["APPEND", "new", "x".repeat(mebibyte + 1)],
      ["APPEND", "new", ""],
      ["SETRANGE", "other", "0", "x".repeat(mebibyte + 1)],
      ["EXEC"],
      ["STRLEN", "new"],
      ["CONFIG", "SET", "proto-max-bulk-len", "512mb"],
      ["DEL", "a", "b", "new", "other"]
    ])
  })

  /** calls, rejected and failed of each command, and the errors by code. */
  const counted = async (client: RespClient): Promise<ReadonlyArray<string>> => {
    const text = String(plain(await client.command("INFO", "commandstats")))
      + String(plain(await client.command("INFO", "errorstats")))
    return text.split("\r\n").filter((line) => /^(cmd|error)stat_/.test(line) && !/_(info|config\|)/.test(line))
      .map((line) => line.replace(/usec.*?,rej/, "rej")).toSorted()
  }

  const aborted = {
    "an unknown command": "MULTI, SET a 1, NOSUCH, EXEC",
    "a wrong number of arguments": "MULTI, GET, SET a, EXEC",
    "an unknown subcommand": "MULTI, OBJECT WHAT a, EXEC",
    "a watched key": "SET w 0, WATCH w, SET w 1, MULTI, INCR w, EXEC",
    "both": "SET w 0, WATCH w, SET w 1, MULTI, INCR w, NOSUCH, EXEC",
    "arguments to EXEC": "MULTI, SET a 1, EXEC a, EXEC",
    "nothing to execute": "EXEC, DISCARD, MULTI, EXEC, EXEC",
    "MULTI within": "MULTI, MULTI, SET a 1, EXEC, MULTI, MULTI a, EXEC",
    "WATCH within": "MULTI, WATCH a, SET a 1, EXEC, UNWATCH",
    "lack of memory": "CONFIG SET maxmemory 1, MULTI, SET a 1, GET a, EXEC, CONFIG SET maxmemory 0",
    "lack of memory since": "MULTI, SET a 1, CONFIG SET maxmemory 0, EXEC",
    "DISCARD": "MULTI, SET a 1, DISCARD, MULTI, NOSUCH, DISCARD, EXEC",
    "nothing: its commands fail": "MULTI, SET a text, INCR a, SET a, SETEX a 0 1, EXEC, MULTI, SET a text, INCR a, EXEC"
  }
  for (const [what, script] of Object.entries(aborted)) {
    it(`EXEC aborted by ${what} counts as it does there`, async () => {
      await same([["CONFIG", "RESETSTAT"], ...script.split(", ").map((line) => line.split(" "))])
      const [redis, annals] = await Promise.all(clients.map(counted))
      expect(redis!.length).toBeGreaterThan(1)
      expect(annals).toEqual(redis)
    })
  }

  it("EXEC refused for want of a password counts as it does there", async () => {
    await same(lines("CONFIG SET requirepass secret\nCONFIG RESETSTAT"))
    const strangers = await Promise.all(servers.map((server) => server.client()))
    const [redis, annals] = await Promise.all(strangers.map(async (stranger) => {
      const replies = await stranger.pipeline(lines("MULTI\nEXEC\nGET a\nAUTH wrong\nAUTH secret\nEXEC"))
      await stranger.close()
      return replies.map(plain).map(String)
    }))
    expect(annals).toEqual(redis)
    const [inRedis, inAnnals] = await Promise.all(clients.map(counted))
    expect(inAnnals).toEqual(inRedis)
    await same(lines("CONFIG SET requirepass \"\""))
  })

  it("writes after a save that failed, while stop-writes-on-bgsave-error and save rules stand", async () => {
    // Where one wants to write a file stands a folder, where the other wants a folder a file.
    const places = servers.map(({ dir }, i) =>
      i === 0 || subjectIsRedis
        ? { path: join(dir, "dump.rdb"), obstacle: mkdirSync }
        : { path: join(dir, "checkpoints"), obstacle: (path: string) => writeFileSync(path, "") }
    )
    const breakSaving = (): void => {
      for (const { obstacle, path } of places) {
        rmSync(path, { recursive: true, force: true })
        obstacle(path)
      }
    }
    const mendSaving = (): void => {
      for (const { path } of places) rmSync(path, { recursive: true })
      for (const { obstacle, path } of places) if (obstacle !== mkdirSync) mkdirSync(path)
    }
    const status = async (client: RespClient): Promise<string> =>
      /rdb_last_bgsave_status:(\w+)/.exec(String(plain(await client.command("INFO", "persistence"))))![1]!
    const save = async (expected: string): Promise<void> => {
      for (const client of clients) {
        expect(String(plain(await client.command("BGSAVE")))).toBe("Background saving started")
        const running = async (): Promise<boolean> =>
          !String(plain(await client.command("INFO", "persistence"))).includes("rdb_bgsave_in_progress:0")
        while (await running());
        expect(await status(client)).toBe(expected)
      }
    }
    await same([["CONFIG", "SET", "save", "3600 1"]])
    await same(lines("FLUSHALL\nSET a 1\nSAVE"))
    breakSaving()
    await same(lines("SET a 2"))
    // SAVE tells whoever asked, and that is all. Its words differ: Redis has none.
    for (const client of clients) expect((await client.command("SAVE")).type).toBe("error")
    await same(lines("SET a 3\nPING"))
    await save("err")
    await same(lines(`CONFIG RESETSTAT
      SET a 4
      DEL absent
      EXPIRE a 100
      GETEX a
      GET a
      EXISTS a
      TTL a
      SCAN 0
      PING
      PING text
      ECHO x
      SET a
      FLUSHALL
      MULTI
      SET a 5
      EXEC
      MULTI
      GET a
      EXEC
      MULTI
      PING
      EXEC
      WATCH a
      UNWATCH
      SELECT 1
      SWAPDB 0 1
      SELECT 0
      RESET`))
    const [redis, annals] = await Promise.all(clients.map(counted))
    expect(annals).toEqual(redis)
    await same(lines(`CONFIG SET stop-writes-on-bgsave-error no
      SET a 6
      PING
      MULTI
      INCR a
      CONFIG SET stop-writes-on-bgsave-error yes
      EXEC
      SET a 9
      CONFIG SET save ""
      SET a 10
      PING
      GET a`))
    await same([["CONFIG", "SET", "save", "100 100 3600 1"], ["SET", "a", "11"], ["PING"]])
    mendSaving()
    await same(lines("SET a 12"))
    await save("ok")
    await same(lines("SET a 13\nPING\nGET a"))
    // SAVE that succeeds ends it too.
    breakSaving()
    await save("err")
    await same(lines("SET a 14"))
    mendSaving()
    await same(lines("SAVE\nSET a 15\nGET a"))
    for (const client of clients) expect(await status(client)).toBe("ok")
  })
})
