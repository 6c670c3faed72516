/**
 * The alphabets requests are drawn from. Words are strings of bytes (one character per byte, latin1), so that a failing
 * sequence prints legibly. Small key alphabets make commands meet; the values sit where parsers and encodings change.
 */
import * as Fc from "fast-check"

const utf8 = (text: string): string => Buffer.from(text).toString("latin1")

/** A key only the expiry steps let die, so that no other command depends on the moment of its death. */
export const dyingKey = "dying"
/** Keys that only ever hold short strings: LCS costs the product of both lengths. */
export const shortKeys = ["lcs:1", "lcs:2", "lcs:3"] as const

const commonKeys = ["k1", "k2", "k3", "a", "b"]
const rareKeys = [
  "",
  "K1",
  dyingKey,
  "key:1",
  "\0bin\xff",
  "h[e]llo",
  "a*b",
  "with space",
  "line\r\nbreak",
  utf8("ключ"),
  "n".repeat(300)
]

const integers = [
  "0",
  "1",
  "-1",
  "2",
  "10",
  "-10",
  "100",
  "9999",
  "10000",
  "2147483647",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775806",
  "9223372036854775807",
  "-9223372036854775807",
  "-9223372036854775808"
]
const notIntegers = [
  "9223372036854775808",
  "-9223372036854775809",
  "18446744073709551615",
  "-0",
  "+1",
  "01",
  "-01",
  " 1",
  "1 ",
  "1\0",
  "",
  "-",
  "abc",
  "1.0",
  "0x10",
  "1e3",
  "1".repeat(40)
]
const floats = [
  "0.1",
  "-0.1",
  "1.5",
  "0.30000000000000004",
  "3.0e3",
  "1e-5",
  "1e17",
  "1e308",
  "-1e308",
  "1e400",
  "1e-400",
  "5e-324",
  "123456789012345678901234567890",
  "0x1p3",
  ".5",
  "5.",
  "+2.5",
  "-0.0",
  "inf",
  "-inf",
  "+inf",
  "Infinity",
  "nan",
  "1.5 ",
  " 1.5",
  "1,5",
  "1e",
  "1e5000"
]
const texts = [
  "",
  "a",
  "hello world",
  "Hello",
  "OK",
  "\0\xff\r\n\x80",
  "$-1\r\n",
  "e".repeat(44),
  "r".repeat(45),
  utf8("žluťoučký kůň")
]
/** Larger than any read chunk. */
const huge = "0123456789abcdef".repeat(6_400)

const oneOf = (words: ReadonlyArray<string>): Fc.Arbitrary<string> => Fc.constantFrom(...words)

