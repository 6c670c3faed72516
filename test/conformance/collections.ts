/** Requests about lists, sets, hashes, sorted sets and places: few keys, elements at the edges of encodings, small limits. */
import * as Fc from "fast-check"
import { distanceLines, geoRows } from "./geo.ts"
import type { Line, Step } from "./grammar.ts"
import { printLine } from "./grammar.ts"
import { join, many, maybe, one, type Row, row, say, word } from "./parts.ts"
import * as W from "./words.ts"

/** The types that can be compared. */
export const families = ["list", "set", "hash", "zset", "geo"] as const
export type Family = typeof families[number]

const elements = [
  "0",
  "1",
  "-1",
  "127",
  "128",
  "-4097",
  "32767",
  "32768",
  "-32769",
  "8388608",
  "2147483647",
  "-2147483649",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "007",
  "",
  "a",
  "b",
  "hello",
  "1.5",
  "\0\xff\r\n",
  "x".repeat(15),
  "x".repeat(17),
  "y".repeat(63),
  "z".repeat(64),
  "long".repeat(1100)
]

const element = Fc.oneof(
  { weight: 5, arbitrary: word(...elements) },
  { weight: 3, arbitrary: Fc.integer({ min: -30, max: 30 }).map(String) },
  { weight: 1, arbitrary: W.shortText }
)
/** Most often a key of the family under test; sometimes one that another type has, or none. */
const keyOf = (family: Family): Fc.Arbitrary<string> =>
  Fc.oneof(
    { weight: 12, arbitrary: word(`${family}:1`, `${family}:2`, `${family}:3`) },
    { weight: 1, arbitrary: word("string:1", "list:1", "set:1", "hash:1", "nokey") }
  )

const index = Fc.oneof(
  { weight: 6, arbitrary: Fc.integer({ min: -12, max: 12 }).map(String) },
  { weight: 1, arbitrary: W.integer }
)
const count = Fc.oneof(
  { weight: 6, arbitrary: Fc.integer({ min: -4, max: 6 }).map(String) },
  { weight: 1, arbitrary: W.integer }
)
const side = Fc.oneof({ weight: 10, arbitrary: word("LEFT", "RIGHT", "left") }, {
  weight: 1,
  arbitrary: word("MIDDLE", "")
})
const timeout = word("0.01", "0.02", "abc", "-1", "0x1p-7", "1e-2")

const listRows = (): ReadonlyArray<Row> => {
  const key = keyOf("list")
  const pairs = many(0, 8, one(element))
  return [
    row(8, say("RPUSH", key, element), pairs),
    row(8, say("LPUSH", key, element), pairs),
    row(2, say("RPUSHX", key, element), maybe(one(element))),
    row(2, say("LPUSHX", key, element), maybe(one(element))),
    row(4, say("LPOP", key), maybe(one(count))),
    row(4, say("RPOP", key), maybe(one(count))),
    row(3, say("LLEN", key)),
    row(5, say("LINDEX", key, index)),
    row(8, say("LRANGE", key, index, index)),
    row(4, say("LSET", key, index, element)),
    row(5, say("LINSERT", key, word("BEFORE", "AFTER", "after", "ASIDE"), element, element)),
    row(5, say("LREM", key, count, element)),
    row(2, say("LTRIM", key, index, index)),
    row(
      5,
      say("LPOS", key, element),
      many(0, 3, Fc.oneof(say("RANK", count), say("COUNT", count), say("MAXLEN", count), say("BOGUS")))
    ),
    row(5, say("LMOVE", key, key, side, side)),
    row(2, say("RPOPLPUSH", key, key)),
    row(
      3,
      say("LMPOP", word("1", "2", "2", "0", "-1", "9", "x"), key),
      maybe(one(key)),
      one(side),
      maybe(say("COUNT", count))
    ),
    // What has nothing to pop would wait: the time-outs are short, and inside of MULTI nothing waits.
    row(1, say("BLPOP", "list:1", timeout)),
    row(1, say("BRPOP", "list:1", "list:2", timeout)),
    row(1, say("BLMOVE", "list:1", key, side, side, timeout)),
    row(1, say("BRPOPLPUSH", "list:1", key, timeout)),
    row(1, say("BLMPOP", timeout, "2", "list:1", "list:2"), one(side), maybe(say("COUNT", count)))
  ]
}

