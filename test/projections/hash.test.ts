import { describe, expect, it } from "vitest"
import type { Event } from "../../src/log/events/catalog.ts"
import * as Entry from "../../src/projections/entry.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { earliestFieldDeadline } from "../../src/projections/hash-fields.ts"
import {
  eachField,
  eachFieldOfAll,
  fieldCount,
  FoundField,
  isGone,
  liveCount
} from "../../src/projections/hash-read.ts"
import { type Database, Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { forSeeds, type Random } from "../support/random.ts"

interface Field {
  value: string
  deadline: number
}
type Model = Array<Map<string, Map<string, Field>>>

const base = 1_700_000_000_000
const databases = 2
const limits = { hashEntries: 6, hashBytes: 10 }

const slice = (text: string): Slice => Slice.latin1(text)
const slices = (texts: ReadonlyArray<string>): Array<Slice> => texts.map(slice)

const text = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.4) return `${random.between(-5000, 100_000)}`
  if (dice < 0.45) return random.pick(["9223372036854775807", "-9223372036854775808", "", "007", "-0"])
  const length = dice < 0.9 ? random.below(limits.hashBytes + 1) : random.between(limits.hashBytes + 1, 400)
  return Buffer.from(random.bytes(length)).toString("latin1")
}
const field = (random: Random, few: number): string => `f${random.below(few)}`

const set = (model: Map<string, Map<string, Field>>, key: string, pairs: ReadonlyArray<string>, keep: boolean) => {
  let hash = model.get(key)
  if (hash === undefined) model.set(key, hash = new Map())
  for (let i = 0; i < pairs.length; i += 2) {
    hash.set(pairs[i]!, { value: pairs[i + 1]!, deadline: keep ? hash.get(pairs[i]!)?.deadline ?? 0 : 0 })
  }
}

/** A random event, done to the model already. */
const step = (random: Random, model: Model, db: number): Event => {
  const here = model[db]!
  const few = random.pick([4, 12, 60])
  const name = `k${random.below(3)}`
  const key = slice(name)
  const dice = random.fraction()
  const fields = Array.from({ length: random.between(1, 5) }, () => field(random, few))
  if (dice < 0.45) {
    const pairs = fields.flatMap((f) => [random.chance(0.03) ? text(random) : f, text(random)])
    const keep = random.chance(0.4)
    set(here, name, pairs, keep)
    return { _tag: keep ? "HashFieldsUpdated" : "HashFieldsSet", key, pairs: slices(pairs) }
  }
  if (dice < 0.65) {
    const hash = here.get(name)
    for (const f of fields) hash?.delete(f)
    if (hash?.size === 0) here.delete(name)
    return { _tag: random.pick(["HashFieldsDeleted", "HashFieldsExpired"]), key, fields: slices(fields) }
  }
  if (dice < 0.9) {
    const persist = random.chance(0.2)
    const expireAt = base + random.below(50)
    for (const f of fields) {
      const held = here.get(name)?.get(f)
      if (held !== undefined) held.deadline = persist ? 0 : expireAt
    }
    return persist
      ? { _tag: "HashFieldsPersisted", key, fields: slices(fields) }
      : { _tag: "HashFieldsExpirySet", key, expireAt, fields: slices(fields) }
  }
  const to = `k${random.below(4)}`
  const copy = () => new Map([...here.get(name)!].map(([f, held]) => [f, { ...held }]))
  if (dice < 0.93) {
    if (here.has(name) && name !== to) {
      here.set(to, here.get(name)!)
      here.delete(name)
    }
    return { _tag: "KeyRenamed", key, to: slice(to) }
  }
  if (dice < 0.97) {
    const toDb = random.below(databases)
    if (here.has(name) && (toDb !== db || name !== to)) model[toDb]!.set(to, copy())
    else if (here.has(name)) return { _tag: "KeyDeleted", key: slice("absent") }
    return { _tag: "KeyCopied", key, to: slice(to), toDb }
  }
  if (dice < 0.98) {
    const toDb = (db + 1) % databases
    if (here.has(name) && !model[toDb]!.has(name)) {
      model[toDb]!.set(name, copy())
      here.delete(name)
      return { _tag: "KeyMoved", key, toDb }
    }
  }
  here.delete(name)
  return { _tag: random.pick(["KeyDeleted", "KeyExpired"]), key }
}

