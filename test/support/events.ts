import { Arbitrary, Effect, type Schema } from "effect"
import { cases, type Event, type EventTag, tags } from "../../src/log/events/catalog.ts"
import { Bytes, Count, Int64, StreamId, UnixMillis } from "../../src/log/events/fields.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { StreamId as StreamIdValue } from "../../src/projections/memory/stream-id.ts"
import type { Random } from "./random.ts"

/**
 * Generated events. Any event's schema can be sampled as it stands; on top of that, fields of the known kinds get the
 * values where encodings change shape: the ends of number ranges, empty and long byte strings.
 */

const counts = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53 - 1]

const integers: ReadonlyArray<number | bigint> = [
  0,
  1,
  -1,
  63,
  64,
  -64,
  -65,
  8191,
  8192,
  2 ** 31,
  -(2 ** 31),
  2 ** 52 - 1,
  2 ** 52,
  -(2 ** 52),
  -(2 ** 52) - 1,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 62n,
  -(2n ** 62n) - 1n
]

/** A slice with foreign bytes around it, so that a codec that ignores start or length is found. */
export const sliceOf = (bytes: Uint8Array, random: Random): Slice => {
  const before = random.below(9)
  const backing = random.bytes(before + bytes.length + random.below(9))
  backing.set(bytes, before)
  return new Slice(backing, before, bytes.length)
}

const lengths = [0, 1, 2, 7, 47, 48, 49, 127, 128, 129, 1000]

const leaf = (schema: unknown, random: Random): unknown => {
  switch (schema) {
    case Bytes: {
      const length = random.chance(0.002) ? random.pick([16_383, 16_384, 70_000, 2_100_000]) : random.pick(lengths)
      return sliceOf(random.bytes(length), random)
    }
    case Int64:
      return random.chance(0.5) ? random.pick(integers) : random.between(-1000, 1000)
    case StreamId: {
      const word = (): number =>
        random.chance(0.5) ? random.below(300) : random.pick([0, 2 ** 21 - 1, 2 ** 21, 2 ** 32 - 1])
      return new StreamIdValue(random.chance(0.7) ? 0 : word(), word(), random.chance(0.7) ? 0 : word(), word())
    }
    case UnixMillis:
    case Count:
      return random.chance(0.7) ? random.pick(counts) : random.below(1_000_000)
  }
  return undefined
}

/** The schema of the items, if the schema is one of `many`. */
const item = (schema: unknown): unknown =>
  (schema as { readonly ast: { readonly _tag: string } }).ast._tag === "Arrays"
    ? (schema as { readonly value?: unknown }).value
    : undefined

/** The members of a nullable field's schema, if that is what it is. */
const nullable = (schema: unknown): unknown => {
  const members = (schema as { readonly members?: ReadonlyArray<unknown> }).members
  return members?.length === 2 && (members[1] as { ast: { _tag: string } }).ast._tag === "Null" ? members[0] : undefined
}

/** Draws from the schema itself, whatever it is. */
const sampled = new Map<unknown, ReadonlyArray<unknown>>()
const sample = (schema: unknown, random: Random): unknown => {
  let pool = sampled.get(schema)
  if (pool === undefined) {
    const arbitrary = Arbitrary.schema(schema as Schema.Schema<unknown>)
    pool = Effect.runSync(Arbitrary.sampleEffect(arbitrary, { count: 200, seed: random.seed }))
    sampled.set(schema, pool)
  }
  return random.pick(pool)
}

const field = (schema: unknown, random: Random): unknown => {
  const known = leaf(schema, random)
  if (known !== undefined) return known
  const each = item(schema)
  if (each !== undefined) {
    // Mostly few and short: an event is about as large as any other, as tests of segments of a few kilobytes expect.
    const many = random.chance(0.003)
    return Array.from(
      { length: many ? 200 : random.below(4) },
      () =>
        each === Bytes
          ? sliceOf(random.bytes(random.pick(many ? [0, 1, 2] : [0, 1, 7, 47, 48, 130])), random)
          : field(each, random)
    )
  }
  const inner = nullable(schema)
  if (inner === undefined) return sample(schema, random)
  return random.chance(0.4) ? null : field(inner, random)
}

/** One event of this kind (or of any), leaning to edge values. */
export const randomEvent = (random: Random, tag: EventTag = random.pick(tags)): Event => {
  const event: Record<string, unknown> = { _tag: tag }
  for (const [name, schema] of Object.entries(cases[tag].fields)) {
    if (name !== "_tag") event[name] = field(schema, random)
  }
  return event as unknown as Event
}

/** An event (or any value made of slices) as plain data that compares by content: slices become hex. */
export const plain = (value: unknown): unknown => {
  if (value instanceof Slice) return "0x" + Buffer.from(value.toBytes()).toString("hex")
  if (value instanceof StreamIdValue) return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
  }
  return Object.is(value, -0) ? 0 : value
}
