import { describe, expect, it } from "vitest"
import * as Pack from "../../../src/projections/memory/pack.ts"
import { compareSlices, Slice } from "../../../src/projections/memory/slice.ts"
import { forSeeds, type Random } from "../../support/random.ts"

const integers = [
  0n,
  1n,
  127n,
  128n,
  -1n,
  4095n,
  4096n,
  -4096n,
  -4097n,
  32_767n,
  32_768n,
  -32_768n,
  -32_769n,
  8_388_607n,
  8_388_608n,
  -8_388_608n,
  -8_388_609n,
  2_147_483_647n,
  2_147_483_648n,
  -2_147_483_648n,
  -2_147_483_649n,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 53n - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 63n,
  -(2n ** 63n) - 1n
]
const odd = ["", "-0", "+1", "01", "1.5", " 1", "-", "abc", "9223372036854775807", "\xff\0\x80"]

const element = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.3) return `${random.pick(integers)}`
  if (dice < 0.5) return `${random.between(-70_000, 70_000)}`
  if (dice < 0.6) return random.pick(odd)
  const length = random.chance(0.02)
    ? random.pick([4095, 4096, 16_380, 16_384, 70_000])
    : random.pick([1, 3, 62, 63, 64, 65, 200])
  return Buffer.from(random.bytes(length)).toString("latin1")
}

const packOf = (elements: ReadonlyArray<string>): Uint8Array => {
  const bytes = new Uint8Array(elements.reduce((sum, text) => sum + Pack.encodedSize(Slice.latin1(text)), 0))
  let at = 0
  for (const text of elements) at = Pack.encode(bytes, at, Slice.latin1(text))
  expect(at).toBe(bytes.length)
  return bytes
}

describe("pack", () => {
  it("gives back what was put in, in both directions, and finds it", () => {
    forSeeds(1500, (random) => {
      const elements = Array.from({ length: random.below(30) }, () => element(random))
      const bytes = packOf(elements)
      const into = new Slice()
      const digits = new Uint8Array(Pack.digitsBytes)
      const found: Array<string> = []
      for (let at = 0; at < bytes.length; at += Pack.sizeAt(bytes, at)) {
        const text = Pack.textAt(bytes, at, into, digits).latin1()
        found.push(text)
        expect(Pack.lengthOfText(bytes, at)).toBe(text.length)
        if (Pack.isInteger(bytes, at)) expect(`${Pack.integerAt(bytes, at)}`).toBe(text)
        else expect(`${Number.parseInt(text, 10)}` === text && Math.abs(Number(text)) < 2 ** 53).toBe(false)
      }
      expect(found).toEqual(elements)
      const backwards: Array<string> = []
      for (let at = bytes.length; at > 0;) {
        at = Pack.previous(bytes, at)
        backwards.push(Pack.textAt(bytes, at, into, digits).latin1())
      }
      expect(backwards.reverse()).toEqual(elements)
      expect(Pack.countElements(bytes, 0, bytes.length)).toBe(elements.length)
      expect(Pack.isPack(bytes, 0, bytes.length)).toBe(true)
      const needle = new Pack.Needle()
      const wanted = random.chance(0.8) && elements.length > 0 ? random.pick(elements) : element(random)
      const at = Pack.find(bytes, 0, bytes.length, needle.set(Slice.latin1(wanted)), 1)
      const index = elements.indexOf(wanted)
      expect(at).toBe(index < 0 ? -1 : Pack.skip(bytes, 0, index))
      if (elements.length % 2 === 0) {
        const even = elements.findIndex((text, i) => i % 2 === 0 && text === wanted)
        expect(Pack.find(bytes, 0, bytes.length, needle, 2)).toBe(even < 0 ? -1 : Pack.skip(bytes, 0, even))
      }
    })
  })

  it("orders elements as their texts, without making them", () => {
    forSeeds(1500, (random) => {
      const wanted = Slice.latin1(element(random))
      for (let i = 0; i < 10; i++) {
        const text = random.chance(0.1) ? wanted.latin1() : element(random)
        const sign = Math.sign(Pack.compareAt(packOf([text]), 0, wanted))
        expect(sign).toBe(Math.sign(compareSlices(Slice.latin1(text), wanted)))
      }
    })
  })

  it("has the same bytes for equal texts only", () => {
    forSeeds(1500, (random) => {
      const [a, b] = [element(random), random.chance(0.3) ? `${random.between(-300, 300)}` : element(random)]
      const needle = new Pack.Needle().set(Slice.latin1(a))
      expect(Buffer.from(needle.bytes.subarray(0, needle.length)).equals(packOf([a]))).toBe(true)
      expect(Buffer.from(packOf([a])).equals(packOf([b]))).toBe(a === b)
      expect(Pack.isAt(packOf([b]), 0, needle)).toBe(a === b)
      const integer = /^(0|-?[1-9][0-9]*)$/.test(a) && BigInt.asIntN(64, BigInt(a)) === BigInt(a)
      expect(Pack.isInteger(packOf([a]), 0)).toBe(integer)
    })
  })

  it("has the bytes of a listpack", () => {
    const hex = (text: string): string => Buffer.from(packOf([text])).toString("hex")
    expect(hex("127")).toBe("7f01")
    expect(hex("-1")).toBe("dfff02")
    expect(hex("4095")).toBe("cfff02")
    expect(hex("4096")).toBe("f1001003")
    expect(hex("-32769")).toBe("f2ff7fff04")
    expect(hex("2147483647")).toBe("f3ffffff7f05")
    expect(hex("4294967296")).toBe("f4000000000100000009")
    expect(hex("ab")).toBe("82616203")
    expect(hex("x".repeat(64)).slice(0, 6)).toBe("e04078")
    expect(hex("x".repeat(200)).slice(-4)).toBe("01ca")
  })

  it("knows bytes that are no pack", () => {
    forSeeds(20_000, (random) => {
      const bytes = random.bytes(random.below(40))
      const sound = Pack.isPack(bytes, 0, bytes.length)
      if (!sound) return
      const into = new Slice()
      const digits = new Uint8Array(Pack.digitsBytes)
      for (let at = 0; at < bytes.length; at += Pack.sizeAt(bytes, at)) {
        const { length, start } = Pack.textAt(bytes, at, into, digits)
        expect(into.bytes === digits || start + length <= bytes.length).toBe(true)
      }
    })
    const whole = packOf(["some text", "12", "-70000", "x".repeat(100)])
    for (let end = 1; end < whole.length; end++) {
      const cut = Pack.isPack(whole, 0, end)
      expect(cut).toBe([11, 13, 18].includes(end))
    }
  })
})