const setRows = (): ReadonlyArray<Row> => {
  const key = keyOf("set")
  const several = many(0, 3, one(key))
  const card = join(
    say("SINTERCARD", word("1", "2", "2", "3", "0", "x")),
    many(1, 3, one(key)),
    maybe(say("LIMIT", count))
  )
  return [
    row(14, say("SADD", key, element), many(0, 8, one(element))),
    row(6, say("SREM", key, element), many(0, 4, one(element))),
    row(3, say("SCARD", key)),
    row(4, say("SISMEMBER", key, element)),
    row(3, say("SMISMEMBER", key, element), many(0, 4, one(element))),
    row(5, say("SMEMBERS", key)),
    row(5, say("SMOVE", key, key, element)),
    row(4, say("SINTER", key), several),
    row(4, say("SUNION", key), several),
    row(4, say("SDIFF", key), several),
    row(3, say("SINTERSTORE", key, key), several),
    row(3, say("SUNIONSTORE", key, key), several),
    row(3, say("SDIFFSTORE", key, key), several),
    row(3, card),
    row(1, say("SPOP", key, word("0", "1000", "-1", "abc", "99999999999999999999"))),
    row(1, say("SRANDMEMBER", "never"), maybe(one(count))),
    row(
      2,
      say("SSCAN", key, "0"),
      many(0, 2, Fc.oneof(say("MATCH", W.pattern), say("COUNT", "1000"), say("COUNT", "0")))
    )
  ]
}

const hashRows = (): ReadonlyArray<Row> => {
  const key = keyOf("hash")
  const pairs = many(0, 5, say(element, element))
  return [
    row(12, say("HSET", key, element, element), pairs),
    row(2, say("HMSET", key, element, element), pairs),
    row(2, say("HSET", key, element, element, element)),
    row(3, say("HSETNX", key, element, element)),
    row(5, say("HGET", key, element)),
    row(3, say("HMGET", key, element), many(0, 4, one(element))),
    row(4, say("HGETALL", key)),
    row(2, say("HKEYS", key)),
    row(2, say("HVALS", key)),
    row(3, say("HLEN", key)),
    row(3, say("HEXISTS", key, element)),
    row(3, say("HSTRLEN", key, element)),
    row(6, say("HDEL", key, element), many(0, 4, one(element))),
    row(5, say("HINCRBY", key, element, W.integer)),
    row(5, say("HINCRBYFLOAT", key, element, W.float)),
    row(1, say("HRANDFIELD", "never"), maybe(one(count))),
    row(
      2,
      say("HSCAN", key, "0"),
      many(0, 2, Fc.oneof(say("MATCH", W.pattern), say("COUNT", "1000"), say("COUNT", "0")))
    )
  ]
}

const score = Fc.oneof(
  { weight: 8, arbitrary: Fc.integer({ min: -3, max: 3 }).map(String) },
  { weight: 4, arbitrary: word("0.5", "1.5", "-2.5", "0.1", "-3.14", "1e300", "inf", "-inf", "1e-5", "2.5e-7") },
  { weight: 3, arbitrary: word("123456789012345678", "9007199254740993", "1e17", "-1e22", "9223372036854775807") },
  {
    weight: 1,
    arbitrary: word("nan", "abc", "", "1e400", "1e-400", "0x10", "-0x1.8p1", " 1", "+1", "1.", ".5", "Infinity")
  }
)
const scoreBound = Fc.oneof(
  { weight: 8, arbitrary: Fc.tuple(word("", "", "("), score).map(([open, text]) => open + text) },
  { weight: 2, arbitrary: word("-inf", "+inf", "(inf", "(", "((1", "[1", " 2", "1 ") }
)
const memberBound = Fc.oneof(
  { weight: 2, arbitrary: word("-", "+") },
  { weight: 6, arbitrary: Fc.tuple(word("[", "("), element).map(([open, text]) => open + text) },
  { weight: 1, arbitrary: word("", "a", "++", "[", "(") }
)

