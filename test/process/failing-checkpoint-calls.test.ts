/** The calls by which a checkpoint is made fail under the real server: it is reported, and the next one succeeds. */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { plain } from "../support/resp-client.ts"
import { comeThrough, info, killAfterEach, mayTrace, poll, startTraced } from "./faults.ts"
import { scratchDir, sleep } from "./oracle.ts"

killAfterEach()

describe.skipIf(!mayTrace)("a call of a checkpoint that fails", () => {
  const nameOf = (sequence: number): string => `checkpoints/${String(sequence).padStart(20, "0")}.evs.tmp`
  // It begins a little after it was asked for.
  const file = Array.from({ length: 12 }, (_, i) => nameOf(40 + i))
  const cases: ReadonlyArray<readonly [what: string, files: ReadonlyArray<string>, inject: string]> = [
    ["making the folder", ["checkpoints"], "mkdir:error=ENOSPC:when=1"],
    ["creating the file", file, "openat:error=EROFS:when=1"],
    ["writing it, over quota", file, "pwrite64:error=EDQUOT:when=1"],
    ["writing it, interrupted by signals", file, "pwrite64:error=EINTR:when=1..3"],
    ["syncing it", file, "fdatasync,fsync:error=EIO:when=1"],
    ["reading it back", file, "pread64:error=EIO:when=1..4"],
    ["publishing it", file, "rename:error=EIO:when=1"],
    ["syncing the folder", ["checkpoints"], "fsync:error=EIO:when=1"]
  ]
  for (const [what, names, inject] of cases) {
    it(`leaves the data and the log as they are: ${what} (${inject})`, async () => {
      const dir = scratchDir("checkpoint-call")
      const calls = inject.split(":")[0]!
      const files = names.map((name) => join(dir, name))
      const { output, refused } = await comeThrough({ calls, inject, files }, dir, [])
      expect(refused).toBe(0)
      const code = /error=(\w+)/.exec(inject)![1]!
      if (code === "EINTR") expect(output).not.toContain("a checkpoint failed")
      else expect(output).toMatch(new RegExp(`a checkpoint failed, the one before stays: .*${code}`))
      expect(readdirSync(join(dir, "checkpoints")).filter((one) => one.endsWith(".tmp"))).toEqual([])
    })
  }

  it("stops writes where save rules are configured, until one has succeeded", async () => {
    const dir = scratchDir("checkpoint-rules")
    const trace = {
      calls: "rename",
      inject: "rename:error=EIO:when=1",
      files: [join(dir, nameOf(1))]
    }
    const server = await startTraced(dir, trace, ["--save", "3600 1"])
    const client = await server.client()
    expect(plain(await client.command("SET", "k", "1"))).toBe("OK")
    await client.command("BGSAVE")
    while (await info(client, "rdb_bgsave_in_progress") !== "0") await sleep(5)
    expect(String(plain(await client.command("SET", "k", "3")))).toMatch(
      /MISCONF .*stop-writes-on-bgsave-error option/
    )
    expect(await info(client, "rdb_last_bgsave_status")).toBe("err")
    const kept = plain(await client.command("GET", "k"))
    await client.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    expect(plain(await client.command("APPEND", "k", ""))).toBe(1)
    await client.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
    expect((await client.command("APPEND", "k", "")).type).toBe("error")
    await client.command("BGSAVE")
    await poll(() => client.command("APPEND", "k", ""), ({ type }) => type === "integer")
    expect(await info(client, "rdb_last_bgsave_status")).toBe("ok")
    expect(plain(await client.command("GET", "k"))).toBe(kept)
  })
})
