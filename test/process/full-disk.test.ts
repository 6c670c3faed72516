/**
 * Disks that take no more under the real server: a file system that is full, and a limit on the size of files. What the
 * machine does not allow is skipped and counted as skipped.
 */
import { spawnSync } from "node:child_process"
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { plain } from "../support/resp-client.ts"
import { expectAll, info, isMisconf, killAfterEach, poll, runs, start, untilRefused } from "./faults.ts"
import { fold, scratchDir, serverDigest, sleep } from "./oracle.ts"

const mounts = new Set<string>()
afterEach(() => {
  for (const mount of mounts) spawnSync("umount", ["-l", mount])
  mounts.clear()
})
killAfterEach() // after that in the file, so before it at the end of a test

/** Mounts a tmpfs of that many bytes; undefined when this process may not. */
const mountTmpfs = (bytes: number): string | undefined => {
  const dir = scratchDir("full-disk")
  if (!runs("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", dir)) return undefined
  mounts.add(dir)
  return dir
}
const mayMount = ((): boolean => {
  const dir = mountTmpfs(1 << 16)
  if (dir === undefined) return false
  mounts.delete(dir)
  return runs("umount", dir)
})()

/** Fills a file system to its last byte with one file. */
const fill = (file: string): void => {
  const fd = openSync(file, "w")
  const block = Buffer.alloc(4096, 0x2e)
  try {
    for (;;) if (writeSync(fd, block) < block.length) break
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause
  } finally {
    closeSync(fd)
  }
}

describe("a full disk", () => {
  it.skipIf(!mayMount)("refuses writes, goes on reading, and takes writes again once there is room", async () => {
    const mount = mountTmpfs(12 << 20)!
    const dir = join(mount, "data")
    mkdirSync(dir)
    const ballast = join(mount, "ballast")
    const args = ["--log-segment-bytes", "65536"]
    let server = await start({ dir, args })
    const acknowledged = new Map<string, string>()
    const took: Array<number> = []
    const rounds = 6
    for (let round = 0; round < rounds; round++) {
      const reader = await server.client()
      const writer = await server.client()
      expect(plain(await reader.command("SET", "kept", `${round}`))).toBe("OK")
      acknowledged.set("kept", `${round}`)
      fill(ballast)
      // What meets the full disk is not refused any more: it is in memory, so its answer waits until it is in the log.
      const many = round % 2 === 1
      const count = many ? 300 : 1
      const value = "v".repeat(many ? 1024 : 300_000)
      const requests = Array.from({ length: count }, (_, i) => ["SET", `round${round}:${i}`, value])
      const answers = writer.pipeline(requests)
      await untilRefused(server)
      for (const words of [["SET", "other", "x"], ["DEL", "kept"], ["INCR", "n"], ["PING"]]) {
        expect(isMisconf(await reader.command(...words))).toBe(true)
      }
      expect(plain(await reader.command("GET", "kept"))).toBe(`${round}`)
      expect(plain(await reader.command("EXISTS", "kept", "other"))).toBe(1)
      expect(plain(await reader.command("INFO", "persistence"))).toMatch(/aof_last_write_status:err/)
      await sleep(150)
      expect(plain(await reader.command("GET", "kept"))).toBe(`${round}`)

      rmSync(ballast)
      took.push(await poll(() => reader.command("SET", "after", `${round}`), ({ type }) => type === "status"))
      acknowledged.set("after", `${round}`)
      expect(plain(await reader.command("PING"))).toBe("PONG")
      const replies = await answers
      expect(replies[0]).toEqual({ type: "status", value: "OK" })
      for (const [i, reply] of replies.entries()) {
        if (reply.type === "status") acknowledged.set(`round${round}:${i}`, value)
        else expect(isMisconf(reply)).toBe(true)
      }
      await expectAll(reader, acknowledged)
      if (round === 2) {
        // Full again, and killed before there is room: what waits was promised to nobody.
        fill(ballast)
        const unanswered = writer.command("SET", "unanswered", "v".repeat(300_000)).catch(() => undefined)
        await untilRefused(server)
        await server.kill()
        expect(await unanswered).toBeUndefined()
        rmSync(ballast)
        server = await start({ dir, args })
        const client = await server.client()
        await expectAll(client, acknowledged)
        await client.close()
      } else {
        await reader.close()
        await writer.close()
      }
    }
    console.log(`writes were taken again after ${took.map((ms) => ms.toFixed(0)).join(", ")} ms`)
    const last = await server.client()
    const live = await serverDigest(last)
    await last.close()
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    expect(fold(nodeDisk(dir))).toMatchObject({ digest: live, recovery: { verdict: "clean" } })
    const again = await start({ dir, args })
    await expectAll(await again.client(), acknowledged)
  })

  it.skipIf(!runs("prlimit", "--version"))("survives a limit on the size of files, signal and all", async () => {
    const dir = scratchDir("file-limit")
    const limit = 200_000
    const args = ["--log-segment-bytes", "4194304"]
    const server = await start({ dir, args, launcher: ["prlimit", `--fsize=${limit}:unlimited`] })
    const client = await server.client()
    const writer = await server.client()
    expect(plain(await client.command("SET", "kept", "v"))).toBe("OK")
    const large = writer.command("SET", "large", "x".repeat(limit * 2))
    await untilRefused(server)
    expect(plain(await client.command("GET", "kept"))).toBe("v")
    expect(spawnSync("prlimit", [`--pid=${server.pid}`, "--fsize=unlimited"]).status).toBe(0)
    expect(plain(await large)).toBe("OK")
    const ms = await poll(() => client.command("SET", "after", "v"), ({ type }) => type === "status")
    console.log(`with the limit raised, writes were taken again after ${ms.toFixed(0)} ms`)
    await server.kill()
    const again = await start({ dir, args })
    const reader = await again.client()
    expect(plain(await reader.command("STRLEN", "large"))).toBe(limit * 2)
    expect(plain(await reader.command("MGET", "kept", "after"))).toEqual(["v", "v"])
  })
})

