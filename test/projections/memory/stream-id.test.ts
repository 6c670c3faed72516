import { describe, expect, it } from "vitest"
import { scoreOfId } from "../../../src/projections/memory/ranked-ids.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import {
  advance,
  compareIds,
  greatestId,
  idTextBytes,
  leastId,
  parseId,
  retreat,
  SequenceForm,
  StreamId,
  writeId
} from "../../../src/projections/memory/stream-id.ts"
import { forSeeds, type Random } from "../../support/random.ts"

const span = 2n ** 64n

/** Mostly near where a word, a number or a group of digits ends. */
const integer = (random: Random): bigint => {
  const edge = random.pick([0n, 10n ** 8n, 10n ** 16n, 2n ** 32n, 2n ** 47n, 2n ** 48n, 2n ** 53n, 2n ** 63n, span])
  const near = edge + BigInt(random.between(-3, 3))
  if (random.chance(0.5)) return ((near % span) + span) % span
  return BigInt(random.uint32()) << BigInt(random.below(33)) | BigInt(random.below(1000))
}

const textOf = (id: StreamId): string => {
  const out = new Uint8Array(idTextBytes)
  return Buffer.from(out.subarray(0, writeId(out, 0, id))).toString()
}

const scoreBits = (id: StreamId): bigint => new BigUint64Array(new Float64Array([scoreOfId(id)]).buffer)[0]!

describe("ids of streams", () => {
  it("are written, read, compared and counted like pairs of 64-bit integers", () => {
    forSeeds(20, (random) => {
      for (let i = 0; i < 2000; i++) {
        const [ms, seq] = [integer(random), integer(random)]
        const id = StreamId.of(ms, seq)
        expect(textOf(id)).toBe(`${ms}-${seq}`)
        expect(String(id)).toBe(`${ms}-${seq}`)
        const again = new StreamId()
        expect(parseId(Slice.latin1(`${ms}-${seq}`), again)).toBe(SequenceForm.given)
        expect(compareIds(again, id)).toBe(0)
        const whole = ms * span + seq
        const [otherMs, otherSeq] = [random.chance(0.5) ? ms : integer(random), integer(random)]
        const other = StreamId.of(otherMs, otherSeq)
        const otherWhole = otherMs * span + otherSeq
        expect(Math.sign(compareIds(id, other))).toBe(whole < otherWhole ? -1 : whole > otherWhole ? 1 : 0)
        // The score never puts two ids in the wrong order.
        if (whole < otherWhole) expect(scoreBits(id) <= scoreBits(other)).toBe(true)
        expect(advance(id)).toBe(whole !== span * span - 1n)
        if (whole !== span * span - 1n) expect(String(id)).toBe(`${(whole + 1n) / span}-${(whole + 1n) % span}`)
        expect(retreat(other)).toBe(otherWhole !== 0n)
        if (otherWhole !== 0n) expect(String(other)).toBe(`${(otherWhole - 1n) / span}-${(otherWhole - 1n) % span}`)
      }
    })
  })

  it("are nothing else", () => {
    const id = new StreamId()
    for (
      const text of ["", "-", "1-", "-1", "a", "1-a", "1-1-1", "18446744073709551616", "1-18446744073709551616", "1 "]
    ) {
      expect(parseId(Slice.latin1(text), id), text).toBe(-1)
    }
    expect(parseId(Slice.latin1("7"), id)).toBe(SequenceForm.missing)
    expect(parseId(Slice.latin1("7-*"), id)).toBe(SequenceForm.star)
    expect(String(leastId)).toBe("0-0")
    expect(String(greatestId)).toBe("18446744073709551615-18446744073709551615")
  })
})
