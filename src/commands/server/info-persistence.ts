/** INFO persistence and eventlog: how the data is kept. */
import type { Control } from "../ports.ts"
import { type Fields, flag, noughts } from "./info-format.ts"

/** Loading ends before the first client is accepted. */
const loadingFields: Fields = noughts("loading", "async_loading")

/** Nothing is ever copied by fork, so nothing is copied on write. */
const copyOnWriteFields: Fields = [
  ...noughts("current_cow_peak", "current_cow_size", "current_cow_size_age"),
  ["current_fork_perc", "0.00"]
]

/** Checkpoints, in Redis's words for snapshots. */
const snapshotFields = ({ server }: Control): Fields => [
  ...noughts(
    "current_save_keys_processed",
    "current_save_keys_total",
    "rdb_changes_since_last_save",
    "rdb_bgsave_in_progress"
  ),
  ["rdb_last_save_time", Math.floor(server.startedAt / 1000)],
  ["rdb_last_bgsave_status", "ok"],
  ["rdb_last_bgsave_time_sec", -1],
  ["rdb_current_bgsave_time_sec", -1],
  ...noughts("rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded")
]

/** The log, in Redis's words for its append-only file. It is never rewritten. */
const logFields = ({ server }: Control): Fields => {
  const log = server.logStatus()
  return [
    ["aof_enabled", 1],
    ...noughts("aof_rewrite_in_progress", "aof_rewrite_scheduled"),
    ["aof_last_rewrite_time_sec", -1],
    ["aof_current_rewrite_time_sec", -1],
    ["aof_last_bgrewrite_status", "ok"],
    ...noughts("aof_rewrites", "aof_rewrites_consecutive_failures"),
    ["aof_last_write_status", log.lastWriteOk ? "ok" : "err"],
    ...noughts("aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"),
    ["aof_current_size", log.bytes],
    ...noughts("aof_base_size", "aof_pending_rewrite", "aof_buffer_length"),
    ["aof_pending_bio_fsync", flag(log.fsyncPending)],
    ["aof_delayed_fsync", log.delayedFsyncs]
  ]
}

export const persistenceSection = (control: Control): Fields => [
  ...loadingFields,
  ...copyOnWriteFields,
  ...snapshotFields(control),
  ...logFields(control)
]

export const eventLogSection = ({ server }: Control): Fields => {
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
