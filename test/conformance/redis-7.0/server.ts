/** The commands of Redis 7.0.15 about connections, the server and the cluster. */
import { firstKey, keyAtIndex } from "../../../src/commands/define.ts"
import { group, row } from "./row.ts"

const connection = group("connection", [
  row("AUTH", "1.0.0", -2, {
    syntax: "[username@6.0.0] password",
    flags: "noscript loading stale fast no_auth allow_busy",
    history: "6.0.0"
  }),
  row("CLIENT", "2.4.0", -2, {
    subcommands: [
      row("CACHING", "6.0.0", 3, { syntax: "<mode: YES | NO>", flags: "noscript loading stale" }),
      row("GETNAME", "2.6.9", 2, { flags: "noscript loading stale" }),
      row("GETREDIR", "6.0.0", 2, { flags: "noscript loading stale" }),
      row("HELP", "5.0.0", 2, { flags: "loading stale" }),
      row("ID", "5.0.0", 2, { flags: "noscript loading stale" }),
      row("INFO", "6.2.0", 2, { flags: "noscript loading stale", tips: "nondeterministic_output" }),
      row("KILL", "2.4.0", -3, {
        syntax:
          "<filter: ip:port!2.8.12 | <new-format: [ID client-id@2.8.12] | [TYPE <normal_master_slave_pubsub: NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB>@2.8.12] | [USER username] | [ADDR ip:port] | [LADDR ip:port@6.2.0] | [SKIPME yes/no]> ...>",
        flags: "admin noscript loading stale",
        history: "2.8.12 2.8.12 3.2.0 5.0.0 6.2.0"
      }),
      row("LIST", "2.4.0", -2, {
        syntax: "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>@5.0.0] [ID <id: client-id ...>@6.2.0]",
        flags: "admin noscript loading stale",
        tips: "nondeterministic_output",
        history: "2.8.12 5.0.0 6.0.0 6.2.0 7.0.0 7.0.3"
      }),
      row("NO-EVICT", "7.0.0", 3, { syntax: "<enabled: ON | OFF>", flags: "admin noscript loading stale" }),
      row("PAUSE", "2.9.50", -3, {
        syntax: "timeout(integer) [mode: WRITE | ALL]@6.2.0",
        flags: "admin noscript loading stale",
        history: "6.2.0"
      }),
      row("REPLY", "3.2.0", 3, { syntax: "<ON | OFF | SKIP>", flags: "noscript loading stale" }),
      row("SETNAME", "2.6.9", 3, { syntax: "connection-name", flags: "noscript loading stale" }),
      row("TRACKING", "6.0.0", -3, {
        syntax: "<status: ON | OFF> [REDIRECT client-id] [PREFIX prefix] ... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
        flags: "noscript loading stale"
      }),
      row("TRACKINGINFO", "6.2.0", 2, { flags: "noscript loading stale" }),
      row("UNBLOCK", "5.0.0", -3, { syntax: "client-id [TIMEOUT | ERROR]", flags: "admin noscript loading stale" }),
      row("UNPAUSE", "6.2.0", 2, { flags: "admin noscript loading stale" })
    ]
  }),
  row("ECHO", "1.0.0", 2, { syntax: "message", flags: "loading stale fast" }),
  row("HELLO", "6.0.0", -1, {
    syntax: "[arguments: protover [AUTH <username password>] [SETNAME clientname]]",
    flags: "noscript loading stale fast no_auth allow_busy",
    history: "6.2.0"
  }),
  row("PING", "1.0.0", -1, {
    syntax: "[message]",
    flags: "fast",
    tips: "request_policy:all_shards response_policy:all_succeeded"
  }),
  row("QUIT", "1.0.0", -1, { flags: "noscript loading stale fast no_auth allow_busy" }),
  row("RESET", "6.2.0", 1, { flags: "noscript loading stale fast no_auth allow_busy" }),
  row("SELECT", "1.0.0", 2, { syntax: "index", flags: "loading stale fast" })
])

