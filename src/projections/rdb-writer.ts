/** Writes the parts that values in the format of RDB files are made of (see dump.ts). */
import { Slice } from "./memory/slice.ts"
import { crc64 } from "./structures/crc64.ts"

/** Numbers of types in RDB files. */
export const RdbType = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  zset2: 5,
  module: 6,
  module2: 7,
  hashZipmap: 9,
  listZiplist: 10,
  intset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  quicklist: 14,
  streamListpacks: 15,
  hashListpack: 16,
  zsetListpack: 17,
  quicklist2: 18,
  streamListpacks2: 19,
  setListpack: 20,
  streamListpacks3: 21,
  hashWithDeadlines: 24,
  hashListpackWithDeadlines: 25
} as const

/** That of redis-server 7.0; hashes whose fields have deadlines need a later one. */
export const version = 10
export const versionWithDeadlines = 12
/** The highest that is read here. */
export const newestVersion = 12

/** Handed on at a time. */
const drainBytes = 64 << 10

const noBytes = new Uint8Array(0)

/** Takes bytes away; they are valid only during the call. */
export type Drain = (bytes: Uint8Array) => void

/** A value of which a format knows nothing: the text says what. */
export class NotInRdb extends Error {
  override readonly name = "NotInRdb"
}

export class RdbWriter {
  /** The key that stands between the number of the type and the value, in files. */
  key: Slice | undefined = undefined
  /** What becomes of deadlines of single fields, which Redis 7.0 does not know: `NotInRdb` is thrown for "refused". */
  fieldDeadlines: "kept" | "refused" | "left out" = "kept"
  private bytes: Buffer
  private at = 0
  private readonly drain: Drain | undefined

  /** What is written goes to `drain` now and then, and by `flush`; without it all stays here. */
  constructor(drain?: Drain) {
    this.drain = drain
    this.bytes = Buffer.allocUnsafe(drain === undefined ? 1024 : drainBytes)
  }

  /** Hands everything written so far to the drain. */
  flush(): void {
    if (this.at > 0) this.drain?.(this.bytes.subarray(0, this.at))
    this.at = 0
  }

  private need(n: number): void {
    if (this.at + n <= this.bytes.length) return
    if (this.drain !== undefined) {
      this.flush()
      if (n <= this.bytes.length) return
    }
    const next = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, this.at + n))
    this.bytes.copy(next, 0, 0, this.at)
    this.bytes = next
  }

  u8(value: number): void {
    this.need(1)
    this.bytes[this.at++] = value
  }

  /** The number of a value's type, and its key where there is one. */
  type(number: number): void {
    this.u8(number)
    if (this.key !== undefined) this.string(this.key)
  }

  length(n: number): void {
    this.need(9)
    if (n < 64) this.bytes[this.at++] = n
    else if (n < 16_384) this.at = this.bytes.writeUInt16BE(0x4000 | n, this.at)
    else if (n <= 0xffff_ffff) {
      this.bytes[this.at++] = 0x80
      this.at = this.bytes.writeUInt32BE(n, this.at)
    } else {
      this.bytes[this.at++] = 0x81
      this.at = this.bytes.writeBigUInt64BE(BigInt(n), this.at)
    }
  }

  /** An unsigned 64-bit length in two words. */
  length64(high: number, low: number): void {
    if (high === 0) {
      this.length(low)
      return
    }
    this.need(9)
    this.bytes[this.at++] = 0x81
    this.at = this.bytes.writeUInt32BE(high, this.at)
    this.at = this.bytes.writeUInt32BE(low, this.at)
  }

  raw(bytes: Uint8Array, start: number, length: number): void {
    if (this.drain !== undefined && length > drainBytes) {
      this.flush()
      this.drain(bytes.subarray(start, start + length))
      return
    }
    this.need(length)
    this.bytes.set(bytes.subarray(start, start + length), this.at)
    this.at += length
  }

  string({ bytes, length, start }: Slice): void {
    this.length(length)
    this.raw(bytes, start, length)
  }

  /** An integer as a string; the short form where there is one. */
  integer(value: number | bigint): void {
    this.need(5)
    if (value >= -128 && value <= 127) {
      this.bytes[this.at++] = 0xc0
      this.at = this.bytes.writeInt8(Number(value), this.at)
    } else if (value >= -32_768 && value <= 32_767) {
      this.bytes[this.at++] = 0xc1
      this.at = this.bytes.writeInt16LE(Number(value), this.at)
    } else if (value >= -2_147_483_648 && value <= 2_147_483_647) {
      this.bytes[this.at++] = 0xc2
      this.at = this.bytes.writeInt32LE(Number(value), this.at)
    } else this.string(Slice.latin1(String(value)))
  }

  u32(value: number): void {
    this.need(4)
    this.at = this.bytes.writeUInt32LE(value, this.at)
  }

  f64(value: number): void {
    this.need(8)
    this.at = this.bytes.writeDoubleLE(value, this.at)
  }

  u64(value: number): void {
    this.need(8)
    this.at = this.bytes.writeBigUInt64LE(BigInt(value), this.at)
  }

  /** A pack of `count` elements as a listpack, in a string; the first ones may stand elsewhere. */
  listpack(
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    first: Uint8Array = noBytes,
    firstLength = 0
  ): void {
    const total = 7 + firstLength + end - start
    this.length(total)
    this.need(6)
    this.at = this.bytes.writeUInt32LE(total, this.at)
    this.at = this.bytes.writeUInt16LE(Math.min(count, 0xffff), this.at)
    this.raw(first, 0, firstLength)
    this.raw(bytes, start, end - start)
    this.u8(0xff)
  }

  finish(rdbVersion: number): Uint8Array {
    this.need(10)
    this.at = this.bytes.writeUInt16LE(rdbVersion, this.at)
    const [high, low] = crc64(this.bytes, 0, this.at)
    this.at = this.bytes.writeUInt32LE(low, this.at)
    this.at = this.bytes.writeUInt32LE(high, this.at)
    return this.bytes.subarray(0, this.at)
  }
}