const check = (db: Database, here: Map<string, Map<string, Field>>, random: Random): void => {
  expect(db.size).toBe(here.size)
  const firsts: Array<number> = []
  const now = base + random.below(50)
  for (const [name, hash] of here) {
    const key = slice(name)
    const p = db.dict.find(db.dict.hash(key.bytes, 0, key.length), key.bytes, 0, key.length)
    expect(p).not.toBe(0)
    const held = new Map<string, Field>()
    eachFieldOfAll(db, p, (f, v, deadline) => held.set(f.latin1(), { value: v.latin1(), deadline }))
    expect(held).toEqual(hash)
    expect(fieldCount(db, p)).toBe(hash.size)
    const alive = [...hash].filter(([, { deadline }]) => deadline === 0 || deadline > now)
    expect(liveCount(db, p, now)).toBe(alive.length)
    expect(isGone(db, p, now)).toBe(alive.length === 0)
    let seen = 0
    eachField(db, p, now, () => seen++)
    expect(seen).toBe(alive.length)
    const found = new FoundField()
    const digits = new Uint8Array(24)
    for (const [f, { deadline, value }] of hash) {
      expect(found.find(db, p, slice(f), now)).toBe(deadline === 0 || deadline > now)
      expect(found.deadline).toBe(deadline)
      expect(found.value(new Slice(), digits).latin1()).toBe(value)
      expect(found.valueLength).toBe(value.length)
    }
    expect(found.find(db, p, slice("never"), now)).toBe(false)
    const first = [...hash.values()].reduce(
      (least, { deadline }) => deadline !== 0 && (least === 0 || deadline < least) ? deadline : least,
      0
    )
    expect(earliestFieldDeadline(db.structures, p)).toBe(first)
    if (first !== 0) firsts.push(first)
    const encoding = Entry.encodingOf(db.arena, p)
    if (hash.size > limits.hashEntries) expect(encoding).toBe(Entry.Encoding.hashtable)
    if (first !== 0) expect(encoding).not.toBe(Entry.Encoding.listpack)
  }
  const indexed: Array<number> = []
  db.fieldDeadlines.each((high, low) => indexed.push(high * 0x1_0000_0000 + low))
  expect(indexed).toEqual(firsts.sort((a, b) => a - b))
}

const world = (): Keyspace => {
  const keyspace = new Keyspace(databases, { k0: 1, k1: 2 })
  Object.assign(keyspace.limits, limits)
  return keyspace
}

const encodingAt = (keyspace: Keyspace, key: string): string => {
  const db = keyspace.database(0)
  keyspace.turn.next(base)
  return Entry.encodings[Entry.encodingOf(db.arena, db.locate(slice(key)))]!
}

const fold = (keyspace: Keyspace, event: Event): void => {
  keyspace.turn.next(base)
  evolve(keyspace, 0, event)
}

