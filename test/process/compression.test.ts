/** Compression in a running server: it happens by itself, nothing is lost by a kill in its midst, and readers never notice. */
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { type ServerDidNotStart, type ServerProcess, startAnnals } from "../support/processes.ts"
import { Random } from "../support/random.ts"
import { plain } from "../support/resp-client.ts"
import { foldCopy, randomDelay, recoveredSequence, removeScratch, scratchDir, serverDigest, sleep } from "./oracle.ts"

const servers = new Set<ServerProcess>()
afterEach(async () => {
  for (const server of servers) await server.kill()
  servers.clear()
})
afterAll(removeScratch)

const start = async (dir: string, args: ReadonlyArray<string> = []): Promise<ServerProcess> => {
  const server = await startAnnals({ dir, args: ["--log-segment-bytes", "65536", ...args] })
  servers.add(server)
  return server
}

const segments = (dir: string, ending: string): Array<string> =>
  readdirSync(join(dir, "log")).filter((name) => name.endsWith(ending))

const fill = async (server: ServerProcess, prefix: string, count: number): Promise<void> => {
  const client = await server.client()
  const requests = Array.from({ length: count }, (_, i) => ["SET", `${prefix}:${i}`, `value ${i} `.repeat(20)])
  for (let i = 0; i < count; i += 100) await client.pipeline(requests.slice(i, i + 100))
  await client.close()
}

const until = async (what: string, met: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !met(); i++) await sleep(50)
  if (!met()) throw new Error(`waited in vain until ${what}`)
}

describe("compression in a running server", () => {
  it("leaves the newest two sealed segments raw, shows in INFO, and can be switched off and on", async () => {
    const dir = scratchDir("compression")
    const server = await start(dir, ["--log-compression", "no"])
    await fill(server, "a", 3000)
    const raw = segments(dir, ".evl").length
    expect(raw).toBeGreaterThan(6)
    const client = await server.client()
    const digest = await serverDigest(client)
    await sleep(1500)
    expect(segments(dir, ".evz")).toEqual([])
    expect(plain(await client.command("CONFIG", "SET", "log-compression", "yes"))).toBe("OK")
    await until(
      "all but two sealed segments are compressed",
      () => segments(dir, ".evl").length === 3 && !readdirSync(join(dir, "log")).some((name) => name.endsWith(".tmp"))
    )
    expect(segments(dir, ".evz").length).toBe(raw - 3)
    const info = String(plain(await client.command("INFO", "everything")))
    expect(info).toContain(`log_compressed_segments:${raw - 3}\r\n`)
    const [stored, original] = ["log_bytes", "log_original_bytes"].map((name) =>
      Number(new RegExp(`${name}:(\\d+)`).exec(info)![1])
    )
    expect(stored!).toBeLessThan(original! / 2)
    expect(await serverDigest(client)).toBe(digest)
    await client.close()
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    servers.delete(server)
    const again = await start(dir)
    expect(await serverDigest(await again.client())).toBe(digest)
  })

  it("survives kill -9 at any moment of it", async () => {
    const seed = 1 + Math.floor(Math.random() * 1_000_000)
    const random = new Random(seed)
    const dir = scratchDir("compression-kill")
    const begun = (): number => readdirSync(join(dir, "log")).filter((name) => name.includes(".evz")).length
    let digest: string | undefined
    let last = 0
    for (let round = 0; round < 3; round++) {
      const server = await start(dir)
      const client = await server.client()
      if (digest !== undefined) {
        expect(recoveredSequence(server), `seed ${seed}`).toBe(last)
        expect(await serverDigest(client), `seed ${seed}`).toBe(digest)
      }
      await fill(server, `r${round}`, 2000)
      digest = await serverDigest(client)
      const had = begun()
      await until("compression has gone on", () => begun() > had || segments(dir, ".evl").length <= 3)
      await sleep(randomDelay(random, 300))
      await server.kill()
      servers.delete(server)
      const folded = foldCopy(dir)
      expect(folded.recovery.verdict, `seed ${seed}`).toBe("clean")
      expect(folded.digest, `seed ${seed}`).toBe(digest)
      last = folded.recovery.sequence
    }
    expect(segments(dir, ".evz").length).toBeGreaterThan(0)
  })
})

describe("retention in a running server", () => {
  it("drops what a checkpoint covers after BGREWRITEAOF, shows where the log begins, and starts from there", async () => {
    const dir = scratchDir("retention")
    const args = ["--history-retention", "200kb", "--save", ""]
    const server = await start(dir, args)
    await fill(server, "a", 6000)
    const client = await server.client()
    const before = segments(dir, ".evl").length + segments(dir, ".evz").length
    await sleep(300)
    expect(String(plain(await client.command("INFO", "everything")))).toContain("log_oldest_sequence:1\r\n")
    const digest = await serverDigest(client)
    expect(plain(await client.command("BGREWRITEAOF"))).toContain("rewriting started")
    const oldest = async (): Promise<number> =>
      Number(/log_oldest_sequence:(\d+)/.exec(String(plain(await client.command("INFO", "everything"))))![1])
    for (let i = 0; i < 200 && await oldest() === 1; i++) await sleep(50)
    const begins = await oldest()
    expect(begins).toBeGreaterThan(1)
    const left = (): Array<string> => [...segments(dir, ".evl"), ...segments(dir, ".evz")].sort()
    await until("the files are gone", () => Number(/^\d+/.exec(left()[0]!)![0]) === begins)
    expect(left().length).toBeLessThan(before)
    await client.command("SET", "after", "the drop")
    const last = await serverDigest(client)
    expect(last).not.toBe(digest)
    await server.kill()
    servers.delete(server)
    const again = await start(dir, args)
    const reader = await again.client()
    expect(await serverDigest(reader)).toBe(last)
    expect(again.output()).toContain("keys from the checkpoint of")
    expect(await again.stop()).toEqual({ code: 0, signal: null })
    servers.delete(again)
    // Without its checkpoints such a log does not hold the data, and the server says so instead of serving half of it.
    rmSync(join(dir, "checkpoints"), { recursive: true })
    const third = await startAnnals({ dir, args }).then(() => undefined, (cause: unknown) => cause as ServerDidNotStart)
    expect(third?.ended).toEqual({ code: 3, signal: null })
    expect(third!.output).toContain(`the log begins with sequence ${begins}`)
  })
})
