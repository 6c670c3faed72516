/** RDB and append-only files without a server: old encodings, records of all kinds, damage anywhere. */
import { describe, expect, it } from "vitest"
import { digest } from "../../src/projections/digest.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { crc64 } from "../../src/projections/structures/crc64.ts"
import { parseManifest } from "../../src/rdb/aof-reader.ts"
import { BadFile, type RdbVisitor, RdbWalk } from "../../src/rdb/file-reader.ts"
import { NotForRedis, RdbFileWriter, writeKeyspace } from "../../src/rdb/file-writer.ts"
import { ImportFailed } from "../../src/rdb/import.ts"
import { Intake } from "../../src/rdb/intake.ts"
import { Harness } from "../support/harness.ts"
import { bytesOf, imported, reopened } from "./support.ts"

type Part = number | string | Uint8Array

/** Numbers are bytes, texts stand behind their lengths. */
const bytes = (...parts: ReadonlyArray<Part>): Buffer =>
  Buffer.concat(parts.map((part) =>
    typeof part === "number"
      ? Buffer.from([part])
      : typeof part === "string"
      ? Buffer.concat([Buffer.from([part.length]), Buffer.from(part, "latin1")])
      : part
  ))

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex")
const number = (value: number, length: number): Buffer => {
  const out = Buffer.alloc(length)
  if (length === 8) out.writeBigUInt64LE(BigInt(value))
  else out.writeUIntLE(value, 0, length)
  return out
}
const inString = (run: Uint8Array): Buffer => bytes(run.length, run)

const whole = (version: number, ...parts: ReadonlyArray<Part>): Buffer => {
  const file = bytes(Buffer.from(`REDIS${String(version).padStart(4, "0")}`), ...parts, 0xff)
  if (version < 5) return file
  const [high, low] = crc64(file, 0, file.length)
  return Buffer.concat([file, number(low, 4), number(high, 4)])
}

/** Elements with the length of the one before each left at 0: nobody goes backwards here. */
const ziplist = (...elements: ReadonlyArray<Uint8Array>): Buffer => {
  const body = Buffer.concat([...elements.map((element) => bytes(0, element)), Buffer.from([0xff])])
  return inString(Buffer.concat([number(10 + body.length, 4), number(10, 4), number(elements.length, 2), body]))
}
const word = (text: string): Buffer => bytes(text)

const now = 1_700_000_000_000
const soon = now + 60_000

const load = (file: Uint8Array) => {
  const warnings: Array<string> = []
  const keyspace = new Keyspace(16, { k0: 1, k1: 2 })
  const intake = new Intake({
    keyspace,
    now,
    warn: (text) => void warnings.push(text),
    apply: (db, events) => {
      keyspace.turn.next(now)
      for (const event of events) evolve(keyspace, db, event)
    }
  })
  const walk = new RdbWalk(bytesOf(file), intake)
  for (const _ of walk.steps());
  return { keyspace, digest: digest(keyspace, now), intake, warnings, position: walk.position }
}

/** Data that commands make. */
const made = (...requests: ReadonlyArray<string>): Keyspace => {
  const harness = new Harness()
  harness.now = now
  for (const request of requests) {
    if (request.startsWith("SELECT ")) {
      harness.connection.client.db = Number(request.slice(7))
      continue
    }
    const reply = harness.run(...request.split(" "))
    if (reply.startsWith("-")) throw new Error(`${request}: ${reply}`)
  }
  return harness.keyspace
}
const digestOf = (...requests: ReadonlyArray<string>): string => digest(made(...requests), now)

const written = (
  keyspace: Keyspace,
  head: { readonly version?: 10 | 12; readonly fieldDeadlines?: "left out" } = {}
) => {
  const chunks: Array<Buffer> = []
  const writer = new RdbFileWriter((chunk) => void chunks.push(Buffer.from(chunk)), { created: now, ...head })
  for (const _ of writeKeyspace(writer, keyspace, now));
  writer.end()
  return Buffer.concat(chunks)
}

const ignoring: RdbVisitor = { info() {}, sizes() {}, warn() {}, value() {} }

