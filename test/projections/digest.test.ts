import fc from "fast-check"
import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { Event } from "../../src/log/events/catalog.ts"
import { digest, digestValue, emptyDigest, stateDigest } from "../../src/projections/digest.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"

const now = 1_700_000_000_000

const fold = (events: ReadonlyArray<readonly [number, Event]>, seed = { k0: 1, k1: 2 }): Keyspace => {
  const keyspace = new Keyspace(16, seed)
  for (const [db, event] of events) {
    keyspace.turn.next(now)
    evolve(keyspace, db, event)
  }
  return keyspace
}

const set = (key: string, value: string, expireAt: number | null = null): Event => ({
  _tag: "StringSet",
  key: Slice.latin1(key),
  value: Slice.latin1(value),
  expireAt
})

const valueDigest = (keyspace: Keyspace, db: number, key: string): string => {
  keyspace.turn.next(now)
  const database = keyspace.database(db)
  return digestValue(database, database.locate(Slice.latin1(key)))
}

interface Content {
  readonly db: number
  readonly key: string
  readonly value: string
  readonly expireAt: number | null
}
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array).toString("latin1"))
const contents = fc.uniqueArray(
  fc.record<Content>({
    db: fc.nat(15),
    key: bytes,
    value: fc.oneof(bytes, fc.integer().map(String)),
    expireAt: fc.option(fc.integer({ min: now + 1, max: now + 100_000 }))
  }),
  { selector: (content) => `${content.db} ${content.key}`, maxLength: 40 }
)

const sha1 = (data: string | Buffer): Buffer => createHash("sha1").update(data).digest()
const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ b[i]!))
const mix = (a: Buffer, data: string | Buffer): Buffer => sha1(xor(a, sha1(data)))
const u32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

/** Redis's algorithm, written down plainly. */
const model = (all: ReadonlyArray<Content>): string => {
  let total: Buffer = Buffer.alloc(20)
  for (let db = 0; db < 16; db++) {
    const here = all.filter((content) => content.db === db)
    if (here.length > 0) total = mix(total, u32(db))
    for (const { expireAt, key, value } of here) {
      let one = mix(mix(mix(Buffer.alloc(20), Buffer.from(key, "latin1")), u32(0)), Buffer.from(value, "latin1"))
      if (expireAt !== null) one = xor(one, sha1("!!expire!!"))
      total = xor(total, sha1(one))
    }
  }
  return total.toString("hex")
}

const events = (all: ReadonlyArray<Content>) =>
  all.map(({ db, expireAt, key, value }) => [db, set(key, value, expireAt)] as const)

describe("digest", () => {
  it("is zero for no data and for no key", () => {
    expect(digest(new Keyspace(16, { k0: 1, k1: 2 }), now)).toBe("0".repeat(40))
    expect(valueDigest(new Keyspace(16, { k0: 1, k1: 2 }), 0, "k")).toBe(emptyDigest)
  })

  it("is what redis-server 7.0.15 answers for the same data", () => {
    const keyspace = fold([
      [0, set("greeting", "hello")],
      [0, set("count", "-12")],
      [0, set("session", "x".repeat(100), 4_000_000_000_000)],
      [3, set("", "")],
      [15, set("a\0\xff", "1")]
    ])
    expect(digest(keyspace, now)).toBe("097b4202cbbb0f4ae042130bc75b1855fd9f877a")
    expect(valueDigest(keyspace, 0, "greeting")).toBe("36b23a1456b2dce2c3ed252c456761301dba8060")
    expect(valueDigest(keyspace, 0, "count")).toBe("b66f371049a1c5795af9275a5a132453d88c3649")
    expect(valueDigest(keyspace, 0, "session")).toBe("8fc74748c69613f759a14900dd1fa0c532737d52")
  })

  it("follows the algorithm on random data", () => {
    fc.assert(fc.property(contents, (all) => {
      expect(digest(fold(events(all)), now)).toBe(model(all))
    }))
  })

  it("depends on neither order, nor hash seed, nor what was there before", () => {
    fc.assert(
      fc.property(contents, contents, fc.nat(), (all, others, seed) => {
        const straight = fold(events(all))
        const detour = fold(
          [
            ...events(others),
            ...others.map(({ db, key }) => [db, { _tag: "KeyDeleted", key: Slice.latin1(key) }] as const),
            ...events(all.map((content) => ({ ...content, value: "other", expireAt: null }))),
            ...events(all.toReversed())
          ],
          { k0: seed, k1: 77 }
        )
        expect(digest(detour, now)).toBe(digest(straight, now))
        expect(stateDigest(detour)).toBe(stateDigest(straight))
      })
    )
  })

  it("changes with key, value, database and deadline", () => {
    const digests = [
      fold([[0, set("a", "1")]]),
      fold([[0, set("a", "2")]]),
      fold([[0, set("b", "1")]]),
      fold([[1, set("a", "1")]]),
      fold([[0, set("a", "1", now + 1)]]),
      fold([[0, set("a", "1")], [0, set("b", "1")]])
    ].map((keyspace) => digest(keyspace, now))
    expect(new Set(digests).size).toBe(digests.length)
  })

  it("counts a deadline but not which one; stateDigest counts it exactly", () => {
    const soon = fold([[0, set("a", "1", now + 1)]])
    const late = fold([[0, set("a", "1", now + 2)]])
    expect(digest(soon, now)).toBe(digest(late, now))
    expect(stateDigest(soon)).not.toBe(stateDigest(late))
  })

  it("passes over dead keys; stateDigest counts them", () => {
    const live = fold([[0, set("a", "1")]])
    const withDead = fold([[0, set("a", "1")], [0, set("b", "1", now)], [2, set("c", "1", now - 5)]])
    expect(digest(withDead, now)).toBe(digest(live, now))
    expect(digest(withDead, now - 1)).not.toBe(digest(live, now - 1))
    expect(stateDigest(withDead)).not.toBe(stateDigest(live))
  })

  it("takes an integer and its text for the same", () => {
    const asInteger = fold([[0, set("n", "9")], [0, {
      _tag: "StringIncremented",
      key: Slice.latin1("n"),
      value: 10
    }]])
    const asText = fold([[0, set("n", "1")], [0, {
      _tag: "StringAppended",
      key: Slice.latin1("n"),
      suffix: Slice.latin1("0")
    }]])
    expect(digest(asInteger, now)).toBe(digest(asText, now))
  })
})