const zsetRows = (): ReadonlyArray<Row> => {
  const key = keyOf("zset")
  // Sources may be sets. What a range of members is where scores differ nobody promises: it has a key of its own.
  const source = Fc.oneof({ weight: 6, arbitrary: key }, { weight: 1, arbitrary: word("set:1", "zset:lex") })
  const lex = word("zset:lex", "zset:lex", "zset:lex", "zset:lex", "never")
  const pairs = many(0, 6, say(score, element))
  const zaddOptions = many(0, 2, Fc.oneof(say(word("NX", "XX", "GT", "LT", "CH", "ch", "INCR"))))
  const limit = maybe(say("LIMIT", index, count))
  const scores = maybe(say("WITHSCORES"))
  const sources = (command: ReadonlyArray<Fc.Arbitrary<string> | string>) =>
    join(
      Fc.oneof(
        { weight: 10, arbitrary: join(say(...command, "1", source)) },
        { weight: 20, arbitrary: join(say(...command, "2", source, source)) },
        { weight: 8, arbitrary: join(say(...command, "3", source, source, source)) },
        { weight: 2, arbitrary: join(say(...command, word("0", "x", "9", "-1", "2"), source)) }
      )
    )
  // Weights below zero would make -0, which 7.0 keeps only in large sorted sets.
  const weight = word("1", "2", "0.5", "3.25", "inf", "x")
  const combine = join(
    maybe(join(say("WEIGHTS"), many(1, 3, one(weight)))),
    maybe(say("AGGREGATE", word("SUM", "MIN", "MAX", "min", "AVG")))
  )
  const ends = word("MIN", "MAX", "min", "MIDDLE")
  return [
    row(20, say("ZADD", key), zaddOptions, say(score, element), pairs),
    row(6, say("ZADD", "zset:lex", "0", element), many(0, 4, say("0", element))),
    row(2, say("SADD", "set:1", element), many(0, 4, one(element))),
    row(6, say("ZINCRBY", key, score, element)),
    row(6, say("ZREM", key, element), many(0, 4, one(element))),
    row(2, say("ZREM", "zset:lex", element), many(0, 4, one(element))),
    row(2, say("ZCARD", key)),
    row(5, say("ZSCORE", key, element)),
    row(3, say("ZMSCORE", key, element), many(0, 4, one(element))),
    row(5, say("ZRANK", key, element)),
    row(5, say("ZREVRANK", key, element)),
    row(4, say("ZCOUNT", key, scoreBound, scoreBound)),
    row(4, say("ZLEXCOUNT", lex, memberBound, memberBound)),
    row(8, say("ZRANGE", key, index, index), scores),
    row(3, say("ZRANGE", key, index, index), many(0, 3, one(word("REV", "WITHSCORES", "LIMIT", "BYSCORE", "BYLEX")))),
    row(4, say("ZREVRANGE", key, index, index), scores),
    row(6, say("ZRANGEBYSCORE", key, scoreBound, scoreBound), scores, limit),
    row(5, say("ZREVRANGEBYSCORE", key, scoreBound, scoreBound), limit, scores),
    row(4, say("ZRANGE", key, scoreBound, scoreBound, "BYSCORE"), maybe(say("REV")), limit, scores),
    row(4, say("ZRANGEBYLEX", lex, memberBound, memberBound), limit),
    row(4, say("ZREVRANGEBYLEX", lex, memberBound, memberBound), limit),
    row(3, say("ZRANGE", lex, memberBound, memberBound, "BYLEX"), maybe(say("REV")), limit),
    row(2, say("ZRANGESTORE", key, source, index, index), maybe(say("REV")), limit),
    row(2, say("ZRANGESTORE", key, key, scoreBound, scoreBound, "BYSCORE"), maybe(say("REV")), limit),
    row(1, say("ZRANGESTORE", key, lex, memberBound, memberBound, "BYLEX"), maybe(say("REV")), limit),
    row(3, say("ZREMRANGEBYRANK", key, index, index)),
    row(3, say("ZREMRANGEBYSCORE", key, scoreBound, scoreBound)),
    row(2, say("ZREMRANGEBYLEX", lex, memberBound, memberBound)),
    row(4, say("ZPOPMIN", key), maybe(one(count))),
    row(4, say("ZPOPMAX", key), maybe(one(count))),
    row(
      3,
      say("ZMPOP", word("1", "2", "2", "0", "-1", "9", "x"), key),
      maybe(one(key)),
      one(ends),
      maybe(say("COUNT", count))
    ),
    row(4, sources(["ZUNION"]), combine, scores),
    row(4, sources(["ZINTER"]), combine, scores),
    row(3, sources(["ZDIFF"]), scores),
    row(3, sources(["ZUNIONSTORE", key]), combine),
    row(3, sources(["ZINTERSTORE", key]), combine),
    row(2, sources(["ZDIFFSTORE", key])),
    row(2, sources(["ZINTERCARD"]), maybe(say("LIMIT", count))),
    row(1, say("ZRANDMEMBER", "never"), maybe(one(count))),
    row(
      2,
      say("ZSCAN", key, "0"),
      many(0, 2, Fc.oneof(say("MATCH", W.pattern), say("COUNT", "1000"), say("COUNT", "0")))
    ),
    row(1, say("BZPOPMIN", "zset:1", timeout)),
    row(1, say("BZPOPMAX", "zset:1", "zset:2", timeout)),
    row(1, say("BZMPOP", timeout, "2", "zset:1", "zset:2"), one(ends), maybe(say("COUNT", count)))
  ]
}