const problemOf = (file: Uint8Array, visit: () => unknown = () => load(file)): string => {
  try {
    visit()
    return "none"
  } catch (error) {
    if (!(error instanceof BadFile)) throw error
    return error.message
  }
}

const old = (quicklistNode: Uint8Array): Buffer =>
  whole(
    9,
    bytes(0xfe, 0, 14, "q", 2, ziplist(word("a"), hex("e0ffffffffffffff7f")), quicklistNode),
    bytes(10, "l", ziplist(word("abc"), hex("f4"), hex("c03930"), hex("f0ffffff"), hex("fe80"), hex("d000000080"))),
    bytes(13, "h", ziplist(word("f"), word("v")), 12, "z", ziplist(word("m"), word("1.5"), word("n"), hex("f3"))),
    bytes(3, "y", 3, "a", "2.25", "b", 254, "c", 255),
    bytes(9, "m", inString(bytes(2, "f1", 1, 0, Buffer.from("v"), "f2", 2, 1, Buffer.from("vv-"), 0xff))),
    bytes(1, "e", 2, "x", "y", 4, "g", 1, "a", "b", 11, "i", inString(hex("02000000 02000000 ffff 0100")))
  )

const modern = whole(
  12,
  bytes(0xfa, "redis-ver", "7.4.1", 0xfe, 0, 0xfb, 3, 1),
  bytes(0xfc, number(soon, 8), 0xf8, 50, 0, "k", "v"),
  bytes(0xfd, number(soon / 1000, 4), 0xf9, 9, 0, "l", "w"),
  bytes(0xfc, number(now - 1, 8), 0, "dead", "x"),
  bytes(0xfe, 3, 0xf4, 1, 1, 0, 24, "h", number(soon, 8), 2, 0, "f", "v", 1, "g", "w"),
  bytes(0xf5, "#!lua name=lib \n", 0, "last", hex("c13930"))
)