describe.skipIf(!runs("prlimit", "--version"))("a limit on the size of files", () => {
  it("makes a checkpoint fail and nothing else, until it is raised", async () => {
    const dir = scratchDir("checkpoint-limit")
    const limit = 100_000
    const server = await start({
      dir,
      args: ["--log-segment-bytes", "16384", "--save", ""],
      launcher: ["prlimit", `--fsize=${limit}:unlimited`]
    })
    const client = await server.client()
    const acknowledged = new Map(Array.from({ length: 60 }, (_, i) => [`k${i}`, `${i}:${"v".repeat(4000)}`]))
    for (const [key, value] of acknowledged) expect(plain(await client.command("SET", key, value))).toBe("OK")
    // Of a write that the limit cuts short the runtime tells only how far it came.
    expect(String(plain(await client.command("SAVE")))).toMatch(/ERR write checkpoints.*: (EFBIG|ENOSPC)/)
    expect(plain(await client.command("BGSAVE"))).toBe("Background saving started")
    while (await info(client, "rdb_bgsave_in_progress") !== "0") await sleep(5)
    expect(await info(client, "rdb_last_bgsave_status")).toBe("err")
    expect(server.output()).toMatch(/a checkpoint failed, the one before stays: .*(EFBIG|ENOSPC)/)
    // Without save rules nobody counts on checkpoints.
    expect(plain(await client.command("SET", "more", "v"))).toBe("OK")
    acknowledged.set("more", "v")
    expect(spawnSync("prlimit", [`--pid=${server.pid}`, "--fsize=unlimited"]).status).toBe(0)
    expect(plain(await client.command("SAVE"))).toBe("OK")
    expect(await info(client, "rdb_last_bgsave_status")).toBe("ok")
    await expectAll(client, acknowledged)
    const live = await serverDigest(client)
    await server.kill()
    expect(fold(nodeDisk(dir)).digest).toBe(live)
  })
})
