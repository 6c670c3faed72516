/** MEMORY: what the data takes, by the accounts of the arenas. */
import { Double, MapReply, ok, Verbatim } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { largeBytes } from "../../projections/large-memory.ts"
import { integer, isWord } from "../arguments.ts"
import { defineCommand, defineContainer, defineControl, keyAtIndex } from "../define.ts"
import { errors } from "../errors.ts"
import { help } from "../help.ts"
import type { Control } from "../ports.ts"
import { memoryFigures, share } from "./memory-figures.ts"

/** Bytes of a key's place in the table and, when it has one, of its deadline in the order of deadlines. */
const slotBytes = 8
const deadlineBytes = 12

/** Elements looked at to tell what all of a collection take, unless told otherwise. */
const defaultSamples = 5

const tips = ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]

const usage = defineCommand({
  name: "USAGE",
  since: "4.0.0",
  group: "server",
  summary: "Answers how many bytes a key and its value take.",
  complexity: "O(N), N being the samples",
  syntax: "key [SAMPLES count]",
  arity: -3,
  flags: ["readonly"],
  keys: keyAtIndex(2, "RO"),
  decide: (d, argv) => {
    let samples = defaultSamples
    for (let i = 3; i < argv.length; i += 2) {
      if (!isWord(argv.at(i), "SAMPLES") || i + 1 >= argv.length) throw errors.syntax
      samples = integer(argv.at(i + 1))
      if (samples < 0) throw errors.syntax
    }
    const p = d.peek(argv.at(2))
    if (p === 0) return null
    const { arena } = d.db
    const deadline = Entry.deadlineOf(arena, p) === 0 ? 0 : deadlineBytes
    return arena.capacity(p) + slotBytes + deadline + largeBytes(d.db, p, samples === 0 ? Infinity : samples)
  }
})

const stats = defineControl({
  name: "STATS",
  since: "4.0.0",
  group: "server",
  summary: "Answers how the memory is used.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags: [],
  tips,
  run: (control) => {
    const f = memoryFigures(control)
    const data = f.used - f.startup
    const perDatabase = control.d.keyspace.databases.flatMap(({ deadlines, dict, size }, i) =>
      size === 0
        ? []
        : [
          [
            `db.${i}`,
            new MapReply([
              ["overhead.hashtable.main", dict.tableBytes],
              ["overhead.hashtable.expires", deadlines.tableBytes],
              ["overhead.hashtable.slot-to-keys", 0]
            ])
          ] as const
        ]
    )
    return new MapReply([
      ["peak.allocated", f.peak],
      ["total.allocated", f.used],
      ["startup.allocated", f.startup],
      // There is no such thing here: no backlog, no replicas, no cluster, no scripts.
      ["replication.backlog", 0],
      ["clients.slaves", 0],
      ["clients.normal", f.clients],
      ["cluster.links", 0],
      ["aof.buffer", 0],
      ["lua.caches", 0],
      ["functions.caches", 0],
      ...perDatabase,
      ["overhead.total", f.overhead],
      ["keys.count", f.keys],
      ["keys.bytes-per-key", Math.floor(share(data, f.keys))],
      ["dataset.bytes", f.used - f.overhead],
      ["dataset.percentage", new Double(100 * share(f.used - f.overhead, data))],
      ["peak.percentage", new Double(100 * share(f.used, f.peak))],
      ["allocator.allocated", f.used],
      ["allocator.active", f.active],
      ["allocator.resident", f.resident],
      ["allocator-fragmentation.ratio", new Double(share(f.active, f.used))],
      ["allocator-fragmentation.bytes", f.active - f.used],
      ["allocator-rss.ratio", new Double(share(f.resident, f.active))],
      ["allocator-rss.bytes", f.resident - f.active],
      ["rss-overhead.ratio", new Double(share(f.rss, f.resident))],
      ["rss-overhead.bytes", f.rss - f.resident],
      ["fragmentation", new Double(share(f.rss, f.used))],
      ["fragmentation.bytes", f.rss - f.used]
    ])
  }
})

