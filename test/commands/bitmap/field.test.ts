import { describe, expect, it } from "vitest"
import { type Bits, bitsOf, bytesOf } from "../../support/bit-model.ts"
import { Harness } from "../../support/harness.ts"
import { forSeeds, type Random, scaled } from "../../support/random.ts"
import { script } from "./support.ts"

describe("BITFIELD", () => {
  it("sets, reads and adds to integers of any size at any bit", () => {
    expect(script(`
      BITFIELD k INCRBY i5 100 1 GET u4 0
      BITFIELD k SET u8 #1 255 GET u8 #1 GET i8 #1 GET u4 10
      BITFIELD k SET i64 3 -9223372036854775808 GET i64 3 GET u63 4
      BITFIELD k SET u63 1 9223372036854775807 GET u63 1 GET i64 0
      BITFIELD k GET u1 100000
      BITFIELD k
      BITFIELD none GET u8 0
      EXISTS none
      SET n 12
      BITFIELD n GET u8 0 SET u8 0 51
      GET n
      OBJECT ENCODING n
    `)).toMatchInlineSnapshot(`
      "> BITFIELD k INCRBY i5 100 1 GET u4 0
        #2 StringRangeSet key=k offset=12 value=\\x00\\x80
      [(integer) 1, (integer) 0]
      > BITFIELD k SET u8 #1 255 GET u8 #1 GET i8 #1 GET u4 10
        #3 StringRangeSet key=k offset=1 value=\\xff
      [(integer) 0, (integer) 255, (integer) -1, (integer) 15]
      > BITFIELD k SET i64 3 -9223372036854775808 GET i64 3 GET u63 4
        #4 StringRangeSet key=k offset=0 value=\\x10\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      [(integer) 574208952489738240, (integer) -9223372036854775808, (integer) 0]
      > BITFIELD k SET u63 1 9223372036854775807 GET u63 1 GET i64 0
        #5 StringRangeSet key=k offset=0 value=\\x7f\\xff\\xff\\xff\\xff\\xff\\xff\\xff
      [(integer) 1152921504606846976, (integer) 9223372036854775807, (integer) 9223372036854775807]
      > BITFIELD k GET u1 100000
      [(integer) 0]
      > BITFIELD k
      []
      > BITFIELD none GET u8 0
      [(integer) 0]
      > EXISTS none
      (integer) 0
      > SET n 12
        #6 StringSet key=n value=12 expireAt=null
      OK
      > BITFIELD n GET u8 0 SET u8 0 51
        #7 StringRangeSet key=n offset=0 value=3
      [(integer) 49, (integer) 49]
      > GET n
      "32"
      > OBJECT ENCODING n
      "raw""
    `)
  })

  it("wraps, stops at the limits or does nothing when a value does not fit", () => {
    expect(script(`
      BITFIELD k SET u8 0 255 INCRBY u8 0 1
      BITFIELD k OVERFLOW SAT INCRBY u8 0 300 INCRBY u8 0 -300
      BITFIELD k OVERFLOW FAIL INCRBY u8 0 -1 INCRBY u8 0 256 INCRBY u8 0 255
      BITFIELD k OVERFLOW sat SET u8 0 -1 GET u8 0 OVERFLOW WRAP SET u8 0 257 GET u8 0
      BITFIELD k INCRBY i8 #1 127 INCRBY i8 #1 1 OVERFLOW SAT INCRBY i8 #1 -1 INCRBY i8 #1 1000
      BITFIELD k SET i64 #1 9223372036854775807 INCRBY i64 #1 1 OVERFLOW FAIL INCRBY i64 #1 -1
      BITFIELD k OVERFLOW FAIL SET i4 0 8 SET i4 0 -9 SET i4 0 -8
      BITFIELD f OVERFLOW SAT SET i8 0 -9223372036854775681 GET i8 0 SET i8 0 -9223372036854775680 GET i8 0
      BITFIELD f OVERFLOW SAT SET i1 0 -9223372036854775808 GET i1 0 SET i64 0 -9223372036854775808 GET i64 0
    `)).toMatchInlineSnapshot(`
      "> BITFIELD k SET u8 0 255 INCRBY u8 0 1
        #2 StringRangeSet key=k offset=0 value=\\x00
      [(integer) 0, (integer) 0]
      > BITFIELD k OVERFLOW SAT INCRBY u8 0 300 INCRBY u8 0 -300
        #3 StringRangeSet key=k offset=0 value=\\x00
      [(integer) 255, (integer) 0]
      > BITFIELD k OVERFLOW FAIL INCRBY u8 0 -1 INCRBY u8 0 256 INCRBY u8 0 255
        #4 StringRangeSet key=k offset=0 value=\\xff
      [(nil), (nil), (integer) 255]
      > BITFIELD k OVERFLOW sat SET u8 0 -1 GET u8 0 OVERFLOW WRAP SET u8 0 257 GET u8 0
        #5 StringRangeSet key=k offset=0 value=\\x01
      [(integer) 255, (integer) 255, (integer) 255, (integer) 1]
      > BITFIELD k INCRBY i8 #1 127 INCRBY i8 #1 1 OVERFLOW SAT INCRBY i8 #1 -1 INCRBY i8 #1 1000
        #6 StringRangeSet key=k offset=1 value=\\x7f
      [(integer) 127, (integer) -128, (integer) -128, (integer) 127]
      > BITFIELD k SET i64 #1 9223372036854775807 INCRBY i64 #1 1 OVERFLOW FAIL INCRBY i64 #1 -1
        #7 StringRangeSet key=k offset=8 value=\\x80\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      [(integer) 0, (integer) -9223372036854775808, (nil)]
      > BITFIELD k OVERFLOW FAIL SET i4 0 8 SET i4 0 -9 SET i4 0 -8
        #8 StringRangeSet key=k offset=0 value=\\x81
      [(nil), (nil), (integer) 0]
      > BITFIELD f OVERFLOW SAT SET i8 0 -9223372036854775681 GET i8 0 SET i8 0 -9223372036854775680 GET i8 0
        #9 StringRangeSet key=f offset=0 value=\\x80
      [(integer) 0, (integer) 127, (integer) 127, (integer) -128]
      > BITFIELD f OVERFLOW SAT SET i1 0 -9223372036854775808 GET i1 0 SET i64 0 -9223372036854775808 GET i64 0
        #10 StringRangeSet key=f offset=0 value=\\x80\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      [(integer) -1, (integer) 0, (integer) 0, (integer) -9223372036854775808]"
    `)
  })

  it("makes room up to the last field even where nothing fits, and records only bytes it wrote", () => {
    expect(script(`
      BITFIELD k OVERFLOW FAIL INCRBY u2 100 5
      STRLEN k
      BITFIELD k OVERFLOW FAIL INCRBY u2 100 5
      BITFIELD k SET u8 0 1 SET u8 8 2 SET u4 80 3 SET u8 4 9
      BITFIELD k OVERFLOW FAIL SET u8 0 7 SET u2 200 5
      SET short abc
      BITFIELD short OVERFLOW FAIL SET u2 0 5
      OBJECT ENCODING short
      GET short
    `)).toMatchInlineSnapshot(`
      "> BITFIELD k OVERFLOW FAIL INCRBY u2 100 5
        #2 StringRangeSet key=k offset=12 value=\\x00
      [(nil)]
      > STRLEN k
      (integer) 13
      > BITFIELD k OVERFLOW FAIL INCRBY u2 100 5
      [(nil)]
      > BITFIELD k SET u8 0 1 SET u8 8 2 SET u4 80 3 SET u8 4 9
        #3 StringRangeSet key=k offset=0 value=\\x00\\x92
        #3 StringRangeSet key=k offset=10 value=0
      [(integer) 0, (integer) 0, (integer) 0, (integer) 16]
      > BITFIELD k OVERFLOW FAIL SET u8 0 7 SET u2 200 5
        #4 StringRangeSet key=k offset=0 value=\\x07
        #4 StringRangeSet key=k offset=25 value=\\x00
      [(integer) 0, (nil)]
      > SET short abc
        #5 StringSet key=short value=abc expireAt=null
      OK
      > BITFIELD short OVERFLOW FAIL SET u2 0 5
        #6 StringRangeSet key=short offset=0 value=a
      [(nil)]
      > OBJECT ENCODING short
      "raw"
      > GET short
      "abc""
    `)
  })

  it("refuses what makes no sense before it does anything", () => {
    expect(script(`
      BITFIELD k SET u8 0 1 GET u64 0
      BITFIELD k GET i65 0
      BITFIELD k GET i0 0
      BITFIELD k GET U8 0
      BITFIELD k GET 8 0
      BITFIELD k GET u8 -1
      BITFIELD k GET u8 #
      BITFIELD k GET u8 #x
      BITFIELD k GET u8 4294967296
      BITFIELD k GET u8
      BITFIELD k SET u8 0
      BITFIELD k SET u8 0 x
      BITFIELD k INCRBY u8 0 9223372036854775808
      BITFIELD k OVERFLOW NONE
      BITFIELD k OVERFLOW
      BITFIELD k PUT u8 0
      BITFIELD list GET u8 0
      BITFIELD list SET u8 0 1
      BITFIELD list SET u8 0 x
      EXISTS k
      BITFIELD
    `)).toMatchInlineSnapshot(`
      "> BITFIELD k SET u8 0 1 GET u64 0
      (error) ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      > BITFIELD k GET i65 0
      (error) ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      > BITFIELD k GET i0 0
      (error) ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      > BITFIELD k GET U8 0
      (error) ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      > BITFIELD k GET 8 0
      (error) ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      > BITFIELD k GET u8 -1
      (error) ERR bit offset is not an integer or out of range
      > BITFIELD k GET u8 #
      (error) ERR bit offset is not an integer or out of range
      > BITFIELD k GET u8 #x
      (error) ERR bit offset is not an integer or out of range
      > BITFIELD k GET u8 4294967296
      (error) ERR bit offset is not an integer or out of range
      > BITFIELD k GET u8
      (error) ERR syntax error
      > BITFIELD k SET u8 0
      (error) ERR syntax error
      > BITFIELD k SET u8 0 x
      (error) ERR value is not an integer or out of range
      > BITFIELD k INCRBY u8 0 9223372036854775808
      (error) ERR value is not an integer or out of range
      > BITFIELD k OVERFLOW NONE
      (error) ERR Invalid OVERFLOW type specified
      > BITFIELD k OVERFLOW
      (error) ERR syntax error
      > BITFIELD k PUT u8 0
      (error) ERR syntax error
      > BITFIELD list GET u8 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITFIELD list SET u8 0 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITFIELD list SET u8 0 x
      (error) ERR value is not an integer or out of range
      > EXISTS k
      (integer) 0
      > BITFIELD
      (error) ERR wrong number of arguments for 'bitfield' command"
    `)
  })

  it("only reads as BITFIELD_RO", () => {
    expect(script(`
      SET k abc
      BITFIELD_RO k GET u8 0 GET i4 #1
      BITFIELD_RO k OVERFLOW SAT GET u8 8
      BITFIELD_RO k SET u8 0 1
      BITFIELD_RO k GET u8 0 INCRBY u8 0 1
      BITFIELD_RO list GET u8 0
      BITFIELD_RO k
    `)).toMatchInlineSnapshot(`
      "> SET k abc
        #2 StringSet key=k value=abc expireAt=null
      OK
      > BITFIELD_RO k GET u8 0 GET i4 #1
      [(integer) 97, (integer) 1]
      > BITFIELD_RO k OVERFLOW SAT GET u8 8
      [(integer) 98]
      > BITFIELD_RO k SET u8 0 1
      (error) ERR BITFIELD_RO only supports the GET subcommand
      > BITFIELD_RO k GET u8 0 INCRBY u8 0 1
      (error) ERR BITFIELD_RO only supports the GET subcommand
      > BITFIELD_RO list GET u8 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITFIELD_RO k
      []"
    `)
  })

  it("answers null in RESP3, too, where a value did not fit", () => {
    const harness = new Harness()
    harness.connection.client.protocol = 3
    expect(harness.run("BITFIELD", "k", "OVERFLOW", "FAIL", "SET", "u1", "0", "2")).toBe("*1\r\n_\r\n")
  })
})

