import { Arbitrary, Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { cases, codes, Event, type EventTag, tags } from "../../src/log/events/catalog.ts"
import { decodeEvent, derived, encodeEvent, type EventCodec, tuned } from "../../src/log/events/codec.ts"
import { ByteReader, ByteWriter, WireError } from "../../src/log/events/wire.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { plain, randomEvent } from "../support/events.ts"
import { forSeeds, Random } from "../support/random.ts"

const out = new ByteWriter()
const written = (write: (out: ByteWriter) => void): Uint8Array => {
  out.length = 0
  write(out)
  return out.toBytes()
}
const codecOf = (codecs: object, tag: EventTag) => (codecs as Record<string, EventCodec | undefined>)[tag]

/** What must hold for every event there is. */
const holds = (event: Event): void => {
  const tag = event._tag
  const expected = plain(event)
  const payload = written((out) => codecOf(derived, tag)!.write(out, event))
  const byHand = codecOf(tuned, tag)
  if (byHand !== undefined) {
    expect(written((out) => byHand.write(out, event)), "tuned bytes").toEqual(payload)
    const reader = new ByteReader(payload)
    expect(plain(byHand.read(reader)), "tuned read").toEqual(expected)
    expect(reader.offset).toBe(payload.length)
  }
  const bytes = written((out) => encodeEvent(out, event))
  const number = written((out) => out.varint(codes[tag]))
  expect(Buffer.compare(bytes.subarray(0, number.length), number), "number").toBe(0)
  expect(Buffer.compare(bytes.subarray(number.length), payload), "payload").toBe(0)
  const reader = new ByteReader(bytes)
  const decoded = decodeEvent(reader)
  expect(reader.offset, "consumed").toBe(bytes.length)
  expect(plain(decoded), "decoded").toEqual(expected)
  expect(Buffer.compare(written((out) => encodeEvent(out, decoded)), bytes), "encoded again").toBe(0)
}

describe("event codecs", () => {
  for (const tag of tags) {
    it(`${tag}: derived and tuned codecs write the same bytes and read back what was written`, async () => {
      forSeeds(1000, (random) => holds(randomEvent(random, tag)))
      const check = Arbitrary.checkEffect(Arbitrary.schema(cases[tag] as unknown as Schema.Schema<Event>), (event) => {
        holds(event)
        return true
      }, { runs: 100 })
      const result = await Effect.runPromise(check)
      expect(result, JSON.stringify(result, (_, value) => typeof value === "bigint" ? `${value}n` : value))
        .toMatchObject({ _tag: "Passed" })
    })
  }

  it("gives every event a number of its own", () => {
    expect(new Set(Object.values(codes)).size).toBe(tags.length)
    expect(Object.keys(codes).sort()).toEqual(Object.keys(cases).sort())
  })

  it("keeps released numbers: a changed line here breaks existing logs", () => {
    expect(codes).toMatchObject({
      KeyDeleted: 0x01,
      KeyExpired: 0x02,
      KeyExpirySet: 0x03,
      KeyPersisted: 0x04,
      KeyRenamed: 0x05,
      KeyCopied: 0x06,
      KeyMoved: 0x07,
      KeyEvicted: 0x08,
      DatabaseFlushed: 0x10,
      KeyspaceFlushed: 0x11,
      DatabasesSwapped: 0x12,
      StringSet: 0x20,
      StringIncremented: 0x21,
      StringFloatIncremented: 0x22,
      StringAppended: 0x23,
      StringRangeSet: 0x24,
      StringSpliced: 0x25,
      StringsCombined: 0x26,
      CollectionRestored: 0x28,
      ListNodeRestored: 0x29,
      ListPushed: 0x30,
      ListPopped: 0x31,
      ListElementSet: 0x32,
      ListElementInserted: 0x33,
      ListElementsRemoved: 0x34,
      ListTrimmed: 0x35,
      SetMembersAdded: 0x40,
      SetMembersRemoved: 0x41,
      HashFieldsSet: 0x50,
      HashFieldsUpdated: 0x51,
      HashFieldsDeleted: 0x52,
      HashFieldsExpired: 0x53,
      HashFieldsExpirySet: 0x54,
      HashFieldsPersisted: 0x55,
      SortedSetMembersScored: 0x60,
      SortedSetMembersRemoved: 0x61,
      SortedSetRangeRemoved: 0x62
    })
  })

  it("answers every shortened event with a WireError, whether the bytes or only the reader's end are short", () => {
    let cuts = 0
    forSeeds(tags.length * 40, (random, seed) => {
      const bytes = written((out) => encodeEvent(out, randomEvent(random, tags[seed % tags.length]!)))
      if (bytes.length > 3000) return
      for (let end = 0; end < bytes.length; end++) {
        expect(() => decodeEvent(new ByteReader(bytes.subarray(0, end)))).toThrow(WireError)
        expect(() => decodeEvent(new ByteReader(bytes, 0, end))).toThrow(WireError)
        cuts++
      }
    })
    expect(cuts).toBeGreaterThan(10_000)
  })

  it("answers foreign bytes with an event or a WireError, never reading past the end", () => {
    forSeeds(30_000, (random) => {
      const bytes = random.bytes(random.below(40))
      if (bytes.length > 0 && random.chance(0.8)) bytes[0] = codes[random.pick(tags)]
      const end = random.below(bytes.length + 1)
      const reader = new ByteReader(bytes, 0, end)
      try {
        decodeEvent(reader)
        expect(reader.offset).toBeLessThanOrEqual(end)
      } catch (error) {
        if (!(error instanceof WireError)) throw error
      }
    })
  })

  it("refuses an unknown number", () => {
    expect(() => decodeEvent(new ByteReader(written((out) => out.varint(0x3fff))))).toThrow(WireError)
  })
})

describe("events as JSON", () => {
  const json = Schema.toCodecJson(Event)
  const encode = Schema.encodeSync(json)
  const decode = Schema.decodeUnknownSync(json)

  it("reads as its fields, with bytes in base64", () => {
    const event: Event = {
      _tag: "StringSet",
      key: Slice.utf8("k"),
      value: new Slice(Uint8Array.of(1, 2)),
      expireAt: null
    }
    expect(encode(event)).toEqual({ _tag: "StringSet", key: "aw==", value: "AQI=", expireAt: null })
    expect(plain(decode({ _tag: "StringSet", key: "aw==", value: "AQI=", expireAt: null }))).toEqual(plain(event))
  })

  it("survives text and back for every event", () => {
    const random = new Random(11)
    for (let i = 0; i < 3000; i++) {
      const event = randomEvent(random, tags[i % tags.length]!)
      const text = JSON.stringify(encode(event))
      expect(plain(decode(JSON.parse(text))), `seed 11, event ${i}`).toEqual(plain(event))
    }
  })
})
