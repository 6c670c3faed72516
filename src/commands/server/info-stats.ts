/** INFO's counters: stats, commandstats, errorstats, latencystats, keyspace. */
import * as Entry from "../../projections/entry.ts"
import type { Control } from "../ports.ts"
import { type Fields, fixed2, inLine, noughts, ratio } from "./info-format.ts"

export const statsSection = ({ clients, server, statistics, subscriptions, tracking }: Control): Fields => {
  const traffic = server.traffic()
  const replication = server.replication.status()
  let errorReplies = 0
  for (const [, count] of statistics.errors()) errorReplies += count
  return [
    ["total_connections_received", clients.accepted],
    ["total_commands_processed", statistics.commandsProcessed],
    ["instantaneous_ops_per_sec", Math.round(traffic.instantaneousOps)],
    ["total_net_input_bytes", traffic.inputBytes],
    ["total_net_output_bytes", traffic.outputBytes],
    ["total_net_repl_input_bytes", replication.inputBytes],
    ["total_net_repl_output_bytes", replication.outputBytes],
    ["instantaneous_input_kbps", fixed2(traffic.instantaneousInputKbps)],
    ["instantaneous_output_kbps", fixed2(traffic.instantaneousOutputKbps)],
    ["instantaneous_input_repl_kbps", "0.00"],
    ["instantaneous_output_repl_kbps", "0.00"],
    ["rejected_connections", clients.rejected],
    ["sync_full", replication.fullSyncs],
    ["sync_partial_ok", replication.partialSyncs],
    ["sync_partial_err", replication.refusedPartialSyncs],
    ["expired_keys", statistics.expiredKeys],
    ["expired_subkeys", statistics.expiredFields],
    // Keys are buried in the order of their deadlines: there is no sample of stale ones.
    ["expired_stale_perc", "0.00"],
    ["expired_time_cap_reached_count", statistics.expireCapReached],
    ["expire_cycle_cpu_milliseconds", Math.round(statistics.expireCycleMs)],
    ["evicted_keys", statistics.evictedKeys],
    ["evicted_clients", statistics.evictedClients],
    ["total_eviction_exceeded_time", Math.round(statistics.exceeded.totalMs)],
    ["current_eviction_exceeded_time", Math.round(statistics.exceeded.currentMs)],
    ["keyspace_hits", statistics.keyspaceHits],
    ["keyspace_misses", statistics.keyspaceMisses],
    ["pubsub_channels", subscriptions.channels.size],
    ["pubsub_patterns", subscriptions.patterns.size],
    ["pubsubshard_channels", subscriptions.shardChannels.size],
    ...noughts(
      // This server never forks.
      "latest_fork_usec",
      "total_forks",
      "migrate_cached_sockets",
      "slave_expires_tracked_keys",
      "active_defrag_hits",
      "active_defrag_misses",
      "active_defrag_key_hits",
      "active_defrag_key_misses",
      "total_active_defrag_time",
      "current_active_defrag_time"
    ),
    ["tracking_total_keys", tracking.totalKeys],
    ["tracking_total_items", tracking.totalItems],
    ["tracking_total_prefixes", tracking.totalPrefixes],
    ["unexpected_error_replies", 0],
    ["total_error_replies", errorReplies],
    ["dump_payload_sanitizations", 0],
    ["total_reads_processed", traffic.reads],
    ["total_writes_processed", traffic.writes],
    ...noughts(
      "io_threaded_reads_processed",
      "io_threaded_writes_processed",
      "reply_buffer_shrinks",
      "reply_buffer_expands"
    )
  ]
}

export const commandStatsSection = ({ statistics }: Control): Fields =>
  [...statistics.commands()].map(([name, { calls, failed, micros, rejected }]) => [
    `cmdstat_${inLine(name)}`,
    `calls=${calls},usec=${Math.round(micros)},usec_per_call=${ratio(micros, calls)},` +
    `rejected_calls=${rejected},failed_calls=${failed}`
  ])

export const errorStatsSection = ({ statistics }: Control): Fields =>
  [...statistics.errors()].map(([code, count]) => [`errorstat_${inLine(code)}`, `count=${count}`])

/** Percentiles of each command's durations in microseconds; of what they mean in a pipeline, see observation/observer.ts. */
export const latencyStatsSection = ({ observer, table }: Control): Fields => {
  const percentiles = observer.settings.latencyPercentiles
  if (!observer.settings.latencyTracking || percentiles.length === 0) return []
  return [...table.all()].flatMap(({ histogram, name }): Fields =>
    histogram === undefined || histogram.count === 0
      ? []
      : [[
        `latency_percentiles_usec_${inLine(name)}`,
        percentiles.map((p) => `p${p}=${(histogram.percentile(p) / 1000).toFixed(3)}`).join(",")
      ]]
  )
}

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

export const keyspaceSection = (control: Control): Fields =>
  control.d.keyspace.databases.flatMap((database, i): Fields =>
    database.size === 0
      ? []
      : [[`db${i}`, `keys=${database.size},expires=${database.deadlines.size},avg_ttl=${averageTtl(control, i)}`]]
  )
