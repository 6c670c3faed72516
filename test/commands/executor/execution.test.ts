import { describe, expect, it } from "vitest"
import { Rig } from "./rig.ts"

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`

describe("replies and events", () => {
  const large = "a".repeat(100_000)
  const larger = "b".repeat(300_000)

  it("encodes the reply before the fold changes what it points at", () => {
    const rig = new Rig()
    // Small and large: in place, in another block, in a slab of its own.
    for (const [before, after] of [["x", "yy"], [large, "tiny"], ["tiny", large], [large, larger], ["12", large]]) {
      rig.run("SET", "k", before!)
      expect(rig.run("GETSET", "k", after!)).toBe(bulk(before!))
      expect(rig.run("SET", "k", before!, "GET")).toBe(bulk(after!))
      expect(rig.run("GETDEL", "k")).toBe(bulk(before!))
      expect(rig.run("GET", "k")).toBe("$-1\r\n")
    }
  })

  it("is not fooled by memory that is used again at once", () => {
    const rig = new Rig()
    for (let i = 0; i < 50; i++) {
      const value = String.fromCharCode(97 + i % 26).repeat(64)
      rig.run("SET", `k${i}`, value)
      expect(rig.run("SET", `k${i}`, value.toUpperCase(), "GET")).toBe(bulk(value))
      expect(rig.run("GETDEL", `k${i}`)).toBe(bulk(value.toUpperCase()))
    }
  })

  it("renames large values, over themselves and over others", () => {
    const rig = new Rig()
    rig.run("SET", "a", large)
    rig.run("SET", "b", larger)
    expect(rig.run("RENAME", "a", "b")).toBe("+OK\r\n")
    expect(rig.run("GET", "b")).toBe(bulk(large))
    expect(rig.run("EXISTS", "a")).toBe(":0\r\n")
    expect(rig.run("RENAME", "b", "b")).toBe("+OK\r\n")
    expect(rig.run("COPY", "b", "c")).toBe(":1\r\n")
    expect(rig.run("APPEND", "b", "!")).toBe(`:${large.length + 1}\r\n`)
    expect(rig.run("GET", "c")).toBe(bulk(large))
  })

  it("makes one batch of all a command does", () => {
    const rig = new Rig()
    rig.run("MSET", "a", "1", "b", "2", "c", "3")
    rig.run("DEL", "c", "nosuch", "a")
    rig.run("FLUSHDB")
    expect(rig.drain()).toEqual([
      "client db0 StringSet a, StringSet b, StringSet c",
      "client db0 KeyDeleted c, KeyDeleted a",
      "client db0 DatabaseFlushed"
    ])
  })

  it("leaves no event of a command that refuses", () => {
    const rig = new Rig()
    rig.run("SET", "text", "abc")
    rig.run("SET", "full", "9223372036854775807")
    rig.drain()
    const refused = [
      ["INCR", "text"],
      ["INCR", "full"],
      ["INCRBY", "full", "1.5"],
      ["INCRBYFLOAT", "text", "1"],
      ["INCRBYFLOAT", "full", "inf"],
      ["SETRANGE", "text", "-1", "x"],
      ["SETRANGE", "text", "536870912", "x"],
      ["SET", "text", "v", "EX", "0"],
      ["SET", "text", "v", "NX", "XX"],
      ["SETEX", "text", "-1", "v"],
      ["GETEX", "text", "PX", "nan"],
      ["MSET", "a", "1", "b"],
      ["RENAME", "nosuch", "a"],
      ["EXPIRE", "text", "9223372036854775807"],
      ["COPY", "text", "text"],
      ["MOVE", "text", "0"],
      ["MOVE", "text", "99"],
      ["SWAPDB", "0", "99"],
      ["FLUSHALL", "later"]
    ]
    for (const words of refused) expect([words, rig.run(...words)]).toEqual([words, expect.stringMatching(/^-/)])
    // Neither refusals nor commands that change nothing.
    for (
      const words of [
        ["SETNX", "text", "v"],
        ["MSETNX", "new", "1", "text", "2"],
        ["SET", "text", "v", "NX"],
        ["SET", "nosuch", "v", "XX"],
        ["DEL", "nosuch"],
        ["PERSIST", "text"],
        ["EXPIRE", "nosuch", "10"],
        ["RENAMENX", "text", "full"],
        ["COPY", "text", "full"],
        ["GETDEL", "nosuch"],
        ["GETEX", "text"],
        ["SETRANGE", "nosuch", "5", ""]
      ]
    ) expect([words, rig.run(...words)]).toEqual([words, expect.not.stringMatching(/^-/)])
    expect(rig.drain()).toEqual([])
    expect(rig.run("GET", "text")).toBe(bulk("abc"))
    expect(rig.run("GET", "full")).toBe(bulk("9223372036854775807"))
  })
})

describe("integers", () => {
  const limits = [
    "0",
    "-1",
    "127",
    "-128",
    "2147483646",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740992",
    "9223372036854775806",
    "-9223372036854775808"
  ]

  /** Puts the same digits there as an integer, and as text that INCR has to read. */
  const encodings = {
    int: (rig: Rig, value: string): void => void rig.run("SET", "n", value),
    raw: (rig: Rig, value: string): void => {
      rig.run("SET", "n", value.slice(0, 1))
      if (value.length > 1) rig.run("APPEND", "n", value.slice(1))
      else rig.run("SETRANGE", "n", "0", value)
    }
  }

  for (const [encoding, put] of Object.entries(encodings)) {
    it(`counts across every boundary from encoding ${encoding}`, () => {
      const rig = new Rig()
      for (const value of limits) {
        for (const by of [1n, -1n, 2n, 1n << 31n, -(1n << 31n), (1n << 53n) + 1n, -(1n << 62n)]) {
          rig.run("DEL", "n")
          put(rig, value)
          expect(rig.run("OBJECT", "ENCODING", "n")).toBe(bulk(encoding))
          const sum = BigInt(value) + by
          const inRange = BigInt.asIntN(64, sum) === sum
          const [command, argument] = by === 1n
            ? ["INCR", undefined]
            : by === -1n
            ? ["DECR", undefined]
            : ["INCRBY", `${by}`]
          const reply = rig.run(command!, "n", ...(argument === undefined ? [] : [argument]))
          const what = `${value} ${by}`
          expect([what, reply]).toEqual([
            what,
            inRange ? `:${sum}\r\n` : "-ERR increment or decrement would overflow\r\n"
          ])
          expect([what, rig.run("GET", "n")]).toEqual([what, bulk(inRange ? `${sum}` : value)])
          if (inRange) expect(rig.run("OBJECT", "ENCODING", "n")).toBe(bulk("int"))
        }
      }
    })
  }

  it("refuses text that is no canonical integer", () => {
    for (const value of ["", " 1", "1 ", "+1", "01", "-0", "1.0", "0x10", "1e3", "9223372036854775808", "abc", "--1"]) {
      const rig = new Rig()
      rig.run("SET", "n", value)
      rig.drain()
      expect([value, rig.run("INCR", "n")]).toEqual([value, "-ERR value is not an integer or out of range\r\n"])
      expect(rig.drain()).toEqual([])
    }
  })

  it("refuses the one decrement that has no opposite", () => {
    const rig = new Rig()
    expect(rig.run("DECRBY", "n", "-9223372036854775808")).toBe("-ERR decrement would overflow\r\n")
    expect(rig.run("DECRBY", "n", "9223372036854775807")).toBe(":-9223372036854775807\r\n")
    expect(rig.run("DECR", "n")).toBe(":-9223372036854775808\r\n")
    expect(rig.run("DECR", "n")).toBe("-ERR increment or decrement would overflow\r\n")
    expect(rig.run("GET", "n")).toBe(bulk("-9223372036854775808"))
  })

  it("keeps the deadline of what it counts", () => {
    const rig = new Rig()
    rig.run("SET", "n", "7", "PX", "5000")
    rig.run("INCR", "n")
    expect(rig.run("PTTL", "n")).toBe(":5000\r\n")
  })
})

describe("statistics", () => {
  it("counts calls, failures while running and refusals before", () => {
    const rig = new Rig()
    rig.run("SET", "k", "abc")
    rig.run("INCR", "k")
    rig.run("INCR", "n")
    rig.run("INCR")
    rig.breakLog()
    rig.run("INCR", "n")
    expect(rig.counters("incr")).toEqual({ calls: 2, rejected: 2, failed: 1 })
    expect(rig.counters("set")).toEqual({ calls: 1, rejected: 0, failed: 0 })
    expect(rig.executor.statistics.commandsProcessed).toBe(3)
    expect(new Map(rig.executor.statistics.errors())).toEqual(new Map([["ERR", 2], ["MISCONF", 1]]))
    expect([...rig.executor.statistics.commands()].map(([name]) => name).toSorted()).toEqual(["incr", "set"])
    rig.run("NOSUCH")
    expect(new Map(rig.executor.statistics.errors()).get("ERR")).toBe(3)
  })

  it("counts hits and misses of reading commands", () => {
    const rig = new Rig()
    const counted = (...words: Array<string>): readonly [number, number] => {
      const { statistics } = rig.executor
      const hits = statistics.keyspaceHits
      const misses = statistics.keyspaceMisses
      rig.run(...words)
      return [statistics.keyspaceHits - hits, statistics.keyspaceMisses - misses]
    }
    rig.run("MSET", "a", "1", "b", "2")
    expect(counted("GET", "a")).toEqual([1, 0])
    expect(counted("GET", "x")).toEqual([0, 1])
    expect(counted("MGET", "a", "x", "b", "y", "a")).toEqual([3, 2])
    expect(counted("EXISTS", "a", "x")).toEqual([1, 1])
    expect(counted("STRLEN", "a")).toEqual([1, 0])
    expect(counted("TTL", "x")).toEqual([0, 1])
    expect(counted("SET", "a", "1")).toEqual([0, 0])
    expect(counted("INCR", "new")).toEqual([0, 0])
    rig.run("PEXPIRE", "a", "1")
    rig.now += 1
    expect(counted("GET", "a")).toEqual([0, 1])
  })

  it("starts anew after a reset", () => {
    const rig = new Rig()
    rig.run("GET", "a")
    rig.run("GET")
    rig.executor.statistics.reset()
    expect(rig.counters("get")).toEqual({ calls: 0, rejected: 0, failed: 0 })
    expect([...rig.executor.statistics.commands()]).toEqual([])
    expect([...rig.executor.statistics.errors()]).toEqual([])
    expect(rig.executor.statistics.keyspaceMisses).toBe(0)
  })

  it("does not count ever new error codes without end", () => {
    const rig = new Rig()
    for (let i = 0; i < 1000; i++) rig.executor.statistics.countError(`CODE${i}`)
    expect([...rig.executor.statistics.errors()].length).toBeLessThanOrEqual(128)
  })

  it("notes who asked what last, and when", () => {
    const rig = new Rig()
    const { client } = rig.connection
    rig.now += 5000
    rig.run("GET", "a")
    expect([client.lastCommand, client.lastActiveAt]).toEqual(["get", rig.now])
    rig.run("OBJECT", "ENCODING", "a")
    expect(client.lastCommand).toBe("object|encoding")
  })
})
