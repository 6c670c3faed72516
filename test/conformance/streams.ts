/**
 * Requests about streams: few keys, ids that meet each other, and groups with few consumers. Ids that the clock makes would
 * differ from server to server: `*` follows an entry whose id lies beyond any clock. Entries have been pending for no time
 * at all, or for ages.
 */
import * as Fc from "fast-check"
import { keyRows, step, stepsOf } from "./collections.ts"
import type { Step } from "./grammar.ts"
import { join, many, maybe, one, type Row, row, say, word, type Words } from "./parts.ts"
import * as W from "./words.ts"

const keys = ["stream:1", "stream:2", "stream:3"] as const
const key = Fc.oneof(
  { weight: 16, arbitrary: word(...keys) },
  { weight: 1, arbitrary: word("string:1", "nokey", "stream:far") }
)

/** Entries come at this time, with one sequence number after the other. */
const crowded = "50"
const ms = Fc.oneof(
  { weight: 3, arbitrary: word(crowded) },
  { weight: 1, arbitrary: Fc.integer({ min: 0, max: 9 }).map(String) }
)
const seq = Fc.integer({ min: 0, max: 25 }).map(String)
const fullId = Fc.tuple(ms, seq).map(([time, number]) => `${time}-${number}`)
const oddId = word(
  "0",
  "0-0",
  "0-1",
  "1-1",
  "-",
  "++",
  "$",
  ">",
  "**",
  "",
  "abc",
  "1-",
  "-1",
  "1-1-1",
  "1-*",
  "(1-1",
  "((1",
  "(",
  "1-x",
  " 1",
  "+1-+1",
  "007-01",
  "1--1",
  "1--01",
  "1-01 ",
  "1-1\0x",
  "18446744073709551615-18446744073709551615",
  "(18446744073709551615-18446744073709551615",
  "(0-0",
  "18446744073709551615",
  "18446744073709551616-1",
  "1-18446744073709551615",
  "9223372036854775808-9223372036854775808",
  "-9223372036854775809-1",
  "1".repeat(128)
)
const id = Fc.oneof(
  { weight: 12, arbitrary: fullId },
  { weight: 2, arbitrary: ms },
  { weight: 1, arbitrary: oddId }
)
const bound = Fc.oneof(
  { weight: 4, arbitrary: word("-", "+") },
  { weight: 8, arbitrary: Fc.tuple(word("", "", "("), fullId).map(([open, text]) => open + text) },
  { weight: 2, arbitrary: ms },
  { weight: 1, arbitrary: oddId }
)
const count = Fc.oneof(
  { weight: 8, arbitrary: Fc.integer({ min: -1, max: 7 }).map(String) },
  { weight: 1, arbitrary: W.integer }
)
/** For so many ids room is made beforehand: between these numbers that is a matter of the machine's memory. */
const [alwaysRoom, neverRoom] = [1e6, 2 ** 47 / 16]
const roomCount = count.filter((text) => !(Number(text) > alwaysRoom && Number(text) <= neverRoom))
const length = Fc.oneof(
  { weight: 8, arbitrary: Fc.integer({ min: 0, max: 20 }).map(String) },
  { weight: 1, arbitrary: W.integer }
)
/** Small, so that a node is full by its entries and not by its bytes, which are the servers' own. */
const element = Fc.oneof(
  {
    weight: 4,
    arbitrary: word("a", "b", "", "0", "-1", "127", "4097", "9223372036854775807", "\0\xff\r\n", "x".repeat(40))
  },
  { weight: 2, arbitrary: Fc.integer({ min: -30, max: 30 }).map(String) }
)
const fields = join(say(word("f", "f", "f", "g"), element), many(0, 2, say(word("g", "h", "f"), element)))

const strategy = Fc.oneof(
  join(say(word("MAXLEN", "maxlen")), maybe(say(word("~", "=", "~"))), one(length)),
  join(say("MINID"), maybe(say(word("~", "=", "~"))), one(id))
)
const trimming = Fc.oneof(
  { weight: 8, arbitrary: join(strategy, maybe(say("LIMIT", count))) },
  { weight: 1, arbitrary: join(many(0, 2, strategy), many(0, 2, say("LIMIT", count)), maybe(say(word("~", "NX")))) }
)

const group = Fc.oneof({ weight: 12, arbitrary: word("g1", "g2") }, {
  weight: 1,
  arbitrary: word("nogroup", "", "\xff\n")
})
const consumer = word("alice", "bob", "carol", "")
/** Nothing has been pending for less than the first of these, or for more than the last, but by XCLAIM's IDLE and TIME. */
const minIdle = Fc.oneof(
  { weight: 8, arbitrary: word("0", "0", "500000", "-5") },
  { weight: 1, arbitrary: word("x", "", "9223372036854775807", "9223372036854775808") }
)

const oneOfIds = (newest: string): Fc.Arbitrary<string> =>
  Fc.oneof({ weight: 4, arbitrary: word(newest) }, { weight: 2, arbitrary: word("0", "0-0") }, {
    weight: 3,
    arbitrary: id
  })

/** Keys and as many ids; each key once, for a second part of the request would see what the first has done. */
const streamsOf = (ids: Fc.Arbitrary<string>): Words =>
  Fc.oneof(
    { weight: 8, arbitrary: Fc.tuple(key, ids).map(([name, text]) => ["STREAMS", name, text]) },
    {
      weight: 4,
      arbitrary: Fc.tuple(
        Fc.shuffledSubarray([...keys], { minLength: 2, maxLength: 3 }),
        Fc.array(ids, { minLength: 3, maxLength: 3 })
      )
        .map(([names, texts]) => ["STREAMS", ...names, ...texts.slice(0, names.length)])
    },
    { weight: 1, arbitrary: Fc.tuple(key, ids, ids).map((words) => ["STREAMS", ...words]) }
  )

