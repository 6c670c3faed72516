/** Requests out of bytes: wherever a stream is cut, the same requests come out. */
import { describe, expect, it } from "vitest"
import { Arguments, Parsed, RequestParser } from "../../../src/net/resp/parser.ts"
import { forSeeds, Random } from "../../support/random.ts"
import { encodeRequest } from "../../support/resp.ts"
import { cutAnywhere, parseChunks, particular, randomSample, type Sample } from "../requests.ts"

const limits = { maxBulkBytes: 512 * 1024 * 1024 }

/** 200 different requests: the particular ones, then random ones. */
const samples: ReadonlyArray<Sample> = (() => {
  const random = new Random(20)
  const all = [...particular]
  while (all.length < 200) all.push(randomSample(random))
  return all
})()

/** Every cut; inside a line of 64 KiB, which is read byte by byte, every 499th. */
function* cutsOf(wire: Buffer): Iterable<number> {
  const longLine = wire[0] !== 42 && wire.length > 10_000
  for (let at = 1; at < wire.length; at += longLine && at > 300 && at < wire.length - 400 ? 499 : 1) yield at
}

const wordsIn = (argv: Arguments): Array<Buffer> =>
  Array.from({ length: argv.length }, (_, i) => Buffer.from(argv.at(i).toBytes()))

