import { describe, expect, it } from "vitest"
import { LatencyMonitor } from "../../../src/commands/observation/latency.ts"
import { SlowLog } from "../../../src/commands/observation/slowlog.ts"
import { argvOf, TestConnection } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"
import { Rig } from "../executor/rig.ts"
import { controlHarness } from "../server/ports.ts"

/** Entries as name, microseconds and words. */
const entries = (log: SlowLog) =>
  log.newest(Infinity).map(({ micros, words }) => [micros, words.map((word) => Buffer.from(word).toString("latin1"))])

/** A rig whose every look at the clock takes `tickMs`. */
const slowRig = (slowerThan: number, tickMs: number): Rig => {
  const rig = new Rig()
  rig.executor.observer.configure({ ...rig.executor.observer.settings, slowlogSlowerThan: slowerThan })
  rig.tickMs = tickMs
  return rig
}

describe("slow log", () => {
  it("keeps 32 words of 128 bytes and no secrets", () => {
    const log = new SlowLog()
    const { client } = new TestConnection(3, 1_700_000_000_123)
    const words = (name: string, ...argv: ReadonlyArray<string>): unknown => {
      log.add(name, argvOf(argv), client, 1_700_000_000_123, 12.4, 9)
      return log.newest(1)[0]!.words.map((word) => Buffer.from(word).toString())
    }
    expect(words("set", "SET", "k", "x".repeat(300))).toEqual(["SET", "k", `${"x".repeat(128)}... (172 more bytes)`])
    const many = words("del", "DEL", ...Array.from({ length: 36 }, (_, i) => `${i}`)) as Array<string>
    expect([many.length, many[30], many[31]]).toEqual([32, "29", "... (6 more arguments)"])
    expect((words("del", "DEL", ...Array.from({ length: 31 }, (_, i) => `${i}`)) as Array<string>).at(-1)).toBe("30")
    expect(words("auth", "AUTH", "pw")).toEqual(["AUTH", "(redacted)"])
    expect(words("auth", "auth", "bob", "pw")).toEqual(["auth", "(redacted)", "(redacted)"])
    expect(words("hello", "HELLO", "3", "setname", "x", "AUTH", "u", "p", "SETNAME", "y")).toEqual(
      "HELLO 3 setname x AUTH (redacted) (redacted) SETNAME y".split(" ")
    )
    expect(words("config|set", "CONFIG", "SET", "timeout", "1", "RequirePass", "pw", "masterauth", "q")).toEqual(
      "CONFIG SET timeout 1 RequirePass (redacted) masterauth (redacted)".split(" ")
    )
    expect(words("acl|setuser", "ACL", "SETUSER", "bob", ">pw")).toEqual([
      "ACL",
      "SETUSER",
      "(redacted)",
      "(redacted)"
    ])
    expect(words("migrate", "MIGRATE", "h", "1", "k", "0", "9", "AUTH2", "u", "p", "KEYS", "a")).toEqual(
      "MIGRATE h 1 k 0 9 AUTH2 (redacted) (redacted) KEYS a".split(" ")
    )
    expect(log.newest(1)[0]).toMatchObject({ id: 8, time: 1_700_000_000, micros: 12, address: client.address })
  })

  it("drops the oldest beyond its length, and numbers go on", () => {
    const log = new SlowLog()
    const { client } = new TestConnection(3, 0)
    for (let i = 0; i < 7; i++) log.add("get", argvOf(["GET", `${i}`]), client, 0, 1, 3)
    expect(log.newest(Infinity).map(({ id }) => id)).toEqual([6, 5, 4])
    expect([log.newest(0).length, log.newest(2).length, log.length]).toEqual([0, 2, 3])
    log.reset()
    log.add("get", undefined, client, 0, 1, 3)
    expect(entries(log)).toEqual([[1, ["get", "... (arguments no longer at hand)"]]])
    expect(log.newest(1)[0]!.id).toBe(7)
  })

  it("finds slow commands sent alone, with their arguments", () => {
    const rig = slowRig(10_000, 12)
    rig.run("SET", "a", "1")
    rig.run("KEYS", "*")
    rig.tickMs = 9
    rig.run("GET", "a")
    expect(entries(rig.executor.observer.slowlog)).toEqual([[12_000, ["KEYS", "*"]], [12_000, ["SET", "a", "1"]]])
  })

  it("logs each command when the threshold is zero, and none when it is negative", () => {
    const rig = slowRig(0, 0)
    rig.executor.beginChunk()
    for (let i = 0; i < 40; i++) rig.executor.execute(rig.connection, argvOf(["GET", `k${i}`]), rig.out)
    rig.executor.endChunk()
    expect(rig.executor.observer.slowlog.newest(Infinity).length).toBe(40)
    const none = slowRig(-1, 1000)
    none.run("KEYS", "*")
    expect(none.executor.observer.slowlog.length).toBe(0)
  })

  it("finds a slow command in a long pipeline of equal ones, reading the clock every sixteenth time", () => {
    const rig = slowRig(10_000, 0)
    const { executor } = rig
    executor.beginChunk()
    rig.looks = 0
    for (let i = 0; i < 1000; i++) {
      if (i === 500) rig.onAppend = () => void (rig.monotonicNow += 25)
      else rig.onAppend = undefined
      executor.execute(rig.connection, argvOf(["SET", `k${i}`, "v"]), rig.out)
    }
    executor.endChunk()
    expect(rig.looks).toBeLessThan(1000 / 16 + 10)
    const [found, ...others] = entries(executor.observer.slowlog)
    expect(others).toEqual([])
    expect(found![0]).toBe(25_000)
    const key = Number((found![1] as Array<string>)[1]!.slice(1))
    expect(key - 500).toBeGreaterThanOrEqual(0)
    expect(key - 500).toBeLessThan(16)
  })

  it("times long requests on their own and names them exactly", () => {
    const rig = slowRig(10_000, 0)
    const { executor } = rig
    executor.beginChunk()
    for (let i = 0; i < 100; i++) {
      rig.onAppend = i === 50 ? () => void (rig.monotonicNow += 25) : undefined
      executor.execute(rig.connection, argvOf(["SET", `k${i}`, i === 50 ? "v".repeat(70_000) : "v"]), rig.out)
    }
    executor.endChunk()
    const found = entries(executor.observer.slowlog)
    expect(found.map(([micros, words]) => [micros, (words as Array<string>)[1]])).toEqual([[25_000, "k50"]])
  })

  it("times a mixed pipeline command by command", () => {
    const rig = slowRig(10_000, 11)
    const { executor } = rig
    executor.beginChunk()
    for (let i = 0; i < 4; i++) {
      executor.execute(rig.connection, argvOf(["SET", `k${i}`, "v"]), rig.out)
      executor.execute(rig.connection, argvOf(["GET", `k${i}`]), rig.out)
    }
    executor.endChunk()
    expect(entries(executor.observer.slowlog).map(([, words]) => (words as Array<string>).join(" "))).toEqual(
      ["GET k3", "SET k3 v", "GET k2", "SET k2 v", "GET k1", "SET k1 v", "GET k0", "SET k0 v"]
    )
    expect(rig.counters("set").calls).toBe(4)
  })

  it("SLOWLOG and its refusals", () => {
    const { harness } = controlHarness()
    harness.executor.observer.configure({ ...harness.executor.observer.settings, slowlogSlowerThan: 0 })
    expect(transcript(
      `SLOWLOG LEN
      SET a 1
      AUTH secret
      SLOWLOG LEN
      SLOWLOG GET 2
      SLOWLOG GET 0
      SLOWLOG GET -2
      SLOWLOG GET abc
      SLOWLOG RESET
      SLOWLOG GET
      SLOWLOG foo`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> SLOWLOG LEN
      (integer) 0
      > SET a 1
        #1 StringSet key=a value=1 expireAt=null
      OK
      > AUTH secret
      (error) ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
      > SLOWLOG LEN
      (integer) 3
      > SLOWLOG GET 2
      [[(integer) 3, (integer) 1700000000, (integer) 0, ["SLOWLOG", "LEN"], "127.0.0.1:50001", ""], [(integer) 2, (integer) 1700000000, (integer) 0, ["AUTH", "(redacted)"], "127.0.0.1:50001", ""]]
      > SLOWLOG GET 0
      []
      > SLOWLOG GET -2
      (error) ERR count should be greater than or equal to -1
      > SLOWLOG GET abc
      (error) ERR count should be greater than or equal to -1
      > SLOWLOG RESET
      OK
      > SLOWLOG GET
      [[(integer) 8, (integer) 1700000000, (integer) 0, ["SLOWLOG", "RESET"], "127.0.0.1:50001", ""]]
      > SLOWLOG foo
      (error) ERR unknown subcommand 'foo'. Try SLOWLOG HELP."
    `)
  })
})

describe("latency monitor", () => {
  it("keeps one sample a second, the longest, and at most 160", () => {
    const monitor = new LatencyMonitor()
    monitor.sample("command", 500, 1000)
    expect([...monitor.all()]).toEqual([])
    monitor.thresholdMs = 50
    for (const [ms, at] of [[49.9, 1000], [60, 1000], [55, 1900], [70.4, 1999], [51, 2000]] as const) {
      monitor.sample("command", ms, at)
    }
    expect(monitor.series("command")!.samples).toEqual([{ time: 1, ms: 70 }, { time: 2, ms: 51 }])
    for (let i = 0; i < 500; i++) monitor.sample("fork", 100 + i, 1000 * i)
    expect(monitor.series("fork")!.samples.length).toBe(160)
    expect(monitor.series("fork")!.max).toBe(599)
    expect([monitor.reset(["fork", "nosuch"]), monitor.reset([]), monitor.reset([])]).toEqual([1, 1, 0])
  })

  it("LATENCY and its refusals", () => {
    const { harness } = controlHarness()
    const { observer } = harness.executor
    observer.configure({ ...observer.settings, latencyThreshold: 10 })
    const start = harness.now
    for (const [i, ms] of [12, 40, 25, 90].entries()) observer.latency.sample("command", ms, start + i * 1000)
    observer.latency.sample("expire-cycle", 30, start)
    harness.now += 70_000
    expect(transcript(
      `LATENCY LATEST
      LATENCY HISTORY command
      LATENCY HISTORY nosuch
      LATENCY GRAPH nosuch
      LATENCY RESET nosuch expire-cycle
      LATENCY HISTOGRAM nosuch config|nosuch
      LATENCY HISTORY
      LATENCY foo`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> LATENCY LATEST
      [["command", (integer) 1700000003, (integer) 90, (integer) 90], ["expire-cycle", (integer) 1700000000, (integer) 30, (integer) 30]]
      > LATENCY HISTORY command
      [[(integer) 1700000000, (integer) 12], [(integer) 1700000001, (integer) 40], [(integer) 1700000002, (integer) 25], [(integer) 1700000003, (integer) 90]]
      > LATENCY HISTORY nosuch
      []
      > LATENCY GRAPH nosuch
      (error) ERR No samples available for event 'nosuch'
      > LATENCY RESET nosuch expire-cycle
      (integer) 1
      > LATENCY HISTOGRAM nosuch config|nosuch
      []
      > LATENCY HISTORY
      (error) ERR wrong number of arguments for 'latency|history' command
      > LATENCY foo
      (error) ERR unknown subcommand 'foo'. Try LATENCY HELP."
    `)
    const text = (...words: ReadonlyArray<string>): string => {
      const reply = harness.run(...words)
      return reply.slice(reply.indexOf("\r\n") + 2, -2)
    }
    expect(text("LATENCY", "GRAPH", "command")).toMatchInlineSnapshot(`
      "command - high 90 ms, low 12 ms (all time high 90 ms)
      --------------------------------------------------------------------------------
         #
         |
       _ |
      _|||

      1111
      mmmm
      "
    `)
    expect(text("LATENCY", "DOCTOR")).toMatchInlineSnapshot(`
      "Spikes of latency were seen:
      1. command: 4 samples, average 42 ms, mean deviation 24 ms, one every 1.00 s; longest 90 ms.

      - SLOWLOG GET shows which commands were slow. Commands that visit whole collections or the whole keyspace have a cheaper form: SCAN for KEYS, UNLINK for DEL of large values.
      "
    `)
    harness.run("LATENCY", "RESET")
    expect(text("LATENCY", "DOCTOR")).toMatch(/Nothing has taken longer/)
    harness.run("CONFIG", "RESETSTAT")
    observer.configure({ ...observer.settings, latencyThreshold: 0 })
    expect(text("LATENCY", "DOCTOR")).toMatch(/monitor is off/)
  })

  it("HISTOGRAM and latencystats count calls by duration", () => {
    const rig = new Rig()
    rig.tickMs = 0.002
    for (let i = 0; i < 10; i++) rig.run("GET", "a")
    const row = [...rig.executor.table.all()].find(({ name }) => name === "get")!
    expect(row.histogram!.count).toBe(10)
    expect(row.histogram!.percentile(50)).toBe(2007)
    expect(row.micros).toBeCloseTo(20)
  })
})
