/** Reads the parts that values in the format of RDB files are made of (see dump.ts). */
import { Slice } from "./memory/slice.ts"
import { unpackLzf } from "./structures/lzf.ts"

/** Most bytes that a byte of LZF stands for: three bytes are a copy of up to 264. */
const mostUnpacked = 88

/** Thrown: the bytes are no value. */
export class BadData extends Error {
  override readonly name = "BadData"
}

export class RdbReader {
  private readonly bytes: Buffer
  private at = 0

  constructor({ bytes, length, start }: Slice) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
  }

  get isDone(): boolean {
    return this.at === this.bytes.length
  }

  private take(n: number): number {
    const { at } = this
    if (at + n > this.bytes.length) throw new BadData("the value ends early")
    this.at = at + n
    return at
  }

  u8(): number {
    return this.bytes[this.take(1)]!
  }

  /** A length, or with the high bits set a special encoding as a negative number. */
  private lengthOrSpecial(): number {
    const first = this.u8()
    if (first < 0x40) return first
    if (first < 0x80) return (first & 0x3f) << 8 | this.u8()
    if (first === 0x80) return this.bytes.readUInt32BE(this.take(4))
    if (first === 0x81) return Number(this.bytes.readBigUInt64BE(this.take(8)))
    if (first >= 0xc0) return -1 - (first & 0x3f)
    throw new BadData(`unknown length ${first}`)
  }

  length(): number {
    const n = this.lengthOrSpecial()
    if (n < 0) throw new BadData("a length is expected")
    return n
  }

  /** An unsigned 64-bit length, as two words. */
  words64(): readonly [high: number, low: number] {
    if (this.bytes[this.at] !== 0x81) return [0, this.length()]
    this.at++
    const at = this.take(8)
    return [this.bytes.readUInt32BE(at), this.bytes.readUInt32BE(at + 4)]
  }

  /** Bytes without a length. */
  raw(length: number): Slice {
    return new Slice(this.bytes, this.take(length), length)
  }

  /** A count of things of which each takes a byte at least. */
  count(): number {
    const n = this.length()
    if (n > this.bytes.length - this.at) throw new BadData("more elements than bytes")
    return n
  }

  string(): Slice {
    const n = this.lengthOrSpecial()
    if (n >= 0) return new Slice(this.bytes, this.take(n), n)
    if (n === -1) return Slice.latin1(String(this.bytes.readInt8(this.take(1))))
    if (n === -2) return Slice.latin1(String(this.bytes.readInt16LE(this.take(2))))
    if (n === -3) return Slice.latin1(String(this.bytes.readInt32LE(this.take(4))))
    if (n !== -4) throw new BadData("unknown encoding of a string")
    const packed = this.length()
    const whole = this.length()
    const start = this.take(packed)
    // Room is made before it is unpacked: for no more than so many bytes can become.
    if (whole > 0x2000_0000 || whole > packed * mostUnpacked) throw new BadData("a string that is too long")
    const unpacked = unpackLzf(this.bytes, start, start + packed, whole)
    if (unpacked === undefined) throw new BadData("a compressed string does not unpack")
    return new Slice(unpacked)
  }

  f64(): number {
    return this.bytes.readDoubleLE(this.take(8))
  }

  u64(): number {
    return Number(this.bytes.readBigUInt64LE(this.take(8)))
  }

  /** A signed one, rounded when it is beyond ±(2^53 - 1). */
  i64(): number {
    return Number(this.bytes.readBigInt64LE(this.take(8)))
  }

  strings(count: number): Array<Slice> {
    const found: Array<Slice> = []
    for (let i = 0; i < count; i++) found.push(this.string())
    return found
  }
}
