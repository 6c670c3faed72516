/** What is measured. Every part starts its own server, alone on the machine, and stops it. */
import { setTimeout as sleep } from "node:timers/promises"
import { removeTemporaryDir, type ServerProcess, temporaryDir } from "../support/processes.ts"
import { backgroundLoad, fill, integerReply, probe, redisBenchmark } from "./load.ts"
import { quantile, type Sample } from "./report.ts"
import {
  type Appendfsync,
  type BenchOptions,
  directoryBytes,
  freeLauncher,
  residentBytes,
  type ServerName
} from "./servers.ts"

/** How much is done. Counts are requests. */
export interface Scale {
  /** Requests of one run of redis-benchmark, by pipeline length. */
  readonly requests: Readonly<Record<1 | 16 | 64, number>>
  readonly latencySeconds: number
  readonly startupWrites: number
  readonly alwaysRequests: number
  readonly logRequests: number
  /** Also the commands beyond SET, GET, INCR, MSET. */
  readonly allTests: boolean
  /** How long the load goes on before the checkpoint, for comparison. */
  readonly calmSeconds: number
  readonly eviction: EvictionScale
  /** Connections of the storm, and those held open together. */
  readonly connections: number
  readonly historyEvents: number
}

/** How much is done at the memory limit. */
export interface EvictionScale {
  /** The limit, `maxmemory`. */
  readonly limitBytes: number
  /** Bytes of the values that SET and GET are timed with. */
  readonly valueBytes: number
  /** SETs before anything is timed: more than fit. */
  readonly fill: number
  /** SET and GET choose among so many keys, several times those that fit. */
  readonly range: number
  /** Requests of one run of redis-benchmark. */
  readonly requests: number
  /** Accesses of the trace; the hit ratio is that of its second half. */
  readonly accesses: number
  readonly traceKeys: number
  readonly traceValueBytes: number
}

export const fullScale: Scale = {
  requests: { 1: 250_000, 16: 1_600_000, 64: 3_200_000 },
  latencySeconds: 60,
  startupWrites: 5_000_000,
  alwaysRequests: 400_000,
  logRequests: 1_000_000,
  allTests: true,
  calmSeconds: 3,
  eviction: {
    limitBytes: 100 << 20,
    valueBytes: 100,
    fill: 1_000_000,
    range: 2_000_000,
    requests: 1_000_000,
    accesses: 500_000,
    traceKeys: 150_000,
    traceValueBytes: 4000
  },
  connections: 10_000,
  historyEvents: 10_000_000
}
export const quickScale: Scale = {
  requests: { 1: 30_000, 16: 200_000, 64: 400_000 },
  latencySeconds: 2,
  startupWrites: 200_000,
  alwaysRequests: 20_000,
  logRequests: 160_000,
  allTests: false,
  calmSeconds: 0.5,
  eviction: {
    limitBytes: 20 << 20,
    valueBytes: 200,
    fill: 100_000,
    range: 300_000,
    requests: 100_000,
    accesses: 30_000,
    traceKeys: 30_000,
    traceValueBytes: 4000
  },
  connections: 500,
  historyEvents: 1_000_000
}

export const partNames = [
  "throughput",
  "memory",
  "latency",
  "startup",
  "always",
  "logbytes",
  "checkpoint",
  "eviction",
  "flood",
  "pubsub",
  "sortedset",
  "collections",
  "hash",
  "hyperloglog",
  "geo",
  "bitmap",
  "stream",
  "replication",
  "history"
] as const
export type PartName = (typeof partNames)[number]

/** One server in one repetition: starts it, and takes its samples. */
export interface Turn {
  readonly server: ServerName
  readonly scale: Scale
  readonly selected: ReadonlySet<PartName>
  start(appendfsync: Appendfsync, options?: BenchOptions): Promise<ServerProcess>
  record(part: PartName, metric: string, unit: string, better: Sample["better"], value: number): void
  /** Says what is being done now. */
  note(what: string): void
  /** Reports a run that failed and goes on with the next. */
  attempt(part: PartName, run: () => Promise<void>): Promise<void>
}

