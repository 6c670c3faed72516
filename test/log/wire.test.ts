import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByteReader, ByteWriter, WireError, wireOf } from "../../src/log/events/wire.ts"
import { toInt64 } from "../../src/projections/memory/integer.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { plain } from "../support/events.ts"

const bytesOf = (write: (out: ByteWriter) => void): Uint8Array => {
  const out = new ByteWriter(1) // so small that every method has to make room
  write(out)
  return out.toBytes()
}

const edges = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 49, 2 ** 53 - 1]
const natural = fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat())
const wide = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 53n) - 5n, max: -(2n ** 53n) + 5n }),
  fc.bigInt({ min: 2n ** 53n - 5n, max: 2n ** 53n + 5n }),
  fc.bigInt({ min: -(2n ** 52n) - 5n, max: -(2n ** 52n) + 5n }),
  fc.bigInt({ min: 2n ** 52n - 5n, max: 2n ** 52n + 5n }),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n))
)

/** The textbook definitions, to hold the fast ones to. */
const leb128 = (value: bigint): Uint8Array => {
  const bytes: Array<number> = []
  for (; value > 0x7fn; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80)
  bytes.push(Number(value))
  return Uint8Array.from(bytes)
}
const zigzag = (value: bigint): bigint => value >= 0n ? value * 2n : value * -2n - 1n

describe("numbers on the wire", () => {
  it("varint is LEB128 up to 2^53 - 1", () => {
    fc.assert(
      fc.property(natural, (value) => {
        const bytes = bytesOf((out) => out.varint(value))
        expect(bytes).toEqual(leb128(BigInt(value)))
        const reader = new ByteReader(bytes)
        expect(reader.varint()).toBe(value)
        expect(reader.offset).toBe(bytes.length)
      }),
      { numRuns: 5000 }
    )
  })

  it("int64 is zigzag LEB128 over all 64 bits, a number where that is exact and a bigint beyond", () => {
    fc.assert(
      fc.property(wide, (value) => {
        const canonical = toInt64(value)
        const bytes = bytesOf((out) => out.int64(canonical))
        expect(bytes).toEqual(leb128(zigzag(value)))
        expect(bytesOf((out) => out.int64(value))).toEqual(bytes)
        const reader = new ByteReader(bytes)
        expect(reader.int64()).toBe(canonical)
        expect(reader.offset).toBe(bytes.length)
        expect(typeof canonical === "number").toBe(value > -(2n ** 53n) && value < 2n ** 53n)
      }),
      { numRuns: 5000 }
    )
  })

  it("fixed widths are little endian", () => {
    fc.assert(
      fc.property(
        fc.nat(0xff),
        fc.nat(0xffff),
        fc.nat(0xffffffff),
        fc.nat(2 ** 48 - 1),
        fc.double(),
        (a, b, c, d, e) => {
          const bytes = bytesOf((out) => {
            out.u8(a)
            out.u16(b)
            out.u32(c)
            out.u48(d)
            out.f64(e)
          })
          const expected = Buffer.alloc(21)
          expected.writeUInt8(a, 0)
          expected.writeUInt16LE(b, 1)
          expected.writeUInt32LE(c, 3)
          expected.writeUIntLE(d, 7, 6)
          expected.writeDoubleLE(e, 13)
          expect(Buffer.from(bytes)).toEqual(expected)
          const reader = new ByteReader(bytes)
          expect([reader.u8(), reader.u16(), reader.u32(), reader.u48(), reader.f64()]).toEqual([a, b, c, d, e])
        }
      ),
      { numRuns: 2000 }
    )
  })

  it("refuses varints beyond 2^53 - 1 and integers beyond 64 bits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }), (value) => {
        expect(() => new ByteReader(leb128(value)).varint()).toThrow(WireError)
      })
    )
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 64n, max: 2n ** 90n }), (value) => {
        expect(() => new ByteReader(leb128(value)).int64()).toThrow(WireError)
      })
    )
    const endless = new Uint8Array(64).fill(0xff)
    expect(() => new ByteReader(endless).varint()).toThrow(WireError)
    expect(() => new ByteReader(endless).int64()).toThrow(WireError)
  })
})

describe("bytes on the wire", () => {
  it("carries a blob of any length from inside a larger buffer", () => {
    for (const length of [0, 1, 47, 48, 127, 128, 16_383, 16_384, 300_000]) {
      const backing = new Uint8Array(length + 20).map((_, i) => i * 7)
      const value = new Slice(backing, 13, length)
      const bytes = bytesOf((out) => {
        out.u8(9)
        out.blob(value)
        out.u8(8)
      })
      const reader = new ByteReader(bytes)
      reader.u8()
      const read = reader.blob()
      expect(plain(read)).toEqual(plain(value))
      expect(read.bytes).toBe(bytes) // a view, not a copy
      expect(reader.u8()).toBe(8)
    }
  })

  it("carries text as UTF-8", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(new ByteReader(bytesOf((out) => out.text(text))).text()).toBe(text)
    }))
  })

  it("throws WireError at once for a length that cannot be there, however large, and allocates nothing for it", () => {
    for (const claimed of [5, 1 << 20, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      const bytes = bytesOf((out) => {
        out.varint(claimed)
        out.u32(0)
      })
      expect(() => new ByteReader(bytes).blob()).toThrow(WireError)
    }
  })

  it("reads within its window of a larger buffer only", () => {
    const source = Uint8Array.from({ length: 32 }, (_, i) => i)
    for (let end = 0; end <= 8; end++) {
      const reader = new ByteReader(source, 4, 4 + end)
      const take: ReadonlyArray<[number, () => unknown]> = [
        [1, () => reader.u8()],
        [2, () => reader.u16()],
        [4, () => reader.u32()],
        [6, () => reader.u48()],
        [8, () => reader.f64()]
      ]
      for (const [size, read] of take) {
        reader.offset = 4
        if (size <= end) read()
        else expect(read).toThrow(WireError)
        expect(reader.offset).toBe(size <= end ? 4 + size : 4)
      }
    }
  })

  it("reads from a view that does not begin at its buffer's start", () => {
    const bytes = bytesOf((out) => {
      out.u32(0xdeadbeef)
      out.f64(0.1)
    })
    const shifted = new Uint8Array(bytes.length + 5)
    shifted.set(bytes, 5)
    const reader = new ByteReader(shifted.subarray(5))
    expect([reader.u32(), reader.f64()]).toEqual([0xdeadbeef, 0.1])
  })

  it("toBytes is a copy that later writing leaves alone, whatever kind of buffer the slice points into", () => {
    const out = new ByteWriter(4)
    out.u8(1)
    const copy = out.toBytes()
    out.length = 0
    out.u8(2)
    expect(copy).toEqual(Uint8Array.of(1))
    const chunk = Buffer.from("abc") // a socket's chunk; Buffer's own slice() would share its memory
    const kept = new Slice(chunk, 0, 2).toBytes()
    chunk[0] = 0x7a
    expect(Buffer.from(kept).toString()).toBe("ab")
  })

  it("a field without a byte layout is a programmer's error", () => {
    expect(() => wireOf({})).toThrow("byte layout")
  })
})
