import { describe, expect, it } from "vitest"
import type { Event } from "../../src/log/events/catalog.ts"
import * as Entry from "../../src/projections/entry.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { type Database, Keyspace } from "../../src/projections/keyspace.ts"
import { bitOperations } from "../../src/projections/memory/bits.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { readString, stringLength } from "../../src/projections/string.ts"
import { combined } from "../support/bit-model.ts"
import { forSeeds, type Random } from "../support/random.ts"

const databases = 4
const now = 1_700_000_000_000

interface Held {
  value: Buffer
  deadline: number
  encoding: string
}
type Content = Map<string, Held>

const isInteger = (value: Buffer): boolean => {
  const text = value.toString("latin1")
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(text)) return false
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text)
}

const asSet = (value: Buffer, deadline: number): Held => ({
  value,
  deadline,
  encoding: isInteger(value) ? "int" : value.length <= 44 ? "embstr" : "raw"
})

const text = (slice: Slice): string => slice.latin1()
const bytesOf = (slice: Slice): Buffer => Buffer.from(slice.toBytes())

/** What events mean, on plain maps. */
const applyToModel = (model: Array<Content>, db: number, event: Event): void => {
  const here = model[db]!
  switch (event._tag) {
    case "StringSet":
      return void here.set(text(event.key), asSet(bytesOf(event.value), event.expireAt ?? 0))
    case "StringIncremented":
      return void here.set(text(event.key), {
        value: Buffer.from(String(event.value)),
        deadline: here.get(text(event.key))?.deadline ?? 0,
        encoding: "int"
      })
    case "StringFloatIncremented": {
      const value = bytesOf(event.value)
      const deadline = here.get(text(event.key))?.deadline ?? 0
      return void here.set(text(event.key), { value, deadline, encoding: value.length <= 44 ? "embstr" : "raw" })
    }
    case "StringAppended": {
      const before = here.get(text(event.key))
      const suffix = bytesOf(event.suffix)
      if (before === undefined) here.set(text(event.key), asSet(suffix, 0))
      else here.set(text(event.key), { ...before, value: Buffer.concat([before.value, suffix]), encoding: "raw" })
      return
    }
    case "StringRangeSet": {
      const before = here.get(text(event.key))
      const part = bytesOf(event.value)
      const old = before?.value ?? Buffer.alloc(0)
      const value = Buffer.alloc(Math.max(old.length, event.offset + part.length))
      old.copy(value)
      part.copy(value, event.offset)
      return void here.set(text(event.key), { value, deadline: before?.deadline ?? 0, encoding: "raw" })
    }
    case "StringsCombined": {
      const sources = event.sources.map((source) => here.get(text(source))?.value ?? Buffer.alloc(0))
      const value = combined(event.operation, sources)
      if (value.length === 0) here.delete(text(event.key))
      else here.set(text(event.key), { value, deadline: 0, encoding: "raw" })
      return
    }
    case "StringSpliced": {
      const before = here.get(text(event.key))
      const old = before?.value ?? Buffer.alloc(0)
      const gap = Buffer.alloc(Math.max(0, event.offset - old.length))
      const value = Buffer.concat([
        old.subarray(0, event.offset),
        gap,
        bytesOf(event.value),
        old.subarray(event.offset + event.removed)
      ])
      return void here.set(text(event.key), { value, deadline: before?.deadline ?? 0, encoding: "raw" })
    }
    case "KeyDeleted":
    case "KeyExpired":
      return void here.delete(text(event.key))
    case "KeyExpirySet":
    case "KeyPersisted": {
      const held = here.get(text(event.key))
      if (held !== undefined) held.deadline = event._tag === "KeyExpirySet" ? event.expireAt : 0
      return
    }
    case "KeyRenamed": {
      const held = here.get(text(event.key))
      if (held === undefined) return
      here.delete(text(event.key))
      return void here.set(text(event.to), held)
    }
    case "KeyCopied": {
      const held = here.get(text(event.key))
      if (held !== undefined) model[event.toDb]!.set(text(event.to), { ...held })
      return
    }
    case "KeyMoved": {
      const held = here.get(text(event.key))
      if (held === undefined) return
      here.delete(text(event.key))
      return void model[event.toDb]!.set(text(event.key), held)
    }
    case "DatabaseFlushed":
      return here.clear()
    case "KeyspaceFlushed":
      return model.forEach((content) => content.clear())
    case "DatabasesSwapped": {
      const first = model[event.first]!
      model[event.first] = model[event.second]!
      model[event.second] = first
      return
    }
  }
}

const integers = ["0", "-1", "10000", "9007199254740993", "-9223372036854775808", "9223372036854775807"]
const nearlyIntegers = ["-0", "01", "+1", "9223372036854775808", "1e3", " 1", ""]

