/**
 * Features whose parameters are known but which a build may lack. Whoever brings one sets it to true here, and its
 * parameters work; until then they stand at their defaults, and another value is refused with the reason.
 */
export const features = {
  /** maxmemory and how keys are evicted. */
  eviction: true,
  /** maxmemory-clients. */
  clientEviction: true,
  /** save, auto-aof-rewrite-*: checkpoints made by themselves. */
  checkpoints: true,
  /** history-retention. */
  retention: true,
  /** log-compression. */
  compression: true,
  /** multi-on-error. */
  transactionRollback: true,
  /** slowlog-*. */
  slowLog: true,
  /** latency-monitor-threshold. */
  latencyMonitor: true,
  /** latency-tracking*. */
  latencyTracking: true,
  /** metrics-port and metrics-bind. */
  metrics: true,
  /** notify-keyspace-events. */
  keyspaceEvents: true
}

export type Feature = keyof typeof features
