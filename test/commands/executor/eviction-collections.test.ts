/** Large collections at the memory limit: they are freed piece by piece, and nothing else has to go meanwhile. */
import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"

const limit = (harness: Harness, bytes: number): void =>
  harness.executor.limitMemory({
    limit: bytes,
    policy: "volatile-ttl",
    samples: 10,
    tenacity: 100,
    lfuLogFactor: 10,
    lfuDecayMinutes: 1
  })

describe("evicting a large collection", () => {
  it("makes room as far as it goes before another key is taken", () => {
    const harness = new Harness()
    for (let i = 0; i < 120_000; i += 1000) {
      harness.run("SADD", "large", ...Array.from({ length: 1000 }, (_, n) => `member:${i + n}`))
    }
    const large = harness.keyspace.usedBytes
    harness.run("EXPIRE", "large", "1000")
    for (let i = 0; i < 2000; i++) harness.run("SET", `small:${i}`, "x".repeat(100), "EX", "2000")
    limit(harness, harness.keyspace.usedBytes - 1000)
    harness.run("SET", "more", "x")
    for (let i = 0; i < 100; i++) harness.run("SET", "more", "x")
    expect(harness.run("EXISTS", "large")).toBe(":0\r\n")
    expect(harness.run("DBSIZE")).toBe(":2001\r\n")
    while (harness.keyspace.reclaim());
    expect(harness.keyspace.usedBytes).toBeLessThan(large / 2)
  })

  it("frees a deleted one in pieces, accounts included", () => {
    const harness = new Harness()
    const empty = harness.keyspace.usedBytes
    for (const [name, ...more] of [["SADD", "s"], ["HSET", "h"], ["ZADD", "z"], ["RPUSH", "l"]] as const) {
      for (let i = 0; i < 40_000; i += 1000) {
        const words = Array.from({ length: 1000 }, (_, n) => i + n)
          .flatMap((n) => name === "ZADD" ? [`${n}`, `m${n}`] : name === "HSET" ? [`f${n}`, `${n}`] : [`element:${n}`])
        harness.run(name, ...more, ...words)
      }
    }
    harness.run("HPEXPIRE", "h", "100000", "FIELDS", "2", "f1", "f2")
    const full = harness.keyspace.usedBytes
    expect(harness.run("UNLINK", "s", "h", "z", "l")).toBe(":4\r\n")
    expect(harness.keyspace.usedBytes).toBeGreaterThan(full / 2)
    let steps = 0
    while (harness.keyspace.reclaim()) steps++
    expect(steps).toBeGreaterThan(5)
    expect(harness.keyspace.usedBytes).toBeLessThan(empty + 10_000)
  })
})