/** A value of 0 bytes to 1 MiB, mostly small; sometimes the text of an integer, sometimes bytes of the arena itself. */
const randomValue = (random: Random, keyspace: Keyspace, largest: number): Slice => {
  if (random.chance(0.15)) return Slice.latin1(random.pick(random.chance(0.7) ? integers : nearlyIntegers))
  if (random.chance(0.05)) {
    const db = keyspace.database(random.below(databases))
    const p = db.dict.random(() => random.uint32())
    if (p !== 0) return readString(db, p, new Slice(), new Uint8Array(24)).copy()
  }
  const scale = random.pick([0, 1, 8, 43, 44, 45, 64, 300, 1000, 5000])
  const length = random.chance(0.01) ? random.below(largest) : random.below(scale + 1)
  const before = random.below(5)
  return new Slice(random.bytes(before + length), before, length)
}

const lengthIn = (db: Database, key: Slice): number => {
  const p = db.dict.find(db.dict.hash(key.bytes, key.start, key.length), key.bytes, key.start, key.length)
  return p === 0 ? 0 : stringLength(db, p)
}

const randomDeadline = (random: Random): number =>
  random.pick([1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, now, now + random.below(5), now + random.below(100_000)])

const keyText = (random: Random, keys: number): string => {
  const number = random.below(keys)
  // Keys of many lengths, the empty one among them, with bytes of any value.
  return number === 0 ? "" : `${String.fromCharCode(number & 255)}${number}${"k".repeat(number % 23)}`
}

const randomEvent = (random: Random, keyspace: Keyspace, keys: number, key: (name: string) => Slice): Event => {
  const name = (): Slice => key(keyText(random, keys))
  const value = (largest = 1 << 20): Slice => randomValue(random, keyspace, largest)
  const kind = random.below(1000)
  if (kind < 250) {
    return {
      _tag: "StringSet",
      key: name(),
      value: value(),
      expireAt: random.chance(0.3) ? randomDeadline(random) : null
    }
  }
  if (kind < 310) {
    const number = BigInt(random.pick(integers))
    return {
      _tag: "StringIncremented",
      key: name(),
      value: BigInt(Number(number)) === number && Number.isSafeInteger(Number(number)) ? Number(number) : number
    }
  }
  if (kind < 350) return { _tag: "StringFloatIncremented", key: name(), value: value(50) }
  if (kind < 470) return { _tag: "StringAppended", key: name(), suffix: value(100_000) }
  if (kind < 510) {
    const [offset, removed] = [random.below(random.pick([1, 60, 3000])), random.below(random.pick([1, 9, 3000]))]
    return { _tag: "StringSpliced", key: name(), offset, removed, value: value(9999) }
  }
  if (kind < 550) {
    return { _tag: "StringRangeSet", key: name(), offset: random.below(random.pick([1, 60, 3000])), value: value(9999) }
  }
  if (kind < 600) {
    // The model looks at every bit, one by one: long strings are for the tests of the loops themselves.
    const sources = Array.from({ length: random.below(5) }, name).filter((source) =>
      keyspace.databases.every((database) => lengthIn(database, source) < 1500)
    )
    return { _tag: "StringsCombined", key: name(), operation: random.pick(bitOperations), sources }
  }
  if (kind < 680) return { _tag: random.chance(0.5) ? "KeyDeleted" : "KeyExpired", key: name() }
  if (kind < 780) return { _tag: "KeyExpirySet", key: name(), expireAt: randomDeadline(random) }
  if (kind < 820) return { _tag: "KeyPersisted", key: name() }
  if (kind < 880) return { _tag: "KeyRenamed", key: name(), to: name() }
  if (kind < 940) return { _tag: "KeyCopied", key: name(), to: name(), toDb: random.below(databases) }
  if (kind < 988) return { _tag: "KeyMoved", key: name(), toDb: random.below(databases) }
  if (kind < 996) {
    return { _tag: "DatabasesSwapped", first: random.below(databases), second: random.below(databases) }
  }
  return { _tag: kind < 999 ? "DatabaseFlushed" : "KeyspaceFlushed" }
}

const expectHeld = (db: Database, p: number, held: Held, key: string): void => {
  const value = readString(db, p, new Slice(), new Uint8Array(24))
  if (!bytesOf(value).equals(held.value)) throw new Error(`value of ${JSON.stringify(key)}`)
  expect(stringLength(db, p)).toBe(held.value.length)
  expect(Entry.deadlineOf(db.arena, p)).toBe(held.deadline)
  expect(Entry.typeOf(db.arena, p)).toBe(Entry.Type.string)
  expect(Entry.encodings[Entry.encodingOf(db.arena, p)]).toBe(held.encoding)
}

/** Everything a database shows, compared with the model: keys and values, by key and by walking, and deadlines. */
const expectEqual = (keyspace: Keyspace, model: ReadonlyArray<Content>): void => {
  for (const [number, content] of model.entries()) {
    const db = keyspace.database(number)
    expect(db.size).toBe(content.size)
    const due: Array<readonly [number, number]> = []
    for (const [key, held] of content) {
      const slice = Slice.latin1(key)
      const p = db.locate(slice)
      if (p === 0) throw new Error(`lost ${JSON.stringify(key)} in database ${number}`)
      expectHeld(db, p, held, key)
      if (held.deadline !== 0) due.push([held.deadline, db.dict.hash(slice.bytes, slice.start, slice.length)])
    }
    const walked = new Set<string>()
    for (let position = 0; position >= 0;) {
      position = db.dict.walk(position, (p) => void walked.add(Entry.keyOf(db.arena, p).latin1()))
    }
    expect(walked.size).toBe(content.size)
    for (const key of walked) expect(content.has(key)).toBe(true)
    const found: Array<readonly [number, number]> = []
    db.deadlines.each((high, low, hash) => found.push([high * 2 ** 32 + low, hash]))
    expect(found).toEqual(due.sort((a, b) => a[0] - b[0] || a[1] - b[1]))
  }
}

