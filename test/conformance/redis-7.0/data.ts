/** The commands of Redis 7.0.15 about keys of any type, strings, and what is kept in strings. */
import { allKeys, firstKey, keyAtIndex, keysFrom, keysWithValues, unknownKeys } from "../../../src/commands/define.ts"
import { bitfieldKeys, migrateKeys, setKeys, sortKeys, sortReadOnlyKeys } from "./find-keys.ts"
import { group, row } from "./row.ts"

const generic = group("generic", [
  row("COPY", "6.2.0", -3, {
    syntax: "source destination [DB destination-db] [REPLACE]",
    flags: "write denyoom",
    keys: [...firstKey("RO", "access"), ...keyAtIndex(2, "OW", "update")]
  }),
  row("DEL", "1.0.0", -2, {
    syntax: "key ...",
    flags: "write",
    keys: allKeys("RM", "delete"),
    tips: "request_policy:multi_shard response_policy:agg_sum"
  }),
  row("DUMP", "2.6.0", 2, {
    syntax: "key",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output"
  }),
  row("EXISTS", "1.0.0", -2, {
    syntax: "key ...",
    flags: "readonly fast",
    keys: allKeys("RO"),
    tips: "request_policy:multi_shard response_policy:agg_sum",
    history: "3.0.3"
  }),
  row("EXPIRE", "1.0.0", -3, {
    syntax: "key seconds [condition: NX | XX | GT | LT]@7.0.0",
    flags: "write fast",
    keys: firstKey("RW", "update"),
    history: "7.0.0"
  }),
  row("EXPIREAT", "1.2.0", -3, {
    syntax: "key unix-time-seconds [condition: NX | XX | GT | LT]@7.0.0",
    flags: "write fast",
    keys: firstKey("RW", "update"),
    history: "7.0.0"
  }),
  row("EXPIRETIME", "7.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("KEYS", "1.0.0", 2, {
    syntax: "pattern",
    flags: "readonly",
    categories: ["@dangerous"],
    tips: "request_policy:all_shards nondeterministic_output_order"
  }),
  row("MIGRATE", "2.6.0", -6, {
    syntax:
      "host port <key_or_empty_string: key | empty_string=> destination-db timeout(integer) [COPY@3.0.0] [REPLACE@3.0.0] [authentication: [AUTH password@4.0.7] | [AUTH2 <username password>@6.0.0]] [KEYS key@3.0.6 ...]",
    flags: "write",
    keys: [...keyAtIndex(3, "RW", "access", "delete"), {
      flags: ["RW", "access", "delete", "incomplete"],
      begin: { keyword: "KEYS", from: -2 },
      find: { last: -1, step: 1, limit: 0 }
    }],
    findKeys: migrateKeys,
    categories: ["@dangerous"],
    tips: "nondeterministic_output",
    history: "3.0.0 3.0.6 4.0.7 6.0.0"
  }),
  row("MOVE", "1.0.0", 3, { syntax: "key db", flags: "write fast", keys: firstKey("RW", "access", "update") }),
  row("OBJECT", "2.2.3", -2, {
    subcommands: [
      row("ENCODING", "2.2.3", 3, {
        syntax: "key",
        flags: "readonly",
        keys: keyAtIndex(2, "RO"),
        tips: "nondeterministic_output"
      }),
      row("FREQ", "4.0.0", 3, {
        syntax: "key",
        flags: "readonly",
        keys: keyAtIndex(2, "RO"),
        tips: "nondeterministic_output"
      }),
      row("HELP", "6.2.0", 2, { flags: "loading stale" }),
      row("IDLETIME", "2.2.3", 3, {
        syntax: "key",
        flags: "readonly",
        keys: keyAtIndex(2, "RO"),
        tips: "nondeterministic_output"
      }),
      row("REFCOUNT", "2.2.3", 3, {
        syntax: "key",
        flags: "readonly",
        keys: keyAtIndex(2, "RO"),
        tips: "nondeterministic_output"
      })
    ]
  }),
  row("PERSIST", "2.2.0", 2, { syntax: "key", flags: "write fast", keys: firstKey("RW", "update") }),
  row("PEXPIRE", "2.6.0", -3, {
    syntax: "key milliseconds [condition: NX | XX | GT | LT]@7.0.0",
    flags: "write fast",
    keys: firstKey("RW", "update"),
    history: "7.0.0"
  }),
  row("PEXPIREAT", "2.6.0", -3, {
    syntax: "key unix-time-milliseconds [condition: NX | XX | GT | LT]@7.0.0",
    flags: "write fast",
    keys: firstKey("RW", "update"),
    history: "7.0.0"
  }),
  row("PEXPIRETIME", "7.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("PTTL", "2.6.0", 2, {
    syntax: "key",
    flags: "readonly fast",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output",
    history: "2.8.0"
  }),
  row("RANDOMKEY", "1.0.0", 1, { flags: "readonly", tips: "request_policy:all_shards nondeterministic_output" }),
  row("RENAME", "1.0.0", 3, {
    syntax: "key newkey",
    flags: "write",
    keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "OW", "update")]
  }),
  row("RENAMENX", "1.0.0", 3, {
    syntax: "key newkey",
    flags: "write fast",
    keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "OW", "insert")],
    history: "3.2.0"
  }),
  row("RESTORE", "2.6.0", -4, {
    syntax: "key ttl serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency@5.0.0]",
    flags: "write denyoom",
    keys: firstKey("OW", "update"),
    categories: ["@dangerous"],
    history: "3.0.0 5.0.0 5.0.0"
  }),
  row("SCAN", "2.8.0", -2, {
    syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type@6.0.0]",
    flags: "readonly",
    tips: "nondeterministic_output request_policy:special",
    history: "6.0.0"
  }),
  row("SORT", "1.0.0", -2, {
    syntax:
      "key [BY pattern(pattern#1)] [LIMIT <offset count>] [GET pattern(pattern#1)] ... [order: ASC | DESC] [sorting=ALPHA] [STORE destination(key#2)]",
    flags: "write denyoom",
    keys: [...firstKey("RO", "access"), ...unknownKeys("RO", "access"), ...unknownKeys("OW", "update")],
    findKeys: sortKeys,
    notes: [false, true, true],
    categories: ["@set", "@sortedset", "@list", "@dangerous", "-@keyspace"]
  }),
  row("SORT_RO", "7.0.0", -2, {
    syntax:
      "key [BY pattern(pattern#1)] [LIMIT <offset count>] [GET pattern(pattern#1)] ... [order: ASC | DESC] [sorting=ALPHA]",
    flags: "readonly",
    keys: [...firstKey("RO", "access"), ...unknownKeys("RO", "access")],
    findKeys: sortReadOnlyKeys,
    notes: [false, true],
    categories: ["@set", "@sortedset", "@list", "@dangerous", "-@keyspace"]
  }),
  row("TOUCH", "3.2.1", -2, {
    syntax: "key ...",
    flags: "readonly fast",
    keys: allKeys("RO"),
    tips: "request_policy:multi_shard response_policy:agg_sum"
  }),
  row("TTL", "1.0.0", 2, {
    syntax: "key",
    flags: "readonly fast",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output",
    history: "2.8.0"
  }),
  row("TYPE", "1.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO") }),
  row("UNLINK", "4.0.0", -2, {
    syntax: "key ...",
    flags: "write fast",
    keys: allKeys("RM", "delete"),
    tips: "request_policy:multi_shard response_policy:agg_sum"
  }),
  row("WAIT", "3.0.0", 3, {
    syntax: "numreplicas timeout(integer)",
    flags: "noscript",
    categories: ["@connection", "-@keyspace"],
    tips: "request_policy:all_shards response_policy:agg_min"
  })
])

