/**
 * A run of bytes inside a larger buffer: a command's argument in the socket's chunk, a value in the arena, a field in a
 * log frame. Slices are reused from command to command; whoever keeps the bytes copies them (`toBytes`).
 */
export class Slice {
  bytes: Uint8Array
  start: number
  length: number
  constructor(bytes: Uint8Array = empty, start = 0, length = bytes.length - start) {
    this.bytes = bytes
    this.start = start
    this.length = length
  }

  /** Points this slice somewhere else and returns it. */
  set(bytes: Uint8Array, start: number, length: number): this {
    this.bytes = bytes
    this.start = start
    this.length = length
    return this
  }

  /** A copy of the bytes, safe to keep. */
  toBytes(): Uint8Array {
    const copy = new Uint8Array(this.length) // not bytes.slice(): a Buffer's slice shares its memory
    copyBytes(copy, 0, this.bytes, this.start, this.length)
    return copy
  }

  /** A slice over its own copy of the bytes, safe to keep. */
  copy(): Slice {
    return new Slice(this.toBytes())
  }

  /** The bytes as text, one character per byte. Not for the hot path. */
  latin1(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.start, this.length).toString("latin1")
  }

  /** The bytes read as UTF-8. Not for the hot path. */
  utf8(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.start, this.length).toString("utf8")
  }

  static latin1(text: string): Slice {
    return new Slice(Buffer.from(text, "latin1"))
  }

  static utf8(text: string): Slice {
    return new Slice(Buffer.from(text, "utf8"))
  }
}

const empty = new Uint8Array(0)

/** Below this many bytes a loop beats the call to `Uint8Array.set` and the view it needs (about 30 ns). */
export const loopLimit = 48

/** Copies `length` bytes; the ranges may overlap only when `target` is `source` and moves toward lower addresses. */
export const copyBytes = (
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  length: number
): void => {
  if (length < loopLimit) { for (let i = 0; i < length; i++) target[at + i] = source[start + i]! }
  else target.set(source.subarray(start, start + length), at)
}

/** Whether two runs of bytes are equal. */
export const equalBytes = (
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number
): boolean => {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false
  return true
}

/** Lexicographic order of two slices by unsigned bytes (memcmp, then the shorter first). */
export const compareSlices = (a: Slice, b: Slice): number => {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = a.bytes[a.start + i]! - b.bytes[b.start + i]!
    if (d !== 0) return d
  }
  return a.length - b.length
}