const newModel = (): Array<Content> => Array.from({ length: databases }, () => new Map())

const runEvents = (random: Random, count: number, keys: number) => {
  const keyspace = new Keyspace(databases, { k0: random.uint32(), k1: random.uint32() })
  const model = newModel()
  let slices = new Map<string, Slice>()
  const key = (name: string): Slice => {
    let slice = slices.get(name)
    if (slice === undefined) slices.set(name, slice = Slice.latin1(name))
    return slice
  }
  for (let i = 0; i < count; i++) {
    // A turn may hold several events and use one slice in all of them, as a command does.
    if (random.chance(0.6)) {
      keyspace.turn.next(now + i)
      slices = new Map()
    }
    const db = random.below(databases)
    const event = randomEvent(random, keyspace, keys, key)
    if (random.chance(0.3)) keyspace.database(db).locate(key(keyText(random, keys)))
    applyToModel(model, db, event)
    evolve(keyspace, db, event)
    if (i % 1000 === 0) {
      keyspace.turn.next(now + i)
      expectEqual(keyspace, model)
    }
  }
  keyspace.turn.next(now + count)
  expectEqual(keyspace, model)
  return { keyspace, model }
}

const emptyBytes = new Keyspace(databases, { k0: 1, k1: 2 }).usedBytes
const slabBytes = 4 * 1024 * 1024

describe("keyspace", () => {
  it("folds random events as a plain map does: few keys, so that they meet", () => {
    forSeeds(60, (random) => void runEvents(random, 2500, 40))
  })

  it("folds random events as a plain map does: many keys", () => {
    forSeeds(4, (random) => void runEvents(random, 20_000, 5000), { first: 100 })
  })

  it("gives all memory back when every key is deleted", () => {
    forSeeds(4, (random) => {
      const { keyspace, model } = runEvents(random, 4000, 1000)
      for (const [number, content] of model.entries()) {
        for (const key of content.keys()) {
          keyspace.turn.next(now)
          evolve(keyspace, number, { _tag: "KeyDeleted", key: Slice.latin1(key) })
        }
      }
      expect(keyspace.usedBytes).toBe(emptyBytes)
      expect(keyspace.databases.every((db) => db.size === 0 && db.deadlines.size === 0)).toBe(true)
      expect(keyspace.reservedBytes).toBeLessThanOrEqual(databases * 2 * slabBytes)
    }, { first: 200 })
  })

  it("gives all memory back when emptied, whether one database or all", () => {
    forSeeds(3, (random) => {
      const { keyspace } = runEvents(random, 4000, 1000)
      for (let db = 1; db < databases; db++) evolve(keyspace, db, { _tag: "DatabaseFlushed" })
      expect(keyspace.usedBytes).toBe(emptyBytes - emptyBytes / databases + keyspace.database(0).arena.usedBytes)
      evolve(keyspace, 0, { _tag: "KeyspaceFlushed" })
      expect(keyspace.usedBytes).toBe(emptyBytes)
      expect(keyspace.reservedBytes).toBeLessThanOrEqual(databases * slabBytes)
    }, { first: 300 })
  })

  it("holds a hundred thousand keys with deadlines and loses none when half of them go", () => {
    const keyspace = new Keyspace(1, { k0: 5, k1: 6 })
    const count = 100_000
    for (let i = 0; i < count; i++) {
      keyspace.turn.next(now)
      evolve(keyspace, 0, {
        _tag: "StringSet",
        key: Slice.latin1(`key:${i}`),
        value: Slice.latin1(`value ${i}`),
        expireAt: now + (i % 1000)
      })
    }
    const db = keyspace.database(0)
    expect([db.size, db.deadlines.size]).toEqual([count, count])
    for (let i = 0; i < count; i += 2) {
      keyspace.turn.next(now)
      evolve(keyspace, 0, { _tag: "KeyExpired", key: Slice.latin1(`key:${i}`) })
    }
    expect([db.size, db.deadlines.size]).toEqual([count / 2, count / 2])
    for (let i = 0; i < count; i++) {
      keyspace.turn.next(now)
      const p = db.locate(Slice.latin1(`key:${i}`))
      if ((p !== 0) !== (i % 2 === 1)) throw new Error(`key ${i}`)
    }
  })

  it("makes a database that events name beyond the configured number", () => {
    const keyspace = new Keyspace(2, { k0: 1, k1: 2 })
    evolve(keyspace, 5, { _tag: "StringSet", key: Slice.latin1("k"), value: Slice.latin1("v"), expireAt: null })
    expect(keyspace.databases.length).toBe(6)
    expect(keyspace.database(5).size).toBe(1)
  })
})