/** Uses a server and stops it, whatever happens. */
export const withServer = async <A>(
  starting: Promise<ServerProcess>,
  use: (server: ServerProcess) => Promise<A>
): Promise<A> => {
  const server = await starting
  try {
    return await use(server)
  } finally {
    await server.stop()
  }
}

/** redis-benchmark's tests: its name, the command it needs, how much dearer than SET one request is. */
const tests: ReadonlyArray<readonly [test: string, command: string, cost: number]> = [
  ["set", "SET", 1],
  ["get", "GET", 1],
  ["incr", "INCR", 1],
  ["mset", "MSET", 5],
  ["ping_mbulk", "PING", 1],
  ["lpush", "LPUSH", 1],
  ["rpush", "RPUSH", 1],
  ["lpop", "LPOP", 1],
  ["rpop", "RPOP", 1],
  ["sadd", "SADD", 1],
  ["hset", "HSET", 1],
  ["spop", "SPOP", 1],
  ["zadd", "ZADD", 2],
  ["zpopmin", "ZPOPMIN", 1],
  ["lrange_100", "LRANGE", 20],
  ["lrange_300", "LRANGE", 50],
  ["lrange_500", "LRANGE", 80],
  ["lrange_600", "LRANGE", 100]
]
const baseTests = 4

/** The tests whose command the server knows. */
const supported = async (server: ServerProcess, all: boolean) => {
  const client = await server.client()
  const wanted = tests.slice(0, all ? undefined : baseTests)
  const replies = await client.pipeline(wanted.map(([, command]) => [command]))
  await client.close()
  return wanted.filter((_, i) => {
    const reply = replies[i]!
    return !(reply.type === "error" && reply.value.startsWith("ERR unknown command"))
  })
}

/** "5 M keys". */
export const label = (keys: number): string =>
  keys % 1_000_000 === 0 ? `${keys / 1_000_000} M keys` : `${keys / 1000} k keys`

const throughput = async (turn: Turn, server: ServerProcess, keys: number): Promise<void> => {
  for (const [test, , cost] of await supported(server, turn.scale.allTests)) {
    for (const pipeline of [1, 16, 64] as const) {
      await turn.attempt("throughput", async () => {
        const requests = Math.ceil(turn.scale.requests[pipeline] / cost)
        const args = ["-t", test, "-r", `${keys}`, "-d", "3", "-c", "50", "-P", `${pipeline}`]
        turn.note(`${test} P=${pipeline}`)
        await redisBenchmark(server.port, [...args, "-n", `${Math.ceil(requests / 4)}`])
        const run = await redisBenchmark(server.port, [...args, "-n", `${requests}`])
        const name = `${test.toUpperCase()} P=${pipeline}, ${label(keys)}`
        turn.record("throughput", name, "req/s", "higher", run.requestsPerSecond)
        turn.record("throughput", `${name}, p50`, "ms", "lower", run.p50)
        turn.record("throughput", `${name}, p99`, "ms", "lower", run.p99)
        turn.record("throughput", `${name}, p99.9`, "ms", "lower", run.p999)
      })
    }
  }
}

/** One connection asks in turn while GETs and SETs in pipelines of 16 keep the server busy. */
const latency = async (turn: Turn, server: ServerProcess, keys: number): Promise<void> => {
  const client = await server.client()
  const load = ["-r", `${keys}`, "-d", "3", "-c", "25", "-P", "16", "-n", "10000000"]
  const stops = [
    backgroundLoad(server.port, ["-t", "get", ...load]),
    backgroundLoad(server.port, ["-t", "set", ...load])
  ]
  try {
    turn.note(`latency under mixed load, ${turn.scale.latencySeconds} s`)
    await probe(client, keys, turn.scale.latencySeconds / 4)
    const found = await probe(client, keys, turn.scale.latencySeconds)
    const name = `mixed load, ${label(keys)}`
    for (const [title, share] of [["p50", 0.5], ["p99", 0.99], ["p99.9", 0.999], ["worst", 1]] as const) {
      turn.record("latency", `${name}, ${title}`, "ms", "lower", quantile(found, share))
    }
  } finally {
    await client.close()
    await Promise.all(stops.map((stop) => stop()))
  }
}