const server = group("server", [
  row("ACL", "6.0.0", -2, {
    subcommands: [
      row("CAT", "6.0.0", -2, { syntax: "[categoryname]", flags: "noscript loading stale" }),
      row("DELUSER", "6.0.0", -3, { syntax: "username ...", flags: "admin noscript loading stale" }),
      row("DRYRUN", "7.0.0", -4, { syntax: "username command [arg ...]", flags: "admin noscript loading stale" }),
      row("GENPASS", "6.0.0", -2, { syntax: "[bits]", flags: "noscript loading stale" }),
      row("GETUSER", "6.0.0", 3, { syntax: "username", flags: "admin noscript loading stale", history: "6.2.0 7.0.0" }),
      row("HELP", "6.0.0", 2, { flags: "loading stale" }),
      row("LIST", "6.0.0", 2, { flags: "admin noscript loading stale" }),
      row("LOAD", "6.0.0", 2, { flags: "admin noscript loading stale" }),
      row("LOG", "6.0.0", -2, { syntax: "[operation: count | RESET]", flags: "admin noscript loading stale" }),
      row("SAVE", "6.0.0", 2, { flags: "admin noscript loading stale" }),
      row("SETUSER", "6.0.0", -3, {
        syntax: "username [rule ...]",
        flags: "admin noscript loading stale",
        history: "6.2.0 7.0.0"
      }),
      row("USERS", "6.0.0", 2, { flags: "admin noscript loading stale" }),
      row("WHOAMI", "6.0.0", 2, { flags: "noscript loading stale" })
    ]
  }),
  row("BGREWRITEAOF", "1.0.0", 1, { flags: "admin noscript no_async_loading" }),
  row("BGSAVE", "1.0.0", -1, {
    syntax: "[SCHEDULE@3.2.2]",
    flags: "admin noscript no_async_loading",
    history: "3.2.2"
  }),
  row("COMMAND", "2.8.13", -1, {
    flags: "loading stale",
    categories: ["@connection"],
    tips: "nondeterministic_output_order",
    subcommands: [
      row("COUNT", "2.8.13", 2, { flags: "loading stale", categories: ["@connection"] }),
      row("DOCS", "7.0.0", -2, {
        syntax: "[command-name ...]",
        flags: "loading stale",
        categories: ["@connection"],
        tips: "nondeterministic_output_order"
      }),
      row("GETKEYS", "2.8.13", -4, { flags: "loading stale", categories: ["@connection"] }),
      row("GETKEYSANDFLAGS", "7.0.0", -4, { flags: "loading stale", categories: ["@connection"] }),
      row("HELP", "5.0.0", 2, { flags: "loading stale", categories: ["@connection"] }),
      row("INFO", "2.8.13", -2, {
        syntax: "[command-name ...]",
        flags: "loading stale",
        categories: ["@connection"],
        tips: "nondeterministic_output_order",
        history: "7.0.0"
      }),
      row("LIST", "7.0.0", -2, {
        syntax: "[FILTERBY <filterby: MODULE module-name | ACLCAT category | PATTERN pattern>]",
        flags: "loading stale",
        categories: ["@connection"],
        tips: "nondeterministic_output_order"
      })
    ]
  }),
  row("CONFIG", "2.0.0", -2, {
    subcommands: [
      row("GET", "2.0.0", -3, { syntax: "<parameter> ...", flags: "admin noscript loading stale", history: "7.0.0" }),
      row("HELP", "5.0.0", 2, { flags: "loading stale" }),
      row("RESETSTAT", "2.0.0", 2, { flags: "admin noscript loading stale" }),
      row("REWRITE", "2.8.0", 2, { flags: "admin noscript loading stale" }),
      row("SET", "2.0.0", -4, {
        syntax: "<parameter value> ...",
        flags: "admin noscript loading stale",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        history: "7.0.0"
      })
    ]
  }),
  row("DBSIZE", "1.0.0", 1, {
    flags: "readonly fast",
    categories: ["@keyspace"],
    tips: "request_policy:all_shards response_policy:agg_sum"
  }),
  row("DEBUG", "1.0.0", -2, { flags: "admin noscript loading stale", internal: true }),
  row("FAILOVER", "6.2.0", -1, {
    syntax: "[TO <target: host port [FORCE]>] [ABORT] [TIMEOUT milliseconds]",
    flags: "admin noscript stale"
  }),
  row("FLUSHALL", "1.0.0", -1, {
    syntax: "[async: ASYNC@4.0.0 | SYNC@6.2.0]",
    flags: "write",
    categories: ["@keyspace", "@dangerous"],
    tips: "request_policy:all_shards response_policy:all_succeeded",
    history: "4.0.0 6.2.0"
  }),
  row("FLUSHDB", "1.0.0", -1, {
    syntax: "[async: ASYNC@4.0.0 | SYNC@6.2.0]",
    flags: "write",
    categories: ["@keyspace", "@dangerous"],
    tips: "request_policy:all_shards response_policy:all_succeeded",
    history: "4.0.0 6.2.0"
  }),
  row("INFO", "1.0.0", -1, {
    syntax: "[section ...]",
    flags: "loading stale",
    categories: ["@dangerous"],
    tips: "nondeterministic_output request_policy:all_shards response_policy:special",
    history: "7.0.0"
  }),
  row("LASTSAVE", "1.0.0", 1, {
    flags: "loading stale fast",
    categories: ["@admin", "@dangerous"],
    tips: "nondeterministic_output"
  }),
  row("LATENCY", "2.8.13", -2, {
    subcommands: [
      row("DOCTOR", "2.8.13", 2, {
        flags: "admin noscript loading stale",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special"
      }),
      row("GRAPH", "2.8.13", 3, {
        syntax: "event",
        flags: "admin noscript loading stale",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special"
      }),
      row("HELP", "2.8.13", 2, { flags: "loading stale" }),
      row("HISTOGRAM", "7.0.0", -2, {
        syntax: "[command ...]",
        flags: "admin noscript loading stale",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special"
      }),
      row("HISTORY", "2.8.13", 3, {
        syntax: "event",
        flags: "admin noscript loading stale",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special"
      }),
      row("LATEST", "2.8.13", 2, {
        flags: "admin noscript loading stale",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special"
      }),
      row("RESET", "2.8.13", -2, {
        syntax: "[event ...]",
        flags: "admin noscript loading stale",
        tips: "request_policy:all_nodes response_policy:all_succeeded"
      })
    ]
  }),
  row("LOLWUT", "5.0.0", -1, { syntax: "[VERSION version]", flags: "readonly fast", complexity: "" }),
  row("MEMORY", "4.0.0", -2, {
    subcommands: [
      row("DOCTOR", "4.0.0", 2, { tips: "nondeterministic_output request_policy:all_shards response_policy:special" }),
      row("HELP", "4.0.0", 2, { flags: "loading stale" }),
      row("MALLOC-STATS", "4.0.0", 2, {
        tips: "nondeterministic_output request_policy:all_shards response_policy:special"
      }),
      row("PURGE", "4.0.0", 2, { tips: "request_policy:all_shards response_policy:all_succeeded" }),
      row("STATS", "4.0.0", 2, { tips: "nondeterministic_output request_policy:all_shards response_policy:special" }),
      row("USAGE", "4.0.0", -3, { syntax: "key [SAMPLES count]", flags: "readonly", keys: keyAtIndex(2, "RO") })
    ]
  }),
  row("MODULE", "4.0.0", -2, {
    subcommands: [
      row("HELP", "5.0.0", 2, { flags: "loading stale" }),
      row("LIST", "4.0.0", 2, { flags: "admin noscript", tips: "nondeterministic_output_order" }),
      row("LOAD", "4.0.0", -3, { syntax: "path [arg ...]", flags: "admin noscript no_async_loading" }),
      row("LOADEX", "7.0.0", -3, {
        syntax: "path [CONFIG <configs: name value>] ... [ARGS <args: arg> ...]",
        flags: "admin noscript no_async_loading"
      }),
      row("UNLOAD", "4.0.0", 3, { syntax: "name", flags: "admin noscript no_async_loading" })
    ]
  }),
  row("MONITOR", "1.0.0", 1, { flags: "admin noscript loading stale", complexity: "" }),
  row("PSYNC", "2.8.0", -3, {
    syntax: "replicationid offset",
    flags: "admin noscript no_async_loading no_multi",
    complexity: ""
  }),
  row("REPLCONF", "3.0.0", -1, { flags: "admin noscript loading stale allow_busy", internal: true }),
  row("REPLICAOF", "5.0.0", 3, {
    syntax: "<args: <host-port: host port> | <no-one: NO ONE>>",
    flags: "admin noscript stale no_async_loading"
  }),
  row("RESTORE-ASKING", "3.0.0", -4, {
    syntax: "key ttl serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency@5.0.0]",
    flags: "write denyoom asking",
    keys: firstKey("OW", "update"),
    categories: ["@keyspace", "@dangerous"],
    history: "3.0.0 5.0.0 5.0.0",
    internal: true
  }),
  row("ROLE", "2.8.12", 1, { flags: "noscript loading stale fast", categories: ["@admin", "@dangerous"] }),
  row("SAVE", "1.0.0", 1, { flags: "admin noscript no_async_loading no_multi" }),
  row("SHUTDOWN", "1.0.0", -1, {
    syntax: "[NOSAVE | SAVE] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
    flags: "admin noscript loading stale no_multi allow_busy",
    history: "7.0.0"
  }),
  row("SLAVEOF", "1.0.0", 3, {
    syntax: "<args: <host-port: host port> | <no-one: NO ONE>>",
    flags: "admin noscript stale no_async_loading",
    deprecated: { since: "5.0.0", replacedBy: "`REPLICAOF`" }
  }),
  row("SLOWLOG", "2.2.12", -2, {
    subcommands: [
      row("GET", "2.2.12", -2, {
        syntax: "[count]",
        flags: "admin loading stale",
        tips: "request_policy:all_nodes nondeterministic_output",
        history: "4.0.0"
      }),
      row("HELP", "6.2.0", 2, { flags: "loading stale" }),
      row("LEN", "2.2.12", 2, {
        flags: "admin loading stale",
        tips: "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"
      }),
      row("RESET", "2.2.12", 2, {
        flags: "admin loading stale",
        tips: "request_policy:all_nodes response_policy:all_succeeded"
      })
    ]
  }),
  row("SWAPDB", "4.0.0", 3, { syntax: "index1 index2", flags: "write fast", categories: ["@keyspace", "@dangerous"] }),
  row("SYNC", "1.0.0", 1, { flags: "admin noscript no_async_loading no_multi", complexity: "" }),
  row("TIME", "2.6.0", 1, { flags: "loading stale fast", tips: "nondeterministic_output" })
])

