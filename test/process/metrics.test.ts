/** The HTTP endpoint of a real server, and Debian's prometheus-redis-exporter pointed at one. */
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isInstalled, type ServerProcess, startAnnals } from "../support/processes.ts"
import { serverVersion, startRedis } from "../support/redis-server.ts"

/** A loopback port nobody listens on. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { readonly port: number }
      probe.close(() => resolve(port))
    })
  })

/** Samples by name and labels: `annals_keys{db="0"}`. */
const samples = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const space = line.lastIndexOf(" ")
      return [line.slice(0, space), Number(line.slice(space + 1))] as const
    })
  )

const work = async (server: ServerProcess): Promise<void> => {
  const client = await server.client()
  for (let i = 0; i < 20; i++) await client.command("SET", `key:${i}`, "v", "EX", "100")
  await client.command("GET", "key:1")
  await client.command("GET", "nokey")
  await client.command("SET", "a")
  await client.command("CONFIG", "SET", "slowlog-log-slower-than", "0")
  await client.command("SAVE")
  await client.close()
}

describe("metrics endpoint", () => {
  let server: ServerProcess
  let port = 0
  beforeAll(async () => {
    port = await freePort()
    server = await startAnnals({ args: ["--metrics-port", `${port}`, "--appendfsync", "always"] })
    await work(server)
  })
  afterAll(() => server.stop())
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init)

  it("answers figures that are true", async () => {
    const response = await get("/metrics")
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8"
    ])
    const text = await response.text()
    const found = samples(text)
    for (
      const [name, value] of Object.entries({
        "annals_keys{db=\"0\"}": 20,
        "annals_keys_with_deadline{db=\"0\"}": 20,
        "annals_commands_total{command=\"set\"}": 20,
        "annals_commands_rejected_total{command=\"set\"}": 1,
        "annals_command_duration_seconds_count{command=\"set\"}": 20,
        "annals_command_duration_seconds_bucket{command=\"set\",le=\"+Inf\"}": 20,
        "annals_keyspace_hits_total": 1,
        "annals_keyspace_misses_total": 1,
        "annals_errors_total{code=\"ERR\"}": 1,
        "annals_log_sequence": 20,
        "annals_log_frame_bytes_count": 20,
        "annals_log_writable": 1,
        "annals_loading": 0,
        "annals_checkpoint_sequence": 20,
        "annals_checkpoint_lag_batches": 0,
        "annals_clients": 0,
        "annals_clients_limit": 10_000
      })
    ) expect([name, found.get(name)]).toEqual([name, value])
    expect(found.get("annals_log_fsync_seconds_count")!).toBeGreaterThan(0)
    expect(found.get("annals_checkpoint_age_seconds")!).toBeLessThan(600)
    expect(found.get("annals_memory_used_bytes")!).toBeGreaterThan(20 * 8)
    expect(found.get("annals_event_loop_lag_seconds{statistic=\"max\"}")!).toBeGreaterThanOrEqual(0)
    // Every sample belongs to a name that was introduced, and no name is introduced twice.
    const heads = [...text.matchAll(/^# TYPE (\S+) (counter|gauge|histogram)$/gm)].map(([, name]) => name!)
    expect(new Set(heads).size).toBe(heads.length)
    for (const sample of found.keys()) {
      const name = sample.replace(/\{.*/, "")
      expect(
        heads.some((head) =>
          name === head || name.startsWith(head) && /^_(bucket|sum|count)$/.test(name.slice(head.length))
        )
      ).toBe(true)
    }
    for (const [, counter] of text.matchAll(/^# TYPE (\S+) counter$/gm)) expect(counter).toMatch(/_total$/)
  })

  it("says whether it lives and is ready, and refuses the rest", async () => {
    const statuses = await Promise.all(
      ["/livez", "/readyz", "/metrics?x=1", "/", "/nosuch"].map(async (path) => (await get(path)).status)
    )
    expect(statuses).toEqual([200, 200, 200, 404, 404])
    expect((await get("/metrics", { method: "POST", body: "x" })).status).toBe(405)
    const head = await get("/livez", { method: "HEAD" })
    expect([head.status, await head.text()]).toEqual([200, ""])
  })

  it("listens on the loopback interface and is off by default", async () => {
    const other = await startAnnals()
    const client = await other.client()
    expect(await client.command("CONFIG", "GET", "metrics-*")).toEqual({
      type: "array",
      items: ["metrics-port", "0", "metrics-bind", "127.0.0.1"].map((text) => ({
        type: "bulk",
        value: Buffer.from(text)
      }))
    })
    await client.close()
    await other.stop()
  })

  it("ends a start with a message when its port is taken", async () => {
    const blocked = startAnnals({ args: ["--metrics-port", `${port}`] })
    await expect(blocked).rejects.toThrow(/metrics/)
  })

  it("does not hold up the end of the server", async () => {
    const own = await freePort()
    const other = await startAnnals({ args: ["--metrics-port", `${own}`] })
    await (await fetch(`http://127.0.0.1:${own}/livez`, { keepalive: true })).text()
    // A server that does not end by itself is killed, and then there is a signal.
    expect((await other.stop()).signal).toBeNull()
  })
})

const exporter = "prometheus-redis-exporter"

describe.skipIf(!isInstalled(exporter) || serverVersion("redis-server") !== "7.0.15")(exporter, () => {
  /** Metrics of Redis's that Annals has nothing to report for, with the reason. */
  const absent: Readonly<Record<string, string>> = {}

  const scrape = async (server: ServerProcess): Promise<ReadonlyMap<string, number>> => {
    const port = await freePort()
    const child = spawn(exporter, [
      `--redis.addr=redis://127.0.0.1:${server.port}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--include-system-metrics",
      "--include-config-metrics",
      "--export-client-list",
      "--check-keys=key:*"
    ])
    try {
      for (let attempt = 0;; attempt++) {
        try {
          return samples(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
        } catch (error) {
          if (attempt === 100) throw error
          await sleep(50)
        }
      }
    } finally {
      child.kill("SIGKILL")
    }
  }

  it("finds the server up, without an error, and every metric it finds in Redis", async () => {
    const redis = await startRedis({ args: ["--appendonly", "yes"] }) as ServerProcess
    const annals = await startAnnals()
    await Promise.all([work(redis), work(annals)])
    const [theirs, ours] = [await scrape(redis), await scrape(annals)]
    await Promise.all([redis.stop(), annals.stop()])
    expect(ours.get("redis_up")).toBe(1)
    const errors = [...ours].filter(([name]) => name.startsWith("redis_exporter_last_scrape_error"))
    expect(errors.map(([, value]) => value)).toEqual([0])
    const names = (found: ReadonlyMap<string, number>) =>
      new Set([...found.keys()].filter((name) => name.startsWith("redis_")).map((name) => name.replace(/\{.*/, "")))
    const missing = [...names(theirs)].filter((name) => !names(ours).has(name))
    expect(missing.toSorted()).toEqual(Object.keys(absent).toSorted())
    expect(ours.get("redis_db_keys{db=\"db0\"}")).toBe(20)
    expect(ours.get("redis_commands_total{cmd=\"set\"}")).toBe(20)
  })
})
