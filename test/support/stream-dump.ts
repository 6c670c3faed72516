/** Dumps of streams put together byte by byte, as the format of RDB files has them, by nothing that writes dumps here. */
import { crc64 } from "../../src/projections/structures/crc64.ts"

/** An id: milliseconds and sequence number, below 2^32 each. */
export type Id = readonly [ms: number, seq: number]

/** An entry with one field, which is that of its node. */
export interface DumpedEntry {
  readonly id: Id
  /** Below 128, or text of up to 63 bytes. */
  readonly value: number | string
  readonly removed?: boolean
}

export interface DumpedConsumer {
  readonly name: string
  readonly seen: number
  /** -1 for never; only in dumps of type 21. */
  readonly active?: number
  readonly pending: ReadonlyArray<Id>
}

export interface DumpedGroup {
  readonly name: string
  readonly last: Id
  /** -1 when it is not known; not in dumps of type 15. */
  readonly read?: number
  readonly pending: ReadonlyArray<{ readonly id: Id; readonly time: number; readonly count: number }>
  readonly consumers: ReadonlyArray<DumpedConsumer>
}

export interface DumpedStream {
  /** Runs of entries, the first of which names its node. */
  readonly nodes: ReadonlyArray<ReadonlyArray<DumpedEntry>>
  readonly last: Id
  /** These are not in dumps of type 15. */
  readonly first?: Id
  readonly maxDeleted?: Id
  readonly added?: number
  readonly groups: ReadonlyArray<DumpedGroup>
}

const length = (n: number): Array<number> => {
  if (n < 64) return [n]
  if (n < 16_384) return [0x40 | n >>> 8, n & 0xff]
  return [0x80, n >>> 24, n >>> 16 & 0xff, n >>> 8 & 0xff, n & 0xff]
}

/** A length that may be -1, which takes all 64 bits. */
const anyLength = (n: number): Array<number> => n < 0 ? [0x81, ...Array<number>(8).fill(0xff)] : length(n)

const string = (bytes: ReadonlyArray<number>): Array<number> => [...length(bytes.length), ...bytes]
const text = (value: string): Array<number> => string([...Buffer.from(value, "latin1")])
const twoLengths = ([ms, seq]: Id): Array<number> => [...length(ms), ...length(seq)]

const int64 = (value: number): Array<number> => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return [...bytes]
}

/** An id as 16 bytes, big endian. */
const raw = ([ms, seq]: Id): Array<number> => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(ms, 4)
  bytes.writeUInt32BE(seq, 12)
  return [...bytes]
}

/** An element of a listpack, with its length behind it. */
const element = (value: number | string): Array<number> =>
  typeof value === "number" ? [value, 1] : [0x80 | value.length, ...Buffer.from(value, "latin1"), value.length + 1]

const node = (entries: ReadonlyArray<DumpedEntry>): Array<number> => {
  const [ms, seq] = entries[0]!.id
  const removed = entries.filter((entry) => entry.removed === true).length
  const elements = [
    entries.length - removed,
    removed,
    1,
    "f",
    0,
    ...entries.flatMap(({ id, removed, value }) => [removed === true ? 3 : 2, id[0] - ms, id[1] - seq, value, 4])
  ]
  const bytes = elements.flatMap(element)
  const listpack = Buffer.alloc(6)
  listpack.writeUInt32LE(bytes.length + 7, 0)
  listpack.writeUInt16LE(elements.length, 4)
  return [...string(raw(entries[0]!.id)), ...string([...listpack, ...bytes, 0xff])]
}

const consumer = ({ active, name, pending, seen }: DumpedConsumer, type: number): Array<number> => [
  ...text(name),
  ...int64(seen),
  ...(type === 21 ? int64(active ?? -1) : []),
  ...length(pending.length),
  ...pending.flatMap(raw)
]

const group = ({ consumers, last, name, pending, read }: DumpedGroup, type: number): Array<number> => [
  ...text(name),
  ...twoLengths(last),
  ...(type === 15 ? [] : anyLength(read ?? -1)),
  ...length(pending.length),
  ...pending.flatMap(({ count, id, time }) => [...raw(id), ...int64(time), ...length(count)]),
  ...length(consumers.length),
  ...consumers.flatMap((one) => consumer(one, type))
]

/** What RESTORE takes: the type, the value, the version of the format (9 with type 15, 10 with 19, 11 with 21), a checksum. */
export const dumpOf = (
  { added = 0, first = [0, 0], groups, last, maxDeleted = [0, 0], nodes }: DumpedStream,
  type: 15 | 19 | 21
): Buffer => {
  const live = nodes.flat().filter(({ removed }) => removed !== true).length
  const bytes = Buffer.from([
    type,
    ...length(nodes.length),
    ...nodes.flatMap(node),
    ...length(live),
    ...twoLengths(last),
    ...(type === 15 ? [] : [...twoLengths(first), ...twoLengths(maxDeleted), ...length(added)]),
    ...length(groups.length),
    ...groups.flatMap((one) => group(one, type)),
    type === 15 ? 9 : type === 19 ? 10 : 11,
    0
  ])
  const [high, low] = crc64(bytes, 0, bytes.length)
  const checksum = Buffer.alloc(8)
  checksum.writeUInt32LE(low, 0)
  checksum.writeUInt32LE(high, 4)
  return Buffer.concat([bytes, checksum])
}
