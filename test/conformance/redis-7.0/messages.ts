/** The commands of Redis 7.0.15 about streams, publish and subscribe, transactions and scripts. */
import { allKeys, firstKey, keyAtIndex, keysAfterWord, numberedKeys } from "../../../src/commands/define.ts"
import { group, row } from "./row.ts"

const stream = group("stream", [
  row("XACK", "5.0.0", -4, { syntax: "key group id ...", flags: "write fast", keys: firstKey("RW", "update") }),
  row("XADD", "5.0.0", -5, {
    syntax:
      "key [NOMKSTREAM@6.2.0] [trim: <strategy: MAXLEN | MINID@6.2.0> [operator: equal== | approximately=~] threshold [LIMIT count@6.2.0]] <id_or_auto: auto_id=* | id> <field value> ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "update"),
    notes: [true],
    tips: "nondeterministic_output",
    history: "6.2.0 7.0.0"
  }),
  row("XAUTOCLAIM", "6.2.0", -6, {
    syntax: "key group consumer min-idle-time start(string) [COUNT count] [JUSTID]",
    flags: "write fast",
    keys: firstKey("RW", "delete"),
    tips: "nondeterministic_output",
    history: "7.0.0"
  }),
  row("XCLAIM", "5.0.0", -6, {
    syntax:
      "key group consumer min-idle-time id ... [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]",
    flags: "write fast",
    keys: firstKey("RW", "update"),
    tips: "nondeterministic_output"
  }),
  row("XDEL", "5.0.0", -3, { syntax: "key id ...", flags: "write fast", keys: firstKey("RW", "delete") }),
  row("XGROUP", "5.0.0", -2, {
    subcommands: [
      row("CREATE", "5.0.0", -5, {
        syntax: "key groupname <id: id | new_id=$> [MKSTREAM] [ENTRIESREAD entries_read]",
        flags: "write denyoom",
        keys: keyAtIndex(2, "RW", "insert"),
        history: "7.0.0"
      }),
      row("CREATECONSUMER", "6.2.0", 5, {
        syntax: "key groupname consumername",
        flags: "write denyoom",
        keys: keyAtIndex(2, "RW", "insert")
      }),
      row("DELCONSUMER", "5.0.0", 5, {
        syntax: "key groupname consumername",
        flags: "write",
        keys: keyAtIndex(2, "RW", "delete")
      }),
      row("DESTROY", "5.0.0", 4, { syntax: "key groupname", flags: "write", keys: keyAtIndex(2, "RW", "delete") }),
      row("HELP", "5.0.0", 2, { flags: "loading stale" }),
      row("SETID", "5.0.0", -5, {
        syntax: "key groupname <id: id | new_id=$> [ENTRIESREAD entries_read]",
        flags: "write",
        keys: keyAtIndex(2, "RW", "update"),
        history: "7.0.0"
      })
    ]
  }),
  row("XINFO", "5.0.0", -2, {
    subcommands: [
      row("CONSUMERS", "5.0.0", 4, {
        syntax: "key groupname",
        flags: "readonly",
        keys: keyAtIndex(2, "RO", "access"),
        tips: "nondeterministic_output"
      }),
      row("GROUPS", "5.0.0", 3, {
        syntax: "key",
        flags: "readonly",
        keys: keyAtIndex(2, "RO", "access"),
        history: "7.0.0"
      }),
      row("HELP", "5.0.0", 2, { flags: "loading stale" }),
      row("STREAM", "5.0.0", -3, {
        syntax: "key [FULL <full: [COUNT count]>]",
        flags: "readonly",
        keys: keyAtIndex(2, "RO", "access"),
        history: "6.0.0 7.0.0"
      })
    ]
  }),
  row("XLEN", "5.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO") }),
  row("XPENDING", "5.0.0", -3, {
    syntax: "key group [filters: [IDLE min-idle-time(integer)@6.2.0] start(string) end(string) count [consumer]]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output",
    history: "6.2.0"
  }),
  row("XRANGE", "5.0.0", -4, {
    syntax: "key start(string) end(string) [COUNT count]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "6.2.0"
  }),
  row("XREAD", "5.0.0", -4, {
    syntax: "[COUNT count] [BLOCK milliseconds] STREAMS <streams: key ... id ...>",
    flags: "readonly blocking",
    keys: keysAfterWord("STREAMS", 1, "RO", "access")
  }),
  row("XREADGROUP", "5.0.0", -7, {
    syntax: "GROUP <group consumer> [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS <streams: key ... id ...>",
    flags: "write blocking",
    keys: keysAfterWord("STREAMS", 4, "RO", "access")
  }),
  row("XREVRANGE", "5.0.0", -4, {
    syntax: "key end(string) start(string) [COUNT count]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "6.2.0"
  }),
  row("XSETID", "5.0.0", -3, {
    syntax: "key last-id [ENTRIESADDED entries_added@7.0.0] [MAXDELETEDID max_deleted_entry_id@7.0.0]",
    flags: "write denyoom fast",
    keys: firstKey("RW", "update"),
    history: "7.0.0"
  }),
  row("XTRIM", "5.0.0", -4, {
    syntax:
      "key <trim: <strategy: MAXLEN | MINID@6.2.0> [operator: equal== | approximately=~] threshold [LIMIT count@6.2.0]>",
    flags: "write",
    keys: firstKey("RW", "delete"),
    tips: "nondeterministic_output",
    history: "6.2.0"
  })
])

