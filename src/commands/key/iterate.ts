import * as Entry from "../../projections/entry.ts"
import { isGone } from "../../projections/hash-read.ts"
import type { Database } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { isLiteral, matchesEverything, matchGlob } from "../../projections/structures/glob.ts"
import { int64, isWord, word } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { defineCommand } from "../define.ts"
import { errors } from "../errors.ts"

// None of these records the death of a key they meet: one call may meet very many.

export const keys = defineCommand({
  name: "KEYS",
  since: "1.0.0",
  group: "generic",
  summary: "Lists all keys that match a pattern.",
  complexity: "O(N) where N is the number of keys in the database; O(1) for a pattern without wildcards.",
  syntax: "pattern",
  arity: 2,
  flags: ["readonly"],
  tips: ["request_policy:all_shards", "nondeterministic_output_order"],
  categories: ["@dangerous"],
  decide: (d, argv) => {
    const pattern = argv.at(1)
    const db = d.db
    const found: Array<Slice> = []
    if (isLiteral(pattern)) {
      const p = db.locate(pattern)
      if (p !== 0 && !isGone(db, p, d.now)) found.push(Entry.keyOf(db.arena, p))
      return found
    }
    const everything = matchesEverything(pattern)
    for (let position = 0; position >= 0;) {
      position = db.dict.walk(position, (p) => {
        Entry.keyOf(db.arena, p, candidate)
        if ((everything || matchGlob(pattern, candidate)) && !isGone(db, p, d.now)) {
          found.push(new Slice(candidate.bytes, candidate.start, candidate.length))
        }
      })
    }
    return found
  }
})

const candidate = new Slice()

/** Empty places a call may look at for each key it was asked for, as in Redis. */
const stepsPerKey = 10
const defaultCount = 10

/**
 * The position a cursor of SCAN, SSCAN, HSCAN or ZSCAN means: the text of an unsigned 64-bit integer as C reads it (a sign
 * is allowed, no text is 0, a NUL ends it), of which the low 32 bits count; undefined for anything else.
 */
export const parseCursor = (arg: Slice): number | undefined => {
  const text = arg.latin1().split("\0", 1)[0]!
  if (text === "") return 0
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const magnitude = BigInt(text.replace(/^[+-]/, ""))
  if (BigInt.asUintN(64, magnitude) !== magnitude) return undefined
  return Number(BigInt.asUintN(32, text.startsWith("-") ? -magnitude : magnitude))
}

const typeNumber = (arg: Slice): number => Entry.types.findIndex((name) => isWord(arg, name.toUpperCase()))

export const scan = defineCommand({
  name: "SCAN",
  since: "2.8.0",
  group: "generic",
  summary: "Goes through the keys of the database a few at a time.",
  complexity: "O(1) for every call, O(N) for going through all N keys.",
  syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type@6.0.0]",
  history: [["6.0.0", "Option `TYPE`."]],
  arity: -2,
  flags: ["readonly"],
  tips: ["nondeterministic_output", "request_policy:special"],
  decide: (d, argv) => {
    const cursor = parseCursor(argv.at(1))
    if (cursor === undefined) throw errors.invalidCursor
    let count = defaultCount
    let pattern: Slice | undefined
    let ofType: number | undefined
    for (let i = 2; i < argv.length; i += 2) {
      const option = word(argv.at(i))
      if (i + 1 === argv.length) throw errors.syntax
      const value = argv.at(i + 1)
      if (option === "COUNT") {
        count = Number(int64(value))
        if (count < 1) throw errors.syntax
      } else if (option === "MATCH") pattern = matchesEverything(value) ? undefined : value
      else if (option === "TYPE") ofType = typeNumber(value) // of an unknown type there is no key
      else throw errors.syntax
    }
    const db = d.db
    const found: Array<Slice> = []
    const next = db.dict.scanMany(cursor, count, count * stepsPerKey, (p) => {
      Entry.keyOf(db.arena, p, candidate)
      if (pattern !== undefined && !matchGlob(pattern, candidate)) return
      if (ofType !== undefined && Entry.typeOf(db.arena, p) !== ofType) return
      if (isGone(db, p, d.now)) return
      found.push(new Slice(candidate.bytes, candidate.start, candidate.length))
    })
    return [String(next), found]
  }
})

const highestTries = 100

/** Entries of the database that are dead at `now`, counted in the order of deadlines. */
const deadCount = (db: Database, now: number): number => {
  const first = now + 1
  return db.deadlines.countBelow(Math.floor(first / 0x1_0000_0000), first >>> 0, 0)
}

/** A random live entry; 0 when there is none. */
const randomLive = (d: Decision): Pointer => {
  const db = d.db
  if (db.size === 0 || deadCount(db, d.now) >= db.size) return 0
  const random = (): number => d.random()
  for (let i = 0; i < highestTries; i++) {
    const p = db.dict.random(random)
    if (!isGone(db, p, d.now)) return p
  }
  // Nearly all are dead and not buried yet: the first live one after a random place, once around.
  let live = 0
  const place = d.random()
  for (let position = place, around = false; live === 0;) {
    position = db.dict.walk(position, (p) => {
      if (live === 0 && !isGone(db, p, d.now)) live = p
    })
    if (position >= 0) continue
    if (around) break
    around = true
    position = 0
  }
  return live
}

export const randomKey = defineCommand({
  name: "RANDOMKEY",
  since: "1.0.0",
  group: "generic",
  summary: "Names a random key of the database.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["readonly"],
  tips: ["request_policy:all_shards", "nondeterministic_output"],
  decide: (d) => {
    const p = randomLive(d)
    return p === 0 ? null : Entry.keyOf(d.db.arena, p)
  }
})