describe("parser", () => {
  it("gives each request its words", () => {
    for (const { wire, words } of samples) {
      const outcome = parseChunks([wire])
      expect(outcome.error).toBe(undefined)
      expect(outcome.left).toBe(0)
      const expected = words === undefined ? [] : [words]
      if (!same(outcome.requests, expected)) expect(outcome.requests, shown(wire)).toEqual(expected)
    }
  })

  it("gives the same words wherever the request is cut in two", () => {
    let cuts = 0
    for (const { wire, words } of samples) {
      const argv = new Arguments()
      const parser = new RequestParser(argv, limits)
      let first: Array<readonly [number, number]> | undefined
      for (const cut of cutsOf(wire)) {
        cuts++
        const before = parser.parse(wire, 0, cut, true)
        if (before !== Parsed.more) throw new Error(`${shown(wire)} cut at ${cut}: ${before} before it is whole`)
        const after = parser.parse(wire, 0, wire.length, true)
        const right = words === undefined
          ? after === Parsed.empty
          : after === Parsed.request && argv.length === words.length
        if (!right || parser.position !== wire.length) throw new Error(`${shown(wire)} cut at ${cut}: ${after}`)
        if (words === undefined) continue
        // Words that lie in the chunk are right when they are where they were before; the bytes are compared once.
        const places = Array.from({ length: argv.length }, (_, i) => [argv.at(i).start, argv.at(i).length] as const)
        if (first === undefined || wire[0] !== 42 && wire.length < 10_000) {
          if (!same([wordsIn(argv)], [words])) expect(wordsIn(argv), `${shown(wire)} cut at ${cut}`).toEqual(words)
          first = places
        } else if (places.some(([start, length], i) => start !== first![i]![0] || length !== first![i]![1])) {
          throw new Error(`${shown(wire)} cut at ${cut}: words elsewhere`)
        }
      }
    }
    expect(cuts).toBeGreaterThan(300_000)
  })

  it("gives the same words byte by byte", () => {
    for (const { wire, words } of samples) {
      if (wire.length > 20_000) continue
      const outcome = parseChunks(Array.from(wire, (byte) => Buffer.of(byte)))
      const expected = words === undefined ? [] : [words]
      if (!same(outcome.requests, expected)) expect(outcome.requests, shown(wire)).toEqual(expected)
      expect(outcome.left).toBe(0)
    }
  })

  it("gives the same requests for pipelines of any depth, cut anywhere", () => {
    forSeeds(500, (random) => {
      const pipeline = Array.from(
        { length: 1 + random.below(random.chance(0.05) ? 300 : 12) },
        () => randomSample(random)
      )
      const wire = Buffer.concat(pipeline.map((sample) => sample.wire))
      const outcome = parseChunks(cutAnywhere(random, wire, 12))
      const expected = pipeline.flatMap((sample) => sample.words === undefined ? [] : [sample.words])
      expect(outcome.error).toBe(undefined)
      expect(outcome.left).toBe(0)
      if (!same(outcome.requests, expected)) expect(outcome.requests).toEqual(expected)
    })
  })

  it("comes to the same result for damaged streams, however they are cut", () => {
    let failed = 0
    forSeeds(5_000, (random) => {
      const wire = Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => randomSample(random).wire))
      for (let i = random.between(1, 4); i > 0; i--) wire[random.below(wire.length)] = random.pick([...damage])
      const whole = parseChunks([wire])
      const cut = parseChunks(cutAnywhere(random, wire, 8))
      if (whole.error !== undefined) failed++
      expect([cut.error, cut.left, same(cut.requests, whole.requests)]).toEqual([whole.error, whole.left, true])
    })
    expect(failed).toBeGreaterThan(500)
  })

  it.each(([
    ["*2147483648\r\n", "invalid multibulk length"],
    ["*9223372036854775808\r\n", "invalid multibulk length"],
    ["*-9223372036854775809\r\n", "invalid multibulk length"],
    ["*abc\r\n", "invalid multibulk length"],
    ["*01\r\n$4\r\nPING\r\n", "invalid multibulk length"],
    ["*00\r\n", "invalid multibulk length"],
    ["*-0\r\n", "invalid multibulk length"],
    ["*+1\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    ["*1 \r\n", "invalid multibulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$blabla\r\n", "invalid bulk length"],
    ["*1\r\n$536870913\r\n", "invalid bulk length"],
    ["*1\r\n$04\r\nPING\r\n", "invalid bulk length"],
    ["*1\r\n$\r\n", "invalid bulk length"],
    ["*1\r\nfoo\r\n", "expected '$', got 'f'"],
    ["*1\r\n\xff\r\n", "expected '$', got '\xff'"],
    ["PING \"open\r\n", "unbalanced quotes in request"],
    ["PING 'open\r\n", "unbalanced quotes in request"],
    ["PING \"a\"b\r\n", "unbalanced quotes in request"],
    ["PING \"\\\r\n", "unbalanced quotes in request"],
    [`*${"1".repeat(64 * 1024)}`, "too big mbulk count string"],
    [`*1\r\n$${"1".repeat(64 * 1024)}`, "too big bulk count string"],
    ["x".repeat(64 * 1024 + 1), "too big inline request"]
  ] as const).map(([text, error]) => [text.slice(0, 40), error, text] as const))("refuses %j: %s", (_, error, text) => {
    const wire = Buffer.from(text, "latin1")
    expect(parseChunks([wire]).error).toBe(error)
    for (let i = 0; i < 20; i++) expect(parseChunks(cutAnywhere(new Random(i), wire, 5)).error).toBe(error)
    if (wire.length < 1000) expect(parseChunks(Array.from(wire, (byte) => Buffer.of(byte))).error).toBe(error)
  })

  it("waits at a NUL in a line until the line is too long", () => {
    for (const text of ["*\0\r\nPING\r\n", "\0PING\r\n", "PING a\0b\r\n", "*1\r\n\0$4\r\nPING\r\n"]) {
      const wire = Buffer.from(text)
      expect(parseChunks([wire])).toEqual({ requests: [], error: undefined, left: wire.length })
      const outcome = parseChunks([wire, ...Array.from({ length: 80 }, () => Buffer.alloc(1024, "x\n"))])
      expect(outcome.error).toMatch(/^too big/)
    }
  })

  it("before authentication takes ten words of 16384 bytes", () => {
    const words = (count: number, length: number) =>
      encodeRequest(Array.from({ length: count }, () => "x".repeat(length)))
    const parse = (wire: Buffer) => parseChunks(cutAnywhere(new Random(1), wire, 4), { authenticated: false })
    expect(parse(words(10, 1)).requests.length).toBe(1)
    expect(parse(words(11, 1)).error).toBe("unauthenticated multibulk length")
    expect(parse(words(1, 16_384)).requests.length).toBe(1)
    expect(parse(words(1, 16_385)).error).toBe("unauthenticated bulk length")
    expect(parseChunks([words(11, 1)], { authenticated: false }).error).toBe("unauthenticated multibulk length")
    expect(parseChunks([words(1, 16_385)], { authenticated: false }).error).toBe("unauthenticated bulk length")
  })

  it("follows proto-max-bulk-len", () => {
    const wire = encodeRequest(["ECHO", "x".repeat(1001)])
    expect(parseChunks([wire], { maxBulkBytes: 1000 }).error).toBe("invalid bulk length")
    expect(parseChunks([wire], { maxBulkBytes: 1001 }).requests.length).toBe(1)
  })

  it("keeps its place in a request of 100,000 words that comes in small pieces", () => {
    const wire = encodeRequest(["MSET", ...Array.from({ length: 100_000 }, (_, i) => `w${i}`)])
    const argv = new Arguments()
    const parser = new RequestParser(argv, limits)
    let place = 0
    for (let end = 20; end < wire.length; end += 20) {
      expect(parser.parse(wire, 0, end, true)).toBe(Parsed.more)
      const { cursor } = parser["unfinished"]!
      if (cursor < place || end - cursor > 32) throw new Error(`went from ${place} back to ${cursor} at ${end}`)
      place = cursor
    }
    expect(parser.parse(wire, 0, wire.length, true)).toBe(Parsed.request)
    expect(argv.length).toBe(100_001)
    expect(argv.at(100_000).latin1()).toBe("w99999")
    argv.release()
    expect(argv["slices"].length).toBeLessThanOrEqual(4096)
  })

  it("lets go of the buffers it pointed into", () => {
    const argv = new Arguments()
    argv.put(0, Buffer.alloc(10), 0, 10)
    argv.put(64, Buffer.alloc(10), 0, 10)
    argv.length = 1
    argv.release()
    expect(argv.at(0).bytes.length + argv.at(64).bytes.length).toBe(0)
  })
})

const damage = Buffer.from("*$\r\n\0-019 \"'\\x\xff", "latin1")

const same = (a: ReadonlyArray<ReadonlyArray<Buffer>>, b: ReadonlyArray<ReadonlyArray<Buffer>>): boolean =>
  a.length === b.length &&
  a.every((words, i) => words.length === b[i]!.length && words.every((word, j) => word.equals(b[i]![j]!)))

const shown = (wire: Buffer): string => JSON.stringify(wire.toString("latin1").slice(0, 80))
