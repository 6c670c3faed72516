/** Reads values in the format of RDB files (see dump.ts), those of older versions of Redis among them. */
import { readStream, type StreamValue } from "./dump-read-stream.ts"
import * as Intset from "./memory/intset.ts"
import * as Pack from "./memory/pack.ts"
import { Slice } from "./memory/slice.ts"
import { BadData, RdbReader } from "./rdb-reader.ts"
import { newestVersion, RdbType } from "./rdb-writer.ts"
import { crc64 } from "./structures/crc64.ts"

/** A value that was read; the slices stay valid. */
export type DumpedValue =
  | { readonly type: "string"; readonly value: Slice }
  | { readonly type: "list" | "set"; readonly elements: ReadonlyArray<Slice> }
  | { readonly type: "hash"; readonly pairs: ReadonlyArray<Slice>; readonly deadlines: ReadonlyArray<number> }
  | StreamValue
  | { readonly type: "zset"; readonly members: ReadonlyArray<Slice>; readonly scores: ReadonlyArray<number> }

const versionBytes = 2
const footerBytes = 10

/** Whether the footer fits: a known version, and the right checksum or none. */
export const hasValidFooter = ({ bytes, length, start }: Slice): boolean => {
  if (length < footerBytes) return false
  const at = start + length - footerBytes
  if ((bytes[at]! | bytes[at + 1]! << 8) > newestVersion) return false
  const word = (from: number): number =>
    (bytes[from]! | bytes[from + 1]! << 8 | bytes[from + 2]! << 16 | bytes[from + 3]! << 24) >>> 0
  const low = word(at + versionBytes)
  const high = word(at + versionBytes + 4)
  if (low === 0 && high === 0) return true
  const [h, l] = crc64(bytes, start, length - 8)
  return h === high && l === low
}

/** The elements of a listpack. */
const listpackOf = ({ bytes, length, start }: Slice): Array<Slice> => {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
  if (length < 7 || view.readUInt32LE(0) !== length || view[length - 1] !== 0xff) throw new BadData("no listpack")
  if (!Pack.isPack(view, 6, length - 1)) throw new BadData("a listpack is damaged")
  const found: Array<Slice> = []
  for (let at = 6; at < length - 1; at += Pack.sizeAt(view, at)) {
    found.push(Pack.textAt(view, at, new Slice(), new Uint8Array(Pack.digitsBytes)))
  }
  return found
}

const intsetOf = ({ bytes, length, start }: Slice): Array<Slice> => {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
  const width = length < 8 ? 0 : view.readUInt32LE(0)
  if (![2, 4, 8].includes(width) || view.readUInt32LE(4) * width !== length - 8) throw new BadData("no intset")
  const found: Array<Slice> = []
  for (let at = 8; at < length; at += width) found.push(Slice.latin1(String(Intset.integerAt(view, at, width))))
  return found
}

const score = (text: Slice): number => {
  const word = text.latin1()
  const value = /^[+-]?inf/i.test(word) ? (word.startsWith("-") ? -Infinity : Infinity) : Number(word)
  if (word === "" || Number.isNaN(value)) throw new BadData("a score is no number")
  return value
}

const scoredOf = (flat: ReadonlyArray<Slice>): DumpedValue => ({
  type: "zset",
  members: flat.filter((_, i) => i % 2 === 0),
  scores: flat.filter((_, i) => i % 2 === 1).map(score)
})

const hashOf = (pairs: ReadonlyArray<Slice>): DumpedValue => ({
  type: "hash",
  pairs,
  deadlines: Array.from({ length: pairs.length >>> 1 }, () => 0)
})

const quicklist = (from: RdbReader): Array<Slice> => {
  const elements: Array<Slice> = []
  for (let left = from.count(); left > 0; left--) {
    const plain = from.length() === 1
    const node = from.string()
    if (plain) elements.push(node)
    else for (const element of listpackOf(node)) elements.push(element)
  }
  return elements
}

const datedHash = (from: RdbReader): DumpedValue => {
  const earliest = from.u64()
  const pairs: Array<Slice> = []
  const deadlines: Array<number> = []
  for (let left = from.count(); left > 0; left--) {
    const after = from.length()
    deadlines.push(after === 0 ? 0 : earliest + after - 1)
    pairs.push(from.string(), from.string())
  }
  return { type: "hash", pairs, deadlines }
}

const read = (from: RdbReader): DumpedValue => {
  const type = from.u8()
  switch (type) {
    case RdbType.string:
      return { type: "string", value: from.string() }
    case RdbType.list:
      return { type: "list", elements: from.strings(from.count()) }
    case RdbType.quicklist2:
      return { type: "list", elements: quicklist(from) }
    case RdbType.set:
      return { type: "set", elements: from.strings(from.count()) }
    case RdbType.intset:
      return { type: "set", elements: intsetOf(from.string()) }
    case RdbType.setListpack:
      return { type: "set", elements: listpackOf(from.string()) }
    case RdbType.hash:
      return hashOf(from.strings(2 * from.count()))
    case RdbType.hashListpack:
      return hashOf(listpackOf(from.string()))
    case RdbType.hashWithDeadlines:
      return datedHash(from)
    case RdbType.zsetListpack:
      return scoredOf(listpackOf(from.string()))
    case RdbType.zset2: {
      const members: Array<Slice> = []
      const scores: Array<number> = []
      for (let left = from.count(); left > 0; left--) {
        members.push(from.string())
        scores.push(from.f64())
      }
      return { type: "zset", members, scores }
    }
    case RdbType.streamListpacks:
    case RdbType.streamListpacks2:
    case RdbType.streamListpacks3:
      return readStream(from, type)
    default:
      throw new BadData(`values of type ${type} are not read`)
  }
}

/** Whether names occur twice. */
const hasTwins = (names: ReadonlyArray<Slice>): boolean =>
  new Set(names.map((name) => name.latin1())).size < names.length

const isSound = (value: DumpedValue): boolean => {
  switch (value.type) {
    case "string":
    case "stream": // examined while it was read
      return true
    case "list":
      return value.elements.length > 0
    case "set":
      return value.elements.length > 0 && !hasTwins(value.elements)
    case "hash":
      return value.pairs.length > 0 && value.pairs.length % 2 === 0 &&
        !hasTwins(value.pairs.filter((_, i) => i % 2 === 0))
    case "zset":
      return value.members.length > 0 && value.members.length === value.scores.length && !hasTwins(value.members) &&
        !value.scores.some(Number.isNaN)
  }
}

/** The value in bytes whose footer is valid; undefined when it is none that can be read here. */
export const readDump = ({ bytes, length, start }: Slice): DumpedValue | undefined => {
  try {
    const from = new RdbReader(new Slice(bytes, start, length - footerBytes))
    const value = read(from)
    return from.isDone && isSound(value) ? value : undefined
  } catch (error) {
    if (error instanceof BadData) return undefined
    throw error
  }
}
