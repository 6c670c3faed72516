/** Replies into bytes: any reply, in RESP2 and RESP3, reads back as what the protocol says it must be. */
import * as Fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ReplyBuffer } from "../../../src/net/resp/encoder.ts"
import {
  Double,
  MapReply,
  nilArray,
  noReply,
  ok,
  Push,
  type Reply,
  ReplyError,
  SetReply,
  Status,
  Verbatim
} from "../../../src/net/resp/reply.ts"
import * as Pack from "../../../src/projections/memory/pack.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { forSeeds, Random } from "../../support/random.ts"
import { parseReply, replyEnd, type TypedReply } from "../../support/resp.ts"

const encode = (reply: Reply, protocol: number): Buffer => {
  const out = new ReplyBuffer()
  out.write(reply, protocol)
  return bytesOf(out)
}

const bytesOf = (out: ReplyBuffer): Buffer => {
  const { length } = out
  const bytes = Buffer.concat(out.take())
  expect(bytes.length).toBe(length)
  expect(out.length).toBe(0)
  return bytes
}

const bulk = (value: Uint8Array | string): TypedReply => ({ type: "bulk", value: Buffer.from(value as Uint8Array) })

/** What a client must see: the reply kinds of `reply.ts` in the words of the protocol. */
const seen = (reply: Reply, protocol: number): TypedReply => {
  const all = (items: ReadonlyArray<Reply>) => items.map((item) => seen(item, protocol))
  const three = protocol === 3
  if (reply === null) return { type: "null", form: three ? "resp3" : "bulk" }
  if (reply === nilArray) return { type: "null", form: three ? "resp3" : "array" }
  if (typeof reply === "number" || typeof reply === "bigint") return { type: "integer", value: BigInt(reply) }
  if (typeof reply === "boolean") {
    return three ? { type: "bool", value: reply } : { type: "integer", value: reply ? 1n : 0n }
  }
  if (typeof reply === "string") return bulk(reply)
  if (reply instanceof Slice) return bulk(reply.toBytes())
  if (reply instanceof Uint8Array) return bulk(reply)
  if (reply instanceof Status) return { type: "status", value: reply.text }
  if (reply instanceof ReplyError) return { type: "error", value: reply.text }
  if (Array.isArray(reply)) return { type: "array", items: all(reply) }
  if (reply instanceof SetReply) return { type: three ? "set" : "array", items: all(reply.members) }
  if (reply instanceof Push) return { type: three ? "push" : "array", items: all(reply.items) }
  if (reply instanceof MapReply) {
    return three
      ? { type: "map", entries: reply.pairs.map(([key, value]) => [seen(key, protocol), seen(value, protocol)]) }
      : { type: "array", items: all(reply.pairs.flat()) }
  }
  if (reply instanceof Verbatim) {
    return three ? { type: "verbatim", format: reply.format, value: Buffer.from(reply.text) } : bulk(reply.text)
  }
  if (reply instanceof Double) {
    const { text, value } = reply
    if (text === undefined) throw new Error("compared by value")
    return three ? { type: "double", text, value } : bulk(text)
  }
  throw new Error("not a reply that is sent")
}

const latin1Line = Fc.string({ unit: Fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)) })
const bytes = Fc.uint8Array({ maxLength: 100 })
const int64 = Fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

const { reply: anyReply } = Fc.letrec<{ reply: Reply }>((tie) => {
  const items = Fc.array(tie("reply"), { maxLength: 6 })
  return {
    reply: Fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      Fc.constantFrom<Reply>(
        null,
        nilArray,
        true,
        false,
        ok,
        0,
        1,
        -1,
        9,
        10,
        99,
        100,
        2 ** 31 - 1,
        2 ** 31,
        -(2 ** 31)
      ),
      Fc.maxSafeInteger(),
      Fc.integer(),
      int64,
      Fc.string({ unit: "grapheme" }),
      bytes,
      bytes.chain((value) =>
        Fc.tuple(Fc.nat(value.length), Fc.nat(value.length)).map(([a, b]) =>
          new Slice(value, Math.min(a, b), Math.abs(a - b))
        )
      ),
      latin1Line.map((text) => new Status(text)),
      latin1Line.map((text) => new ReplyError(`ERR ${text}`)),
      Fc.double({ noNaN: true }).map((value) => new Double(value, Object.is(value, -0) ? "-0" : String(value))),
      Fc.tuple(Fc.string({ unit: "grapheme" }), Fc.constantFrom("txt", "mkd")).map(([text, format]) =>
        new Verbatim(text, format)
      ),
      items,
      items.map((members) => new SetReply(members)),
      items.map((members) => new Push(members)),
      Fc.array(Fc.tuple(tie("reply"), tie("reply")), { maxLength: 4 }).map((pairs) => new MapReply(pairs))
    )
  }
})