const string = group("string", [
  row("APPEND", "2.0.0", 3, { syntax: "key value", flags: "write denyoom fast", keys: firstKey("RW", "insert") }),
  row("DECR", "1.0.0", 2, { syntax: "key", flags: "write denyoom fast", keys: firstKey("RW", "access", "update") }),
  row("DECRBY", "1.0.0", 3, {
    syntax: "key decrement",
    flags: "write denyoom fast",
    keys: firstKey("RW", "access", "update")
  }),
  row("GET", "1.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("GETDEL", "6.2.0", 2, { syntax: "key", flags: "write fast", keys: firstKey("RW", "access", "delete") }),
  row("GETEX", "6.2.0", -2, {
    syntax:
      "key [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
    flags: "write fast",
    keys: firstKey("RW", "access", "update"),
    notes: [true]
  }),
  row("GETRANGE", "2.4.0", 4, { syntax: "key start end", flags: "readonly", keys: firstKey("RO", "access") }),
  row("GETSET", "1.0.0", 3, {
    syntax: "key value",
    flags: "write denyoom fast",
    keys: firstKey("RW", "access", "update"),
    deprecated: { since: "6.2.0", replacedBy: "`SET` with the `!GET` argument" }
  }),
  row("INCR", "1.0.0", 2, { syntax: "key", flags: "write denyoom fast", keys: firstKey("RW", "access", "update") }),
  row("INCRBY", "1.0.0", 3, {
    syntax: "key increment",
    flags: "write denyoom fast",
    keys: firstKey("RW", "access", "update")
  }),
  row("INCRBYFLOAT", "2.6.0", 3, {
    syntax: "key increment(double)",
    flags: "write denyoom fast",
    keys: firstKey("RW", "access", "update")
  }),
  row("LCS", "7.0.0", -3, {
    syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]",
    flags: "readonly",
    keys: [{ flags: ["RO", "access"], begin: { index: 1 }, find: { last: 1, step: 1, limit: 0 } }]
  }),
  row("MGET", "1.0.0", -2, {
    syntax: "key ...",
    flags: "readonly fast",
    keys: allKeys("RO", "access"),
    tips: "request_policy:multi_shard"
  }),
  row("MSET", "1.0.1", -3, {
    syntax: "<key value> ...",
    flags: "write denyoom",
    keys: keysWithValues("OW", "update"),
    tips: "request_policy:multi_shard response_policy:all_succeeded"
  }),
  row("MSETNX", "1.0.1", -3, {
    syntax: "<key value> ...",
    flags: "write denyoom",
    keys: keysWithValues("OW", "insert"),
    tips: "request_policy:multi_shard response_policy:agg_min"
  }),
  row("PSETEX", "2.6.0", 4, {
    syntax: "key milliseconds value",
    flags: "write denyoom",
    keys: firstKey("OW", "update")
  }),
  row("SET", "1.0.0", -3, {
    syntax:
      "key value [condition: NX | XX]@2.6.12 [GET@6.2.0] [expiration: EX seconds@2.6.12 | PX milliseconds@2.6.12 | EXAT unix-time-seconds@6.2.0 | PXAT unix-time-milliseconds@6.2.0 | KEEPTTL@6.0.0]",
    flags: "write denyoom",
    keys: firstKey("RW", "access", "update", "variable_flags"),
    findKeys: setKeys,
    notes: [true],
    history: "2.6.12 6.0.0 6.2.0 7.0.0"
  }),
  row("SETEX", "2.0.0", 4, { syntax: "key seconds value", flags: "write denyoom", keys: firstKey("OW", "update") }),
  row("SETNX", "1.0.0", 3, { syntax: "key value", flags: "write denyoom fast", keys: firstKey("OW", "insert") }),
  row("SETRANGE", "2.2.0", 4, { syntax: "key offset value", flags: "write denyoom", keys: firstKey("RW", "update") }),
  row("STRLEN", "2.2.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO") }),
  row("SUBSTR", "1.0.0", 4, {
    syntax: "key start end",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    deprecated: { since: "2.0.0", replacedBy: "`GETRANGE`" }
  })
])

