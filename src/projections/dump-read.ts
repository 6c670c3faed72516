/** Reads values in the format of RDB files (see dump.ts), those of older versions of Redis among them. */
import { ziplistOf, zipmapOf } from "./dump-read-old.ts"
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

const oldQuicklist = (from: RdbReader): Array<Slice> => {
  const elements: Array<Slice> = []
  for (let left = from.count(); left > 0; left--) for (const element of ziplistOf(from.string())) elements.push(element)
  return elements
}

/** A deadline of a field, 0 for none; one that no event can state is refused. */
const deadlineOf = (time: number): number => {
  if (!Number.isSafeInteger(time) || time < 0) throw new BadData("a deadline is no time")
  return time
}

/** Elements that stand in a packed hash with deadlines by threes: field, value, deadline. */
const packedDatedHash = (from: RdbReader): DumpedValue => {
  from.u64() // the earliest of the deadlines, which are whole here
  const flat = listpackOf(from.string())
  if (flat.length % 3 !== 0) throw new BadData("a field without a value or deadline")
  const pairs: Array<Slice> = []
  const deadlines: Array<number> = []
  for (let i = 0; i < flat.length; i += 3) {
    pairs.push(flat[i]!, flat[i + 1]!)
    deadlines.push(deadlineOf(Number(flat[i + 2]!.latin1())))
  }
  return { type: "hash", pairs, deadlines }
}

/** A score as text; 253 to 255 stand for none, and the infinite ones. */
const oldScore = (from: RdbReader): number => {
  const length = from.u8()
  if (length === 255) return -Infinity
  if (length === 254) return Infinity
  if (length === 253) return NaN
  return score(from.raw(length))
}

const readDated = (from: RdbReader, count: number, earliest: number): DumpedValue => {
  const pairs: Array<Slice> = []
  const deadlines: Array<number> = []
  for (let left = count; left > 0; left--) {
    const after = from.length()
    deadlines.push(deadlineOf(after === 0 ? 0 : earliest + after - 1))
    pairs.push(from.string(), from.string())
  }
  return { type: "hash", pairs, deadlines }
}

const readScored = (from: RdbReader, count: number, scoreFrom: (from: RdbReader) => number): DumpedValue => {
  const members: Array<Slice> = []
  const scores: Array<number> = []
  for (let left = count; left > 0; left--) {
    members.push(from.string())
    scores.push(scoreFrom(from))
  }
  return { type: "zset", members, scores }
}

const binaryScore = (from: RdbReader): number => from.f64()

/** How to read elements of a value whose elements stand one by one; undefined for others. Reads what comes before them. */
const elementwise = (from: RdbReader, type: number): ((count: number) => DumpedValue) | undefined => {
  switch (type) {
    case RdbType.list:
      return (count) => ({ type: "list", elements: from.strings(count) })
    case RdbType.set:
      return (count) => ({ type: "set", elements: from.strings(count) })
    case RdbType.hash:
      return (count) => hashOf(from.strings(2 * count))
    case RdbType.zset:
      return (count) => readScored(from, count, oldScore)
    case RdbType.zset2:
      return (count) => readScored(from, count, binaryScore)
    case RdbType.hashWithDeadlines: {
      const earliest = from.u64()
      return (count) => readDated(from, count, earliest)
    }
    default:
      return undefined
  }
}

/** Reads a value that stands after the number of its type. @throws BadData */
const read = (from: RdbReader, type: number): DumpedValue => {
  const elements = elementwise(from, type)
  if (elements !== undefined) return elements(from.count())
  switch (type) {
    case RdbType.string:
      return { type: "string", value: from.string() }
    case RdbType.quicklist2:
      return { type: "list", elements: quicklist(from) }
    case RdbType.quicklist:
      return { type: "list", elements: oldQuicklist(from) }
    case RdbType.listZiplist:
      return { type: "list", elements: ziplistOf(from.string()) }
    case RdbType.intset:
      return { type: "set", elements: intsetOf(from.string()) }
    case RdbType.setListpack:
      return { type: "set", elements: listpackOf(from.string()) }
    case RdbType.hashListpack:
      return hashOf(listpackOf(from.string()))
    case RdbType.hashZiplist:
      return hashOf(ziplistOf(from.string()))
    case RdbType.hashZipmap:
      return hashOf(zipmapOf(from.string()))
    case RdbType.hashListpackWithDeadlines:
      return packedDatedHash(from)
    case RdbType.zsetListpack:
      return scoredOf(listpackOf(from.string()))
    case RdbType.zsetZiplist:
      return scoredOf(ziplistOf(from.string()))
    case RdbType.streamListpacks:
    case RdbType.streamListpacks2:
    case RdbType.streamListpacks3:
      return readStream(from, type)
    case RdbType.module:
    case RdbType.module2:
      throw new BadData("a value of a module, whose format only the module knows")
    default:
      throw new BadData(`values of type ${type} are not read`)
  }
}

/** Elements of a large value that are read at a time. */
const pieceElements = 512

/**
 * Reads a value that stands after the number of its type; a large one whose elements stand one by one comes in pieces,
 * to be put together in their order. @throws BadData
 */
export function* readPieces(from: RdbReader, type: number): Generator<DumpedValue, void> {
  let sound = true
  if (type === RdbType.quicklist2 || type === RdbType.quicklist) {
    let elements: Array<Slice> = []
    const nodes = from.count()
    for (let left = nodes; left > 0; left--) {
      const plain = type === RdbType.quicklist2 && from.length() === 1
      const node = from.string()
      if (plain) elements.push(node)
      else for (const element of type === RdbType.quicklist ? ziplistOf(node) : listpackOf(node)) elements.push(element)
      if (elements.length < pieceElements && left > 1) continue
      sound &&= elements.length > 0
      yield { type: "list", elements }
      elements = []
    }
    if (nodes === 0 || !sound) throw new BadData("an empty list")
    return
  }
  const elements = elementwise(from, type)
  const count = elements === undefined ? 0 : from.count()
  if (elements === undefined || count <= pieceElements) {
    const value = elements === undefined ? read(from, type) : elements(count)
    if (!isSound(value)) throw new BadData("a value that makes no sense")
    yield value
    return
  }
  for (let left = count; left > 0; left -= pieceElements) {
    const value = elements(Math.min(left, pieceElements))
    if (!isSound(value)) throw new BadData("a value that makes no sense")
    yield value
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
    const value = read(from, from.u8())
    return from.isDone && isSound(value) ? value : undefined
  } catch (error) {
    if (error instanceof BadData) return undefined
    throw error
  }
}
