/** Writes and syncs of the log that fail under the real server, because strace makes them fail. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { plain } from "../support/resp-client.ts"
import { expectAll, isMisconf, killAfterEach, mayTrace, poll, start, startTraced } from "./faults.ts"
import { foldCopy, scratchDir, serverDigest, sleep } from "./oracle.ts"

killAfterEach()

describe.skipIf(!mayTrace)("calls that fail", () => {
  for (const nth of [1, 3, 8]) {
    it(`ends the process before it acknowledges what fdatasync ${nth} did not sync, appendfsync always`, async () => {
      const dir = scratchDir("fsync-always")
      const server = await startTraced(dir, { calls: "fdatasync", inject: `fdatasync:error=EIO:when=${nth}` }, [
        "--appendfsync",
        "always"
      ])
      const client = await server.client()
      let acknowledged = 0
      for (; acknowledged < 100; acknowledged++) {
        const reply = await client.command("INCR", "n").catch(() => undefined)
        if (reply === undefined) break
        expect(plain(reply)).toBe(acknowledged + 1)
      }
      // strace counts the calls of each thread, and the log syncs in two of them: at once or by one of the pool.
      expect(acknowledged).toBeGreaterThanOrEqual(nth - 1)
      expect(acknowledged).toBeLessThanOrEqual(2 * (nth - 1))
      expect(await server.ended).toEqual({ code: 1, signal: null })
      expect(server.output()).toContain("ending before anything is acknowledged")
      const folded = foldCopy(dir)
      const again = await start({ dir })
      const reader = await again.client()
      expect([acknowledged, acknowledged + 1]).toContain(Number(plain(await reader.command("GET", "n"))))
      expect(await serverDigest(reader)).toBe(folded.digest)
    })
  }

  it("moves to a fresh segment when fdatasync fails, appendfsync everysec", async () => {
    const dir = scratchDir("fsync-everysec")
    const trace = join(scratchDir("trace"), "calls")
    const args = ["--appendfsync", "everysec"]
    const server = await startTraced(dir, {
      calls: "fdatasync,fsync",
      inject: "fdatasync:error=EIO:when=1",
      output: trace
    }, args)
    const client = await server.client()
    let acknowledged = 0
    const until = performance.now() + 2500
    while (performance.now() < until) {
      const reply = await client.command("INCR", "n")
      if (reply.type === "integer") {
        expect(Number(reply.value)).toBe(++acknowledged)
        if (acknowledged % 50 === 0) await sleep(10)
      } else {
        expect(isMisconf(reply)).toBe(true)
        await sleep(10)
      }
    }
    await poll(() => client.command("PING"), ({ type }) => type === "status")
    expect(acknowledged).toBeGreaterThan(10)
    await server.kill()
    // The descriptor that failed is never synced again: its success would prove nothing.
    const calls = readFileSync(trace, "utf8").split("\n")
    const failed = calls.findIndex((line) => line.includes("EIO"))
    const failedFile = /fdatasync\((\d+<[^>]*>)/.exec(calls[failed]!)![1]!
    expect(calls.slice(failed + 1).filter((line) => line.includes(`sync(${failedFile}`))).toEqual([])
    expect(readdirSync(join(dir, "log")).filter((name) => name.endsWith(".evl")).length).toBeGreaterThanOrEqual(1)
    const folded = foldCopy(dir)
    const again = await start({ dir })
    const reader = await again.client()
    expect(Number(plain(await reader.command("GET", "n")))).toBe(acknowledged)
    expect(await serverDigest(reader)).toBe(folded.digest)
  })

  for (const code of ["ENOSPC", "EDQUOT", "EIO"]) {
    it(`comes through writes that fail with ${code}, appendfsync everysec`, async () => {
      const dir = scratchDir("write-fails")
      const server = await startTraced(dir, { calls: "pwrite64", inject: `pwrite64:error=${code}:when=12..16` }, [
        "--appendfsync",
        "everysec"
      ])
      const client = await server.client()
      const acknowledged = new Map<string, string>()
      for (let i = 0; i < 60; i++) {
        const reply = await client.command("SET", `k${i}`, `${i}`)
        if (reply.type === "status") acknowledged.set(`k${i}`, `${i}`)
        else expect(isMisconf(reply)).toBe(true)
        await sleep(5)
      }
      await poll(() => client.command("SET", "last", "1"), ({ type }) => type === "status")
      acknowledged.set("last", "1")
      expect(acknowledged.size).toBeGreaterThan(10)
      expect(server.output()).toContain(code)
      await server.kill()
      const again = await start({ dir })
      await expectAll(await again.client(), acknowledged)
    })
  }
})
