import type * as Schema from "effect/Schema"
import { toInt64 } from "../../projections/memory/integer.ts"
import { copyBytes, Slice } from "../../projections/memory/slice.ts"

/**
 * Growable output buffer of the log: one is the tail of the log, reused for every frame.
 * Numbers are little endian; varints are LEB128, signed ones zigzag.
 */
export class ByteWriter {
  bytes: Uint8Array
  private view: DataView
  length = 0

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `n` more bytes; every writing method calls it. */
  need(n: number): void {
    if (this.length + n > this.bytes.length) this.grow(n)
  }

  private grow(n: number): void {
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.length + n))
    next.set(this.bytes.subarray(0, this.length))
    this.bytes = next
    this.view = new DataView(next.buffer)
  }

  u8(value: number): void {
    this.need(1)
    this.bytes[this.length++] = value
  }

  u16(value: number): void {
    this.need(2)
    this.view.setUint16(this.length, value, true)
    this.length += 2
  }

  u32(value: number): void {
    this.need(4)
    this.view.setUint32(this.length, value, true)
    this.length += 4
  }

  /** Unsigned, below 2^48. */
  u48(value: number): void {
    this.need(6)
    this.view.setUint32(this.length, value >>> 0, true)
    this.view.setUint16(this.length + 4, value / 0x1_0000_0000, true)
    this.length += 6
  }

  f64(value: number): void {
    this.need(8)
    this.view.setFloat64(this.length, value, true)
    this.length += 8
  }

  /** Unsigned LEB128 of an integer up to 2^53 - 1. */
  varint(value: number): void {
    this.need(8)
    const { bytes } = this
    let at = this.length
    while (value > 0x7fff_ffff) {
      bytes[at++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    while (value > 0x7f) {
      bytes[at++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    bytes[at++] = value
    this.length = at
  }

  /** Unsigned LEB128 of a 64-bit integer in two words. */
  varint64(high: number, low: number): void {
    this.need(10)
    const { bytes } = this
    let at = this.length
    while (high !== 0 || low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80
      low = (low >>> 7 | high << 25) >>> 0
      high >>>= 7
    }
    bytes[at++] = low
    this.length = at
  }

  /** Signed 64-bit integer as zigzag LEB128; a bigint only where a number would lose digits. */
  int64(value: number | bigint): void {
    if (typeof value === "number" && value >= -0x10_0000_0000_0000 && value <= 0xf_ffff_ffff_ffff) {
      this.varint(value >= 0 ? value * 2 : value * -2 - 1)
      return
    }
    const wide = BigInt(value)
    let rest = wide >= 0n ? wide * 2n : wide * -2n - 1n
    this.need(10)
    while (rest > 0x7fn) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.bytes[this.length++] = Number(rest)
  }

  /** Bytes without a length. */
  raw(bytes: Uint8Array, start: number, length: number): void {
    this.need(length)
    copyBytes(this.bytes, this.length, bytes, start, length)
    this.length += length
  }

  /** Length as varint, then the bytes. */
  blob(value: Slice): void {
    const length = value.length
    this.need(length + 8)
    if (length < 0x80) this.bytes[this.length++] = length
    else this.varint(length)
    copyBytes(this.bytes, this.length, value.bytes, value.start, length)
    this.length += length
  }

  /** Text as UTF-8 with its length. */
  text(value: string): void {
    this.blob(Slice.utf8(value))
  }

  /** A copy of what was written so far. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }
}

/** The bytes end before the value does, or a varint is longer than it may be. */
export class WireError extends Error {
  override readonly name = "WireError"
}

/** Reads what `ByteWriter` wrote; reading past `end` throws `WireError`. Slices it returns point into the source. */
export class ByteReader {
  bytes: Uint8Array
  offset: number
  end: number
  /** The words of what `varint64` read last. */
  high = 0
  low = 0
  private view: DataView

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes
    this.offset = offset
    this.end = end
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  private take(n: number): number {
    const at = this.offset
    if (at + n > this.end) throw new WireError(`${n} bytes expected at offset ${at}, ${this.end - at} left`)
    this.offset = at + n
    return at
  }

  u8(): number {
    return this.bytes[this.take(1)]!
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true)
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true)
  }

  u48(): number {
    const at = this.take(6)
    return this.view.getUint32(at, true) + this.view.getUint16(at + 4, true) * 0x1_0000_0000
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true)
  }

  varint(): number {
    const first = this.bytes[this.take(1)]!
    if (first < 0x80) return first
    let value = first & 0x7f
    let scale = 128
    for (let i = 1; i < 8; i++) {
      const next = this.bytes[this.take(1)]!
      value += (next & 0x7f) * scale
      if (next < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    throw new WireError(`varint before offset ${this.offset} exceeds 2^53 - 1`)
  }

  /** An unsigned 64-bit integer, into `high` and `low`. */
  varint64(): void {
    let low = 0
    let middle = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      const next = this.bytes[this.take(1)]!
      const bits = next & 0x7f
      if (i < 4) low |= bits << 7 * i
      else if (i < 8) middle |= bits << 7 * (i - 4)
      else high |= bits << 7 * (i - 8)
      if (next >= 0x80) continue
      if (i === 9 && bits > 1) break
      this.low = (low | middle << 28) >>> 0
      this.high = (middle >>> 4 | high << 24) >>> 0
      return
    }
    throw new WireError(`integer before offset ${this.offset} exceeds 64 bits`)
  }

  int64(): number | bigint {
    const start = this.offset
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const next = this.bytes[this.take(1)]!
      value += (next & 0x7f) * scale
      if (next < 0x80) {
        if (value <= Number.MAX_SAFE_INTEGER) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
        return this.wideInt64(start)
      }
      scale *= 128
    }
    throw new WireError(`integer before offset ${this.offset} exceeds 64 bits`)
  }

  private wideInt64(start: number): number | bigint {
    let value = 0n
    let shift = 0n
    for (let i = start; i < this.offset; i++) {
      value |= BigInt(this.bytes[i]! & 0x7f) << shift
      shift += 7n
    }
    if (value >> 64n !== 0n) throw new WireError(`integer before offset ${this.offset} exceeds 64 bits`)
    return toInt64((value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n))
  }

  blob(): Slice {
    const length = this.varint()
    return new Slice(this.bytes, this.take(length), length)
  }

  text(): string {
    return this.blob().utf8()
  }
}

/** How a field's value is written to and read from the log. */
export interface Wire<T> {
  readonly write: (out: ByteWriter, value: T) => void
  readonly read: (from: ByteReader) => T
}

const wires = new WeakMap<object, Wire<never>>()

/** Binds a field's schema to its bytes, so that one declaration serves types, validation, JSON, test data and the log. */
export const wired = <S extends Schema.Top>(schema: S, wire: Wire<S["Type"]>): S => {
  wires.set(schema, wire as unknown as Wire<never>)
  return schema
}

/** The byte layout bound to a field schema. */
export const wireOf = (schema: object): Wire<unknown> => {
  const wire = wires.get(schema)
  if (wire === undefined) throw new Error("field schema without byte layout: declare it with wired() in fields.ts")
  return wire as unknown as Wire<unknown>
}