const megabyte = 1024 * 1024

/** What may be wrong, with figures; empty when nothing is. */
const findings = (control: Control): ReadonlyArray<string> => {
  const f = memoryFigures(control)
  const { limit, policy } = control.d.memory
  const found: Array<string> = []
  if (limit > 0 && f.used > limit) {
    found.push(
      policy === "noeviction"
        ? `The data takes ${f.used} bytes, more than maxmemory (${limit}): commands that may need memory are refused.`
        : `The data takes ${f.used} bytes, more than maxmemory (${limit}), and ${policy} has to make room.`
    )
  }
  if (f.peak > 1.5 * f.used) {
    found.push(`The data once took ${f.peak} bytes and takes ${f.used} now; some of the rest may still be held.`)
  }
  if (f.active > 1.4 * f.used && f.active - f.used > 10 * megabyte) {
    found.push(`${f.active - f.used} bytes lie free between blocks; they are being brought together in the background.`)
  }
  if (f.resident > 1.4 * f.active && f.resident - f.active > 64 * megabyte) {
    found.push(
      `${
        f.resident - f.active
      } bytes are held for data but empty: they are used again before more is asked for, and given `
        + "back 64 MiB at a time."
    )
  }
  if (f.heapUsed > 512 * megabyte) {
    found.push(`The program itself takes ${f.heapUsed} bytes: are there very many connections?`)
  }
  if (f.clients > 64 * megabyte && f.clients > f.used / 4) {
    found.push(`The buffers of connections take ${f.clients} bytes: clients send much, or read slowly.`)
  }
  return found
}

const doctor = defineControl({
  name: "DOCTOR",
  since: "4.0.0",
  group: "server",
  summary: "Looks for problems in how the memory is used.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags: [],
  tips,
  run: (control) => {
    const found = findings(control)
    if (found.length > 0) return new Verbatim(`${found.join("\n")}\n`)
    return new Verbatim(
      control.d.keyspace.usedBytes < 5 * megabyte
        ? "There is too little data to say anything about its memory.\n"
        : "No problem was found.\n"
    )
  }
})

/** Bytes of an arena, or of all. */
interface Accounts {
  readonly usedBytes: number
  readonly activeBytes: number
  readonly reservedBytes: number
  readonly residentBytes: number
}

const mallocStats = defineControl({
  name: "MALLOC-STATS",
  since: "4.0.0",
  group: "server",
  summary: "Answers the accounts of the allocator.",
  complexity: "Grows with the memory in use.",
  syntax: "",
  arity: 2,
  flags: [],
  tips,
  run: ({ d }) => {
    const line = (what: string, of: Accounts): string =>
      `${what}: used ${of.usedBytes} active ${of.activeBytes} reserved ${of.reservedBytes} resident ${of.residentBytes}`
    const lines = d.keyspace.databases.flatMap(({ arena, size }, i) => size === 0 ? [] : [line(`db${i}`, arena)])
    return new Verbatim([line("all", d.keyspace), ...lines, ""].join("\n"))
  }
})

const purge = defineControl({
  name: "PURGE",
  since: "4.0.0",
  group: "server",
  summary: "Gives memory that holds no data back to the system now rather than bit by bit.",
  complexity: "Grows with the memory in use.",
  syntax: "",
  arity: 2,
  flags: [],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  run: ({ d }) => {
    while (d.keyspace.reclaim());
    return ok
  }
})

export const memory = defineContainer({
  name: "MEMORY",
  since: "4.0.0",
  group: "server",
  summary: "Commands about memory.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    usage,
    stats,
    doctor,
    mallocStats,
    purge,
    help("MEMORY", "server", [
      ["DOCTOR", "Look for problems in how the memory is used."],
      ["MALLOC-STATS", "Answer the accounts of the allocator."],
      ["PURGE", "Give memory without data back to the system now."],
      ["STATS", "Answer how the memory is used."],
      ["USAGE <key> [SAMPLES <count>]", "Answer how many bytes a key and its value take; samples make no difference."]
    ], { since: "4.0.0" })
  ]
})
