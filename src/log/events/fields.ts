import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { type BitOperation as Operation, bitOperations } from "../../projections/memory/bits.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { parseId, SequenceForm, StreamId as Id } from "../../projections/memory/stream-id.ts"
import { type ByteReader, type ByteWriter, wired, WireError, wireOf } from "./wire.ts"

/**
 * Raw bytes. In memory a slice of somebody else's buffer (the socket's chunk, a log frame): a fold copies what it keeps.
 * JSON: base64.
 */
export const Bytes = wired(
  Schema.instanceOf(Slice, {
    title: "Bytes",
    expected: "Slice",
    toCodecJson: () =>
      Schema.link<Slice>()(
        Schema.String,
        SchemaTransformation.transform({
          decode: (base64: string) => new Slice(Buffer.from(base64, "base64")),
          encode: (slice: Slice) => Buffer.from(slice.toBytes()).toString("base64")
        })
      )
  }),
  { write: (out, value) => out.blob(value), read: (from) => from.blob() }
)
export type Bytes = Slice

/** A key's name: up to 512 MiB of any bytes. */
export const Key = Bytes
export type Key = Slice

/** A signed 64-bit integer: a number where that is exact, a bigint beyond ±(2^53 - 1). Zigzag LEB128 on disk. */
export const Int64 = wired(
  Schema.Union([
    Schema.Int,
    Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(2n ** 63n), maximum: -(2n ** 53n) })),
    Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 2n ** 53n, maximum: 2n ** 63n - 1n }))
  ]),
  { write: (out, value) => out.int64(value), read: (from) => from.int64() }
)
export type Int64 = number | bigint

const idOf = (text: string): Id => {
  const id = new Id()
  return parseId(Slice.latin1(text), id) === SequenceForm.given ? id : new Id()
}

/**
 * The id of a stream's entry: two unsigned 64-bit integers, each LEB128 on disk. Reused like slices: a fold copies what it
 * keeps. JSON: `<ms>-<seq>`.
 */
export const StreamId = wired(
  Schema.instanceOf(Id, {
    title: "StreamId",
    expected: "StreamId",
    toCodecJson: () =>
      Schema.link<Id>()(
        Schema.String,
        SchemaTransformation.transform({ decode: idOf, encode: (id: Id) => id.toString() })
      )
  }),
  {
    write: (out, id) => {
      out.varint64(id.msHigh, id.msLow)
      out.varint64(id.seqHigh, id.seqLow)
    },
    read: (from) => {
      from.varint64()
      const { high, low } = from
      from.varint64()
      return new Id(high, low, from.high, from.low)
    }
  }
)
export type StreamId = Id

/** Milliseconds since 1970-01-01 UTC, 0 to 2^53 - 1. */
export const UnixMillis = wired(
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  { write: (out, value) => out.varint(value), read: (from) => from.varint() }
)
export type UnixMillis = number

/** A count, an offset in bytes or a database index: 0 to 2^53 - 1. */
export const Count = wired(
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  { write: (out, value) => out.varint(value), read: (from) => from.varint() }
)

/**
 * The policies under which keys are evicted, under their names in `maxmemory-policy`. The index is the number on disk:
 * append only.
 */
export const evictionPolicies = [
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "volatile-lrm",
  "allkeys-lrm"
] as const
export type EvictionPolicy = typeof evictionPolicies[number]

const policyNumbers = Object.fromEntries(evictionPolicies.map((policy, number) => [policy, number])) as Readonly<
  Record<EvictionPolicy, number>
>

/** Writes a policy: its number, a byte. */
export const writePolicy = (out: ByteWriter, policy: EvictionPolicy): void => out.u8(policyNumbers[policy])

/** Reads a policy; throws `WireError` on an unknown number. */
export const readPolicy = (from: ByteReader): EvictionPolicy => {
  const number = from.u8()
  const policy = evictionPolicies[number]
  if (policy === undefined) throw new WireError(`unknown eviction policy ${number} before offset ${from.offset}`)
  return policy
}

/** One of `evictionPolicies`, a byte on disk. */
export const EvictionPolicy = wired(Schema.Literals(evictionPolicies), { write: writePolicy, read: readPolicy })

/** A double other than NaN, infinities included: the score of a sorted set's member. Eight bytes on disk. */
export const Score = wired(
  Schema.Number.check(
    Schema.makeFilter((value: number) => !Number.isNaN(value), { expected: "a number that is not NaN" })
  ),
  { write: (out, value) => out.f64(value), read: (from) => checkedScore(from.f64(), from) }
)

const checkedScore = (score: number, from: ByteReader): number => {
  if (Number.isNaN(score)) throw new WireError(`score before offset ${from.offset} is not a number`)
  return score
}

/** The ends of a list, under the names Redis gives them. The index is the number on disk: append only. */
export const listSides = ["left", "right"] as const
export type ListSide = typeof listSides[number]

/** One of `listSides`, a byte on disk. */
export const ListSide = wired(Schema.Literals(listSides), {
  write: (out, side) => out.u8(side === "left" ? 0 : 1),
  read: (from): ListSide => {
    const number = from.u8()
    const side = listSides[number]
    if (side === undefined) throw new WireError(`unknown side ${number} before offset ${from.offset}`)
    return side
  }
})

const operationNumbers = Object.fromEntries(
  bitOperations.map((operation, number) => [operation, number])
) as Readonly<Record<Operation, number>>

/** One of `bitOperations`, a byte on disk. */
export const BitOperation = wired(Schema.Literals(bitOperations), {
  write: (out, operation) => out.u8(operationNumbers[operation]),
  read: (from): Operation => {
    const number = from.u8()
    const operation = bitOperations[number]
    if (operation === undefined) throw new WireError(`unknown bit operation ${number} before offset ${from.offset}`)
    return operation
  }
})

/** Any number of values of one kind: their count, then one after the other. */
export const many = <S extends Schema.Top>(inner: S) => {
  const wire = wireOf(inner)
  return wired(Schema.Array(inner), {
    write: (out, values) => {
      out.varint(values.length)
      for (let i = 0; i < values.length; i++) wire.write(out, values[i])
    },
    read: (from) => {
      const count = from.varint()
      // Each value takes a byte at least: a false count must not make room for more than there can be.
      if (count > from.end - from.offset) throw new WireError(`${count} values before offset ${from.offset}`)
      const values: Array<S["Type"]> = []
      for (let i = 0; i < count; i++) values.push(wire.read(from) as S["Type"])
      return values
    }
  })
}

/** An optional field: one byte says whether the value follows. */
export const orNull = <S extends Schema.Top>(inner: S) => {
  const wire = wireOf(inner)
  return wired(Schema.NullOr(inner), {
    write: (out, value) => {
      if (value === null) out.u8(0)
      else {
        out.u8(1)
        wire.write(out, value)
      }
    },
    read: (from) => from.u8() === 0 ? null : wire.read(from) as S["Type"]
  })
}
