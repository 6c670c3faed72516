/** The commands of Redis 7.0.15 about lists, sets and hashes. */
import { allKeys, firstKey, keyAtIndex, keysBeforeLast, keysFrom, numberedKeys } from "../../../src/commands/define.ts"
import { group, row } from "./row.ts"

const list = group("list", [
  row("BLMOVE", "6.2.0", 6, {
    syntax: "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT> timeout",
    flags: "write denyoom noscript blocking",
    keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "RW", "insert")]
  }),
  row("BLMPOP", "7.0.0", -5, {
    syntax: "timeout numkeys key ... <where: LEFT | RIGHT> [COUNT count]",
    flags: "write blocking",
    keys: numberedKeys(2, ["RW", "access", "delete"])
  }),
  row("BLPOP", "2.0.0", -3, {
    syntax: "key ... timeout",
    flags: "write noscript blocking",
    keys: keysBeforeLast(1, "RW", "access", "delete"),
    history: "6.0.0"
  }),
  row("BRPOP", "2.0.0", -3, {
    syntax: "key ... timeout",
    flags: "write noscript blocking",
    keys: keysBeforeLast(1, "RW", "access", "delete"),
    history: "6.0.0"
  }),
  row("BRPOPLPUSH", "2.2.0", 4, {
    syntax: "source destination timeout",
    flags: "write denyoom noscript blocking",
    keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "RW", "insert")],
    history: "6.0.0",
    deprecated: { since: "6.2.0", replacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments" }
  }),
  row("LINDEX", "1.0.0", 3, { syntax: "key index", flags: "readonly", keys: firstKey("RO", "access") }),
  row("LINSERT", "2.2.0", 5, {
    syntax: "key <where: BEFORE | AFTER> pivot element",
    flags: "write denyoom",
    keys: firstKey("RW", "insert")
  }),
  row("LLEN", "1.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO") }),
  row("LMOVE", "6.2.0", 5, {
    syntax: "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT>",
    flags: "write denyoom",
    keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "RW", "insert")]
  }),
  row("LMPOP", "7.0.0", -4, {
    syntax: "numkeys key ... <where: LEFT | RIGHT> [COUNT count]",
    flags: "write",
    keys: numberedKeys(1, ["RW", "access", "delete"])
  }),
  row("LPOP", "1.0.0", -2, {
    syntax: "key [count@6.2.0]",
    flags: "write fast",
    keys: firstKey("RW", "access", "delete"),
    history: "6.2.0"
  }),
  row("LPOS", "6.0.6", -3, {
    syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
    flags: "readonly",
    keys: firstKey("RO", "access")
  }),
  row("LPUSH", "1.0.0", -3, {
    syntax: "key element ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "insert"),
    history: "2.4.0"
  }),
  row("LPUSHX", "2.2.0", -3, {
    syntax: "key element ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "insert"),
    history: "4.0.0"
  }),
  row("LRANGE", "1.0.0", 4, { syntax: "key start stop", flags: "readonly", keys: firstKey("RO", "access") }),
  row("LREM", "1.0.0", 4, { syntax: "key count element", flags: "write", keys: firstKey("RW", "delete") }),
  row("LSET", "1.0.0", 4, { syntax: "key index element", flags: "write denyoom", keys: firstKey("RW", "update") }),
  row("LTRIM", "1.0.0", 4, { syntax: "key start stop", flags: "write", keys: firstKey("RW", "delete") }),
  row("RPOP", "1.0.0", -2, {
    syntax: "key [count@6.2.0]",
    flags: "write fast",
    keys: firstKey("RW", "access", "delete"),
    history: "6.2.0"
  }),
  row("RPOPLPUSH", "1.2.0", 3, {
    syntax: "source destination",
    flags: "write denyoom",
    keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "RW", "insert")],
    deprecated: { since: "6.2.0", replacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments" }
  }),
  row("RPUSH", "1.0.0", -3, {
    syntax: "key element ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "insert"),
    history: "2.4.0"
  }),
  row("RPUSHX", "2.2.0", -3, {
    syntax: "key element ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "insert"),
    history: "4.0.0"
  })
])