describe("RDB files", () => {
  it("are read with what Redis wrote before version 7: ziplists, zipmaps, scores as text", () => {
    expect(load(old(ziplist(bytes(0x40, 3, Buffer.from("xyz"))))).digest).toBe(digestOf(
      "RPUSH q a 9223372036854775807 xyz",
      "RPUSH l abc 3 12345 -1 -128 -2147483648",
      "HSET h f v",
      "ZADD z 1.5 m 2 n",
      "ZADD y 2.25 a inf b -inf c",
      "HSET m f1 v f2 vv",
      "RPUSH e x y",
      "HSET g a b",
      "SADD i -1 1"
    ))
    expect(problemOf(old(ziplist(bytes(0x3f, Buffer.from("xyz")))))).toMatch(
      /^key "q" of database 0: .* \(at byte 11\)$/
    )
  })

  it("are read with deadlines, idle times, frequencies, deadlines of fields, several databases, and facts", () => {
    const { digest, intake, position, warnings } = load(modern)
    expect(digest).toBe(digestOf(
      `SET k v PXAT ${soon}`,
      `SET l w PXAT ${soon}`,
      "SELECT 3",
      "HSET h f v g w",
      `HPEXPIREAT h ${soon} FIELDS 1 g`,
      "SET last 12345"
    ))
    expect(intake).toMatchObject({ keys: 4, dead: 1, expected: 3 })
    expect(intake.facts.get("redis-ver")).toBe("7.4.1")
    expect(warnings).toEqual(["the library of functions lib is left out: there is no scripting here"])
    expect(position).toBe(modern.length)
  })

  it("are refused with the key and the place where something is wrong", () => {
    const problems = [
      Buffer.from("hello, world"),
      whole(14),
      whole(10, 0xf7, 1, 2, 3),
      whole(10, 0, "k", "v", 7, "mod", 0x81, number(1, 8)),
      whole(10, 99, "k", "v"),
      whole(10, 0xf2),
      whole(10, 0, "k", "v", 0, "k", "w"),
      whole(10, 2, "s", 2, "a", "a"),
      Buffer.concat([whole(10, 0, "k", "v").subarray(0, -8), number(1, 8)]),
      whole(10, 0, "key", "a long value").subarray(0, 20)
    ].map((file) => problemOf(file))
    expect(problems).toMatchInlineSnapshot(`
      [
        "this is no RDB file: it does not begin with REDIS and a version (at byte 0)",
        "RDB files of version 14 are not read; up to 13 they are (at byte 0)",
        "the file holds data of a module, whose format only the module knows; unload it there first (at byte 9)",
        "key "mod" of database 0: a value of a module, whose format only the module knows (at byte 14)",
        "key "k" of database 0: values of type 99 are not read (at byte 9)",
        "records of kind 242 are not read: the file is of a newer Redis, or damaged (at byte 9)",
        "key "k" of database 0: the key is there twice (at byte 14)",
        "key "s" of database 0: a value that makes no sense (at byte 9)",
        "the checksum does not fit: the file is damaged (at byte 14)",
        "key "key" of database 0: the file ends early (at byte 9)",
      ]
    `)
  })

  it("bring no deadline into the log that no event can state: that of a key is brought down, that of a field refused", () => {
    const late = hex("ffffffff ffffff7f")
    const file = whole(10, 0xfc, late, 0, "k", "v")
    const latest = digestOf(`SET k v PXAT ${Number.MAX_SAFE_INTEGER}`)
    expect(load(file).digest).toBe(latest)
    const { fromCheckpoint, fromLog } = reopened(imported([bytesOf(file)]).disk)
    expect([digest(fromCheckpoint, now), digest(fromLog, now)]).toEqual([latest, latest])
    expect(problemOf(whole(12, 24, "h", late, 1, 2, "f", "v"))).toContain("a deadline is no time")
    const dumped = `\x18${"\x7f".repeat(8)}\x01\x02\x01f\x01v\x0c\0${"\0".repeat(8)}`
    const harness = new Harness()
    expect(harness.run("RESTORE", "h", "0", dumped)).toBe("-ERR Bad data format\r\n")
    expect(harness.run("RESTORE", "h", "0", dumped.replaceAll("\x7f\x7f", "\x7f\0"))).toBe("-ERR Bad data format\r\n")
    expect(harness.run("RESTORE", "h", "0", dumped.replace("\x7f\x7f\x01", "\0\0\x01"))).toBe("+OK\r\n")
  })

  it("that are cut anywhere, or with any bit flipped, are refused, or read where no checksum stands", () => {
    const readingOf = (file: Uint8Array): string =>
      problemOf(file, () => {
        for (const _ of new RdbWalk(bytesOf(file), ignoring).steps());
      })
    for (let length = 0; length < modern.length; length++) {
      expect(readingOf(modern.subarray(0, length)), `${length} bytes`).not.toBe("none")
    }
    for (let bit = 0; bit < modern.length * 8; bit++) {
      const damaged = Buffer.from(modern)
      damaged[bit >>> 3]! ^= 1 << (bit & 7)
      // Zeros for a checksum stand for none, and the version says whether there is one.
      const unchecked = Number(damaged.subarray(5, 9).toString("latin1")) < 5
      if (!unchecked) expect(readingOf(damaged), `bit ${bit}`).not.toBe("none")
    }
  })

  it("written here are read here, those with deadlines of fields only where Redis knows these", () => {
    const keyspace = made(
      `SET k v PXAT ${soon}`,
      "SELECT 2",
      "HSET h f v g w",
      `HPEXPIREAT h ${soon} FIELDS 1 f`,
      "XADD s 1-1 a b"
    )
    expect(load(written(keyspace, { version: 12 })).digest).toBe(digest(keyspace, now))
    expect(() => written(keyspace)).toThrow(NotForRedis)
    expect(() => written(keyspace)).toThrow(
      "key \"h\" of database 2: fields of this hash have deadlines, which Redis before 7.4 does not know"
    )
    expect(load(written(keyspace, { fieldDeadlines: "left out" })).digest).toBe(
      digestOf(`SET k v PXAT ${soon}`, "SELECT 2", "HSET h f v g w", "XADD s 1-1 a b")
    )
  })
})

const requests = (...lines: ReadonlyArray<string>): Buffer =>
  Buffer.from(
    lines.map((line) => {
      const words = line.split(" ")
      return `*${words.length}\r\n${words.map((text) => `$${text.length}\r\n${text}\r\n`).join("")}`
    }).join(""),
    "latin1"
  )

