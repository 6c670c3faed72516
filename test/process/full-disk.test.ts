/**
 * Disks that fail under the real server: a file system that is full, a limit on the size of files, and calls that fail
 * because strace makes them fail. What the machine does not allow is skipped and counted as skipped.
 */
import { spawnSync } from "node:child_process"
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { isInstalled, type ServerProcess, startAnnals, type StartOptions } from "../support/processes.ts"
import { plain, type RespClient, type TypedReply } from "../support/resp-client.ts"
import { fold, foldCopy, removeScratch, scratchDir, serverDigest, sleep } from "./oracle.ts"

const servers = new Set<ServerProcess>()
const mounts = new Set<string>()
afterEach(async () => {
  for (const server of servers) await server.kill()
  servers.clear()
  for (const mount of mounts) spawnSync("umount", ["-l", mount])
  mounts.clear()
})

afterAll(removeScratch)

const start = async (options: StartOptions): Promise<ServerProcess> => {
  const server = await startAnnals(options)
  servers.add(server)
  return server
}

const runs = (program: string, ...args: ReadonlyArray<string>): boolean =>
  isInstalled(program) && spawnSync(program, args).status === 0

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

const isMisconf = (reply: TypedReply): boolean =>
  reply.type === "error" && reply.value.startsWith("MISCONF Errors writing to the AOF file: ")

/** Asks until the answer fits; gives it, with the milliseconds that took. */
const poll = async (
  ask: () => Promise<TypedReply>,
  fits: (reply: TypedReply) => boolean,
  mostMs = 10_000
): Promise<number> => {
  const began = performance.now()
  for (;;) {
    const reply = await ask()
    const ms = performance.now() - began
    if (fits(reply)) return ms
    if (ms > mostMs) throw new Error(`after ${mostMs} ms still ${JSON.stringify(plain(reply))}`)
    await sleep(10)
  }
}

/**
 * Waits until the server refuses writes. Each look has a connection of its own: one that comes in the very turn whose
 * write fails is answered only when that write has succeeded.
 */
const untilRefused = async (server: ServerProcess): Promise<void> => {
  const until = performance.now() + 20_000
  for (;;) {
    const probe = await server.client({ timeoutMs: 500 })
    const reply = await probe.command("PING").catch(() => undefined)
    await probe.close()
    if (reply !== undefined && isMisconf(reply)) return
    if (performance.now() > until) throw new Error("writes are not refused")
    await sleep(10)
  }
}

/** Everything acknowledged, by key. */
const expectAll = async (client: RespClient, acknowledged: ReadonlyMap<string, string>): Promise<void> => {
  const keys = [...acknowledged.keys()]
  const values = (await client.pipeline(keys.map((key) => ["GET", key]))).map(plain)
  expect(new Map(keys.map((key, i) => [key, values[i]]))).toEqual(acknowledged)
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
        servers.delete(server)
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
    servers.delete(server)
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
    servers.delete(server)
    const again = await start({ dir, args })
    const reader = await again.client()
    expect(plain(await reader.command("STRLEN", "large"))).toBe(limit * 2)
    expect(plain(await reader.command("MGET", "kept", "after"))).toEqual(["v", "v"])
  })
})

/** Starts a server some of whose system calls fail. With one thread of the pool the N-th call is the N-th of all. */
const startTraced = (dir: string, trace: string, inject: string, args: ReadonlyArray<string>, output = "/dev/null") =>
  start({
    dir,
    args,
    env: { UV_THREADPOOL_SIZE: "1" },
    launcher: ["strace", "-D", "-f", "-y", "-o", output, "-e", `trace=${trace}`, "-e", `inject=${inject}`]
  })

const mayTrace = runs("strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "true")

describe.skipIf(!mayTrace)("calls that fail", () => {
  for (const nth of [1, 3, 8]) {
    it(`ends the process before it acknowledges what fdatasync ${nth} did not sync, appendfsync always`, async () => {
      const dir = scratchDir("fsync-always")
      const server = await startTraced(dir, "fdatasync", `fdatasync:error=EIO:when=${nth}`, ["--appendfsync", "always"])
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
      servers.delete(server)
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
    const server = await startTraced(dir, "fdatasync,fsync", "fdatasync:error=EIO:when=1", args, trace)
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
    servers.delete(server)
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
      const server = await startTraced(dir, "pwrite64", `pwrite64:error=${code}:when=12..16`, [
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
      servers.delete(server)
      const again = await start({ dir })
      await expectAll(await again.client(), acknowledged)
    })
  }
})
