import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import {
  add,
  compare,
  formatLongDouble,
  isFinite,
  largest,
  type LongDouble,
  negativeInfinity,
  parseLongDouble,
  positiveInfinity,
  smallest,
  subtract,
  zero
} from "../../../src/projections/structures/long-double.ts"

/** [a, b, what Redis 7.0.15 on x86-64 makes of a + b], recorded from INCRBYFLOAT. */
const recorded = JSON.parse(
  readFileSync(new URL("./long-double-vectors.json", import.meta.url), "utf8")
) as ReadonlyArray<readonly [string, string, string]>

const sumText = (a: string, b: string): string => {
  const left = parseLongDouble(a)
  const right = parseLongDouble(b)
  if (left === undefined || right === undefined) return "not a float"
  const sum = add(left, right)
  return sum === undefined ? "not finite" : formatLongDouble(sum)
}

const parsed = (text: string): LongDouble => {
  const value = parseLongDouble(text)
  if (value === undefined) throw new Error(`no number: ${text}`)
  return value
}

/** A decimal as sign, digits and power of ten. */
const decimal = fc.record({
  negative: fc.boolean(),
  digits: fc.bigInt({ min: 1n, max: 10n ** 30n }),
  exponent: fc.integer({ min: -60, max: 60 })
})

describe("long double", () => {
  it("prints the sums a real server prints", () => {
    const different = recorded.filter(([a, b, sum]) => sumText(a, b) !== sum)
    expect(different).toEqual([])
    expect(recorded.length).toBeGreaterThan(500)
  })

  it("reads numbers in C's notations", () => {
    const same = (a: string, b: string): void => expect(compare(parsed(a), parsed(b)), `${a} ${b}`).toBe(0)
    same("0x1.8p1", "3")
    same("0X10", "16")
    same("0x.8", ".5")
    same("5.", "+5")
    same("1E2", "100")
    same("00012", "12")
    same("-0", "0")
    same("0e999999999999999999", "0")
    same(`${"0".repeat(5118)}7`, "7")
    same("18446744073709551617", "18446744073709551616")
    same("1.18973149535723176503e4932", "1.18973149535723176502e4932")
    expect(parseLongDouble("inf")).toBe(positiveInfinity)
    expect(parseLongDouble("-Infinity")).toBe(negativeInfinity)
  })

  it.each([
    "",
    " ",
    "1 ",
    " 1",
    "\t1",
    "+",
    "-",
    ".",
    "+.",
    "1e",
    "1e+",
    "0x",
    "0x.",
    "0x1p",
    "0x1p+",
    "--1",
    "+-1",
    "1_0",
    "1,0",
    "1L",
    "1f",
    "0b1",
    "0x1g",
    "1e1.5",
    "1.1.1",
    "infi",
    "infinityx",
    "nan",
    "-nan",
    "nan(1)",
    "1\0",
    "1e4933",
    "1.19e4932",
    "0x1p16384",
    "1e99999999999999999999",
    "1e-4970",
    "1e-5000",
    "1e-99999999999999999999",
    "0".repeat(5119) + "7"
  ])("does not take %j for a number", (text) => {
    expect(parseLongDouble(text)).toBeUndefined()
  })

  it("reaches from the smallest subnormal to the largest number", () => {
    expect(parsed("3.6451995318824746025e-4951")).toEqual({ mantissa: 1n, exponent: -16445 })
    expect(parsed("0x1p-16445")).toEqual({ mantissa: 1n, exponent: -16445 })
    expect(parseLongDouble("0x1p-16446")).toBeUndefined()
    expect(parsed("0x3p-16446")).toEqual({ mantissa: 2n, exponent: -16445 })
    expect(compare(parsed("0x1.fffffffffffffffep16383"), largest)).toBe(0)
    expect(parseLongDouble("0x1.ffffffffffffffffp16383")).toBeUndefined()
  })

  it("has no finite sum of infinities or beyond the largest", () => {
    expect(add(largest, largest)).toBeUndefined()
    expect(subtract(smallest, largest)).toBeUndefined()
    expect(add(positiveInfinity, zero)).toBeUndefined()
    expect(subtract(positiveInfinity, positiveInfinity)).toBeUndefined()
    expect(subtract(largest, largest)).toEqual(zero)
    expect(add(largest, parsed("1"))).toEqual(largest)
  })

  it("orders infinities outside of everything", () => {
    const ascending = [
      negativeInfinity,
      smallest,
      parsed("-1e-4950"),
      zero,
      parsed("1e-4950"),
      largest,
      positiveInfinity
    ]
    for (let i = 0; i < ascending.length; i++) {
      for (let j = 0; j < ascending.length; j++) {
        expect(Math.sign(compare(ascending[i]!, ascending[j]!))).toBe(Math.sign(i - j))
      }
    }
    expect(isFinite(largest)).toBe(true)
    expect(isFinite(negativeInfinity)).toBe(false)
  })

  it("rounds to the nearest number of 64 bits, ties to even", () => {
    fc.assert(
      fc.property(decimal, ({ digits, exponent, negative }) => {
        const value = parsed(`${negative ? "-" : ""}${digits}e${exponent}`)
        // Both sides times 10^60 · 2^400, so that everything is an integer.
        const scale = 1n << 400n
        const exact = digits * 10n ** BigInt(exponent + 60) * scale
        const got = (value.mantissa < 0n ? -value.mantissa : value.mantissa) * 10n ** 60n
          * (1n << BigInt(value.exponent + 400))
        // One unit in the last place, of a mantissa filled up to 64 bits.
        const magnitude = value.mantissa < 0n ? -value.mantissa : value.mantissa
        const unit = 10n ** 60n * (1n << BigInt(value.exponent + 400 + magnitude.toString(2).length - 64))
        const error = got > exact ? got - exact : exact - got
        expect(error * 2n <= unit).toBe(true)
        expect(value.mantissa < 0n).toBe(negative)
        if (error * 2n === unit) expect((got / unit) % 2n).toBe(0n)
      }),
      { numRuns: 500 }
    )
  })

  it("adds integers of 63 bits exactly, in any order, and takes them away again", () => {
    const integer = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        expect(sumText(String(a), String(b))).toBe(String(a + b))
        expect(sumText(String(b), String(a))).toBe(String(a + b))
        expect(formatLongDouble(subtract(parsed(String(a)), parsed(String(b)))!)).toBe(String(a - b))
      }),
      { numRuns: 300 }
    )
  })

  it("prints doubles as toFixed does, as far as that is exact", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (value) => {
        // Exact, for a double has at most 52 decimals here; a tie goes to the even neighbour in C, upwards in toFixed.
        const decimals = 60
        const exact = value.toFixed(decimals)
        const isTie = /\.\d{17}50+$/.test(exact)
        const keeps = isTie && Number(exact.at(-44)) % 2 === 0
        const text = (keeps ? exact.slice(0, -43) : value.toFixed(17)).replace(/\.?0+$/, "")
        // A double given in hexadecimal is exact in both formats.
        const bits = new DataView(new ArrayBuffer(8))
        bits.setFloat64(0, Math.abs(value))
        const raw = bits.getBigUint64(0)
        const exponent = Number(raw >> 52n)
        const mantissa = (raw & 0xf_ffff_ffff_ffffn) | (exponent === 0 ? 0n : 1n << 52n)
        const hexadecimal = `${value < 0 ? "-" : ""}0x${mantissa.toString(16)}p${Math.max(exponent, 1) - 1075}`
        expect(formatLongDouble(parsed(hexadecimal))).toBe(text === "-0" ? "0" : text)
      }),
      { numRuns: 500 }
    )
  })

  it("keeps decimals below 128, where 17 decimals are coarser than the format", () => {
    const text = fc.tuple(fc.integer({ min: -127, max: 127 }), fc.stringMatching(/^\d{0,14}[1-9]$/))
      .map(([whole, fraction]) => `${whole}.${fraction}`)
    fc.assert(fc.property(text, (number) => {
      expect(formatLongDouble(parsed(number))).toBe(number)
    }))
  })
})
