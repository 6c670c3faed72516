/** Where the server listens, whom it lets in, and how much a connection may take. */
import { accepted, immutable, needs, refused, works } from "../parameter.ts"
import { type OutputLimits, outputLimits } from "../value-lists.ts"
import {
  anyText,
  bytes,
  bytesOrPercent,
  fileMode,
  int,
  integer,
  long,
  oneOf,
  text,
  unsigned,
  words,
  yesNo
} from "../values.ts"

const mb = 1024 * 1024

/** Limits on waiting replies unless configured otherwise, as in Redis. */
const standardLimits: OutputLimits = {
  normal: { hard: 0, soft: 0, softSeconds: 0 },
  slave: { hard: 256 * mb, soft: 64 * mb, softSeconds: 60 },
  pubsub: { hard: 32 * mb, soft: 8 * mb, softSeconds: 60 }
}

const openedAtStart = "the sockets are opened when the server starts; change the configuration and start it again"

/** What one bulk string can be: arguments are slices of one buffer. */
const longestBulk = 1024 * mb

export const network = {
  "bind": works(words, ["127.0.0.1", "-::1"], "addresses to listen on; * for all, - before one that may be missing", {
    fixedBecause: openedAtStart
  }),
  "port": works(integer(0, 65_535), 6379, "TCP port; 0 for none", { fixedBecause: openedAtStart }),
  "unixsocket": works(text, "", "path of a Unix socket to listen on as well", immutable),
  "unixsocketperm": works(fileMode, 0, "file mode of the Unix socket", immutable),
  "unixsocketgroup": refused(
    text,
    "",
    "the socket keeps the group of the process; use a directory with the setgid bit",
    immutable
  ),
  "tcp-backlog": works(integer(0, int), 511, "length of the queue of connections not yet accepted", immutable),
  "timeout": works(integer(0, int), 0, "seconds of silence after which a client is closed; 0 for never"),
  "tcp-keepalive": works(integer(0, int), 300, "seconds until TCP asks a silent peer whether it is there; 0 for never"),
  "maxclients": works(integer(1, unsigned), 10_000, "connections at a time; more are refused"),
  "max-new-connections-per-cycle": accepted(integer(1, 1000), 10, "the event loop accepts connections as they come"),
  "protected-mode": works(yesNo, true, "without a password only clients of this machine are let in"),
  "requirepass": works(anyText, "", "password of the default user", { secret: true }),
  "proto-max-bulk-len": works(
    bytes(mb),
    512 * mb,
    "length of the longest argument, and of strings that APPEND and SETRANGE make",
    {
      refuse: (value) => value > longestBulk ? `arguments longer than ${longestBulk} bytes cannot be held` : undefined
    }
  ),
  "client-query-buffer-limit": works(bytes(mb), 1024 * mb, "bytes of unread requests after which a client is closed"),
  "client-output-buffer-limit": works(
    outputLimits,
    standardLimits,
    "bytes of unsent replies after which a client is closed"
  ),
  "maxmemory-clients": needs("clientEviction", bytesOrPercent, 0, "bytes that all connections together may take"),
  "bind-source-addr": works(text, "", "IP address that a replica connects to its primary from; else any"),
  "socket-mark-id": refused(integer(0, unsigned), 0, "the run-time has no way to mark sockets", immutable),
  "io-threads": accepted(integer(1, 128), 1, "one thread serves all connections", immutable),
  "io-threads-do-reads": accepted(yesNo, false, "one thread serves all connections", immutable),
  "enable-debug-command": works(
    oneOf("no", "local", "yes"),
    "no",
    "who may run DEBUG: nobody, clients of this machine, all",
    immutable
  ),
  "enable-protected-configs": works(
    oneOf("no", "local", "yes"),
    "no",
    "who may change protected parameters: nobody, clients of this machine, all",
    immutable
  ),
  "enable-module-command": accepted(oneOf("no", "local", "yes"), "no", "there are no modules", immutable),
  "tracking-table-max-keys": works(
    integer(0, long),
    1_000_000,
    "keys that clients who track are remembered for; 0 for no limit"
  ),
  "metrics-port": needs("metrics", integer(0, 65_535), 0, "port of the HTTP endpoint for metrics; 0 for none", {
    fixedBecause: openedAtStart
  }),
  "metrics-bind": needs("metrics", words, ["127.0.0.1"], "addresses of the HTTP endpoint for metrics", {
    fixedBecause: openedAtStart
  })
} as const
