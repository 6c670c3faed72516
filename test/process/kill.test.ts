/**
 * kill -9 of the real server, again and again in the same directory: under each sync policy, at each moment of its life.
 * After each restart everything acknowledged is there, what is there is a prefix of what was sent, and the server's data
 * is the fold of its log as computed apart from it.
 */
import { spawn } from "node:child_process"
import { mkdirSync, readdirSync, statSync, symlinkSync, watch } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import {
  dyingWithUs,
  freePort,
  isInstalled,
  nodePath,
  repository,
  ServerDidNotStart,
  type ServerProcess,
  startAnnals
} from "../support/processes.ts"
import { Random } from "../support/random.ts"
import {
  fold,
  foldCopy,
  type Folded,
  type Load,
  randomDelay,
  recoveredSequence,
  removeScratch,
  scratchDir,
  serverDigest,
  sleep,
  Worker
} from "./oracle.ts"

const servers = new Set<ServerProcess>()
// Not after each test: they run side by side, and the first to end would take the servers of the others along.
afterAll(async () => {
  for (const server of servers) await server.kill()
  servers.clear()
  removeScratch()
})

const start = async (dir: string, args: ReadonlyArray<string>): Promise<ServerProcess> => {
  const server = await startAnnals({ dir, args })
  servers.add(server)
  return server
}

/** Starts a server and kills it while it recovers: so long after its first line. */
const killWhileRecovering = async (dir: string, args: ReadonlyArray<string>, delayMs: number): Promise<void> => {
  const port = `${await freePort()}`
  const program = [nodePath, join(repository, "src", "main.ts"), "server", "--port", port, "--dir", dir, ...args]
  const words = dyingWithUs(program)
  const child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "pipe", "inherit"] })
  const ended = new Promise((resolve) => child.once("close", resolve))
  await new Promise<void>((resolve) => {
    child.stdout.once("data", () => resolve())
    void ended.then(() => resolve())
  })
  await sleep(delayMs)
  child.kill("SIGKILL")
  await ended
}

const moments = [
  "idle",
  "append",
  "pipeline",
  "exec",
  "rotate",
  "checkpoint",
  "publish",
  "manifest",
  "retention",
  "shutdown",
  "recovery"
] as const
type Moment = typeof moments[number]

const loads: Readonly<Record<Moment, Load>> = {
  idle: { depth: 8, padding: 10 },
  append: { depth: 1, padding: 10 },
  pipeline: { depth: 60, padding: 200 },
  exec: { depth: 25, padding: 300, transaction: true },
  rotate: { depth: 10, padding: 1500 },
  checkpoint: { depth: 10, padding: 300 },
  publish: { depth: 10, padding: 300 },
  manifest: { depth: 10, padding: 1500 },
  retention: { depth: 10, padding: 800 },
  shutdown: { depth: 10, padding: 300 },
  recovery: { depth: 30, padding: 1000 }
}

/** Resolves as soon as the n-th change of such a file in a folder is seen; false when that takes too long. */
const touched = (folder: string, name: RegExp, nth: number): Promise<boolean> =>
  new Promise((resolve) => {
    mkdirSync(folder, { recursive: true })
    let count = 0
    const finish = (came: boolean): void => {
      watcher.close()
      clearTimeout(timer)
      resolve(came)
    }
    const watcher = watch(folder, (_event, file) => {
      if (file !== null && name.test(file) && ++count === nth) finish(true)
    })
    const timer = setTimeout(() => finish(false), 2000)
  })

/** First sequence of the oldest segment. */
const oldestIn = (dir: string): number =>
  Math.min(...readdirSync(join(dir, "log")).filter((name) => /\.ev[lz]$/.test(name)).map((name) => parseInt(name, 10)))

const workersPerServer = 4
const roundsPerMoment = 3

