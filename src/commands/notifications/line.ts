/** Bytes put together piece by piece in a buffer that is used again and again. */
import { copyBytes, Slice } from "../../projections/memory/slice.ts"

const firstBytes = 256
/** A buffer that had to grow beyond this is not kept. */
const mostKept = 64 * 1024

/** A channel's name or a message. `slice` is valid until the next one begins. */
export class Line {
  readonly slice = new Slice(new Uint8Array(firstBytes), 0, 0)

  clear(): this {
    const { slice } = this
    if (slice.bytes.length > mostKept) slice.bytes = new Uint8Array(firstBytes)
    slice.length = 0
    return this
  }

  /** Begins the name of a channel of notifications. */
  begin(kind: string, db: number): this {
    return this.clear().text("__").text(kind).text("@").number(db).text("__:")
  }

  add({ bytes, length, start }: Slice): this {
    const { slice } = this
    this.reserve(length)
    copyBytes(slice.bytes, slice.length, bytes, start, length)
    slice.length += length
    return this
  }

  /** Adds characters of ASCII. */
  text(characters: string): this {
    const { slice } = this
    this.reserve(characters.length)
    for (let i = 0; i < characters.length; i++) slice.bytes[slice.length++] = characters.charCodeAt(i)
    return this
  }

  /** Adds an integer that is not negative. */
  number(value: number): this {
    return value < 10 ? this.text(digits[value]!) : this.text(String(value))
  }

  /** Adds bytes behind their number and a colon. */
  measured(bytes: Slice): this {
    return this.number(bytes.length).text(":").add(bytes)
  }

  private reserve(more: number): void {
    const { slice } = this
    const needed = slice.length + more
    if (needed <= slice.bytes.length) return
    const before = slice.bytes
    slice.bytes = new Uint8Array(2 * needed)
    slice.bytes.set(before.subarray(0, slice.length))
  }
}

const digits = [..."0123456789"]
