/**
 * Runs of elements as Redis wrote them before version 7, still in files of that time:
 *
 * ```
 * ziplist  bytes (u32) · last (u32) · elements (u16) · elements · ff
 *          element: length of the one before (u8, or fe and u32) · encoding · bytes
 * zipmap   pairs (u8) · pairs · ff;  pair: length · field · length · free (u8) · value · free bytes
 * ```
 */
import { Slice } from "./memory/slice.ts"
import { BadData } from "./rdb-reader.ts"

const end = 0xff
/** Of a ziplist. */
const headerBytes = 10

/** The bytes with checks of where they end. */
class Run {
  at: number
  private readonly view: Buffer

  constructor({ bytes, length, start }: Slice, at: number) {
    this.view = Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
    this.at = at
  }

  get length(): number {
    return this.view.length
  }

  u8(): number {
    return this.view[this.pass(1)]!
  }

  u32(): number {
    return this.view.readUInt32LE(this.pass(4))
  }

  /** A signed integer of so many bytes, little endian, as text. */
  integer(bytes: number): Slice {
    const at = this.pass(bytes)
    return Slice.latin1(String(bytes === 8 ? this.view.readBigInt64LE(at) : this.view.readIntLE(at, bytes)))
  }

  u32be(): number {
    return this.view.readUInt32BE(this.pass(4))
  }

  take(n: number): Slice {
    return new Slice(this.view, this.pass(n), n)
  }

  pass(n: number): number {
    const { at } = this
    if (at + n > this.view.length) throw new BadData("an element goes beyond its end")
    this.at = at + n
    return at
  }
}

const element = (run: Run): Slice => {
  const encoding = run.u8()
  switch (encoding >>> 6) {
    case 0:
      return run.take(encoding)
    case 1:
      return run.take((encoding & 0x3f) << 8 | run.u8())
    case 2:
      return run.take(run.u32be())
  }
  switch (encoding) {
    case 0xc0:
      return run.integer(2)
    case 0xd0:
      return run.integer(4)
    case 0xe0:
      return run.integer(8)
    case 0xf0:
      return run.integer(3)
    case 0xfe:
      return run.integer(1)
  }
  if (encoding >= 0xf1 && encoding <= 0xfd) return Slice.latin1(String(encoding - 0xf1))
  throw new BadData(`an element of unknown encoding ${encoding}`)
}

/** The elements of a ziplist. @throws BadData */
export const ziplistOf = (slice: Slice): Array<Slice> => {
  const run = new Run(slice, 0)
  if (run.length < headerBytes + 1 || run.u32() !== run.length) throw new BadData("no ziplist")
  run.at = headerBytes
  const found: Array<Slice> = []
  for (;;) {
    const before = run.u8()
    if (before === end) break
    if (before === 0xfe) run.pass(4)
    found.push(element(run))
  }
  if (run.at !== run.length) throw new BadData("a ziplist ends early")
  return found
}

/** The fields and values of a zipmap. @throws BadData */
export const zipmapOf = (slice: Slice): Array<Slice> => {
  const run = new Run(slice, 1)
  const found: Array<Slice> = []
  const length = (first: number): number => first < 0xfe ? first : run.u32()
  for (;;) {
    const first = run.u8()
    if (first === end) break
    found.push(run.take(length(first)))
    const valueLength = length(run.u8())
    const free = run.u8()
    found.push(run.take(valueLength))
    run.pass(free)
  }
  if (run.at !== run.length) throw new BadData("a zipmap ends early")
  return found
}
