/** What `/metrics` answers: the server's figures in Prometheus's text format, each name beginning with `annals_`. */
import type { Control } from "../commands/ports.ts"
import type { Buckets } from "../metrics/buckets.ts"
import { Report } from "../metrics/prometheus.ts"
import type { LogTimings } from "./log-timings.ts"

/** Delays of the event loop in seconds, over the time since the last report. */
export interface LoopLag {
  readonly mean: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What a report is made from. */
export interface MetricsSource extends Pick<Control, "clients" | "observer" | "server" | "statistics" | "table"> {
  readonly keyspace: Control["d"]["keyspace"]
  readonly memoryLimit: () => number
  readonly maxClients: () => number
  readonly timings: LogTimings
  readonly loopLag: () => LoopLag
}

const distribution = (buckets: Buckets) => [[{}, { ...buckets, counts: buckets.cumulative() }]] as const

const serverMetrics = (report: Report, { server }: MetricsSource): void => {
  const uptime = Math.max(0, server.nowMicros() / 1e6 - server.startedAt / 1000)
  const { system, user } = server.cpu()
  report.gauge("annals_build_info", "Versions; always 1.", [[{
    version: server.version,
    redis_version: server.redisVersion,
    runtime: server.runtime
  }, 1]])
  report.gauge("annals_uptime_seconds", "Time since the start.", uptime)
  report.counter("annals_cpu_seconds_total", "Processor time by mode.", [[{ mode: "user" }, user], [
    { mode: "system" },
    system
  ]])
}

const loopMetrics = (report: Report, { loopLag }: MetricsSource): void => {
  const { max, mean, p50, p99 } = loopLag()
  report.gauge(
    "annals_event_loop_lag_seconds",
    "How late timers ran, over the time since the last scrape.",
    [[{ statistic: "mean" }, mean], [{ statistic: "p50" }, p50], [{ statistic: "p99" }, p99], [
      { statistic: "max" },
      max
    ]]
  )
}

const clientMetrics = (report: Report, { clients, maxClients, observer, server, statistics }: MetricsSource): void => {
  const traffic = server.traffic()
  let bytes = 0
  for (const connection of clients.all()) bytes += connection.memory().total
  report.gauge("annals_clients", "Open connections.", clients.count)
  report.gauge("annals_clients_limit", "Connections allowed at a time.", maxClients())
  report.gauge("annals_clients_blocked", "Connections that wait in a blocking command.", clients.blockedCount)
  report.gauge("annals_clients_monitoring", "Connections in MONITOR.", observer.monitors)
  report.gauge("annals_clients_memory_bytes", "What the buffers of all connections take.", bytes)
  report.counter("annals_connections_total", "Connections accepted.", clients.accepted)
  report.counter("annals_connections_rejected_total", "Connections turned away.", clients.rejected)
  report.counter("annals_clients_evicted_total", "Connections closed to free memory.", statistics.evictedClients)
  report.counter("annals_net_bytes_total", "Bytes by direction.", [[{ direction: "in" }, traffic.inputBytes], [
    { direction: "out" },
    traffic.outputBytes
  ]])
}

const memoryMetrics = (report: Report, { keyspace, memoryLimit, server }: MetricsSource): void => {
  const { external, heapTotal, heapUsed, rss } = server.memory()
  report.gauge("annals_memory_used_bytes", "Keys, values and their indexes.", keyspace.usedBytes)
  report.gauge("annals_memory_reserved_bytes", "Memory held for them.", keyspace.reservedBytes)
  report.gauge("annals_memory_limit_bytes", "maxmemory; 0 is no limit.", memoryLimit())
  report.gauge("annals_process_resident_bytes", "Memory of the process.", rss)
  report.gauge("annals_heap_bytes", "The JavaScript heap, and memory outside of it that it refers to.", [
    [{ kind: "used" }, heapUsed],
    [{ kind: "total" }, heapTotal],
    [{ kind: "external" }, external]
  ])
}

const keyspaceMetrics = (report: Report, { keyspace, statistics }: MetricsSource): void => {
  const used = keyspace.databases.flatMap((database, i) => database.size === 0 ? [] : [[`${i}`, database] as const])
  report.gauge("annals_keys", "Keys by database.", used.map(([db, { size }]) => [{ db }, size]))
  report.gauge(
    "annals_keys_with_deadline",
    "Keys that expire, by database.",
    used.map(([db, { deadlines }]) => [{ db }, deadlines.size])
  )
  report.counter("annals_keyspace_hits_total", "Look-ups that found a key.", statistics.keyspaceHits)
  report.counter("annals_keyspace_misses_total", "Look-ups that found none.", statistics.keyspaceMisses)
  report.counter("annals_expired_keys_total", "Keys whose time was over.", statistics.expiredKeys)
  report.counter("annals_evicted_keys_total", "Keys removed because memory was full.", statistics.evictedKeys)
}

const logMetrics = (report: Report, { server, timings }: MetricsSource): void => {
  const log = server.logStatus()
  report.gauge("annals_log_sequence", "Newest batch.", log.sequence)
  report.gauge("annals_log_oldest_sequence", "Oldest batch kept.", log.oldestSequence)
  report.gauge("annals_log_lsn", "Position after the newest frame, bytes.", log.lsn)
  report.gauge("annals_log_durable_lsn", "Position up to which the log is synced, bytes.", log.durableLsn)
  report.gauge("annals_log_bytes", "Size of all segments.", log.bytes)
  report.gauge("annals_log_segments", "Segments.", log.segments)
  report.gauge("annals_log_writable", "1 while the log takes writes, else 0.", log.lastWriteOk ? 1 : 0)
  report.counter("annals_log_fsyncs_total", "Syncs done.", log.fsyncs)
  report.counter("annals_log_delayed_fsyncs_total", "Times writes had to wait for a slow sync.", log.delayedFsyncs)
  report.histogram("annals_log_fsync_seconds", "How long syncs take.", distribution(timings.syncSeconds))
  report.histogram("annals_log_write_seconds", "How long writes of a frame take.", distribution(timings.writeSeconds))
  report.histogram("annals_log_frame_bytes", "Sizes of frames.", distribution(timings.frameBytes))
}

const checkpointMetrics = (report: Report, { server }: MetricsSource): void => {
  const { changesSinceLastSave, checkpoints, loading, rewrite, save } = server.persistence.status()
  const newest = checkpoints.at(-1)
  const kinds = [[{ kind: "save" }, save], [{ kind: "rewrite" }, rewrite]] as const
  const by = (value: (figures: typeof save) => number) =>
    kinds.map(([kind, figures]) => [kind, value(figures)] as const)
  report.gauge("annals_loading", "1 while the data is being loaded, else 0.", loading === undefined ? 0 : 1)
  report.gauge("annals_checkpoints", "Checkpoints kept.", checkpoints.length)
  report.gauge("annals_checkpoint_lag_batches", "Batches since the newest checkpoint.", changesSinceLastSave)
  if (newest !== undefined) {
    const age = server.nowMicros() / 1e6 - newest.created / 1000
    report.gauge("annals_checkpoint_age_seconds", "Age of the newest checkpoint.", Math.max(0, age))
    report.gauge("annals_checkpoint_sequence", "Batch the newest checkpoint stands at.", newest.sequence)
    report.gauge("annals_checkpoint_bytes", "Size of the newest checkpoint.", newest.bytes)
  }
  report.counter("annals_checkpoints_made_total", "Made, by what asked for them.", by(({ count }) => count))
  report.gauge("annals_checkpoint_ok", "Whether the last one succeeded.", by(({ ok }) => ok ? 1 : 0))
  report.gauge("annals_checkpoint_running", "Whether one is being made.", by(({ inProgress }) => inProgress ? 1 : 0))
}

/** Bounds of commands' durations in nanoseconds, and the same in seconds. */
const nanos = [1e3, 2.5e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 5e6, 1e7, 5e7, 1e8, 1e9]
const nanosInSeconds = nanos.map((bound) => bound / 1e9)

const commandMetrics = (report: Report, { statistics, table }: MetricsSource): void => {
  const rows = [...table.all()].filter((row) => row.calls + row.rejected > 0)
  const by = (value: (row: typeof rows[number]) => number) =>
    rows.map((row) => [{ command: row.name }, value(row)] as const)
  report.counter("annals_commands_total", "Commands run, by name.", by((row) => row.calls))
  report.counter("annals_command_seconds_total", "Time they took, by name.", by((row) => row.micros / 1e6))
  report.counter("annals_commands_rejected_total", "Commands refused before they ran.", by((row) => row.rejected))
  report.counter("annals_commands_failed_total", "Commands that answered an error.", by((row) => row.failed))
  report.counter(
    "annals_errors_total",
    "Error replies by code.",
    [...statistics.errors()].map(([code, count]) => [{ code }, count])
  )
  report.histogram(
    "annals_command_duration_seconds",
    "How long commands take; equal ones of a pipeline count with the average of a run.",
    rows.flatMap(({ histogram, name }) =>
      histogram === undefined
        ? []
        : [[{ command: name }, {
          bounds: nanosInSeconds,
          counts: histogram.cumulative(nanos),
          count: histogram.count,
          sum: histogram.sum / 1e9
        }]]
    )
  )
}

/** The whole report. */
export const metricsReport = (source: MetricsSource): string => {
  const report = new Report()
  for (
    const part of [
      serverMetrics,
      loopMetrics,
      clientMetrics,
      memoryMetrics,
      keyspaceMetrics,
      logMetrics,
      checkpointMetrics,
      commandMetrics
    ]
  ) part(report, source)
  return report.text()
}