const bitmap = group("bitmap", [
  row("BITCOUNT", "2.6.0", -2, {
    syntax: "key [index: start end [index_unit: BYTE | BIT]@7.0.0]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "7.0.0"
  }),
  row("BITFIELD", "3.2.0", -2, {
    syntax:
      "key [operation: GET <encoding offset> | <write: [OVERFLOW <WRAP | SAT | FAIL>] <write_operation: SET <encoding offset value(integer)> | INCRBY <encoding offset increment>>>] ...",
    flags: "write denyoom",
    keys: firstKey("RW", "access", "update", "variable_flags"),
    findKeys: bitfieldKeys,
    notes: [true]
  }),
  row("BITFIELD_RO", "6.0.0", -2, {
    syntax: "key [GET <encoding offset>] ...",
    flags: "readonly fast",
    keys: firstKey("RO", "access")
  }),
  row("BITOP", "2.6.0", -4, {
    syntax: "operation destkey key ...",
    flags: "write denyoom",
    keys: [...keyAtIndex(2, "OW", "update"), ...keysFrom(3, "RO", "access")]
  }),
  row("BITPOS", "2.8.7", -3, {
    syntax: "key bit [index: start [end_index: end [index_unit: BYTE | BIT]@7.0.0]]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "7.0.0"
  }),
  row("GETBIT", "2.2.0", 3, { syntax: "key offset", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("SETBIT", "2.2.0", 4, {
    syntax: "key offset value(integer)",
    flags: "write denyoom",
    keys: firstKey("RW", "access", "update")
  })
])

const hyperloglog = group("hyperloglog", [
  row("PFADD", "2.8.9", -2, {
    syntax: "key [element ...]",
    flags: "write denyoom fast",
    keys: firstKey("RW", "insert")
  }),
  row("PFCOUNT", "2.8.9", -2, { syntax: "key ...", flags: "readonly", keys: allKeys("RW", "access"), notes: [true] }),
  row("PFDEBUG", "2.8.9", 3, {
    syntax: "subcommand key",
    flags: "write denyoom admin",
    keys: keyAtIndex(2, "RW", "access"),
    internal: true
  }),
  row("PFMERGE", "2.8.9", -2, {
    syntax: "destkey sourcekey ...",
    flags: "write denyoom",
    keys: [...firstKey("RW", "access", "insert"), ...keysFrom(2, "RO", "access")]
  }),
  row("PFSELFTEST", "2.8.9", 1, { flags: "admin", internal: true })
])

export const dataCommands = [...generic, ...string, ...bitmap, ...hyperloglog]
