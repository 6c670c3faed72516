/** Requests about strings as rows of bits: few keys, short strings and some of kilobytes, every form of every word. */
import * as Fc from "fast-check"
import { linesOf } from "./collections.ts"
import type { Step } from "./grammar.ts"
import { many, maybe, type Row, row, say, word } from "./parts.ts"
import * as W from "./words.ts"

/** Mostly a key of a bitmap; sometimes one of another type, or none. */
const key = Fc.oneof(
  { weight: 12, arbitrary: word("bits:1", "bits:2", "bits:3") },
  { weight: 1, arbitrary: word("list:1", "nokey", "") }
)

const notIntegers = ["x", "", "1.0", "-0", "01", " 1", "9223372036854775808", "99999999999999999999"]

/** Places of bits, those that would make strings of hundreds of megabytes left out. */
const offset = Fc.oneof(
  { weight: 12, arbitrary: Fc.nat(70).map(String) },
  { weight: 4, arbitrary: Fc.nat(1200).map(String) },
  { weight: 1, arbitrary: Fc.nat(150_000).map(String) },
  { weight: 1, arbitrary: word(...notIntegers, "-1", "4294967296", "9223372036854775807") }
)
const fieldOffset = Fc.oneof(
  { weight: 3, arbitrary: offset },
  { weight: 3, arbitrary: Fc.nat(40).map((index) => `#${index}`) },
  { weight: 1, arbitrary: word("#", "#-1", "##1", "#x", "#01", "#9223372036854775807", "#4611686018427387904") }
)
const bit = Fc.oneof({ weight: 12, arbitrary: word("0", "1") }, {
  weight: 1,
  arbitrary: word("2", "-1", ...notIntegers)
})
const index = Fc.oneof(
  { weight: 8, arbitrary: Fc.integer({ min: -20, max: 20 }).map(String) },
  { weight: 3, arbitrary: Fc.integer({ min: -1300, max: 1300 }).map(String) },
  { weight: 1, arbitrary: W.integer }
)
const unit = word("BYTE", "BIT", "bit", "Byte", "BITS", "")
const type = Fc.oneof(
  { weight: 10, arbitrary: Fc.tuple(word("i", "u"), Fc.integer({ min: 1, max: 63 })).map(([sign, n]) => sign + n) },
  { weight: 3, arbitrary: word("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u63", "i1", "u1") },
  { weight: 1, arbitrary: word("u64", "i65", "i0", "u0", "x8", "I8", "u", "", "i-1", "u08", "i8 ", "8") }
)
const number = Fc.oneof(
  { weight: 4, arbitrary: Fc.integer({ min: -300, max: 300 }).map(String) },
  {
    weight: 4,
    arbitrary: Fc.integer({ min: 0, max: 63 }).chain((n) => word(`${2n ** BigInt(n)}`, `${-(2n ** BigInt(n))}`))
  },
  { weight: 2, arbitrary: Fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
  { weight: 2, arbitrary: W.integer }
)

const get = say(word("GET", "GET", "get"), type, fieldOffset)
const set = say("SET", type, fieldOffset, number)
const increment = say(word("INCRBY", "INCRBY", "IncrBy"), type, fieldOffset, number)
const overflow = say("OVERFLOW", word("WRAP", "SAT", "FAIL", "sat", "fail", "FAIL", "NONE"))
const operation = Fc.oneof(
  { weight: 4, arbitrary: get },
  { weight: 5, arbitrary: set },
  { weight: 5, arbitrary: increment },
  { weight: 3, arbitrary: overflow },
  { weight: 1, arbitrary: say(word("BOGUS", "", "SET", "GET", "OVERFLOW")) }
)
/** Where a mistake spoils the whole request, long requests would do nothing else. */
const flawless = Fc.oneof(
  say(word("GET"), word("i5", "u7", "u16", "i33", "i64", "u63"), Fc.nat(200).map(String)),
  say("SET", word("i5", "u7", "u16", "i33", "i64", "u63"), Fc.nat(200).map(String), Fc.integer().map(String)),
  say(
    "INCRBY",
    word("i5", "u7", "u16", "i33", "i64", "u63"),
    Fc.nat(20).map((n) => `#${n}`),
    Fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)
  ),
  say("OVERFLOW", word("WRAP", "SAT", "FAIL"))
)

/** What a string starts as: the text of integers too, and bytes with long rows of equal bits. */
const value = Fc.oneof(
  { weight: 2, arbitrary: word("0", "-1", "123", "9223372036854775807", "", "foobar", "\xff\xf0\x00", "\x00\xff\xf0") },
  { weight: 2, arbitrary: Fc.nat(300).map((n) => "\xff".repeat(n)) },
  { weight: 1, arbitrary: Fc.nat(300).map((n) => "\0".repeat(n)) },
  {
    weight: 2,
    arbitrary: Fc.tuple(Fc.nat(200), Fc.nat(255)).map(([n, b]) => "\xff".repeat(n) + String.fromCharCode(b))
  },
  { weight: 1, arbitrary: Fc.tuple(Fc.nat(200), Fc.nat(255)).map(([n, b]) => "\0".repeat(n) + String.fromCharCode(b)) },
  { weight: 3, arbitrary: W.value }
)

const rows: ReadonlyArray<Row> = [
  row(14, say("SETBIT", key, offset, bit)),
  row(8, say("GETBIT", key, offset)),
  row(6, say("BITCOUNT", key)),
  row(8, say("BITCOUNT", key, index, index), maybe(say(unit))),
  row(1, say("BITCOUNT", key), many(0, 4, say(index))),
  row(5, say("BITPOS", key, bit)),
  row(5, say("BITPOS", key, bit, index)),
  row(8, say("BITPOS", key, bit, index, index), maybe(say(unit))),
  row(1, say("BITPOS", key, bit), many(0, 5, say(index))),
  row(10, say("BITOP", word("AND", "OR", "XOR", "and", "Xor"), key, key), many(0, 3, say(key))),
  row(5, say("BITOP", word("NOT", "not"), key, key)),
  row(1, say("BITOP", word("NOT", "BOGUS", ""), key, key), many(0, 2, say(key))),
  row(12, say("BITFIELD", key), many(0, 3, operation)),
  row(8, say("BITFIELD", key), many(1, 12, flawless)),
  row(
    4,
    say("BITFIELD_RO", key),
    many(0, 3, Fc.oneof({ weight: 5, arbitrary: get }, { weight: 1, arbitrary: operation }))
  ),
  row(10, say("SET", key, value)),
  row(2, say("SETRANGE", key, Fc.nat(400).map(String), W.shortText)),
  row(1, say("APPEND", key, W.shortText)),
  row(1, say("INCR", key)),
  row(1, say("GET", key)),
  row(1, say("STRLEN", key)),
  row(3, say("OBJECT", "ENCODING", key)),
  row(1, say("DEL", key)),
  row(1, say("RPUSH", "list:1", "x")),
  row(1, say("COPY", key, key, "REPLACE")),
  row(1, say("RENAME", key, key)),
  row(1, say("EXPIRE", key, "1000")),
  row(1, say("PERSIST", key)),
  row(1, say("TTL", "nokey")),
  row(2, say("DEBUG", "DIGEST-VALUE", key))
]

/** Steps about bitmaps. */
export const bitmapSteps: Fc.Arbitrary<Step> = linesOf(Fc.oneof(...rows))
