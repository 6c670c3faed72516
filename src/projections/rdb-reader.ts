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
  protected bytes: Buffer
  protected at = 0

  constructor({ bytes, length, start }: Slice) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
  }

  get isDone(): boolean {
    return this.at === this.bytes.length
  }

  /** Bytes that are left, at most. */
  protected get left(): number {
    return this.bytes.length - this.at
  }

  /** Brings `n` bytes from `at` on into `bytes`, which may be another buffer afterwards, or throws `BadData`. */
  protected fill(_n: number): void {
    throw new BadData("the value ends early")
  }

  /** The place of `n` bytes that are passed; `bytes` is to be looked at only after this. */
  private take(n: number): number {
    if (this.at + n > this.bytes.length) this.fill(n)
    const { at } = this
    this.at = at + n
    return at
  }

  u8(): number {
    const at = this.take(1)
    return this.bytes[at]!
  }

  /** A length, or with the high bits set a special encoding as a negative number. */
  private lengthOrSpecial(): number {
    const first = this.u8()
    if (first < 0x40) return first
    if (first < 0x80) return (first & 0x3f) << 8 | this.u8()
    if (first === 0x80) {
      const at = this.take(4)
      return this.bytes.readUInt32BE(at)
    }
    if (first === 0x81) {
      const at = this.take(8)
      return Number(this.bytes.readBigUInt64BE(at))
    }
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
    const first = this.take(1)
    if (this.bytes[first] !== 0x81) {
      this.at = first
      return [0, this.length()]
    }
    const at = this.take(8)
    return [this.bytes.readUInt32BE(at), this.bytes.readUInt32BE(at + 4)]
  }

  /** Bytes without a length. */
  raw(length: number): Slice {
    const at = this.take(length)
    return new Slice(this.bytes, at, length)
  }

  /** A count of things of which each takes a byte at least. */
  count(): number {
    const n = this.length()
    if (n > this.left) throw new BadData("more elements than bytes")
    return n
  }

  string(): Slice {
    const n = this.lengthOrSpecial()
    if (n >= 0) return this.raw(n)
    if (n === -1) return Slice.latin1(String(this.u8() << 24 >> 24))
    if (n === -2) {
      const at = this.take(2)
      return Slice.latin1(String(this.bytes.readInt16LE(at)))
    }
    if (n === -3) {
      const at = this.take(4)
      return Slice.latin1(String(this.bytes.readInt32LE(at)))
    }
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

  u32(): number {
    const at = this.take(4)
    return this.bytes.readUInt32LE(at)
  }

  f64(): number {
    const at = this.take(8)
    return this.bytes.readDoubleLE(at)
  }

  u64(): number {
    const at = this.take(8)
    return Number(this.bytes.readBigUInt64LE(at))
  }

  /** A signed one, rounded when it is beyond ±(2^53 - 1). */
  i64(): number {
    const at = this.take(8)
    return Number(this.bytes.readBigInt64LE(at))
  }

  strings(count: number): Array<Slice> {
    const found: Array<Slice> = []
    for (let i = 0; i < count; i++) found.push(this.string())
    return found
  }
}