/** A key: usually one of few. */
export const key: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 8, arbitrary: oneOf(commonKeys) },
  { weight: 1, arbitrary: oneOf(rareKeys) }
)
export const shortKey: Fc.Arbitrary<string> = oneOf(shortKeys)
export const integer: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 4, arbitrary: oneOf(integers) },
  { weight: 1, arbitrary: oneOf(notIntegers) },
  { weight: 1, arbitrary: Fc.integer({ min: -20, max: 20 }).map(String) }
)
/** Positions within values; never so large that a string of hundreds of megabytes would be made. */
export const position: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 6, arbitrary: Fc.integer({ min: -50, max: 50 }).map(String) },
  { weight: 1, arbitrary: oneOf(["100000", "536870912", "536870911999", "-536870912"]) },
  { weight: 2, arbitrary: integer }
)
export const float: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 4, arbitrary: oneOf(floats) },
  { weight: 2, arbitrary: integer },
  { weight: 2, arbitrary: Fc.double({ noNaN: true }).map(String) },
  { weight: 2, arbitrary: Fc.integer({ min: -99_999, max: 99_999 }).map((n) => String(n / 1_000)) }
)
export const shortText: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 2, arbitrary: oneOf(texts) },
  { weight: 3, arbitrary: Fc.string({ unit: Fc.constantFrom("a", "b", "c", "\0"), maxLength: 12 }) }
)
export const value: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 20, arbitrary: oneOf(texts) },
  { weight: 25, arbitrary: integer },
  { weight: 15, arbitrary: float },
  { weight: 10, arbitrary: Fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1")) },
  { weight: 1, arbitrary: Fc.constant(huge) }
)
export const db: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 8, arbitrary: oneOf(["0", "1", "2", "15"]) },
  { weight: 2, arbitrary: oneOf(["16", "-1", "abc", "", " 1", "01", "1.0", "2147483648", "9223372036854775808"]) }
)
export const pattern: Fc.Arbitrary<string> = Fc.oneof(
  {
    weight: 1,
    arbitrary: oneOf(
      [
        "*",
        "k*",
        "?",
        "??",
        "",
        "k1",
        "k[12]",
        "k[^1]",
        "k[1-2]",
        "k[2-1]",
        "[",
        "k[",
        "k[12",
        "k[^",
        "k[1-",
        "[]",
        "[^]*",
        "\\k1",
        "k\\",
        "\\",
        "a\\*b",
        "h\\[e\\]llo",
        "h[[]e]llo",
        "**",
        "*?*",
        "a*b*",
        "*a*a*a*b",
        "*\0*",
        "*\xff",
        "*\r\n*",
        "K*"
      ]
    )
  },
  { weight: 1, arbitrary: Fc.string({ unit: Fc.constantFrom(..."k1a*?[]^-\\b"), maxLength: 7 }) }
)
/** Deadlines that are named by their moment, in the far future: both servers must then report the very same one. */
export const absoluteSeconds = ["4102444800", "9999999999", "253402300799"] as const
export const absoluteMillis = ["4102444800123", "9999999999999", "253402300799999"] as const

const badTimes = ["0", "-1", "-100", "abc", "", "1.5", " 100", "0100", "9223372036854775807", "-9223372036854775808"]
/** Relative times lie so far ahead that no key dies while a sequence runs. */
export const seconds = Fc.oneof(
  { weight: 4, arbitrary: oneOf(["100", "1000", "86400", "100000000"]) },
  { weight: 1, arbitrary: oneOf(badTimes) }
)
export const millis = Fc.oneof(
  { weight: 4, arbitrary: oneOf(["100000", "1000002", "86400998", "100000000000"]) },
  { weight: 1, arbitrary: oneOf(badTimes) }
)
/**
 * Relative times to be compared with a deadline already there (GT, LT): drawn so widely that two never meet, for which
 * of two equal ones is later depends on the millisecond each server reads it in. Odd, unlike the fixed ones.
 */
export const comparedSeconds = Fc.integer({ min: 100, max: 1_000_000 }).map((n) => String(2 * n + 1))
export const comparedMillis = Fc.integer({ min: 100_000, max: 1_000_000_000 }).map((n) => String(2 * n + 1))
export const unixSeconds = Fc.oneof(
  { weight: 4, arbitrary: oneOf(absoluteSeconds) },
  { weight: 1, arbitrary: oneOf(["1", "1000000000", ...badTimes]) }
)
export const unixMillis = Fc.oneof(
  { weight: 4, arbitrary: oneOf(absoluteMillis) },
  { weight: 1, arbitrary: oneOf(["1", "1000000000000", ...badTimes]) }
)
/** Words that are options somewhere, and some that are options nowhere. */
export const option: Fc.Arbitrary<string> = oneOf(
  "NX XX GT LT GET KEEPTTL EX PX EXAT PXAT PERSIST MATCH COUNT TYPE DB REPLACE LEN IDX MINMATCHLEN WITHMATCHLEN SYNC ASYNC BOGUS"
    .split(" ")
)
export const typeName = oneOf(["string", "STRING", "list", "hash", "zset", "set", "stream", "nosuchtype", ""])
/** Any word at all, for requests that are wrong in ways nobody thought of. */
export const anyWord: Fc.Arbitrary<string> = Fc.oneof(
  { weight: 6, arbitrary: key },
  { weight: 4, arbitrary: integer },
  { weight: 4, arbitrary: option },
  { weight: 2, arbitrary: value },
  { weight: 1, arbitrary: pattern }
)
