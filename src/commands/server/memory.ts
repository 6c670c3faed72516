/** MEMORY: what the data takes, by the accounts of the arenas. */
import { Double, MapReply, ok, type Reply, Verbatim } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { integer, isWord } from "../arguments.ts"
import { defineCommand, defineContainer, defineControl, keyAtIndex } from "../define.ts"
import { errors } from "../errors.ts"
import { help } from "../help.ts"
import type { Control } from "../ports.ts"

/** Bytes of a key's place in the table and, when it has one, of its deadline in the order of deadlines. */
const slotBytes = 8
const deadlineBytes = 12

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
    for (let i = 3; i < argv.length; i += 2) {
      if (!isWord(argv.at(i), "SAMPLES") || i + 1 >= argv.length) throw errors.syntax
      if (integer(argv.at(i + 1)) < 0) throw errors.syntax
    }
    const p = d.peek(argv.at(2))
    if (p === 0) return null
    const { arena } = d.db
    return arena.capacity(p) + slotBytes + (Entry.deadlineOf(arena, p) === 0 ? 0 : deadlineBytes)
  }
})

/** Figures of MEMORY STATS and DOCTOR. */
const figures = ({ d, server, statistics }: Control) => {
  const { keyspace } = d
  const { external, heapTotal, heapUsed, rss } = server.memory()
  const keys = keyspace.databases.reduce((sum, database) => sum + database.size, 0)
  const tables = keyspace.databases.reduce((sum, database) => sum + database.dict.tableBytes, 0)
  const used = keyspace.usedBytes
  return {
    external,
    heapTotal,
    heapUsed,
    keys,
    peak: Math.max(statistics.peakMemory, used),
    reserved: keyspace.reservedBytes,
    rss,
    tables,
    used
  }
}

const ratio = (a: number, b: number): number => b === 0 ? 0 : a / b

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
    const f = figures(control)
    const databases = control.d.keyspace.databases
    const perDatabase = databases.flatMap((database, i): Array<readonly [string, Reply]> =>
      database.size === 0
        ? []
        : [[
          `db.${i}`,
          new MapReply([
            ["overhead.hashtable.main", database.dict.tableBytes],
            ["overhead.hashtable.expires", database.deadlines.size * deadlineBytes]
          ])
        ]]
    )
    return new MapReply([
      ["peak.allocated", f.peak],
      ["total.allocated", f.used],
      ...perDatabase,
      ["overhead.total", f.tables],
      ["keys.count", f.keys],
      ["keys.bytes-per-key", f.keys === 0 ? 0 : Math.floor(f.used / f.keys)],
      ["dataset.bytes", f.used - f.tables],
      ["dataset.percentage", new Double(100 * ratio(f.used - f.tables, f.used))],
      ["peak.percentage", new Double(100 * ratio(f.used, f.peak))],
      ["allocator.allocated", f.used],
      ["allocator.active", f.reserved],
      ["allocator.resident", f.rss],
      ["allocator-fragmentation.ratio", new Double(ratio(f.reserved, f.used))],
      ["allocator-fragmentation.bytes", f.reserved - f.used],
      ["fragmentation", new Double(ratio(f.rss, f.used))],
      ["fragmentation.bytes", f.rss - f.used],
      ["heap.used", f.heapUsed],
      ["heap.total", f.heapTotal],
      ["external", f.external]
    ])
  }
})

const megabyte = 1024 * 1024

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
    const f = figures(control)
    if (f.used < 5 * megabyte) return new Verbatim("There is too little data to say anything about its memory.\n")
    const findings: Array<string> = []
    if (f.reserved > 1.4 * f.used && f.reserved - f.used > 10 * megabyte) {
      findings.push(`${f.reserved - f.used} bytes are held for data but not used: keys were removed, or shrank.`)
    }
    if (f.peak > 1.5 * f.used) findings.push(`The data took up to ${f.peak} bytes and takes ${f.used} now.`)
    if (f.heapUsed > 512 * megabyte) {
      findings.push(`The program itself takes ${f.heapUsed} bytes: are there very many connections?`)
    }
    return new Verbatim(`${findings.length === 0 ? "No problem was found." : findings.join("\n")}\n`)
  }
})

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
    const lines = d.keyspace.databases.flatMap(({ arena, size }, i) =>
      size === 0 ? [] : [`db${i}: used ${arena.usedBytes} reserved ${arena.reservedBytes}`]
    )
    return new Verbatim(
      [`arenas: used ${d.keyspace.usedBytes} reserved ${d.keyspace.reservedBytes}`, ...lines, ""].join("\n")
    )
  }
})

const purge = defineControl({
  name: "PURGE",
  since: "4.0.0",
  group: "server",
  summary: "Does nothing: memory that holds no data is given back as soon as it is empty.",
  complexity: "Grows with the memory in use.",
  syntax: "",
  arity: 2,
  flags: [],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  run: () => ok
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
      ["PURGE", "Does nothing: empty memory is given back at once."],
      ["STATS", "Answer how the memory is used."],
      ["USAGE <key> [SAMPLES <count>]", "Answer how many bytes a key and its value take; samples make no difference."]
    ], { since: "4.0.0" })
  ]
})
