import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { xxh3, xxh3Hex } from "../../../src/projections/structures/xxh3.ts"

/** The bytes of the reference implementation's self-test. */
const testBytes = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  let state = 2654435761n
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(state >> 56n)
    state = (state * 11400714785074694797n) & 0xffff_ffff_ffff_ffffn
  }
  return bytes
}

describe("XXH3, 64 bits", () => {
  it.each([
    [0, "2d06800538d394c2"],
    [1, "c44bdff4074eecdb"],
    [6, "27b56a84cd2d7325"],
    [12, "a713daf0dfbb77e7"],
    [24, "a3fe70bf9d3510eb"],
    [48, "397da259ecba1f11"],
    [80, "bcdefbbb2c47c90a"],
    [195, "cd94217ee362ec3a"],
    [403, "cdeb804d65c6dea4"],
    [512, "617e49599013cb6b"],
    [2048, "dd59e2c3a5f038e0"],
    [2240, "6e73a90539cf2948"],
    [2367, "cb37aeb9e5d361ed"]
  ])("agrees with the published vector of %i bytes", (length, hash) => {
    expect(xxh3Hex(new Slice(testBytes(length)))).toBe(hash)
  })

  it("agrees with the reference library for every length below 3200", () => {
    const bytes = Buffer.concat([Buffer.from("abc"), testBytes(3200)])
    const hashes = Array.from({ length: 3200 }, (_, length) => xxh3Hex(new Slice(bytes, 3, length)))
    expect(createHash("sha256").update(hashes.join("\n")).digest("hex")).toBe(
      "47cc5b09db325b866cbbb1b28ae5bfd025063dca2d75415391bbd935d1d84c68"
    )
  })

  it("is the digest of the documentation, with leading zeros", () => {
    expect(xxh3Hex(Slice.latin1("Hello world"))).toBe("b6acb9d84a38ff74")
    expect(xxh3Hex(Slice.latin1("v8"))).toBe("0cc76dbb41381419")
    expect(xxh3(Slice.latin1("v8"))).toBe(0x0cc7_6dbb_4138_1419n)
  })
})