const readOptions = many(0, 2, Fc.oneof(say("COUNT", count), say("count", count)))
const blocking = say("BLOCK", word("1", "5", "x", "-1", "9223372036854775807x"))

const rows = (): ReadonlyArray<Row> => [
  row(30, say("XADD", key, `${crowded}-*`), fields),
  row(6, say("XADD", key), trimming, say(`${crowded}-*`), fields),
  row(6, say("XADD", key, id), fields),
  row(2, say("XADD", key, "NOMKSTREAM"), maybe(trimming), one(id), fields),
  row(1, say("XADD", key, id, "f"), many(0, 2, one(element))),
  row(5, say("XTRIM", key), trimming),
  row(3, say("XLEN", key)),
  row(8, say("XRANGE", key, bound, bound), maybe(say("COUNT", count))),
  row(6, say("XREVRANGE", key, bound, bound), many(0, 2, say("COUNT", count))),
  row(5, say("XDEL", key, id), many(0, 3, one(id))),
  row(
    4,
    say("XREAD"),
    readOptions,
    streamsOf(Fc.oneof({ weight: 6, arbitrary: id }, { weight: 1, arbitrary: word("$", ">") }))
  ),
  row(1, say("XREAD"), blocking, readOptions, streamsOf(oneOfIds("$"))),
  row(1, say("XREAD", word("GROUP", "NOACK", "BLOCK", "COUNT", "STREAMS")), many(0, 3, one(Fc.oneof(key, id)))),
  row(8, say("XGROUP", "CREATE", key, group, oneOfIds("$")), maybe(say("MKSTREAM")), maybe(say("ENTRIESREAD", count))),
  row(1, say("XGROUP", "CREATE", key, group, id), many(0, 4, say(word("MKSTREAM", "ENTRIESREAD", "3", "x")))),
  row(2, say("XGROUP", "SETID", key, group, oneOfIds("$")), maybe(say("ENTRIESREAD", count))),
  row(2, say("XGROUP", "DESTROY", key, group)),
  row(2, say("XGROUP", "CREATECONSUMER", key, group, consumer)),
  row(1, say("XGROUP", "DELCONSUMER", key, group, consumer)),
  row(1, say("XGROUP", word("SETID", "BOGUS", "CREATE")), many(0, 4, one(Fc.oneof(key, group)))),
  row(16, say("XREADGROUP", "GROUP", group, consumer), readOptions, maybe(say("NOACK")), streamsOf(oneOfIds(">"))),
  row(1, say("XREADGROUP", "GROUP", group, consumer), blocking, streamsOf(oneOfIds(">"))),
  row(1, say("XREADGROUP", word("GROUP", "COUNT"), group, consumer), readOptions, maybe(say("NOACK")), streamsOf(id)),
  row(6, say("XACK", key, group, id), many(0, 3, one(id))),
  row(3, say("XPENDING", key, group)),
  row(5, say("XPENDING", key, group), maybe(say("IDLE", minIdle)), say(bound, bound, count), maybe(one(consumer))),
  row(1, say("XPENDING", key, group), many(0, 6, one(Fc.oneof(bound, count, word("IDLE"))))),
  row(
    8,
    say("XCLAIM", key, group, consumer, minIdle, id),
    many(0, 3, one(id)),
    many(
      0,
      3,
      Fc.oneof(
        say("FORCE"),
        say("JUSTID"),
        say("IDLE", word("0", "1000000", "-1", "x", "9223372036854775807")),
        say("TIME", word("1000", "99999999999999", "-1", "x")),
        say("RETRYCOUNT", word("0", "3", "-1", "x", "9007199254740993")),
        say("LASTID", id),
        say("BOGUS")
      )
    )
  ),
  row(
    5,
    say("XAUTOCLAIM", key, group, consumer, minIdle, bound),
    many(0, 2, Fc.oneof(say("COUNT", roomCount), say("JUSTID"), say("BOGUS")))
  ),
  row(4, say("XINFO", "STREAM", key)),
  row(4, say("XINFO", "STREAM", key, "FULL"), maybe(say("COUNT", count))),
  row(1, say("XINFO", "STREAM", key), many(0, 3, say(word("FULL", "COUNT", "1", "x")))),
  row(4, say("XINFO", "GROUPS", key)),
  row(3, say("XINFO", "CONSUMERS", key, group)),
  row(1, say("XINFO", word("GROUPS", "CONSUMERS", "STREAM", "BOGUS")), many(0, 3, one(key))),
  row(
    2,
    say("XSETID", key, id),
    many(0, 2, Fc.oneof(say("ENTRIESADDED", length), say("MAXDELETEDID", id), say("BOGUS")))
  )
]

const far = "99999999999999"

/** Steps about streams. */
export const streamSteps = (): Fc.Arbitrary<Step> =>
  Fc.oneof(
    { weight: 20, arbitrary: stepsOf(rows(), keyRows("stream", key)) },
    {
      weight: 1,
      arbitrary: Fc.tuple(fields, maybe(trimming)).map(([pairs, trimmed]) =>
        step([["XADD", "stream:far", `${far}-*`, ...pairs], ["XADD", "stream:far", ...trimmed, "*", ...pairs]])
      )
    }
  )