const rows: Readonly<Record<Family, () => ReadonlyArray<Row>>> = {
  list: listRows,
  set: setRows,
  hash: hashRows,
  zset: zsetRows,
  geo: geoRows
}

/** SORT; what it keeps must not depend on the order of elements that weigh the same. */
const sortRow = (key: Fc.Arbitrary<string>): Row => {
  const options = [
    say("ALPHA"),
    say("DESC"),
    say("LIMIT", index, count),
    say("GET", word("#", "string:*", "hash:*->a", "nothing", "*"))
  ]
  return row(
    3,
    say(word("SORT", "SORT", "SORT_RO"), key),
    Fc.oneof(
      many(0, 3, Fc.oneof(...options, say("BY", word("weight:*", "nosort", "hash:*->a", "*")))),
      join(many(0, 2, Fc.oneof(...options)), say("STORE", word("list:3", "nokey")))
    )
  )
}

/** What every type takes. `family` is that of the keys. */
export const keyRows = (family: Family | "stream", key: Fc.Arbitrary<string>): ReadonlyArray<Row> => {
  return [
    row(1, say("DEL", key)),
    row(1, say("UNLINK", key)),
    row(2, say("COPY", key, key), maybe(say("REPLACE"))),
    row(2, say("RENAME", key, key)),
    row(1, say("TYPE", key)),
    row(3, say("OBJECT", "ENCODING", key)),
    row(3, say("DEBUG", "DIGEST-VALUE", key)),
    row(1, say("SET", word("string:1", `${family}:3`), element)),
    row(1, say("EXPIRE", key, "1000")),
    row(1, say("PERSIST", key)),
    row(1, say("MOVE", key, "1")),
    row(1, say("GET", key)),
    row(1, say("APPEND", key, "x")),
    row(1, say("INCR", key)),
    row(1, say("SETRANGE", key, "1", "x")),
    row(1, say("STRLEN", key)),
    row(1, say("GETDEL", key)),
    row(1, say("EXISTS", key)),
    row(
      1,
      say("RESTORE", key, word("0", "100000", "-1", "x"), word("", "short", "x".repeat(20))),
      maybe(say("REPLACE"))
    ),
    row(1, say("SET", word("weight:1", "weight:2", "weight:a", "string:2"), element)),
    // Of a small sorted set Redis makes a skiplist when it sorts it, which stays one.
    ...family === "zset" || family === "geo" || family === "stream" ? [] : [sortRow(key)]
  ]
}

/** Requests that follow each other. */
export const step = (lines: ReadonlyArray<Line>): Step =>
  Object.assign({ kind: "lines" as const, lines }, { [Fc.toStringMethod]: () => lines.map(printLine).join(" | ") })

type Others = ReadonlyArray<{ readonly weight: number; readonly arbitrary: Fc.Arbitrary<Step> }>

/** Steps of one request each, now and then of several in a transaction, or one of the other steps. */
export const linesOf = (line: Fc.Arbitrary<Line>, others: Others = []): Fc.Arbitrary<Step> =>
  Fc.oneof(
    { weight: 20, arbitrary: line.map((words) => step([words])) },
    ...others,
    {
      weight: 1,
      arbitrary: Fc.array(line, { maxLength: 8 }).map((lines) => step([["MULTI"], ...lines, ["EXEC"]]))
    }
  )

/** The same of requests about a type and about its keys. */
export const stepsOf = (
  rows: ReadonlyArray<Row>,
  keys: ReadonlyArray<Row>,
  others: Others = []
): Fc.Arbitrary<Step> => {
  const line = Fc.oneof(
    { weight: 8, arbitrary: Fc.oneof(...rows) },
    { weight: 2, arbitrary: Fc.oneof(...keys) }
  )
  return linesOf(line, others)
}

/** Steps about one type. */
export const collectionSteps = (family: Family): Fc.Arbitrary<Step> =>
  stepsOf(
    rows[family](),
    keyRows(family, keyOf(family)),
    family === "geo" ? [{ weight: 1, arbitrary: distanceLines.map(step) }] : []
  )
