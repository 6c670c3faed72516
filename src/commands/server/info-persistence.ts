/** INFO persistence and eventlog: how the data is kept. */
import type { LogStatus } from "../../log/event-log.ts"
import type { Control, PersistenceStatus } from "../ports.ts"
import { type Fields, fixed2, flag, noughts } from "./info-format.ts"

/** Nothing is ever copied by fork, so nothing is copied on write. */
const copyOnWriteFields: Fields = [
  ...noughts("current_cow_peak", "current_cow_size", "current_cow_size_age"),
  ["current_fork_perc", "0.00"]
]

const status = (good: boolean): string => good ? "ok" : "err"

/** Checkpoints made by SAVE, BGSAVE and the `save` rules, in Redis's words for snapshots. */
const snapshotFields = (persistence: PersistenceStatus): Fields => {
  const { changesSinceLastSave, keysLoaded, keysProcessed, keysTotal, lastSaveAt, save } = persistence
  return [
    ["current_save_keys_processed", keysProcessed],
    ["current_save_keys_total", keysTotal],
    ["rdb_changes_since_last_save", changesSinceLastSave],
    ["rdb_bgsave_in_progress", flag(save.inProgress)],
    ["rdb_last_save_time", lastSaveAt],
    ["rdb_last_bgsave_status", status(save.ok)],
    ["rdb_last_bgsave_time_sec", save.lastSeconds],
    ["rdb_current_bgsave_time_sec", save.currentSeconds],
    ["rdb_saves", save.count],
    ...noughts("rdb_last_cow_size", "rdb_last_load_keys_expired"),
    ["rdb_last_load_keys_loaded", keysLoaded]
  ]
}

/** The log, in Redis's words for its append-only file; what rewrites it there is a checkpoint here. */
const logFields = (log: LogStatus, { checkpoints, rewrite }: PersistenceStatus): Fields => [
  ["aof_enabled", 1],
  ["aof_rewrite_in_progress", flag(rewrite.inProgress)],
  ["aof_rewrite_scheduled", flag(rewrite.scheduled)],
  ["aof_last_rewrite_time_sec", rewrite.lastSeconds],
  ["aof_current_rewrite_time_sec", rewrite.currentSeconds],
  ["aof_last_bgrewrite_status", status(rewrite.ok)],
  ["aof_rewrites", rewrite.count],
  ["aof_rewrites_consecutive_failures", rewrite.failuresInARow],
  ["aof_last_write_status", status(log.lastWriteOk)],
  ...noughts("aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"),
  ["aof_current_size", log.bytes],
  ["aof_base_size", checkpoints.at(-1)?.bytes ?? 0],
  ...noughts("aof_pending_rewrite", "aof_buffer_length"),
  ["aof_pending_bio_fsync", flag(log.fsyncPending)],
  ["aof_delayed_fsync", log.delayedFsyncs],
  ["checkpoints", checkpoints.length],
  ["checkpoint_sequence", checkpoints.at(-1)?.sequence ?? 0],
  ["checkpoint_bytes", checkpoints.at(-1)?.bytes ?? 0]
]

/** Shown only while the data is being loaded, as in Redis. */
const loadingFields = ({ loading }: PersistenceStatus): Fields => {
  if (loading === undefined) return []
  const { etaSeconds, loadedBytes, startedAt, totalBytes } = loading
  return [
    ["loading_start_time", startedAt],
    ["loading_total_bytes", totalBytes],
    ["loading_loaded_bytes", loadedBytes],
    ["loading_loaded_perc", fixed2(totalBytes === 0 ? 0 : 100 * loadedBytes / totalBytes)],
    ["loading_eta_seconds", etaSeconds]
  ]
}

export const persistenceSection = ({ server }: Control): Fields => {
  const persistence = server.persistence.status()
  return [
    ["loading", flag(persistence.loading !== undefined)],
    ...noughts("async_loading"),
    ...copyOnWriteFields,
    ...snapshotFields(persistence),
    ...logFields(server.logStatus(), persistence),
    ...loadingFields(persistence)
  ]
}

export const eventLogSection = ({ server }: Control): Fields => {
  const log = server.logStatus()
  const { checkpoints } = server.persistence.status()
  return [
    ["log_sequence", log.sequence],
    ["log_lsn", log.lsn],
    ["log_durable_lsn", log.durableLsn],
    ["log_oldest_sequence", log.oldestSequence],
    ["log_segments", log.segments],
    ["log_bytes", log.bytes],
    ["log_original_bytes", log.originalBytes],
    ["log_compressed_segments", log.compressedSegments],
    ["log_checkpoints", checkpoints.length],
    ["log_checkpoint_sequence", checkpoints.at(-1)?.sequence ?? 0],
    ["log_torn_bytes", log.tornBytes],
    ["log_chain_head", log.chainHead],
    ["log_last_write_status", log.lastWriteOk ? "ok" : "err"],
    ["log_fsyncs", log.fsyncs],
    ["log_fsync_pending", flag(log.fsyncPending)],
    ["log_delayed_fsyncs", log.delayedFsyncs]
  ]
}