const pubsub = group("pubsub", [
  row("PSUBSCRIBE", "2.0.0", -2, { syntax: "<pattern> ...", flags: "pubsub noscript loading stale" }),
  row("PUBLISH", "2.0.0", 3, { syntax: "channel message", flags: "pubsub loading stale fast" }),
  row("PUBSUB", "2.8.0", -2, {
    subcommands: [
      row("CHANNELS", "2.8.0", -2, { syntax: "[pattern]", flags: "pubsub loading stale" }),
      row("HELP", "6.2.0", 2, { flags: "loading stale" }),
      row("NUMPAT", "2.8.0", 2, { flags: "pubsub loading stale" }),
      row("NUMSUB", "2.8.0", -2, { syntax: "[channel ...]", flags: "pubsub loading stale" }),
      row("SHARDCHANNELS", "7.0.0", -2, { syntax: "[pattern]", flags: "pubsub loading stale" }),
      row("SHARDNUMSUB", "7.0.0", -2, { syntax: "[shardchannel ...]", flags: "pubsub loading stale" })
    ]
  }),
  row("PUNSUBSCRIBE", "2.0.0", -1, { syntax: "[pattern ...]", flags: "pubsub noscript loading stale" }),
  row("SPUBLISH", "7.0.0", 3, {
    syntax: "shardchannel message",
    flags: "pubsub loading stale fast",
    keys: firstKey("not_key")
  }),
  row("SSUBSCRIBE", "7.0.0", -2, {
    syntax: "shardchannel ...",
    flags: "pubsub noscript loading stale",
    keys: allKeys("not_key")
  }),
  row("SUBSCRIBE", "2.0.0", -2, { syntax: "channel ...", flags: "pubsub noscript loading stale" }),
  row("SUNSUBSCRIBE", "7.0.0", -1, {
    syntax: "[shardchannel ...]",
    flags: "pubsub noscript loading stale",
    keys: allKeys("not_key")
  }),
  row("UNSUBSCRIBE", "2.0.0", -1, { syntax: "[channel ...]", flags: "pubsub noscript loading stale" })
])

const transactions = group("transactions", [
  row("DISCARD", "2.0.0", 1, { flags: "noscript loading stale fast allow_busy" }),
  row("EXEC", "1.2.0", 1, { flags: "noscript loading stale skip_slowlog" }),
  row("MULTI", "1.2.0", 1, { flags: "noscript loading stale fast allow_busy" }),
  row("UNWATCH", "2.2.0", 1, { flags: "noscript loading stale fast allow_busy" }),
  row("WATCH", "2.2.0", -2, { syntax: "key ...", flags: "noscript loading stale fast allow_busy", keys: allKeys("RO") })
])