for (const policy of ["always", "everysec", "no"] as const) {
  // A hundred starts of a server: on a busy machine they take minutes.
  describe.concurrent(`kill -9 with appendfsync ${policy}`, { timeout: 300_000 }, () => {
    it("loses nothing that was acknowledged", async () => {
      const seed = 1 + Math.floor(Math.random() * 1_000_000)
      const random = new Random(seed)
      const dir = scratchDir(`kill-${policy}`)
      const workers = Array.from({ length: workersPerServer }, (_, i) => new Worker(i))
      const plan = Array.from({ length: roundsPerMoment }, () => moments).flat()
        .map((moment) => ({ moment, order: random.fraction() })).toSorted((a, b) => a.order - b.order)
      let kills = 0
      let torn = 0
      let seen = 0
      let before: Folded | undefined
      let at = "the start"
      try {
        for (const { moment } of plan) {
          const segment = random.pick(
            moment === "rotate" || moment === "retention" || moment === "manifest"
              ? [4096, 8192, 65_536]
              : [4096, 65_536, 1 << 20]
          )
          const args = ["--appendfsync", policy, "--log-segment-bytes", `${segment}`]
          if (moment === "retention") args.push("--history-retention", "200kb")
          at = `${moment}, kill ${kills + 1}, segments of ${segment} bytes`
          const server = await start(dir, args)
          const expected = before
          const inspector = await server.client()
          if (expected !== undefined) {
            expect(recoveredSequence(server)).toBe(expected.recovery.sequence)
            expect(await serverDigest(inspector)).toBe(expected.digest)
            for (const worker of workers) await worker.check(inspector)
          }
          const clients = await Promise.all(workers.map(() => server.client()))
          const running = workers.map((worker, i) => worker.run(clients[i]!, loads[moment]))
          await sleep(20 + randomDelay(random, 150))
          if (moment === "idle") {
            for (const client of clients) client.end()
            await sleep(randomDelay(random, 400))
          } else if (moment === "checkpoint") {
            // One that is there, and one on its way.
            await inspector.command("SAVE")
            await inspector.command("BGSAVE")
            await sleep(randomDelay(random, 60))
          } else if (moment === "publish") {
            // The checkpoint has got its name; folder and manifest may not know of it yet.
            const published = touched(join(dir, "checkpoints"), /\.evs$/, 1)
            await inspector.command("BGSAVE")
            if (await published) seen++
            if (random.chance(0.5)) await sleep(randomDelay(random, 4))
          } else if (moment === "manifest") {
            // Each new segment replaces it, in four steps that can be seen.
            const step = 1 + random.below(12)
            if (await touched(dir, /^MANIFEST/, step)) seen++
          } else if (moment === "shutdown") {
            process.kill(server.pid, "SIGTERM")
            await sleep(randomDelay(random, 40))
          } else if (moment === "retention") {
            // Each checkpoint lets segments go; the kill comes while one or the other is at work.
            const begins = oldestIn(dir)
            const saver = await server.client()
            for (let i = 0; i < 100 && oldestIn(dir) === begins; i++) {
              await saver.command("BGSAVE")
              await sleep(30)
            }
            expect(oldestIn(dir)).toBeGreaterThan(begins)
            await saver.command("BGSAVE")
            saver.end()
            await sleep(randomDelay(random, 60))
          }
          await server.kill()
          kills++
          servers.delete(server)
          await inspector.close()
          await Promise.all(running)
          if (moment === "recovery") {
            await killWhileRecovering(dir, args, randomDelay(random, 60))
            kills++
          }
          before = foldCopy(dir)
          if (before.recovery.tornBytes > 0) torn++
        }
        at = "the last start"
        const server = await start(dir, ["--appendfsync", policy])
        const client = await server.client()
        expect(recoveredSequence(server)).toBe(before!.recovery.sequence)
        for (const worker of workers) await worker.check(client)
        const live = await serverDigest(client)
        await client.close()
        expect(await server.stop()).toEqual({ code: 0, signal: null })
        servers.delete(server)
        const last = fold(nodeDisk(dir))
        expect(last).toMatchObject({ digest: live, recovery: { verdict: "clean", tornBytes: 0 } })
      } catch (cause) {
        throw new Error(`seed ${seed}, ${policy}, ${at}: ${(cause as Error).message}`, { cause })
      }
      const acknowledged = workers.reduce((sum, worker) => sum + worker.acknowledged, 0)
      console.log(
        `${policy}: ${kills} kills, ${acknowledged} requests acknowledged, ${torn} torn tails, ${seen} moments seen`
      )
      // The two moments that are waited for did come.
      expect(seen).toBeGreaterThan(roundsPerMoment)
      expect(kills).toBe(roundsPerMoment * (moments.length + 1))
      expect(acknowledged).toBeGreaterThan(100)
    })
  })
}

describe("kill -9 under redis-benchmark", () => {
  it.skipIf(!isInstalled("redis-benchmark"))("leaves a log that folds to what the next server serves", async () => {
    const dir = scratchDir("kill-benchmark")
    const random = new Random(7)
    for (let round = 0; round < 2; round++) {
      const server = await start(dir, ["--log-segment-bytes", "1048576"])
      const words = dyingWithUs(
        `redis-benchmark -p ${server.port} -t set -P 16 -c 20 -n 100000000 -r 20000 -d 64 -q`.split(" ")
      )
      const benchmark = spawn(words[0]!, words.slice(1), { stdio: "ignore" })
      const ended = new Promise((resolve) => benchmark.once("close", resolve))
      await sleep(300 + randomDelay(random, 400))
      await server.kill()
      servers.delete(server)
      benchmark.kill("SIGKILL")
      await ended
      const folded = foldCopy(dir)
      expect(folded.recovery.sequence).toBeGreaterThan(0)
      const next = await start(dir, [])
      const client = await next.client()
      expect(recoveredSequence(next)).toBe(folded.recovery.sequence)
      expect(await serverDigest(client)).toBe(folded.digest)
      await next.kill()
      servers.delete(next)
    }
  })
})

describe("the lock of a data directory", () => {
  it("turns a second server away with exit code 5, and does not outlive a killed owner", async () => {
    const dir = scratchDir("kill-lock")
    const first = await start(dir, [])
    // Another name for the directory does not help.
    const link = join(scratchDir("kill-link"), "data")
    symlinkSync(dir, link)
    const second = await startAnnals({ dir: link }).then(
      () => undefined,
      (cause: unknown) => cause as ServerDidNotStart
    )
    expect(second).toBeInstanceOf(ServerDidNotStart)
    expect(second!.ended).toEqual({ code: 5, signal: null })
    expect(second!.output).toContain(`held by process ${first.pid}`)
    await first.kill()
    servers.delete(first)
    const third = await start(dir, [])
    expect(await third.stop()).toEqual({ code: 0, signal: null })
    servers.delete(third)
  })

  it("keeps files and folders private, whatever the umask", async () => {
    for (const umask of ["000", "077"]) {
      const parent = scratchDir("kill-umask")
      const dir = join(parent, "data")
      const server = await startAnnals({
        dir: parent,
        args: ["--dir", dir],
        launcher: ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"]
      })
      servers.add(server)
      const client = await server.client()
      await client.command("SET", "k", "v")
      await client.close()
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      servers.delete(server)
      const modes = ["", ...readdirSync(dir, { recursive: true, encoding: "utf8" })].map((name) => {
        const stat = statSync(join(dir, name))
        return [name, (stat.mode & 0o777).toString(8), stat.isDirectory() ? "700" : "600"] as const
      })
      expect(modes.length).toBeGreaterThan(3)
      expect(modes.filter(([, mode, wanted]) => mode !== wanted)).toEqual([])
    }
  })
})