describe("encoder", () => {
  it.each([2, 3])("writes every reply so that it reads back in RESP%i", (protocol) => {
    Fc.assert(
      Fc.property(anyReply, (reply) => {
        expect(parseReply(encode(reply, protocol))).toEqual(seen(reply, protocol))
      }),
      { numRuns: 3_000 }
    )
  })

  it.each([2, 3])("writes doubles so that nothing is lost in RESP%i", (protocol) => {
    Fc.assert(
      Fc.property(Fc.double(), (value) => {
        const reply = parseReply(encode(new Double(value), protocol))
        const text = reply.type === "double" ? reply.text : reply.type === "bulk" ? reply.value.toString() : "?"
        const read = text === "inf" ? Infinity : text === "-inf" ? -Infinity : text === "nan" ? NaN : Number(text)
        expect(Object.is(read, value), `${value} as ${text}`).toBe(true)
      }),
      { numRuns: 3_000 }
    )
  })

  it("writes whole doubles without a string and as with one", () => {
    for (const size of [1, 9, 10, 99, 1234, 10_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 53]) {
      for (const value of [size, -size]) {
        const text = String(value)
        expect(encode(new Double(value), 2).toString()).toBe(`$${text.length}\r\n${text}\r\n`)
        expect(encode(new Double(value), 3).toString()).toBe(`,${text}\r\n`)
      }
    }
  })

  it("writes the elements of a pack as bulk strings, wherever chunks end", () => {
    forSeeds(20, (random) => {
      const texts = Array.from({ length: random.below(12_000) }, () => {
        const kind = random.below(100)
        if (kind < 8) return String(random.pick([0, -1, 127, 4095, -32_768, 8_000_000, 2 ** 31, 2 ** 53]))
        const length = kind < 12 ? random.below(6000) : kind < 30 ? random.below(70) : random.below(12)
        return "x".repeat(length)
      })
      const size = texts.reduce((sum, text) => sum + Pack.encodedSize(Slice.latin1(text)), 0)
      const pack = new Uint8Array(size + 3)
      let at = 3
      for (const text of texts) at = Pack.encode(pack, at, Slice.latin1(text))
      const out = new ReplyBuffer()
      const before = random.below(50)
      for (let i = 0; i < before; i++) out.integer(1)
      out.pack(pack, 3, texts.length)
      const expected = ":1\r\n".repeat(before) + texts.map((text) => `$${text.length}\r\n${text}\r\n`).join("")
      expect(bytesOf(out).toString("latin1") === expected).toBe(true)
    })
  })

  it("writes each kind as the protocol has it", () => {
    const both = (reply: Reply) => [encode(reply, 2).toString("latin1"), encode(reply, 3).toString("latin1")]
    expect(both(null)).toEqual(["$-1\r\n", "_\r\n"])
    expect(both(nilArray)).toEqual(["*-1\r\n", "_\r\n"])
    expect(both(true)).toEqual([":1\r\n", "#t\r\n"])
    expect(both(false)).toEqual([":0\r\n", "#f\r\n"])
    expect(both(-0)).toEqual([":0\r\n", ":0\r\n"])
    expect(both(-(2n ** 63n))).toEqual([":-9223372036854775808\r\n", ":-9223372036854775808\r\n"])
    expect(both(new Double(1.5))).toEqual(["$3\r\n1.5\r\n", ",1.5\r\n"])
    expect(both(new Double(-Infinity))).toEqual(["$4\r\n-inf\r\n", ",-inf\r\n"])
    expect(both(new Verbatim("hé"))).toEqual(["$3\r\nh\xc3\xa9\r\n", "=7\r\ntxt:h\xc3\xa9\r\n"])
    expect(both(new MapReply([["a", 1]]))).toEqual(["*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n"])
    expect(both(new SetReply([1]))).toEqual(["*1\r\n:1\r\n", "~1\r\n:1\r\n"])
    expect(both(new Push(["m"]))).toEqual(["*1\r\n$1\r\nm\r\n", ">1\r\n$1\r\nm\r\n"])
    expect(both(noReply)).toEqual(["", ""])
  })

  it("gives back in errors the bytes a client sent, but no line break", () => {
    expect(encode(new ReplyError("ERR '\xff\x80' \r\n x"), 2).toString("latin1")).toBe("-ERR '\xff\x80'    x\r\n")
    expect(encode(new ReplyError("ERR …"), 2).toString()).toBe("-ERR …\r\n")
  })

  it("writes numbers of every width", () => {
    for (let digits = 1; digits <= 10; digits++) {
      for (const n of [10 ** (digits - 1), 10 ** digits - 1]) {
        expect(encode(n, 2).toString()).toBe(`:${n}\r\n`)
        expect(encode(-n, 2).toString()).toBe(`:${-n}\r\n`)
      }
    }
  })

  it("keeps replies whole across the borders of chunks", () => {
    const random = new Random(5)
    const out = new ReplyBuffer()
    for (const around of [16 * 1024, 32 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024]) {
      for (let before = 0; before < 120; before += 7) {
        const first = random.bytes(Math.max(0, around - before - 40))
        const rest = [random.bytes(before), random.bytes(60)]
        for (const value of [first, ...rest]) out.write(value, 2)
        const wire = bytesOf(out)
        let at = 0
        for (const value of [first, ...rest]) {
          const end = replyEnd(wire, at)
          const reply = parseReply(wire.subarray(at, end))
          expect(reply.type === "bulk" && reply.value.equals(value)).toBe(true)
          at = end
        }
        expect(at).toBe(wire.length)
      }
    }
  })

  it("leaves chunks alone once they are taken, and mixes nothing when chunks are used again", () => {
    forSeeds(100, (random) => {
      const taken: Array<{ chunks: Array<Uint8Array>; expected: Buffer }> = []
      const out = new ReplyBuffer()
      for (let i = 0; i < 30; i++) {
        const values = Array.from(
          { length: 1 + random.below(20) },
          () => random.bytes(random.chance(0.05) ? random.below(300_000) : random.below(3000))
        )
        const expected = Buffer.concat(values.flatMap((value) => [
          Buffer.from(`$${value.length}\r\n`),
          value,
          Buffer.from("\r\n")
        ]))
        for (const value of values) out.write(value, 2)
        if (random.chance(0.5)) taken.push({ chunks: out.take(), expected })
        else {
          expect(Buffer.concat([...out.full, out.chunk.subarray(0, out.used)]).equals(expected)).toBe(true)
          out.clear()
        }
      }
      for (const { chunks, expected } of taken) expect(Buffer.concat(chunks).equals(expected)).toBe(true)
    })
  })

  it("writes a reply of 64 MiB into one chunk, and a million small ones into few", () => {
    const out = new ReplyBuffer()
    out.write(new Uint8Array(64 * 1024 * 1024), 2)
    expect(out.take().length).toBe(1)
    for (let i = 0; i < 1_000_000; i++) out.write(i, 2)
    expect(out.full.length).toBeLessThan(60)
    const wire = bytesOf(out)
    expect(wire.subarray(0, 8).toString()).toBe(":0\r\n:1\r\n")
    expect(wire.subarray(-9).toString()).toBe(":999999\r\n")
    const nested: Array<Reply> = []
    for (let i = 0; i < 100_000; i++) nested.push([i, `value ${i}`, null])
    const reply = parseReply(encode(nested, 3))
    expect(reply.type === "array" && reply.items.length).toBe(100_000)
  })
})