/** Fills a server with every key once; then memory, latency and throughput, as selected, on those keys. */
export const keyspace = (turn: Turn, keys: number): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const empty = residentBytes(server.pid)
    turn.note(`filling ${label(keys)}`)
    await fill(server.port, keys)
    const client = await server.client()
    const present = await integerReply(client, "DBSIZE")
    await client.close()
    if (present !== keys) throw new Error(`${keys} keys were set, DBSIZE says ${present}`)
    if (turn.selected.has("memory")) {
      await sleep(1500)
      const full = residentBytes(server.pid)
      turn.record("memory", `RSS, ${label(keys)}`, "MB", "lower", full / 1e6)
      turn.record("memory", `RSS per key, ${label(keys)}`, "B", "lower", full / keys)
      turn.record("memory", `RSS per key above the empty server, ${label(keys)}`, "B", "lower", (full - empty) / keys)
    }
    if (turn.selected.has("latency")) await turn.attempt("latency", () => latency(turn, server, keys))
    if (turn.selected.has("throughput")) await throughput(turn, server, keys)
  })

/**
 * Time from starting the process to the first PONG, with nothing and with a log of SETs; both ended by kill -9. Nobody
 * else runs meanwhile, so that a server may use all cores.
 */
export const startup = async (turn: Turn): Promise<void> => {
  const writes = turn.scale.startupWrites
  const dir = temporaryDir("bench")
  try {
    const first = await turn.start("everysec", { dir, launcher: freeLauncher })
    turn.record("startup", "with an empty directory", "ms", "lower", first.startedInMs)
    turn.note(`writing ${writes} SETs to start from`)
    try {
      await fill(first.port, writes)
    } finally {
      await first.kill()
    }
    turn.note("starting from the log")
    await withServer(turn.start("everysec", { dir, launcher: freeLauncher }), async (second) => {
      const client = await second.client()
      const present = await integerReply(client, "DBSIZE")
      await client.close()
      if (present !== writes) throw new Error(`started with ${present} of ${writes} keys`)
      turn.record("startup", `from the log of ${writes} SETs`, "ms", "lower", second.startedInMs)
    })
  } finally {
    removeTemporaryDir(dir)
  }
}

/** SET with every write synced before its reply. */
export const always = (turn: Turn): Promise<void> =>
  withServer(turn.start("always"), async (server) => {
    const args = ["-t", "set", "-r", "1000000", "-d", "3", "-c", "50", "-P", "1"]
    turn.note("SET, appendfsync always")
    await redisBenchmark(server.port, [...args, "-n", `${Math.ceil(turn.scale.alwaysRequests / 4)}`])
    const run = await redisBenchmark(server.port, [...args, "-n", `${turn.scale.alwaysRequests}`])
    turn.record("always", "SET P=1, 50 clients", "req/s", "higher", run.requestsPerSecond)
    turn.record("always", "SET P=1, 50 clients, p50", "ms", "lower", run.p50)
    turn.record("always", "SET P=1, 50 clients, p99", "ms", "lower", run.p99)
    turn.record("always", "SET P=1, 50 clients, p99.9", "ms", "lower", run.p999)
  })

/** How much the data directory grows by per SET of a 16-byte key and a 3-byte value. */
export const logBytes = (turn: Turn): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    for (const pipeline of [1, 16] as const) {
      await turn.attempt("logbytes", async () => {
        const requests = pipeline === 1 ? turn.scale.logRequests / 10 : turn.scale.logRequests
        turn.note(`log bytes at P=${pipeline}`)
        const before = directoryBytes(server.dir)
        const args = ["-t", "set", "-r", "1000000", "-d", "3", "-c", "50", "-P", `${pipeline}`]
        await redisBenchmark(server.port, [...args, "-n", `${requests}`])
        await sleep(1200)
        const grown = directoryBytes(server.dir) - before
        if (grown <= 0) throw new Error(`the data directory grew by ${grown} bytes`)
        turn.record("logbytes", `per SET, P=${pipeline}, 50 clients`, "B", "lower", grown / requests)
      })
    }
  })