describe("hashes", () => {
  it("are what the events say, in every encoding, and leave no memory behind", () => {
    forSeeds(40, (random) => {
      const keyspace = world()
      const empty = keyspace.usedBytes
      const model: Model = Array.from({ length: databases }, () => new Map())
      for (let i = 0; i < 400; i++) {
        const db = random.below(databases)
        keyspace.turn.next(base)
        evolve(keyspace, db, step(random, model, db))
        if (i % 20 === 0) { for (let n = 0; n < databases; n++) check(keyspace.database(n), model[n]!, random) }
      }
      for (let n = 0; n < databases; n++) {
        check(keyspace.database(n), model[n]!, random)
        for (const name of model[n]!.keys()) {
          keyspace.turn.next(base)
          evolve(keyspace, n, { _tag: "KeyDeleted", key: slice(name) })
        }
      }
      while (keyspace.reclaim());
      expect(keyspace.usedBytes).toBe(empty)
    })
  })

  it("become a table by the number of fields or the length of one, and stay one", () => {
    const keyspace = world()
    const pairs = (from: number, to: number) =>
      slices(Array.from({ length: to - from }, (_, i) => [`f${from + i}`, "v"]).flat())
    fold(keyspace, { _tag: "HashFieldsSet", key: slice("a"), pairs: pairs(0, 6) })
    expect(encodingAt(keyspace, "a")).toBe("listpack")
    fold(keyspace, { _tag: "HashFieldsSet", key: slice("a"), pairs: pairs(6, 7) })
    expect(encodingAt(keyspace, "a")).toBe("hashtable")
    fold(keyspace, { _tag: "HashFieldsDeleted", key: slice("a"), fields: slices(["f0", "f1", "f2", "f3"]) })
    expect(encodingAt(keyspace, "a")).toBe("hashtable")
    fold(keyspace, { _tag: "HashFieldsSet", key: slice("b"), pairs: slices(["f", "0123456789"]) })
    expect(encodingAt(keyspace, "b")).toBe("listpack")
    fold(keyspace, { _tag: "HashFieldsExpirySet", key: slice("b"), expireAt: base, fields: slices(["g"]) })
    expect(encodingAt(keyspace, "b")).toBe("listpack")
    fold(keyspace, { _tag: "HashFieldsExpirySet", key: slice("b"), expireAt: base, fields: slices(["f"]) })
    expect(encodingAt(keyspace, "b")).toBe("listpackex")
    fold(keyspace, { _tag: "HashFieldsPersisted", key: slice("b"), fields: slices(["f"]) })
    expect(encodingAt(keyspace, "b")).toBe("listpackex")
    fold(keyspace, { _tag: "HashFieldsSet", key: slice("b"), pairs: slices(["f", "0123456789a"]) })
    expect(encodingAt(keyspace, "b")).toBe("hashtable")
    fold(keyspace, { _tag: "HashFieldsSet", key: slice("c"), pairs: pairs(0, 7) })
    expect(encodingAt(keyspace, "c")).toBe("hashtable")
  })

  it("take no memory and move nothing when a value of the same size takes the place of another", () => {
    const keyspace = world()
    for (const key of ["small", "large"]) {
      const value = key === "small" ? "abc" : "a value that is longer than ten"
      fold(keyspace, { _tag: "HashFieldsSet", key: slice(key), pairs: slices(["f", value, "g", value]) })
      const used = keyspace.usedBytes
      const p = keyspace.database(0).locate(slice(key))
      fold(keyspace, { _tag: "HashFieldsSet", key: slice(key), pairs: slices(["f", value.toUpperCase()]) })
      expect(keyspace.usedBytes).toBe(used)
      expect(keyspace.database(0).locate(slice(key))).toBe(p)
    }
  })

  it("give way to other types, and other types to them", () => {
    const keyspace = world()
    const key = slice("k")
    const empty = keyspace.usedBytes
    for (const length of [5, 40]) {
      fold(keyspace, { _tag: "HashFieldsSet", key, pairs: slices(["f", "v".repeat(length)]) })
      fold(keyspace, { _tag: "HashFieldsExpirySet", key, expireAt: base, fields: slices(["f"]) })
      expect(keyspace.database(0).fieldDeadlines.size).toBe(1)
      fold(keyspace, { _tag: "StringSet", key, value: slice("text"), expireAt: null })
      expect(keyspace.database(0).fieldDeadlines.size).toBe(0)
    }
    fold(keyspace, { _tag: "HashFieldsDeleted", key, fields: slices(["f"]) })
    fold(keyspace, { _tag: "HashFieldsExpirySet", key, expireAt: base, fields: slices(["f"]) })
    expect(encodingAt(keyspace, "k")).toBe("embstr")
    fold(keyspace, { _tag: "HashFieldsUpdated", key, pairs: slices(["f", "v"]) })
    expect(encodingAt(keyspace, "k")).toBe("listpack")
    fold(keyspace, { _tag: "KeyDeleted", key })
    expect(keyspace.usedBytes).toBe(empty)
  })
})