/** A field of a plain array of bits. */
interface Field {
  readonly signed: boolean
  readonly bits: number
  readonly offset: number
}

const readModel = (all: Bits, { bits, offset, signed }: Field): bigint => {
  const value = BigInt(`0b${Array.from({ length: bits }, (_, i) => all[offset + i] ?? 0).join("")}`)
  return signed ? BigInt.asIntN(bits, value) : value
}

const writeModel = (all: Bits, { bits, offset }: Field, value: bigint): void => {
  const digits = BigInt.asUintN(bits, value).toString(2).padStart(bits, "0")
  for (let i = 0; i < bits; i++) all[offset + i] = Number(digits[i])
}

const fit = ({ bits, signed }: Field, value: bigint, overflow: string, sets: boolean): bigint | undefined => {
  const low = signed ? -(2n ** BigInt(bits - 1)) : 0n
  const high = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n
  const wanted = sets && !signed ? BigInt.asUintN(64, value) : value
  if (wanted >= low && wanted <= high) return wanted
  if (overflow === "FAIL") return undefined
  // Redis takes what is 2^63 or more below the upper limit of a signed field for too large.
  const far = sets && signed && bits < 64 && high - wanted >= 2n ** 63n
  if (overflow === "SAT") return wanted > high || far ? high : low
  return signed ? BigInt.asIntN(bits, wanted) : BigInt.asUintN(bits, wanted)
}

