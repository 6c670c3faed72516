/** The commands of Redis 7.0.15 about sorted sets and what is kept in them. */
import { firstKey, keyAfterWord, keyAtIndex, keysBeforeLast, numberedKeys } from "../../../src/commands/define.ts"
import { group, row } from "./row.ts"

const sortedSet = group("sorted-set", [
  row("BZMPOP", "7.0.0", -5, {
    syntax: "timeout numkeys key ... <where: MIN | MAX> [COUNT count]",
    flags: "write blocking",
    keys: numberedKeys(2, ["RW", "access", "delete"])
  }),
  row("BZPOPMAX", "5.0.0", -3, {
    syntax: "key ... timeout",
    flags: "write noscript blocking fast",
    keys: keysBeforeLast(1, "RW", "access", "delete"),
    history: "6.0.0"
  }),
  row("BZPOPMIN", "5.0.0", -3, {
    syntax: "key ... timeout",
    flags: "write noscript blocking fast",
    keys: keysBeforeLast(1, "RW", "access", "delete"),
    history: "6.0.0"
  }),
  row("ZADD", "1.2.0", -4, {
    syntax:
      "key [condition: NX | XX]@3.0.2 [comparison: GT | LT]@6.2.0 [change=CH@3.0.2] [increment=INCR@3.0.2] <score member> ...",
    flags: "write denyoom fast",
    keys: firstKey("RW", "update"),
    history: "2.4.0 3.0.2 6.2.0"
  }),
  row("ZCARD", "1.2.0", 2, { syntax: "key", flags: "readonly fast", keys: firstKey("RO") }),
  row("ZCOUNT", "2.0.0", 4, {
    syntax: "key min(double) max(double)",
    flags: "readonly fast",
    keys: firstKey("RO", "access")
  }),
  row("ZDIFF", "6.2.0", -3, {
    syntax: "numkeys key ... [WITHSCORES]",
    flags: "readonly",
    keys: numberedKeys(1, ["RO", "access"])
  }),
  row("ZDIFFSTORE", "6.2.0", -4, {
    syntax: "destination numkeys key ...",
    flags: "write denyoom",
    keys: [...firstKey("OW", "update"), ...numberedKeys(2, ["RO", "access"])]
  }),
  row("ZINCRBY", "1.2.0", 4, {
    syntax: "key increment member",
    flags: "write denyoom fast",
    keys: firstKey("RW", "access", "update")
  }),
  row("ZINTER", "6.2.0", -3, {
    syntax: "numkeys key ... [WEIGHTS weight ...] [AGGREGATE <aggregate: SUM | MIN | MAX>] [WITHSCORES]",
    flags: "readonly",
    keys: numberedKeys(1, ["RO", "access"])
  }),
  row("ZINTERCARD", "7.0.0", -3, {
    syntax: "numkeys key ... [LIMIT limit]",
    flags: "readonly",
    keys: numberedKeys(1, ["RO", "access"])
  }),
  row("ZINTERSTORE", "2.0.0", -4, {
    syntax: "destination numkeys key ... [WEIGHTS weight ...] [AGGREGATE <aggregate: SUM | MIN | MAX>]",
    flags: "write denyoom",
    keys: [...firstKey("OW", "update"), ...numberedKeys(2, ["RO", "access"])]
  }),
  row("ZLEXCOUNT", "2.8.9", 4, { syntax: "key min max", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("ZMPOP", "7.0.0", -4, {
    syntax: "numkeys key ... <where: MIN | MAX> [COUNT count]",
    flags: "write",
    keys: numberedKeys(1, ["RW", "access", "delete"])
  }),
  row("ZMSCORE", "6.2.0", -3, { syntax: "key member ...", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("ZPOPMAX", "5.0.0", -2, { syntax: "key [count]", flags: "write fast", keys: firstKey("RW", "access", "delete") }),
  row("ZPOPMIN", "5.0.0", -2, { syntax: "key [count]", flags: "write fast", keys: firstKey("RW", "access", "delete") }),
  row("ZRANDMEMBER", "6.2.0", -2, {
    syntax: "key [options: count [WITHSCORES]]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output"
  }),
  row("ZRANGE", "1.2.0", -4, {
    syntax:
      "key start(string) stop(string) [sortby: BYSCORE | BYLEX]@6.2.0 [REV@6.2.0] [LIMIT <offset count>@6.2.0] [WITHSCORES]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "6.2.0"
  }),
  row("ZRANGEBYLEX", "2.8.9", -4, {
    syntax: "key min max [LIMIT <offset count>]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `BYLEX` argument" }
  }),
  row("ZRANGEBYSCORE", "1.0.5", -4, {
    syntax: "key min(double) max(double) [WITHSCORES@2.0.0] [LIMIT <offset count>]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "2.0.0",
    deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `BYSCORE` argument" }
  }),
  row("ZRANGESTORE", "6.2.0", -5, {
    syntax: "dst src min max [sortby: BYSCORE | BYLEX] [REV] [LIMIT <offset count>]",
    flags: "write denyoom",
    keys: [...firstKey("OW", "update"), ...keyAtIndex(2, "RO", "access")]
  }),
  row("ZRANK", "2.0.0", 3, { syntax: "key member", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("ZREM", "1.2.0", -3, {
    syntax: "key member ...",
    flags: "write fast",
    keys: firstKey("RW", "delete"),
    history: "2.4.0"
  }),
  row("ZREMRANGEBYLEX", "2.8.9", 4, { syntax: "key min max", flags: "write", keys: firstKey("RW", "delete") }),
  row("ZREMRANGEBYRANK", "2.0.0", 4, { syntax: "key start stop", flags: "write", keys: firstKey("RW", "delete") }),
  row("ZREMRANGEBYSCORE", "1.2.0", 4, {
    syntax: "key min(double) max(double)",
    flags: "write",
    keys: firstKey("RW", "delete")
  }),
  row("ZREVRANGE", "1.2.0", -4, {
    syntax: "key start stop [WITHSCORES]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` argument" }
  }),
  row("ZREVRANGEBYLEX", "2.8.9", -4, {
    syntax: "key max min [LIMIT <offset count>]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments" }
  }),
  row("ZREVRANGEBYSCORE", "2.2.0", -4, {
    syntax: "key max(double) min(double) [WITHSCORES] [LIMIT <offset count>]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "2.1.6",
    deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments" }
  }),
  row("ZREVRANK", "2.0.0", 3, { syntax: "key member", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("ZSCAN", "2.8.0", -3, {
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    tips: "nondeterministic_output"
  }),
  row("ZSCORE", "1.2.0", 3, { syntax: "key member", flags: "readonly fast", keys: firstKey("RO", "access") }),
  row("ZUNION", "6.2.0", -3, {
    syntax: "numkeys key ... [WEIGHTS weight ...] [AGGREGATE <aggregate: SUM | MIN | MAX>] [WITHSCORES]",
    flags: "readonly",
    keys: numberedKeys(1, ["RO", "access"])
  }),
  row("ZUNIONSTORE", "2.0.0", -4, {
    syntax: "destination numkeys key ... [WEIGHTS weight ...] [AGGREGATE <aggregate: SUM | MIN | MAX>]",
    flags: "write denyoom",
    keys: [...firstKey("OW", "update"), ...numberedKeys(2, ["RO", "access"])]
  })
])

const geo = group("geo", [
  row("GEOADD", "3.2.0", -5, {
    syntax: "key [condition: NX | XX]@6.2.0 [change=CH@6.2.0] <longitude latitude member> ...",
    flags: "write denyoom",
    keys: firstKey("RW", "update"),
    history: "6.2.0"
  }),
  row("GEODIST", "3.2.0", -4, {
    syntax: "key member1 member2 [unit: M | KM | FT | MI]",
    flags: "readonly",
    keys: firstKey("RO", "access")
  }),
  row("GEOHASH", "3.2.0", -2, { syntax: "key member ...", flags: "readonly", keys: firstKey("RO", "access") }),
  row("GEOPOS", "3.2.0", -2, { syntax: "key member ...", flags: "readonly", keys: firstKey("RO", "access") }),
  row("GEORADIUS", "3.2.0", -6, {
    syntax:
      "key longitude latitude radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count [ANY@6.2.0]] [order: ASC | DESC] [STORE key] [STOREDIST key]",
    flags: "write denyoom",
    keys: [
      ...firstKey("RO", "access"),
      ...keyAfterWord("STORE", 6, "OW", "update"),
      ...keyAfterWord("STOREDIST", 6, "OW", "update")
    ],
    history: "6.2.0 7.0.0",
    deprecated: { since: "6.2.0", replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument" }
  }),
  row("GEORADIUS_RO", "3.2.10", -6, {
    syntax:
      "key longitude latitude radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count [ANY@6.2.0]] [order: ASC | DESC]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "6.2.0",
    deprecated: { since: "6.2.0", replacedBy: "`GEOSEARCH` with the `BYRADIUS` argument" }
  }),
  row("GEORADIUSBYMEMBER", "3.2.0", -5, {
    syntax:
      "key member radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count [ANY]] [order: ASC | DESC] [STORE key] [STOREDIST key]",
    flags: "write denyoom",
    keys: [
      ...firstKey("RO", "access"),
      ...keyAfterWord("STORE", 5, "OW", "update"),
      ...keyAfterWord("STOREDIST", 5, "OW", "update")
    ],
    history: "7.0.0",
    deprecated: {
      since: "6.2.0",
      replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"
    }
  }),
  row("GEORADIUSBYMEMBER_RO", "3.2.10", -5, {
    syntax:
      "key member radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count [ANY]] [order: ASC | DESC]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    deprecated: { since: "6.2.0", replacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments" }
  }),
  row("GEOSEARCH", "6.2.0", -7, {
    syntax:
      "key <from: FROMMEMBER member | FROMLONLAT <longitude latitude>> <by: <circle: BYRADIUS radius <unit: M | KM | FT | MI>> | <box: BYBOX width height <unit: M | KM | FT | MI>>> [order: ASC | DESC] [count: COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
    flags: "readonly",
    keys: firstKey("RO", "access"),
    history: "7.0.0"
  }),
  row("GEOSEARCHSTORE", "6.2.0", -8, {
    syntax:
      "destination source <from: FROMMEMBER member | FROMLONLAT <longitude latitude>> <by: <circle: BYRADIUS radius <unit: M | KM | FT | MI>> | <box: BYBOX width height <unit: M | KM | FT | MI>>> [order: ASC | DESC] [count: COUNT count [ANY]] [STOREDIST]",
    flags: "write denyoom",
    keys: [...firstKey("OW", "update"), ...keyAtIndex(2, "RO", "access")],
    history: "7.0.0"
  })
])

export const sortedCommands = [...sortedSet, ...geo]