const cluster = group("cluster", [
  row("ASKING", "3.0.0", 1, { flags: "fast", categories: ["@connection"] }),
  row("CLUSTER", "3.0.0", -2, {
    subcommands: [
      row("ADDSLOTS", "3.0.0", -3, { syntax: "slot ...", flags: "admin stale no_async_loading" }),
      row("ADDSLOTSRANGE", "7.0.0", -4, { syntax: "<start-slot end-slot> ...", flags: "admin stale no_async_loading" }),
      row("BUMPEPOCH", "3.0.0", 2, { flags: "admin stale no_async_loading", tips: "nondeterministic_output" }),
      row("COUNT-FAILURE-REPORTS", "3.0.0", 3, {
        syntax: "node-id",
        flags: "admin stale",
        tips: "nondeterministic_output"
      }),
      row("COUNTKEYSINSLOT", "3.0.0", 3, { syntax: "slot", flags: "stale" }),
      row("DELSLOTS", "3.0.0", -3, { syntax: "slot ...", flags: "admin stale no_async_loading" }),
      row("DELSLOTSRANGE", "7.0.0", -4, { syntax: "<start-slot end-slot> ...", flags: "admin stale no_async_loading" }),
      row("FAILOVER", "3.0.0", -2, { syntax: "[options: FORCE | TAKEOVER]", flags: "admin stale no_async_loading" }),
      row("FLUSHSLOTS", "3.0.0", 2, { flags: "admin stale no_async_loading" }),
      row("FORGET", "3.0.0", 3, { syntax: "node-id", flags: "admin stale no_async_loading" }),
      row("GETKEYSINSLOT", "3.0.0", 4, { syntax: "slot count", flags: "stale", tips: "nondeterministic_output" }),
      row("HELP", "5.0.0", 2, { flags: "loading stale" }),
      row("INFO", "3.0.0", 2, { flags: "stale", tips: "nondeterministic_output" }),
      row("KEYSLOT", "3.0.0", 3, { syntax: "key(string)", flags: "stale" }),
      row("LINKS", "7.0.0", 2, { flags: "stale", tips: "nondeterministic_output" }),
      row("MEET", "3.0.0", -4, {
        syntax: "ip port [cluster_bus_port@4.0.0]",
        flags: "admin stale no_async_loading",
        history: "4.0.0"
      }),
      row("MYID", "3.0.0", 2, { flags: "stale" }),
      row("NODES", "3.0.0", 2, { flags: "stale", tips: "nondeterministic_output" }),
      row("REPLICAS", "5.0.0", 3, { syntax: "node-id", flags: "admin stale", tips: "nondeterministic_output" }),
      row("REPLICATE", "3.0.0", 3, { syntax: "node-id", flags: "admin stale no_async_loading" }),
      row("RESET", "3.0.0", -2, { syntax: "[HARD | SOFT]", flags: "admin noscript stale" }),
      row("SAVECONFIG", "3.0.0", 2, { flags: "admin stale no_async_loading" }),
      row("SET-CONFIG-EPOCH", "3.0.0", 3, { syntax: "config-epoch", flags: "admin stale no_async_loading" }),
      row("SETSLOT", "3.0.0", -4, {
        syntax: "slot <subcommand: IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>",
        flags: "admin stale no_async_loading"
      }),
      row("SHARDS", "7.0.0", 2, { flags: "stale", tips: "nondeterministic_output" }),
      row("SLAVES", "3.0.0", 3, {
        syntax: "node-id",
        flags: "admin stale",
        tips: "nondeterministic_output",
        deprecated: { since: "5.0.0", replacedBy: "`CLUSTER REPLICAS`" }
      }),
      row("SLOTS", "3.0.0", 2, {
        flags: "stale",
        tips: "nondeterministic_output",
        history: "4.0.0 7.0.0",
        deprecated: { since: "7.0.0", replacedBy: "`CLUSTER SHARDS`" }
      })
    ]
  }),
  row("READONLY", "3.0.0", 1, { flags: "loading stale fast", categories: ["@connection"] }),
  row("READWRITE", "3.0.0", 1, { flags: "loading stale fast", categories: ["@connection"] })
])

export const serverCommands = [...connection, ...server, ...cluster]