const failure = (...parts: ReadonlyArray<Uint8Array>): string => {
  try {
    imported([bytesOf(Buffer.concat(parts), "appendonly.aof")])
    return "none"
  } catch (error) {
    if (!(error instanceof ImportFailed)) throw error
    return error.message
  }
}

describe("append-only files", () => {
  it("are run on what a preamble holds, also on keys that are dead by now", () => {
    const preamble = whole(10, 0xfa, "aof-base", hex("c001"), 0xfc, number(now, 8), 0, "k", "v")
    const tail = requests(
      "SELECT 0",
      "APPEND k w",
      "PERSIST k",
      "SET gone 1 PXAT 5",
      "INCR gone",
      "SELECT 17",
      "MULTI",
      "XADD s 5-5 a b",
      "XGROUP CREATE s g 0",
      "SELECT 1",
      "SET t 1",
      "EXEC"
    )
    const { disk, result, warnings } = imported([
      bytesOf(Buffer.concat([preamble, tail, Buffer.from("#TS:1700000000\r\n")]))
    ])
    const wanted = digestOf("SET k vw", "SELECT 1", "SET t 1", "SELECT 17", "XADD s 5-5 a b", "XGROUP CREATE s g 0")
    const { fromCheckpoint, fromLog } = reopened(disk)
    expect(digest(fromCheckpoint, now)).toBe(wanted)
    expect(digest(fromLog, now)).toBe(wanted)
    expect(result).toMatchObject({ keys: 4, requests: 12, dead: 0 }) // one of the keys is dead, and said to be by the server
    expect(warnings).toEqual(["keys are in database 17: start the server with --databases 18"])
  })

  it("are refused with the place where something is wrong", () => {
    const some = requests("SET a 1", "SET b 2")
    expect([
      failure(some.subarray(0, -3)),
      failure(some, requests("MULTI", "SET c 3")),
      failure(some, Buffer.from("what?")),
      failure(some, requests("LPUSH a 1")),
      failure(some, requests("MULTI", "LPUSH a 1", "EXEC")),
      failure(some, requests("EVAL x 0")),
      failure(some, requests("CONFIG SET dir /")),
      failure(some, Buffer.from("#TS:17")),
      failure()
    ]).toMatchInlineSnapshot(`
      [
        "appendonly.aof: the last request is not whole: the file is cut short. To do without what comes from there on, cut a copy of it there (redis-check-aof --fix does), and import that (at byte 27)",
        "appendonly.aof: the last transaction is not whole: the file is cut short. To do without what comes from there on, cut a copy of it there (redis-check-aof --fix does), and import that (at byte 54)",
        "appendonly.aof: no request begins here: the file is damaged (at byte 54)",
        "appendonly.aof: a request that is refused here, LPUSH a 1: WRONGTYPE Operation against a key holding the wrong kind of value (at byte 54)",
        "appendonly.aof: a request that is refused here, a command of a transaction failed (at byte 98)",
        "appendonly.aof: a request that is refused here, EVAL x 0: ERR unknown command 'EVAL': there is no scripting here (at byte 54)",
        "appendonly.aof: a request that is refused here, CONFIG SET dir …: it is no command that servers pass on (at byte 54)",
        "appendonly.aof: the last line is not whole: the file is cut short. To do without what comes from there on, cut a copy of it there (redis-check-aof --fix does), and import that (at byte 54)",
        "appendonly.aof: the file is empty (at byte 0)",
      ]
    `)
  })

  it("in parts are named by their manifest", () => {
    expect(
      parseManifest(`file a.2.incr.aof seq 2 type i
file a.1.base.rdb seq 1 type b
file "a \\"b\\".3.incr.aof" seq 3 type i
file a.1.incr.aof seq 1 type h
`).map(({ name }) => name)
    ).toEqual(["a.1.base.rdb", "a.2.incr.aof", "a \"b\".3.incr.aof"])
    for (
      const text of ["", "file a seq x type b", "file ../a seq 1 type b", "file a seq 2 type i\nfile b seq 1 type i"]
    ) {
      expect(() => parseManifest(text)).toThrow()
    }
  })
})