const operand = (random: Random): bigint => {
  const size = random.below(64)
  const value = BigInt(random.uint32()) << 32n | BigInt(random.uint32())
  return BigInt.asIntN(64, random.chance(0.3) ? random.pick([1n, -1n]) << BigInt(size) : BigInt.asIntN(size + 1, value))
}

describe("fields of random sizes at random bits", () => {
  it("hold what they would in a plain array of bits", () => {
    forSeeds(scaled(300), (random) => {
      const harness = new Harness()
      let bits: Bits = []
      if (random.chance(0.5)) {
        const value = random.chance(0.3)
          ? Buffer.from(`${random.below(1e9)}`)
          : Buffer.from(random.bytes(random.below(60)))
        harness.run("SET", "k", value)
        bits = bitsOf(value)
      }
      for (let i = 0; i < 12; i++) {
        const words: Array<string> = []
        const expected: Array<string> = []
        let overflow = "WRAP"
        for (let n = random.between(1, 7); n > 0; n--) {
          if (random.chance(0.3)) {
            overflow = random.pick(["WRAP", "SAT", "FAIL"])
            words.push("OVERFLOW", overflow)
          }
          const signed = random.chance(0.5)
          const size = random.between(1, signed ? 64 : 63)
          const counted = random.chance(0.3)
          const place = random.below(counted ? 6 : 400)
          const field: Field = { signed, bits: size, offset: counted ? place * size : place }
          const named = [`${signed ? "i" : "u"}${size}`, counted ? `#${place}` : `${place}`]
          const before = readModel(bits, field)
          const dice = random.below(3)
          if (dice === 0) {
            words.push("GET", ...named)
            expected.push(`:${before}`)
            continue
          }
          const by = operand(random)
          words.push(dice === 1 ? "SET" : "INCRBY", ...named, `${by}`)
          const value = fit(field, dice === 1 ? by : before + by, overflow, dice === 1)
          while (bits.length < Math.ceil((field.offset + size) / 8) * 8) bits.push(0)
          if (value !== undefined) writeModel(bits, field, value)
          expected.push(value === undefined ? "$-1" : `:${dice === 1 ? before : value}`)
        }
        expect(harness.run("BITFIELD", "k", ...words), words.join(" "))
          .toBe(`*${expected.length}\r\n${expected.map((line) => `${line}\r\n`).join("")}`)
        const value = bytesOf(bits)
        if (value.length > 0) {
          expect(harness.run("GET", "k")).toBe(`$${value.length}\r\n${value.toString("latin1")}\r\n`)
        }
        const logged = harness.batches.at(-1)?.events ?? []
        for (const event of logged) if (event._tag === "StringRangeSet") expect(event.value.length).toBeLessThan(64)
      }
    })
  })
})
