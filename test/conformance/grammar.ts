/** Which requests are sent, how often, and in which steps. */
import * as Fc from "fast-check"
import { introspection } from "./key-words.ts"
import * as W from "./words.ts"

/** One request: its words, one character per byte. */
export type Line = ReadonlyArray<string>

/**
 * Requests that belong together. `lines` go out in one pipeline with the neighbouring steps; `dies` waits after its
 * first line until that line's deadline is past; `scan` is a SCAN followed through all its cursors; `quit` ends the
 * connection and opens another.
 */
export interface Step {
  readonly kind: "lines" | "dies" | "scan" | "quit"
  readonly lines: ReadonlyArray<Line>
}

/** One word as redis-cli would take it; long ones cut, with their length. */
export const printWord = (word: string): string => {
  const shown = word.length > 120 ? word.slice(0, 40) : word
  const text = /^[\x21-\x7e]+$/.test(shown) && !/["'\\]/.test(shown)
    ? shown
    : `"${
      shown.replace(/["\\]/g, "\\$&").replace(/\r/g, "\\r").replace(/\n/g, "\\n")
        .replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)
    }"`
  return shown === word ? text : `${text}…(${word.length} bytes)`
}
export const printLine = (line: Line): string => line.map(printWord).join(" ")

/** Upper case, lower case, or any mixture. */
const casing = (word: string): Fc.Arbitrary<string> =>
  Fc.oneof(
    { weight: 8, arbitrary: Fc.constant(word) },
    { weight: 1, arbitrary: Fc.constant(word.toLowerCase()) },
    {
      weight: 1,
      arbitrary: Fc.nat(255).map((mask) =>
        [...word].map((c, i) => (mask >> (i & 7)) & 1 ? c.toLowerCase() : c).join("")
      )
    }
  )

type Words = Fc.Arbitrary<ReadonlyArray<string>>
const one = (word: Fc.Arbitrary<string>): Words => word.map((w) => [w])
const say = (...words: ReadonlyArray<string | Fc.Arbitrary<string>>): Words =>
  Fc.tuple(...words.map((w) => typeof w === "string" ? casing(w) : w))
const join = (...parts: ReadonlyArray<Words>): Words => Fc.tuple(...parts).map((all) => all.flat())
const some = (maxLength: number, ...choices: ReadonlyArray<Words>): Words =>
  Fc.array(Fc.oneof(...choices), { maxLength }).map((all) => all.flat())
const many = (minLength: number, maxLength: number, words: Words): Words =>
  Fc.array(words, { minLength, maxLength }).map((all) => all.flat())
const maybe = (words: Words): Words => some(1, words)

const timeOptions: ReadonlyArray<Words> = [
  say("EX", W.seconds),
  say("PX", W.millis),
  say("EXAT", W.unixSeconds),
  say("PXAT", W.unixMillis)
]

type Weighted = { readonly weight: number; readonly arbitrary: Words }
const row = (weight: number, ...parts: ReadonlyArray<Words>): Weighted => ({ weight, arbitrary: join(...parts) })

/** String commands whose first key is drawn from `key`. */
const stringRows = (key: Fc.Arbitrary<string>): ReadonlyArray<Weighted> => [
  row(10, say("SET", key, W.value)),
  row(
    10,
    say("SET", key, W.value),
    some(3, say("NX"), say("XX"), say("GET"), say("KEEPTTL"), ...timeOptions, one(W.option))
  ),
  row(8, say("GET", key)),
  row(2, say("GETSET", key, W.value)),
  row(2, say("GETDEL", key)),
  row(4, say("GETEX", key), some(2, ...timeOptions, say("PERSIST"), one(W.option))),
  row(2, say("SETNX", key, W.value)),
  row(2, say("SETEX", key, W.seconds, W.value)),
  row(2, say("PSETEX", key, W.millis, W.value)),
  row(5, say("APPEND", key, W.value)),
  row(2, say("STRLEN", key)),
  row(5, say("SETRANGE", key, W.position, W.shortText)),
  row(4, say("GETRANGE", key, W.position, W.position)),
  row(1, say("SUBSTR", key, W.position, W.position)),
  row(5, say("INCR", key)),
  row(4, say("DECR", key)),
  row(5, say("INCRBY", key, W.integer)),
  row(4, say("DECRBY", key, W.integer)),
  row(8, say("INCRBYFLOAT", key, W.float)),
  row(4, say("MGET", key), many(0, 4, one(W.key))),
  row(4, say("MSET", key, W.value), many(0, 3, Fc.tuple(W.key, W.value))),
  row(3, say("MSETNX", key, W.value), many(0, 2, Fc.tuple(W.key, W.value)))
]

/** Key commands whose first key is drawn from `key`. */
const keyRows = (key: Fc.Arbitrary<string>): ReadonlyArray<Weighted> => {
  const conditions = some(2, say("NX"), say("XX"), say("GT"), say("LT"), one(W.option))
  const expiry = (
    name: string,
    time: Fc.Arbitrary<string>,
    compared: Fc.Arbitrary<string> = time
  ): ReadonlyArray<Weighted> => [
    row(2, say(name, key, time)),
    row(2, say(name, key, time), conditions),
    row(1, say(name, key, compared), conditions)
  ]
  return [
    row(3, say("DEL", key), many(0, 3, one(W.key))),
    row(2, say("UNLINK", key), many(0, 3, one(W.key))),
    row(3, say("EXISTS", key), many(0, 4, one(W.key))),
    row(1, say("TOUCH", key), many(0, 3, one(W.key))),
    row(3, say("TYPE", key)),
    row(4, say("RENAME", key, W.key)),
    row(3, say("RENAMENX", key, W.key)),
    row(4, say("COPY", key, W.key), some(3, say("DB", W.db), say("REPLACE"), one(W.option))),
    row(3, say("MOVE", key, W.db)),
    ...expiry("EXPIRE", W.seconds, W.comparedSeconds),
    ...expiry("PEXPIRE", W.millis, W.comparedMillis),
    ...expiry("EXPIREAT", W.unixSeconds),
    ...expiry("PEXPIREAT", W.unixMillis),
    row(2, say("TTL", key)),
    row(2, say("PTTL", key)),
    row(2, say("EXPIRETIME", key)),
    row(2, say("PEXPIRETIME", key)),
    row(2, say("PERSIST", key)),
    row(5, say("OBJECT", "ENCODING", key)),
    row(1, say("OBJECT", "REFCOUNT", key)),
    row(1, say("OBJECT", "IDLETIME", key)),
    row(1, say("OBJECT", "FREQ", key))
  ]
}

const keyspaceRows: ReadonlyArray<Weighted> = [
  row(3, say("KEYS", W.pattern)),
  row(2, say("RANDOMKEY")),
  row(2, say("DBSIZE")),
  row(2, say("SWAPDB", W.db, W.db)),
  row(1, say("FLUSHDB"), maybe(Fc.oneof(say("SYNC"), say("ASYNC"), one(W.option)))),
  row(1, say("FLUSHALL"), maybe(Fc.oneof(say("SYNC"), say("ASYNC"), one(W.option)))),
  row(
    2,
    say("SCAN", W.integer),
    some(2, say("MATCH", W.pattern), say("COUNT", W.integer), say("TYPE", W.typeName), one(W.option))
  ),
  row(1, say("OBJECT", "HELP")),
  row(1, say("OBJECT", Fc.constantFrom("BOGUS", "", "a\r\nb", "ENCODING")))
]

const name = Fc.constantFrom("", "me", "worker-1", "with space", "new\nline", "\xff", "x".repeat(100))
const connectionRows: ReadonlyArray<Weighted> = [
  row(4, say("PING"), maybe(one(W.value))),
  row(3, say("ECHO", W.value)),
  row(10, say("SELECT", W.db)),
  row(2, say("CLIENT", "GETNAME")),
  row(2, say("CLIENT", "SETNAME", name)),
  row(1, say("CLIENT", "ID")),
  row(1, say("CLIENT", "INFO")),
  row(1, say("CLIENT", "LIST"), maybe(say("TYPE", Fc.constantFrom("normal", "replica", "bogus")))),
  row(1, say("CLIENT", "NO-EVICT", Fc.constantFrom("on", "off", "OFF", "maybe"))),
  row(1, say("CLIENT", "UNBLOCK", W.integer), maybe(Fc.oneof(say("TIMEOUT"), say("ERROR"), say("BOGUS")))),
  row(1, say("CLIENT", "UNPAUSE")),
  row(1, say("CLIENT", "REPLY", Fc.constantFrom("ON", "bogus"))),
  row(1, say("CLIENT", "KILL", Fc.constantFrom("1.2.3.4:5", "", "bogus"))),
  row(1, say("CLIENT", "KILL", "ID", Fc.constantFrom("9999999", "0", "-1", "abc"))),
  row(
    1,
    say(
      "CLIENT",
      "KILL",
      Fc.constantFrom("ADDR", "LADDR", "USER", "TYPE", "BOGUS"),
      Fc.constantFrom("bogus", "1.2.3.4:5")
    )
  ),
  row(1, say("CLIENT", Fc.constantFrom("BOGUS", "", "a'b", "\0", "line\nbreak"), maybeWord())),
  row(1, say("AUTH", W.shortText)),
  row(1, say("AUTH", Fc.constantFrom("default", "DEFAULT", "nobody", ""), W.shortText)),
  row(1, say("AUTH", "default", "x", "y")),
  row(2, say("HELLO"), maybe(one(Fc.constantFrom("2", "3", "3", "4", "1", "0", "-2", "abc", "", "3.0")))),
  row(
    2,
    say("HELLO", Fc.constantFrom("2", "3", "3")),
    some(2, say("SETNAME", name), say("AUTH", "default", W.shortText), say("AUTH", "nobody", "x"), one(W.option))
  ),
  row(1, say("RESET")),
  row(1, say("TIME"))
]

function maybeWord(): Fc.Arbitrary<string> {
  return W.shortText
}

/** LCS on keys that only ever hold short strings. */
const lcsRows: ReadonlyArray<Weighted> = [
  row(2, say("SET", W.shortKey, W.shortText)),
  row(
    3,
    say("LCS", W.shortKey, W.shortKey),
    some(4, say("LEN"), say("IDX"), say("MINMATCHLEN", W.integer), say("WITHMATCHLEN"), one(W.option))
  )
]

const stringNames =
  "APPEND DECR DECRBY GET GETDEL GETEX GETRANGE GETSET INCR INCRBY INCRBYFLOAT LCS MGET MSET MSETNX PSETEX SET SETEX SETNX SETRANGE STRLEN SUBSTR"
    .split(" ")
const keyNames =
  "DEL UNLINK EXISTS TYPE TOUCH KEYS SCAN RANDOMKEY RENAME RENAMENX COPY MOVE SWAPDB DBSIZE FLUSHDB FLUSHALL OBJECT EXPIRE PEXPIRE EXPIREAT PEXPIREAT TTL PTTL EXPIRETIME PEXPIRETIME PERSIST"
    .split(" ")
const transactionNames = ["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"]
const connectionNames = ["PING", "ECHO", "SELECT", "HELLO", "CLIENT", "AUTH", "RESET"]

/** The commands under test, apart from QUIT, which has steps of its own. */
export const commandNames: ReadonlyArray<string> = [
  ...stringNames,
  ...keyNames,
  ...transactionNames,
  ...connectionNames
]

/** What COMMAND says of the commands under test that have no subcommands. */
const introspectionRows: ReadonlyArray<Weighted> = [{
  weight: 1,
  arbitrary: introspection(
    [...stringNames, ...keyNames, "PING", "ECHO", "SELECT", "AUTH"].filter((n) => n !== "OBJECT")
  )
}]

/** Any command with any words: too few, too many, of the wrong kind. */
const wrongRows: ReadonlyArray<Weighted> = [
  row(
    6,
    Fc.constantFrom(...commandNames.filter((n) => n !== "LCS" && n !== "MULTI")).chain(casing)
      .map((n) => [n]),
    many(0, 6, one(W.anyWord))
  ),
  row(1, say("LCS"), many(0, 5, one(Fc.oneof(W.shortKey, W.option)))),
  row(
    2,
    one(Fc.oneof(
      Fc.constantFrom(
        "",
        "NOSUCH",
        "GETT",
        "no such",
        "new\r\nline",
        "nul\0byte",
        "\xff\xfe",
        "'quoted'",
        "X".repeat(200)
      ),
      W.shortText.map((text) => `NO${text}`)
    )),
    many(0, 4, one(W.anyWord))
  ),
  row(
    1,
    say("OBJECT", Fc.constantFrom("ENCODING", "REFCOUNT", "IDLETIME", "FREQ", "HELP")),
    many(0, 3, one(W.anyWord))
  ),
  row(
    1,
    say("CLIENT", Fc.constantFrom("ID", "GETNAME", "SETNAME", "INFO", "NO-EVICT", "UNBLOCK")),
    many(2, 4, one(W.anyWord))
  )
]

/** Keys of other types, so that string commands meet them; only with the commands that the server under test has. */
const otherTypeRows = (available: ReadonlySet<string>): ReadonlyArray<Weighted> =>
  ([
    ["LPUSH", say("LPUSH", W.key, W.shortText)],
    ["SADD", say("SADD", W.key, W.shortText)],
    ["HSET", say("HSET", W.key, W.shortText, W.shortText)],
    ["ZADD", say("ZADD", W.key, "1", W.shortText)],
    ["XADD", say("XADD", W.key, "1-1", "f", "v")]
  ] as const).filter(([command]) => available.has(command)).map(([, arbitrary]) => ({ weight: 2, arbitrary }))

const limit = 2n ** 53n - 1n
const longest = 2n ** 63n - 1n
const nearMs = 90_000n

/** Words of a request that are read as deadlines: the number, its unit in ms, and whether it counts from now. */
const deadlines = (line: Line): ReadonlyArray<{ word: string; unit: bigint; relative: boolean }> => {
  const command = line[0]!.toUpperCase()
  const at = (index: number, unit: bigint, relative: boolean) =>
    index < line.length ? [{ word: line[index]!, unit, relative }] : []
  switch (command) {
    case "EXPIRE":
    case "SETEX":
      return at(2, 1000n, true)
    case "PEXPIRE":
    case "PSETEX":
      return at(2, 1n, true)
    case "EXPIREAT":
      return at(2, 1000n, false)
    case "PEXPIREAT":
      return at(2, 1n, false)
    case "SET":
    case "GETEX":
      return line.flatMap((word, i) => {
        const unit = word.toUpperCase()
        return /^[EP]X(AT)?$/.test(unit) ? at(i + 1, unit[0] === "P" ? 1n : 1000n, !unit.endsWith("AT")) : []
      })
    default:
      return []
  }
}

/**
 * Requests left out of the random part: a deadline that passes while the sequence runs or that may equal the one it is
 * compared with (what follows would depend on timing), a SET that is dead when it is written (DBSIZE then depends on whether someone has met it), and deadlines
 * beyond 2^53-1 ms, which Annals refuses on purpose (checked by name in the test).
 */
export const isLeftOut = (line: Line, nowMs: number): boolean =>
  deadlines(line).some(({ word, unit, relative }) => {
    if (!/^-?\d{1,19}$/.test(word)) return false
    const n = BigInt(word)
    const scaled = n * unit
    const ms = relative ? scaled + BigInt(nowMs) : scaled
    if (scaled > longest || ms > longest) return false
    if (ms > limit) return true
    const compares = relative && line.some((option, i) => i > 2 && /^[GL]T$/i.test(option))
    if (compares && n > 0n && (n % 2n === 0n || n > 2_000_000_001n)) return true
    const now = BigInt(nowMs)
    if (n > 0n && ms > now - nearMs && ms < now + nearMs) return true
    return line[0]!.toUpperCase() === "SET" && n > 0n && ms <= now
  })

const step = (kind: Step["kind"], lines: ReadonlyArray<Line>): Step =>
  Object.assign(
    { kind, lines },
    { [Fc.toStringMethod]: () => `${kind === "lines" ? "" : `[${kind}] `}${lines.map(printLine).join(" | ")}` }
  )

/** Ways to give the dying key a deadline that is past a few milliseconds later. */
const dying: Words = Fc.oneof(
  say("SET", Fc.constant(W.dyingKey), W.value, "PX", Fc.constant("1")),
  say("PSETEX", Fc.constant(W.dyingKey), Fc.constant("1"), W.value),
  say("SET", Fc.constant(W.dyingKey), W.value, "PXAT", Fc.constant("1")),
  say("SET", Fc.constant(W.dyingKey), W.value, "EXAT", Fc.constant("1000000000"))
)

/** Keys to watch, of which the requests in between may change some. */
const watching = join(say("WATCH"), many(1, 3, one(W.key)))

/** Requests that belong to transactions, outside of them; MULTI stands only where an end follows. */
const strayRows: ReadonlyArray<Weighted> = [
  row(3, say("WATCH"), many(1, 3, one(W.key))),
  row(2, say("UNWATCH")),
  row(1, say("EXEC"), maybe(one(W.anyWord))),
  row(1, say("DISCARD"), maybe(one(W.anyWord))),
  row(1, say("WATCH")),
  row(1, say("MULTI"), one(W.anyWord)),
  row(1, say("UNWATCH"), one(W.anyWord))
]

/** A transaction from MULTI to its end, of random requests and some that mean something special inside it. */
const transaction = (lines: Words): Fc.Arbitrary<ReadonlyArray<Line>> =>
  Fc.tuple(
    Fc.array(Fc.oneof({ weight: 1, arbitrary: watching }, { weight: 1, arbitrary: lines }), { maxLength: 3 }),
    say("MULTI"),
    Fc.array(
      Fc.oneof(
        { weight: 30, arbitrary: lines },
        { weight: 4, arbitrary: say("SELECT", W.db) },
        { weight: 1, arbitrary: Fc.oneof(...strayRows) },
        { weight: 1, arbitrary: say("MULTI") }
      ),
      { maxLength: 10 }
    ),
    Fc.oneof(
      { weight: 12, arbitrary: say("EXEC") },
      { weight: 1, arbitrary: say("DISCARD") },
      { weight: 1, arbitrary: say("RESET") }
    )
  ).map(([before, multi, inside, end]) => [...before, multi, ...inside, end].flatMap(withKeys))

/** What RANDOMKEY answers is checked against the keys that were there. */
const withKeys = (line: Line): ReadonlyArray<Line> =>
  line[0]!.toUpperCase() === "RANDOMKEY" ? [line, ["KEYS", "*"]] : [line]

/** One step; `available` are the commands of other types that both servers have; `nowMs` bounds deadlines. */
export const steps = (available: ReadonlySet<string>, nowMs: number): Fc.Arbitrary<Step> => {
  const weighted = (rows: ReadonlyArray<Weighted>): Words => Fc.oneof(...rows).filter((line) => !isLeftOut(line, nowMs))
  const lines: Words = Fc.oneof(
    { weight: 50, arbitrary: weighted(stringRows(W.key)) },
    { weight: 35, arbitrary: weighted(keyRows(W.key)) },
    { weight: 8, arbitrary: weighted(keyspaceRows) },
    { weight: 12, arbitrary: weighted(connectionRows) },
    { weight: 3, arbitrary: weighted(strayRows) },
    { weight: 8, arbitrary: weighted(lcsRows) },
    { weight: 15, arbitrary: weighted(wrongRows) },
    { weight: 6, arbitrary: weighted(introspectionRows) },
    ...available.size === 0 ? [] : [{ weight: 5, arbitrary: weighted(otherTypeRows(available)) }]
  )
  const dead = Fc.constant(W.dyingKey)
  return Fc.oneof(
    {
      weight: 300,
      arbitrary: lines.map((line) => step("lines", withKeys(line)))
    },
    { weight: 25, arbitrary: transaction(lines).map((all) => step("lines", all)) },
    {
      weight: 2,
      arbitrary: Fc.tuple(dying, weighted([...stringRows(dead), ...keyRows(dead)]))
        .map(([first, second]) => step("dies", [first, second, ["EXISTS", W.dyingKey]]))
    },
    {
      weight: 2,
      arbitrary: Fc.tuple(
        dying,
        Fc.array(weighted([...stringRows(dead), ...keyRows(dead)]), { maxLength: 3 }),
        Fc.boolean()
      ).map(([first, inside, watched]) =>
        step("dies", [
          first,
          ...watched ? [["WATCH", W.dyingKey]] : [],
          ["MULTI"],
          ...inside,
          ["EXEC"],
          ["EXISTS", W.dyingKey]
        ])
      )
    },
    {
      weight: 2,
      arbitrary: some(
        2,
        say("MATCH", W.pattern),
        say("COUNT", Fc.constantFrom("1", "3", "10", "1000")),
        say("TYPE", W.typeName)
      )
        .map((options) => step("scan", [["SCAN", "0", ...options]]))
    },
    { weight: 1, arbitrary: join(say("QUIT"), maybe(one(W.anyWord))).map((line) => step("quit", [line])) }
  )
}
