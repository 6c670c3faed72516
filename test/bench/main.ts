/**
 * Annals measured against redis-server and valkey-server where these are installed.
 *
 *   npm run bench                                everything: 1 M and 5 M keys, three repetitions
 *   npm run bench -- quick                       those of strings and of operation in less than two minutes
 *   npm run bench -- --only memory,startup --keys 5000000 --repeat 5
 *
 * The servers take turns, one at a time, each new for every repetition, and every repetition turns the order round.
 * The server has core 0 and the load core 1 where taskset can pin them. All log every write to disk. Every run of
 * redis-benchmark is preceded by a shorter one of the same kind, alike for all. A ratio is taken within a repetition;
 * the table gives the median and the range over the repetitions.
 */
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import { isInstalled, nodePath, repository } from "../support/processes.ts"
import { serverVersion } from "../support/redis-server.ts"
import { bitmap } from "./bitmap.ts"
import { checkpoint } from "./checkpoint.ts"
import { collections } from "./collections.ts"
import { eviction } from "./eviction.ts"
import { flood } from "./flood.ts"
import { geo } from "./geo.ts"
import { hashes } from "./hashes.ts"
import { history } from "./history.ts"
import { hyperLogLogs } from "./hyperloglog.ts"
import {
  always,
  fullScale,
  keyspace,
  logBytes,
  type PartName,
  partNames,
  quickScale,
  startup,
  type Turn
} from "./parts.ts"
import { pubsub } from "./pubsub.ts"
import { replication } from "./replication.ts"
import { type Failure, rows, type Sample, table } from "./report.ts"
import { installedServers, pinned, pinThisProcess, type ServerName, startServer } from "./servers.ts"
import { sortedSet } from "./sorted-set.ts"
import { stream } from "./stream.ts"

const usage = `npm run bench -- [quick] [--only PART,...] [--keys 1000000,5000000] [--repeat 3]
                 [--servers annals,redis-server,valkey-server] [--subject redis-server] [--no-upkeep]

  quick       fewer keys, shorter runs, under two minutes; one repetition of checkpoint and all after it; the last
              nine parts only where --only names them
  --only      which of these parts:
                throughput  requests a second of redis-benchmark's tests
                memory      resident memory of a filled server
                latency     of one client while others keep the server busy
                startup     time from the start of the process to its first answer
                always      SET with every write synced
                logbytes    what the data directory grows by per SET
                checkpoint  BGSAVE during 100,000 writes a second: stalls, duration, memory; then loading the result
                eviction    SET, GET, memory and hits at a limit of 100 MB (quick: 20 MB)
                flood       many connections, one after the other and all at once
                pubsub      messages from one publisher to a thousand subscribers
                collections small lists and sets: memory; SINTER of large sets
                sortedset   one sorted set: commands, memory, deletion
                hash        hashes of 50 fields read, memory of small ones and of a large one, the end of that
                hyperloglog one large HyperLogLog, many small ones, unions of large ones
                geo         one index of places: adding, moving, searching
                bitmap      bits at random in 4 MiB, BITCOUNT of 1 MiB, BITOP of two of 128 KiB
                stream      one stream: memory, adding, reading, a consumer group at work
                replication a replica: its first copy, what it costs the primary, how far behind it is under load
                history     ten million writes: what keys and all data were, histories, verify; Annals only
  --keys      how many keys the server holds, one or several numbers; checkpoint, sortedset, hash, stream
              and replication take the largest
  --repeat    repetitions of every part, 3 unless told
  --servers   which servers; those installed unless told
  --subject   runs another server in the place of Annals: two equal servers must come out at about 1
  --no-upkeep no rewriting of the log, no checkpoints and no compression meanwhile, on any server: the bare writing`

const fail = (message: string): never => {
  console.error(message)
  process.exit(2)
}

const readOptions = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        only: { type: "string" },
        keys: { type: "string" },
        repeat: { type: "string" },
        servers: { type: "string" },
        subject: { type: "string" },
        "no-upkeep": { type: "boolean" },
        help: { type: "boolean" }
      }
    })
  } catch (cause) {
    return fail(`${(cause as Error).message}\n\n${usage}`)
  }
}

const positive = (text: string, option: string): number => {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`${option}: ${text} is not a positive integer`)
}
const oneOf = <A extends string>(text: string, known: ReadonlyArray<A>, option: string): A =>
  known.find((word) => word === text) ?? fail(`${option}: ${text} is none of ${known.join(", ")}`)

const { values, positionals } = readOptions()
if (values.help === true) {
  console.log(usage)
  process.exit(0)
}
const quick = positionals.includes("quick")
if (positionals.some((word) => word !== "quick")) fail(usage)
const scale = quick ? quickScale : fullScale
/** More than a minute more. */
const notQuick: ReadonlyArray<PartName> = [
  "collections",
  "sortedset",
  "hash",
  "hyperloglog",
  "geo",
  "bitmap",
  "stream",
  "replication",
  "history"
]
const usual = quick ? partNames.filter((part) => !notQuick.includes(part)) : partNames
const selected = new Set<PartName>(
  values.only === undefined ? usual : values.only.split(",").map((word) => oneOf(word, partNames, "--only"))
)
const keyCounts = (values.keys ?? (quick ? "100000" : "1000000,5000000")).split(",").map((n) => positive(n, "--keys"))
const repeat = positive(values.repeat ?? "3", "--repeat")
/** Of the parts that take longest for what they tell. */
const rarely = quick && values.repeat === undefined ? 1 : repeat
const known = ["annals", "redis-server", "valkey-server"] as const
const subject = values.subject === undefined ? "annals" : oneOf(values.subject, known, "--subject")
const upkeep = values["no-upkeep"] !== true
const servers: ReadonlyArray<ServerName> = values.servers === undefined
  ? installedServers()
  : values.servers.split(",").map((word) => oneOf(word, known, "--servers"))

