/** Replication and cluster: a server by itself can be asked for their parameters, and refuses to pretend it has them. */
import { accepted, immutable, refused } from "../parameter.ts"
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

const noReplicas = "this version has no replication"
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
  "replicaof": refused(primary, "", "this version has no replication, so it cannot follow another server", {
    ...immutable,
    aliases: ["slaveof"]
  }),
  "masterauth": accepted(anyText, "", noReplicas, { secret: true }),
  "masteruser": accepted(text, "", noReplicas),
  "min-replicas-to-write": refused(
    integer(0, int),
    0,
    "this version has no replication, so no write could ever be accepted",
    {
      aliases: ["min-slaves-to-write"]
    }
  ),
  "min-replicas-max-lag": accepted(integer(0, int), 10, noReplicas, { aliases: ["min-slaves-max-lag"] }),
  "repl-backlog-size": accepted(atLeast(16_384, bytes(1)), 1024 * 1024, noReplicas),
  "repl-backlog-ttl": accepted(integer(0, long), 3600, noReplicas),
  "repl-disable-tcp-nodelay": accepted(yesNo, false, noReplicas),
  "repl-diskless-load": accepted(oneOf("disabled", "on-empty-db", "swapdb"), "disabled", noReplicas),
  "repl-diskless-sync": accepted(yesNo, true, noReplicas),
  "repl-diskless-sync-delay": accepted(integer(0, int), 5, noReplicas),
  "repl-diskless-sync-max-replicas": accepted(integer(0, int), 0, noReplicas),
  "repl-ping-replica-period": accepted(integer(1, int), 10, noReplicas, { aliases: ["repl-ping-slave-period"] }),
  "repl-timeout": accepted(integer(1, int), 60, noReplicas),
  "replica-announce-ip": accepted(text, "", noReplicas, { aliases: ["slave-announce-ip"] }),
  "replica-announce-port": accepted(integer(0, 65_535), 0, noReplicas, { aliases: ["slave-announce-port"] }),
  "replica-announced": accepted(yesNo, true, noReplicas),
  "replica-full-sync-buffer-limit": accepted(bytes(0), 0, noReplicas),
  "replica-ignore-maxmemory": accepted(yesNo, true, noReplicas, { aliases: ["slave-ignore-maxmemory"] }),
  "replica-lazy-flush": accepted(yesNo, false, noReplicas, { aliases: ["slave-lazy-flush"] }),
  "replica-priority": accepted(integer(0, int), 100, noReplicas, { aliases: ["slave-priority"] }),
  "replica-read-only": accepted(yesNo, true, noReplicas, { aliases: ["slave-read-only"] }),
  "replica-serve-stale-data": accepted(yesNo, true, noReplicas, { aliases: ["slave-serve-stale-data"] }),
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
