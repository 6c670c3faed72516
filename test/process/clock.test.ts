/** The real server on a clock that jumps, which libfaketime makes for it. Skipped where that is not installed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { openLog } from "../../src/log/store.ts"
import { framesOf, segmentsOf } from "../support/frames.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { info, killAfterEach, start } from "./faults.ts"
import { fold, scratchDir, serverDigest, sleep } from "./oracle.ts"

killAfterEach()

const library = ["x86_64-linux-gnu", "aarch64-linux-gnu", "faketime"]
  .flatMap((folder) => [`/usr/lib/${folder}/faketime/libfaketimeMT.so.1`, `/usr/lib/${folder}/libfaketimeMT.so.1`])
  .find((path) => existsSync(path))
if (library === undefined) {
  console.log("jumps of the clock are not tested on the real server: libfaketime is not installed")
}

const hour = 3_600_000

/** A server whose wall clock stands off by as much as `set` says; its monotonic clock is that of the machine. */
const startOff = async (dir: string, ...args: ReadonlyArray<string>) => {
  const offset = join(scratchDir("offset"), "offset")
  const set = (ms: number): void => writeFileSync(offset, `${ms < 0 ? "-" : "+"}${Math.abs(ms) / 1000}s\n`)
  set(0)
  const server = await start({
    dir,
    args,
    env: {
      LD_PRELOAD: library!,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1"
    }
  })
  return { server, set, client: await server.client() }
}

/** How far the server's clock is off, in whole hours. */
const hoursOff = async (client: RespClient): Promise<number> => {
  const [seconds] = plain(await client.command("TIME")) as ReadonlyArray<string>
  return Math.round((Number(seconds) * 1000 - Date.now()) / hour)
}

/** Times of all batches in the log of a directory, and how many steps of the clock it records. */
const logOf = (dir: string): { readonly times: ReadonlyArray<number>; readonly steps: number } => {
  const disk = nodeDisk(dir)
  const names = segmentsOf(disk.list("log").map((name) => `log/${name}`))
  const steps = names.flatMap((name) => framesOf(readFileSync(join(dir, name)))).filter(({ type }) =>
    type === "CONTROL"
  )
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const log = openLog(disk, clock, { policy: "no", randomId: () => new Uint8Array(36) })
  const times: Array<number> = []
  for (const batch of log.read(1)) times.push(batch.time)
  log.abandon()
  return { times, steps: steps.length }
}

const rising = (times: ReadonlyArray<number>): boolean => times.every((time, i) => i === 0 || time >= times[i - 1]!)

describe.skipIf(library === undefined)("a clock that is set", () => {
  it("back by an hour and forward again: deadlines stay, syncs go on, the log's times never fall", async () => {
    const dir = scratchDir("clock-back")
    const { client, server, set } = await startOff(dir, "--save", "")
    expect(plain(await client.command("SET", "k", "v", "PX", `${hour / 2}`))).toBe("OK")
    set(-hour)
    expect(await hoursOff(client)).toBe(-1)
    const left = Number(plain(await client.command("PTTL", "k")))
    expect(left).toBeGreaterThan(1.4 * hour)
    expect(left).toBeLessThanOrEqual(1.5 * hour)
    for (let i = 0; i < 5; i++) {
      const before = Number(await info(client, "log_durable_lsn"))
      expect(plain(await client.command("SET", `a${i}`, "v"))).toBe("OK")
      // everysec counts on a clock that nobody sets.
      const until = performance.now() + 10_000
      while (Number(await info(client, "log_durable_lsn")) <= before && performance.now() < until) await sleep(20)
      expect(Number(await info(client, "log_durable_lsn"))).toBeGreaterThan(before)
    }
    set(0)
    expect(plain(await client.command("SET", "b", "v"))).toBe("OK")
    const digest = await serverDigest(client)
    await server.kill()
    const { steps, times } = logOf(dir)
    expect([times.length, rising(times), steps]).toEqual([7, true, 1])
    expect(fold(nodeDisk(dir)).digest).toBe(digest)
  })

  it("forward by an hour and back: what has died stays dead, also for the next server", async () => {
    const dir = scratchDir("clock-forward")
    const { client, server, set } = await startOff(dir, "--save", "")
    expect(plain(await client.command("SET", "short", "v", "PX", `${hour / 2}`))).toBe("OK")
    expect(plain(await client.command("SET", "long", "v", "PX", `${2 * hour}`))).toBe("OK")
    set(hour)
    expect(await hoursOff(client)).toBe(1)
    expect(plain(await client.command("MGET", "short", "long"))).toEqual([null, "v"])
    expect(await info(client, "expired_keys")).toBe("1")
    set(0)
    expect(Math.abs(await hoursOff(client))).toBe(0)
    expect(plain(await client.command("MGET", "short", "long"))).toEqual([null, "v"])
    expect(plain(await client.command("SET", "after", "v"))).toBe("OK")
    expect(Number(plain(await client.command("PTTL", "long")))).toBeGreaterThan(1.9 * hour)
    await server.kill()
    const next = await start({ dir })
    expect(plain(await (await next.client()).command("MGET", "short", "long", "after"))).toEqual([null, "v", "v"])
    await next.kill()
    const { steps, times } = logOf(dir)
    expect([times.length, rising(times), steps]).toEqual([4, true, 1])
  })
})
