/** Replication; and cluster, which this version has not: it can be asked for its parameters, and pretends nothing. */
import { accepted, immutable, refused, works } from "../parameter.ts"
import {
  anyText,
  atLeast,
  bytes,
  int,
  integer,
  type Kind,
  long,
  oneOf,
  text,
  textLike,
  unsignedLong,
  wrongCount,
  yesNo
} from "../values.ts"

const noBacklog = "a replica resumes from the log itself, as far back as that goes"
const noRdb = "a full sync sends a checkpoint that is on disk"
const noCluster = "this version has no cluster"

const hostName = textLike(
  "a host name",
  (word) => /^[A-Za-z0-9.-]*$/.test(word),
  "Hostnames may only contain alphanumeric characters, hyphens or dots"
)

/** Host and port of another server, or "no one" for none. */
const primary: Kind<string> = {
  name: "host and port",
  several: true,
  parse: (list) => {
    if (list.length === 0) return ""
    if (list.length !== 2) return undefined
    if (/^no$/i.test(list[0]!) && /^one$/i.test(list[1]!)) return ""
    return /^\d{1,5}$/.test(list[1]!) && Number(list[1]) <= 65_535 ? list.join(" ") : undefined
  },
  print: (value) => value,
  complaint: (list) => list.length === 2 ? "Invalid master port" : wrongCount
}

export const replication = {
  "replicaof": works(primary, "", "the server to follow from the start on; without it a replica goes on as it was", {
    ...immutable,
    aliases: ["slaveof"]
  }),
  "masterauth": works(anyText, "", "password a replica gives to its primary", { secret: true }),
  "masteruser": works(text, "", "user a replica names to its primary"),
  "min-replicas-to-write": works(integer(0, int), 0, "writes are refused while fewer replicas follow; 0 for never", {
    aliases: ["min-slaves-to-write"]
  }),
  "min-replicas-max-lag": works(
    integer(0, int),
    10,
    "seconds since a replica was heard of within which it counts for min-replicas-to-write",
    { aliases: ["min-slaves-max-lag"] }
  ),
  "repl-backlog-size": accepted(atLeast(16_384, bytes(1)), 1024 * 1024, noBacklog),
  "repl-backlog-ttl": accepted(integer(0, long), 3600, noBacklog),
  "repl-disable-tcp-nodelay": accepted(yesNo, false, "a frame holds what a turn has gathered, and is sent at once"),
  "repl-diskless-load": accepted(oneOf("disabled", "on-empty-db", "swapdb"), "disabled", noRdb),
  "repl-diskless-sync": accepted(yesNo, true, noRdb),
  "repl-diskless-sync-delay": accepted(integer(0, int), 5, noRdb),
  "repl-diskless-sync-max-replicas": accepted(integer(0, int), 0, noRdb),
  "repl-ping-replica-period": works(integer(1, int), 10, "seconds between signs of life to replicas", {
    aliases: ["repl-ping-slave-period"]
  }),
  "repl-timeout": works(integer(1, int), 60, "seconds of silence after which a link is given up, by either side"),
  "replica-announce-ip": works(text, "", "address a replica names to its primary", { aliases: ["slave-announce-ip"] }),
  "replica-announce-port": works(integer(0, 65_535), 0, "port a replica names to its primary; 0 for its own", {
    aliases: ["slave-announce-port"]
  }),
  "replica-announced": works(yesNo, true, "whether Sentinel is to be told of this replica; INFO says so"),
  "replica-full-sync-buffer-limit": accepted(bytes(0), 0, "what comes during a full sync goes to disk"),
  "replica-ignore-maxmemory": refused(
    yesNo,
    true,
    "a replica's log is its primary's, byte for byte, so it cannot evict by itself",
    { aliases: ["slave-ignore-maxmemory"] }
  ),
  "replica-lazy-flush": accepted(yesNo, false, "all data is always let go in no time", {
    aliases: ["slave-lazy-flush"]
  }),
  "replica-priority": works(integer(0, int), 100, "which replica Sentinel prefers; INFO says so", {
    aliases: ["slave-priority"]
  }),
  "replica-read-only": refused(
    yesNo,
    true,
    "a replica's log is its primary's, byte for byte, so nobody else can write to it",
    { aliases: ["slave-read-only"] }
  ),
  "replica-serve-stale-data": works(
    yesNo,
    true,
    "whether a replica answers from what it has while its primary cannot be reached",
    { aliases: ["slave-serve-stale-data"] }
  ),
  "cluster-enabled": refused(yesNo, false, noCluster, immutable),
  "cluster-config-file": accepted(text, "nodes.conf", noCluster, immutable),
  "cluster-port": accepted(integer(0, 65_535), 0, noCluster, immutable),
  "cluster-node-timeout": accepted(integer(0, long), 15_000, noCluster),
  "cluster-announce-ip": accepted(text, "", noCluster),
  "cluster-announce-hostname": accepted(hostName, "", noCluster),
  "cluster-announce-port": accepted(integer(0, 65_535), 0, noCluster),
  "cluster-announce-bus-port": accepted(integer(0, 65_535), 0, noCluster),
  "cluster-announce-tls-port": accepted(integer(0, 65_535), 0, noCluster),
  "cluster-allow-pubsubshard-when-down": accepted(yesNo, true, noCluster),
  "cluster-allow-reads-when-down": accepted(yesNo, false, noCluster),
  "cluster-allow-replica-migration": accepted(yesNo, true, noCluster),
  "cluster-link-sendbuf-limit": accepted(bytes(0, unsignedLong), 0, noCluster),
  "cluster-migration-barrier": accepted(integer(0, int), 1, noCluster),
  "cluster-preferred-endpoint-type": accepted(oneOf("ip", "hostname", "unknown-endpoint"), "ip", noCluster),
  "cluster-replica-no-failover": accepted(yesNo, false, noCluster, { aliases: ["cluster-slave-no-failover"] }),
  "cluster-replica-validity-factor": accepted(integer(0, int), 10, noCluster, {
    aliases: ["cluster-slave-validity-factor"]
  }),
  "cluster-require-full-coverage": accepted(yesNo, true, noCluster)
} as const
