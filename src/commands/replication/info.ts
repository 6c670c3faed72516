/** INFO replication: the fields of Redis 7.0 in their order, then our own. Offsets are positions in the log, bytes. */
import type { Control } from "../ports.ts"
import { type Fields, fixed2, flag } from "../server/info-format.ts"
import type { PrimaryStatus, ReplicationStatus } from "./port.ts"

const primaryFields = (primary: PrimaryStatus, lsn: number, { config }: Control): Fields => {
  const { downSeconds, host, lastIoSeconds, port, readLsn, state, sync } = primary
  const up = state === "connected"
  return [
    ["master_host", host],
    ["master_port", port],
    ["master_link_status", up ? "up" : "down"],
    ["master_last_io_seconds_ago", lastIoSeconds],
    ["master_sync_in_progress", flag(state === "sync")],
    ["slave_read_repl_offset", readLsn],
    ["slave_repl_offset", primary.foreign ? primary.readLsn : lsn],
    ...syncFields(sync),
    ...(up ? [] : [["master_link_down_since_seconds", downSeconds] as const]),
    ["slave_priority", config.get("replica-priority")],
    ["slave_read_only", flag(config.get("replica-read-only") === "yes")],
    ["replica_announced", flag(config.get("replica-announced") === "yes")]
  ]
}

const syncFields = (sync: PrimaryStatus["sync"]): Fields => {
  if (sync === undefined) return []
  const { lastIoSeconds, readBytes, totalBytes } = sync
  return [
    ["master_sync_total_bytes", totalBytes],
    ["master_sync_read_bytes", readBytes],
    ["master_sync_left_bytes", Math.max(0, totalBytes - readBytes)],
    ["master_sync_perc", fixed2(totalBytes === 0 ? 0 : 100 * readBytes / totalBytes)],
    ["master_sync_last_io_seconds_ago", lastIoSeconds]
  ]
}

const replicaFields = ({ goodReplicas, replicas }: ReplicationStatus): Fields => [
  ["connected_slaves", replicas.length],
  ...(goodReplicas === undefined ? [] : [["min_slaves_good_slaves", goodReplicas] as const]),
  ...replicas.map(({ address, lagSeconds, lsn, port, state }, i) =>
    [`slave${i}`, `ip=${address},port=${port},state=${state},offset=${lsn},lag=${lagSeconds}`] as const
  )
]

const ownFields = ({ epoch, primary, setAsideBatches, setAsideBytes }: ReplicationStatus, sequence: number): Fields => [
  ["replication_epoch", epoch],
  ["replication_set_aside_batches", setAsideBatches],
  ["replication_set_aside_bytes", setAsideBytes],
  ...(primary === undefined ? [] : [
    ["master_sequence", primary.primarySequence] as const,
    ["slave_sequence", sequence] as const,
    ["slave_delay_ms", primary.delayMs] as const,
    ...(primary.until === undefined ? [] : [["slave_until_sequence", primary.until] as const])
  ])
]

export const replicationSection = (control: Control): Fields => {
  const { server } = control
  const status = server.replication.status()
  const { failover, lsn, oldestLsn, primary, replicas, replicationId, secondId, secondLsn } = status
  return [
    ["role", primary === undefined ? "master" : "slave"],
    ...(primary === undefined ? [] : primaryFields(primary, lsn, control)),
    ...replicaFields(status),
    ["master_failover_state", failover],
    ["master_replid", replicationId],
    ["master_replid2", secondId],
    ["master_repl_offset", lsn],
    ["second_repl_offset", secondLsn],
    // The log itself is what a replica resumes from: there is no buffer beside it.
    ["repl_backlog_active", flag(replicas.length > 0 || primary !== undefined)],
    ["repl_backlog_size", control.config.get("repl-backlog-size")],
    ["repl_backlog_first_byte_offset", oldestLsn],
    ["repl_backlog_histlen", lsn - oldestLsn],
    ...ownFields(status, server.logStatus().sequence)
  ]
}