const scripting = group("scripting", [
  row("EVAL", "2.6.0", -3, {
    syntax: "script numkeys [key ...] [arg ...]",
    flags: "noscript stale skip_monitor no_mandatory_keys",
    keys: numberedKeys(2, ["RW", "access", "update"]),
    notes: [true]
  }),
  row("EVAL_RO", "7.0.0", -3, {
    syntax: "script numkeys [key ...] [arg ...]",
    flags: "readonly noscript stale skip_monitor no_mandatory_keys",
    keys: numberedKeys(2, ["RO", "access"]),
    notes: [true]
  }),
  row("EVALSHA", "2.6.0", -3, {
    syntax: "sha1 numkeys [key ...] [arg ...]",
    flags: "noscript stale skip_monitor no_mandatory_keys",
    keys: numberedKeys(2, ["RW", "access", "update"])
  }),
  row("EVALSHA_RO", "7.0.0", -3, {
    syntax: "sha1 numkeys [key ...] [arg ...]",
    flags: "readonly noscript stale skip_monitor no_mandatory_keys",
    keys: numberedKeys(2, ["RO", "access"])
  }),
  row("FCALL", "7.0.0", -3, {
    syntax: "function numkeys [key ...] [arg ...]",
    flags: "noscript stale skip_monitor no_mandatory_keys",
    keys: numberedKeys(2, ["RW", "access", "update"]),
    notes: [true]
  }),
  row("FCALL_RO", "7.0.0", -3, {
    syntax: "function numkeys [key ...] [arg ...]",
    flags: "readonly noscript stale skip_monitor no_mandatory_keys",
    keys: numberedKeys(2, ["RO", "access"]),
    notes: [true]
  }),
  row("FUNCTION", "7.0.0", -2, {
    subcommands: [
      row("DELETE", "7.0.0", 3, {
        syntax: "library-name",
        flags: "write noscript",
        tips: "request_policy:all_shards response_policy:all_succeeded"
      }),
      row("DUMP", "7.0.0", 2, { flags: "noscript" }),
      row("FLUSH", "7.0.0", -2, {
        syntax: "[async: ASYNC | SYNC]",
        flags: "write noscript",
        tips: "request_policy:all_shards response_policy:all_succeeded"
      }),
      row("HELP", "7.0.0", 2, { flags: "loading stale" }),
      row("KILL", "7.0.0", 2, {
        flags: "noscript allow_busy",
        tips: "request_policy:all_shards response_policy:one_succeeded"
      }),
      row("LIST", "7.0.0", -2, {
        syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
        flags: "noscript",
        tips: "nondeterministic_output_order"
      }),
      row("LOAD", "7.0.0", -3, {
        syntax: "[REPLACE] function-code",
        flags: "write denyoom noscript",
        tips: "request_policy:all_shards response_policy:all_succeeded"
      }),
      row("RESTORE", "7.0.0", -3, {
        syntax: "serialized-value [policy: FLUSH | APPEND | REPLACE]",
        flags: "write denyoom noscript",
        tips: "request_policy:all_shards response_policy:all_succeeded"
      }),
      row("STATS", "7.0.0", 2, {
        flags: "noscript allow_busy",
        tips: "nondeterministic_output request_policy:all_shards response_policy:special"
      })
    ]
  }),
  row("SCRIPT", "2.6.0", -2, {
    subcommands: [
      row("DEBUG", "3.2.0", 3, { syntax: "<mode: YES | SYNC | NO>", flags: "noscript" }),
      row("EXISTS", "2.6.0", -3, {
        syntax: "sha1 ...",
        flags: "noscript",
        tips: "request_policy:all_shards response_policy:agg_logical_and"
      }),
      row("FLUSH", "2.6.0", -2, {
        syntax: "[async: ASYNC | SYNC]@6.2.0",
        flags: "noscript",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        history: "6.2.0"
      }),
      row("HELP", "5.0.0", 2, { flags: "loading stale" }),
      row("KILL", "2.6.0", 2, {
        flags: "noscript allow_busy",
        tips: "request_policy:all_shards response_policy:one_succeeded"
      }),
      row("LOAD", "2.6.0", 3, {
        syntax: "script",
        flags: "noscript stale",
        tips: "request_policy:all_nodes response_policy:all_succeeded"
      })
    ]
  })
])

export const messagesCommands = [...stream, ...pubsub, ...transactions, ...scripting]