const setCommands = group("set", [
  row("SADD", "1.0.0", -3, {
    syntax: "key member ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "insert"),
    history: "2.4.0"
  }),
  row("SCARD", "1.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO") }),
  row("SDIFF", "1.0.0", -2, {
    syntax: "key ...",
    flags: "readonly",
    keys: allKeys("RO", "access"),
    tips: "nondeterministic_output_order"
  }),
  row("SDIFFSTORE", "1.0.0", -3, {
    syntax: "destination key ...",
    flags: "write denyoom",
    keys: [...firstKey("OW", "update"), ...keysFrom(2, "RO", "access")]
  }),
  row("SINTER", "1.0.0", -2, {
    syntax: "key ...",
    flags: "readonly",
    keys: allKeys("RO", "access"),
    tips: "nondeterministic_output_order"
  }),
  row("SINTERCARD", "7.0.0", -3, {
    syntax: "numkeys key ... [LIMIT limit]",
    flags: "readonly",
    keys: numberedKeys(1, ["RO", "access"])
  }),
  row("SINTERSTORE", "1.0.0", -3, {
    syntax: "destination key ...",
    flags: "write denyoom",
    keys: [...firstKey("RW", "update"), ...keysFrom(2, "RO", "access")]
  }),
  row("SISMEMBER", "1.0.0", 3, { syntax: "key member", flags: "readonly fast", keys: firstKey("RO") }),
  row("SMEMBERS", "1.0.0", 2, {
    syntax: "key",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output_order"
  }),
  row("SMISMEMBER", "6.2.0", -3, { syntax: "key member ...", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("SMOVE", "1.0.0", 4, {
    syntax: "source destination member",
    flags: "write fast",
    keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "RW", "insert")]
  }),
  row("SPOP", "1.0.0", -2, {
    syntax: "key [count@3.2.0]",
    flags: "write fast",
    keys: firstKey("RW", "access", "delete"),
    tips: "nondeterministic_output",
    history: "3.2.0"
  }),
  row("SRANDMEMBER", "1.0.0", -2, {
    syntax: "key [count@2.6.0]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output",
    history: "2.6.0"
  }),
  row("SREM", "1.0.0", -3, {
    syntax: "key member ...",
    flags: "write fast",
    keys: firstKey("RW", "delete"),
    history: "2.4.0"
  }),
  row("SSCAN", "2.8.0", -3, {
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output"
  }),
  row("SUNION", "1.0.0", -2, {
    syntax: "key ...",
    flags: "readonly",
    keys: allKeys("RO", "access"),
    tips: "nondeterministic_output_order"
  }),
  row("SUNIONSTORE", "1.0.0", -3, {
    syntax: "destination key ...",
    flags: "write denyoom",
    keys: [...firstKey("OW", "update"), ...keysFrom(2, "RO", "access")]
  })
])

const hash = group("hash", [
  row("HDEL", "2.0.0", -3, {
    syntax: "key field ...",
    flags: "write fast",
    keys: firstKey("RW", "delete"),
    history: "2.4.0"
  }),
  row("HEXISTS", "2.0.0", 3, { syntax: "key field", flags: "readonly fast", keys: firstKey("RO") }),
  row("HGET", "2.0.0", 3, { syntax: "key field", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("HGETALL", "2.0.0", 2, {
    syntax: "key",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output_order"
  }),
  row("HINCRBY", "2.0.0", 4, {
    syntax: "key field increment",
    flags: "write denyoom fast",
    keys: firstKey("RW", "access", "update")
  }),
  row("HINCRBYFLOAT", "2.6.0", 4, {
    syntax: "key field increment(double)",
    flags: "write denyoom fast",
    keys: firstKey("RW", "access", "update")
  }),
  row("HKEYS", "2.0.0", 2, {
    syntax: "key",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output_order"
  }),
  row("HLEN", "2.0.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO") }),
  row("HMGET", "2.0.0", -3, { syntax: "key field ...", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("HMSET", "2.0.0", -4, {
    syntax: "key <field value> ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "update"),
    deprecated: { since: "4.0.0", replacedBy: "`HSET` with multiple field-value pairs" }
  }),
  row("HRANDFIELD", "6.2.0", -2, {
    syntax: "key [options: count [WITHVALUES]]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output"
  }),
  row("HSCAN", "2.8.0", -3, {
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output"
  }),
  row("HSET", "2.0.0", -4, {
    syntax: "key <field value> ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "update"),
    history: "4.0.0"
  }),
  row("HSETNX", "2.0.0", 4, { syntax: "key field value", flags: "write denyoom fast", keys: firstKey("RW", "insert") }),
  row("HSTRLEN", "3.2.0", 3, { syntax: "key field", flags: "readonly fast", keys: firstKey("RO") }),
  row("HVALS", "2.0.0", 2, {
    syntax: "key",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output_order"
  })
])

export const collectionsCommands = [...list, ...setCommands, ...hash]