if (!isInstalled("redis-benchmark")) fail("redis-benchmark is not installed; on Debian: apt-get install redis-tools")

const samples: Array<Sample> = []
const failures: Array<Failure> = []
const startedAt = new Date()
/** Of the minute before the first measurement: other programs at work make every figure worse and less certain. */
const loadBefore = Os.loadavg()[0]!

const status = (text: string): void => {
  const elapsed = ((Date.now() - startedAt.getTime()) / 1000).toFixed(0).padStart(4)
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${elapsed} s  ${text}`)
}

const turnOf = (server: ServerName, repetition: number): Turn => ({
  server,
  scale,
  selected,
  start: (appendfsync, options) =>
    startServer(server, appendfsync, upkeep, options, server === "annals" ? subject : server),
  record: (part, metric, unit, better, value) =>
    void samples.push({ part, metric, unit, better, server, repetition, value }),
  note: (what) => status(`repetition ${repetition}/${repeat}, ${server}: ${what}`),
  attempt: async (part, run) => {
    try {
      await run()
    } catch (cause) {
      failures.push({ part, server, repetition, message: (cause as Error).message })
    }
  }
})

/** One part for every server and repetition: the servers take turns, and every repetition turns the order round. */
const alternate = async (part: PartName, run: (turn: Turn) => Promise<void>, times = repeat): Promise<void> => {
  for (let repetition = 1; repetition <= times; repetition++) {
    for (const server of repetition % 2 === 1 ? servers : servers.toReversed()) {
      const turn = turnOf(server, repetition)
      await turn.attempt(part, () => run(turn))
    }
  }
}

const describeMachine = () => {
  const git = spawnSync("git", ["-C", repository, "describe", "--always", "--dirty"], { encoding: "utf8" })
  return {
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    cpu: Os.cpus()[0]?.model ?? "unknown",
    cores: Os.cpus().length,
    loadBefore,
    memoryBytes: Os.totalmem(),
    kernel: `${Os.type()} ${Os.release()}`,
    pinned,
    temporaryDirectory: Os.tmpdir(),
    node: spawnSync(nodePath, ["--version"], { encoding: "utf8" }).stdout?.trim(),
    commit: git.status === 0 ? git.stdout.trim() : undefined,
    subject,
    versions: Object.fromEntries(
      servers.filter((name) => name !== "annals").map((name) => [name, serverVersion(name) ?? "not installed"])
    )
  }
}

pinThisProcess()
const onKeys = (["memory", "latency", "throughput"] as const).filter((part) => selected.has(part))
for (const keys of onKeys.length === 0 ? [] : keyCounts) await alternate(onKeys[0]!, (turn) => keyspace(turn, keys))
if (selected.has("startup")) await alternate("startup", startup)
if (selected.has("always")) await alternate("always", always)
if (selected.has("logbytes")) await alternate("logbytes", logBytes)
if (selected.has("checkpoint")) {
  await alternate("checkpoint", (turn) => checkpoint(turn, Math.max(...keyCounts)), rarely)
}
if (selected.has("eviction")) await alternate("eviction", eviction, rarely)
if (selected.has("flood")) await alternate("flood", flood, rarely)
if (selected.has("pubsub")) await alternate("pubsub", pubsub, rarely)
if (selected.has("collections")) {
  await alternate("collections", (turn) => collections(turn, Math.min(...keyCounts)), rarely)
}
if (selected.has("sortedset")) {
  await alternate("sortedset", (turn) => sortedSet(turn, Math.max(...keyCounts)), rarely)
}
if (selected.has("hash")) await alternate("hash", (turn) => hashes(turn, Math.max(...keyCounts)), rarely)
if (selected.has("hyperloglog")) await alternate("hyperloglog", hyperLogLogs, rarely)
if (selected.has("geo")) await alternate("geo", (turn) => geo(turn, Math.min(...keyCounts)), rarely)
if (selected.has("bitmap")) await alternate("bitmap", bitmap, rarely)
if (selected.has("stream")) await alternate("stream", (turn) => stream(turn, Math.max(...keyCounts)), rarely)
if (selected.has("replication")) {
  await alternate("replication", (turn) => replication(turn, Math.max(...keyCounts)), rarely)
}
if (selected.has("history")) await alternate("history", history, rarely)
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K")

const measured = rows(samples)
const machine = describeMachine()
console.log(
  `${machine.cpu}, ${machine.cores} cores, ${pinned ? "server on core 0, load on core 1" : "not pinned"}, ` +
    `Node ${machine.node}, ${repeat} repetitions, ${machine.seconds} s` +
    (subject === "annals" ? "" : `; in the place of Annals: ${subject}`)
)
if (loadBefore > 0.5) {
  console.log(
    `The machine was busy before this began (load ${loadBefore.toFixed(2)}): the figures are not to be trusted.`
  )
}
console.log(table(measured, servers))
for (const { part, server, repetition, message } of failures) {
  console.log(`FAILED ${part}, ${server}, repetition ${repetition}: ${message}`)
}
const dir = Path.join(repository, "bench-results")
Fs.mkdirSync(dir, { recursive: true })
const file = Path.join(dir, `${startedAt.toISOString().replace(/[:.]/g, "-")}.json`)
Fs.writeFileSync(file, JSON.stringify({ machine, rows: measured, failures, samples }, null, 1))
console.log(`written to ${Path.relative(process.cwd(), file)}`)
process.exit(failures.length === 0 ? 0 : 1)
