/** INFO: the state of the server as sections of name:value. A field that has no meaning here is left out. */
import { Verbatim } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { word } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import type { Control } from "../ports.ts"

type Fields = ReadonlyArray<readonly [name: string, value: string | number]>

/** Bytes as people read them: 1.50M. */
export const humanBytes = (bytes: number): string => {
  const units = ["B", "K", "M", "G", "T", "P"]
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${value}B` : `${value.toFixed(2)}${units[unit]}`
}

const flag = (on: boolean): number => on ? 1 : 0

const serverSection = ({ config, d, server }: Control): Fields => {
  const micros = Math.floor(server.nowMicros())
  const uptime = Math.max(0, Math.floor((micros / 1000 - server.startedAt) / 1000))
  return [
    ["redis_version", server.redisVersion],
    ["annals_version", server.version],
    ["redis_mode", "standalone"],
    ["arch_bits", 64],
    ["process_id", server.pid],
    ["run_id", server.runId],
    ["tcp_port", server.tcpPort],
    ["server_time_usec", micros],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / 86_400)],
    ["lru_clock", Math.floor(d.now / 1000) & 0xff_ffff],
    ["executable", server.executable],
    ["config_file", server.configFile],
    ["databases", config.get("databases")]
  ]
}

const clientsSection = ({ clients, config }: Control): Fields => [
  ["connected_clients", clients.count],
  ["maxclients", config.get("maxclients")],
  ["blocked_clients", clients.blockedCount]
]

const fixed2 = (value: number): string => value.toFixed(2)
const ratio = (a: number, b: number): string => fixed2(b === 0 ? 0 : a / b)

const memorySection = ({ d, server, statistics }: Control): Fields => {
  const { keyspace } = d
  const used = keyspace.usedBytes
  const reserved = keyspace.reservedBytes
  const peak = Math.max(used, statistics.peakMemory)
  const overhead = keyspace.databases.reduce((sum, database) => sum + database.dict.tableBytes, 0)
  const { external, heapTotal, heapUsed, rss } = server.memory()
  return [
    ["used_memory", used],
    ["used_memory_human", humanBytes(used)],
    ["used_memory_rss", rss],
    ["used_memory_rss_human", humanBytes(rss)],
    ["used_memory_peak", peak],
    ["used_memory_peak_human", humanBytes(peak)],
    ["used_memory_peak_perc", `${fixed2(peak === 0 ? 0 : 100 * used / peak)}%`],
    ["used_memory_overhead", overhead],
    ["used_memory_dataset", used - overhead],
    ["used_memory_dataset_perc", `${fixed2(used === 0 ? 0 : 100 * (used - overhead) / used)}%`],
    ["allocator_allocated", used],
    ["allocator_active", reserved],
    ["allocator_frag_ratio", ratio(reserved, used)],
    ["allocator_frag_bytes", reserved - used],
    ["mem_fragmentation_ratio", ratio(rss, used)],
    ["mem_fragmentation_bytes", rss - used],
    ["heap_used", heapUsed],
    ["heap_total", heapTotal],
    ["external_memory", external],
    ["maxmemory", d.memory.limit],
    ["maxmemory_human", humanBytes(d.memory.limit)],
    ["maxmemory_policy", d.memory.policy],
    ["mem_allocator", "annals-arena"]
  ]
}

const persistenceSection = ({ server }: Control): Fields => {
  const log = server.logStatus()
  return [
    ["loading", 0],
    ["async_loading", 0],
    ["aof_enabled", 1],
    ["aof_last_write_status", log.lastWriteOk ? "ok" : "err"],
    ["aof_current_size", log.bytes],
    ["aof_pending_bio_fsync", flag(log.fsyncPending)],
    ["aof_delayed_fsync", log.delayedFsyncs]
  ]
}

const statsSection = ({ clients, server, statistics }: Control): Fields => {
  const traffic = server.traffic()
  let errorReplies = 0
  for (const [, count] of statistics.errors()) errorReplies += count
  return [
    ["total_connections_received", clients.accepted],
    ["total_commands_processed", statistics.commandsProcessed],
    ["instantaneous_ops_per_sec", Math.round(traffic.instantaneousOps)],
    ["total_net_input_bytes", traffic.inputBytes],
    ["total_net_output_bytes", traffic.outputBytes],
    ["instantaneous_input_kbps", fixed2(traffic.instantaneousInputKbps)],
    ["instantaneous_output_kbps", fixed2(traffic.instantaneousOutputKbps)],
    ["rejected_connections", clients.rejected],
    ["expired_keys", statistics.expiredKeys],
    ["evicted_keys", statistics.evictedKeys],
    ["total_eviction_exceeded_time", Math.round(statistics.exceeded.totalMs)],
    ["current_eviction_exceeded_time", Math.round(statistics.exceeded.currentMs)],
    ["keyspace_hits", statistics.keyspaceHits],
    ["keyspace_misses", statistics.keyspaceMisses],
    ["total_error_replies", errorReplies]
  ]
}

const cpuSection = ({ server }: Control): Fields => {
  const { system, user } = server.cpu()
  return [["used_cpu_sys", system.toFixed(6)], ["used_cpu_user", user.toFixed(6)]]
}

const eventLogSection = ({ server }: Control): Fields => {
  const log = server.logStatus()
  return [
    ["log_sequence", log.sequence],
    ["log_lsn", log.lsn],
    ["log_durable_lsn", log.durableLsn],
    ["log_oldest_sequence", log.oldestSequence],
    ["log_segments", log.segments],
    ["log_bytes", log.bytes],
    ["log_torn_bytes", log.tornBytes],
    ["log_chain_head", log.chainHead],
    ["log_last_write_status", log.lastWriteOk ? "ok" : "err"],
    ["log_fsyncs", log.fsyncs],
    ["log_fsync_pending", flag(log.fsyncPending)],
    ["log_delayed_fsyncs", log.delayedFsyncs]
  ]
}

/** Names as they stand in a line: Redis replaces what would break it. */
const inLine = (name: string): string => name.replace(/[#:\n\r]/g, "_")

const commandStatsSection = ({ statistics }: Control): Fields =>
  [...statistics.commands()].map(([name, { calls, failed, micros, rejected }]) => [
    `cmdstat_${inLine(name)}`,
    `calls=${calls},usec=${Math.round(micros)},usec_per_call=${ratio(micros, calls)},` +
    `rejected_calls=${rejected},failed_calls=${failed}`
  ])

const errorStatsSection = ({ statistics }: Control): Fields =>
  [...statistics.errors()].map(([code, count]) => [`errorstat_${inLine(code)}`, `count=${count}`])

/** How many keys are looked at for the average time to live. */
const sampled = 32

/** Milliseconds the keys with a deadline have left, by a sample, as in Redis; 0 when none has one. */
const averageTtl = ({ d }: Control, index: number): number => {
  const database = d.keyspace.databases[index]!
  if (database.deadlines.size === 0) return 0
  let sum = 0
  let count = 0
  for (let i = 0; i < sampled; i++) {
    const deadline = Entry.deadlineOf(database.arena, database.dict.random(() => d.random()))
    if (deadline === 0) continue
    sum += Math.max(0, deadline - d.now)
    count++
  }
  return count === 0 ? 0 : Math.round(sum / count)
}

const keyspaceSection = (control: Control): Fields =>
  control.d.keyspace.databases.flatMap((database, i): Fields =>
    database.size === 0
      ? []
      : [[`db${i}`, `keys=${database.size},expires=${database.deadlines.size},avg_ttl=${averageTtl(control, i)}`]]
  )

/** Name, title, whether it is shown unasked, and the fields. */
const sections: ReadonlyArray<readonly [string, string, boolean, (control: Control) => Fields]> = [
  ["SERVER", "Server", true, serverSection],
  ["CLIENTS", "Clients", true, clientsSection],
  ["MEMORY", "Memory", true, memorySection],
  ["PERSISTENCE", "Persistence", true, persistenceSection],
  ["EVENTLOG", "Eventlog", true, eventLogSection],
  ["STATS", "Stats", true, statsSection],
  ["CPU", "CPU", true, cpuSection],
  ["COMMANDSTATS", "Commandstats", false, commandStatsSection],
  ["ERRORSTATS", "Errorstats", true, errorStatsSection],
  ["KEYSPACE", "Keyspace", true, keyspaceSection]
]

const wantedSections = (argv: Argv): ReadonlySet<string> => {
  const wanted = new Set<string>()
  const addWhere = (fits: (shown: boolean) => boolean): void => {
    for (const [name, , shown] of sections) if (fits(shown)) wanted.add(name)
  }
  if (argv.length === 1) addWhere((shown) => shown)
  for (let i = 1; i < argv.length; i++) {
    const name = word(argv.at(i))
    if (name === "ALL" || name === "EVERYTHING") addWhere(() => true)
    else if (name === "DEFAULT") addWhere((shown) => shown)
    else wanted.add(name)
  }
  return wanted
}

export const info = defineControl({
  name: "INFO",
  since: "1.0.0",
  group: "server",
  summary: "Answers the state of the server and its counters.",
  complexity: "O(1)",
  syntax: "[section ...]",
  history: [["7.0.0", "More than one section."]],
  arity: -1,
  flags: ["loading", "stale"],
  categories: ["@dangerous"],
  tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
  run: (control, argv) => {
    const wanted = wantedSections(argv)
    const texts = sections.flatMap(([name, title, , fields]) =>
      wanted.has(name)
        ? [[`# ${title}`, ...fields(control).map(([field, value]) => `${field}:${value}`), ""].join("\r\n")]
        : []
    )
    return new Verbatim(texts.join("\r\n"))
  }
})
