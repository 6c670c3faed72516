/** Commands about replication: whom this server follows, who follows it, and waiting for them. */
import type { Command } from "../define.ts"
import { failover } from "./failover.ts"
import { logFollow, logSegment, replconf } from "./link.ts"
import { replicaof, slaveof } from "./replicaof.ts"
import { role } from "./role.ts"
import { psync, sync } from "./sync.ts"
import { wait, waitaof } from "./wait.ts"

export const replicationCommands: ReadonlyArray<Command> = [
  replicaof,
  slaveof,
  role,
  replconf,
  logFollow,
  logSegment,
  sync,
  psync,
  wait,
  waitaof,
  failover
]
