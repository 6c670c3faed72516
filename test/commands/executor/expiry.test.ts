import { describe, expect, it } from "vitest"
import { Rig } from "./rig.ts"

const stride = 64

describe("keys met after their deadline", () => {
  it("die in a batch of their own before what the command does", () => {
    const rig = new Rig()
    rig.run("SET", "k", "old", "PX", "100")
    rig.drain()
    rig.now += 100
    expect(rig.run("APPEND", "k", "new")).toBe(":3\r\n")
    expect(rig.drain()).toEqual(["expire db0 KeyExpired k", "client db0 StringAppended k"])
    expect(rig.run("GET", "k")).toBe("$3\r\nnew\r\n")
    expect(rig.run("TTL", "k")).toBe(":-1\r\n")
  })

  it("die when they are only read, and once", () => {
    const rig = new Rig()
    rig.run("MSET", "a", "1", "b", "2")
    rig.run("PEXPIRE", "a", "5")
    rig.run("PEXPIRE", "b", "5")
    rig.drain()
    rig.now += 4
    expect(rig.run("MGET", "a", "b")).toBe("*2\r\n$1\r\n1\r\n$1\r\n2\r\n")
    expect(rig.drain()).toEqual([])
    rig.now += 1
    expect(rig.run("MGET", "a", "b", "a")).toBe("*3\r\n$-1\r\n$-1\r\n$-1\r\n")
    expect(rig.drain()).toEqual(["expire db0 KeyExpired a", "expire db0 KeyExpired b"])
    expect(rig.run("EXISTS", "a", "b")).toBe(":0\r\n")
    expect(rig.drain()).toEqual([])
    expect(rig.executor.statistics.expiredKeys).toBe(2)
  })

  it("die even where the command then refuses", () => {
    const rig = new Rig()
    rig.run("SET", "k", "1", "PX", "1")
    rig.drain()
    rig.now += 1
    expect(rig.run("RENAME", "k", "l")).toBe("-ERR no such key\r\n")
    expect(rig.drain()).toEqual(["expire db0 KeyExpired k"])
  })

  it("die in the database they stand in", () => {
    const rig = new Rig()
    rig.connection.client.db = 3
    rig.run("SET", "k", "there", "PX", "1")
    rig.connection.client.db = 0
    rig.run("SET", "k", "here")
    rig.drain()
    rig.now += 1
    expect(rig.run("MOVE", "k", "3")).toBe(":1\r\n")
    expect(rig.drain()).toEqual(["expire db3 KeyExpired k", "client db0 KeyMoved k"])
  })

  it("stay, hidden, while the log takes nothing or clients are paused", () => {
    const rig = new Rig()
    rig.run("SET", "k", "v", "PX", "1")
    rig.drain()
    rig.now += 1
    rig.breakLog()
    expect(rig.run("GET", "k")).toBe("$-1\r\n")
    expect(rig.run("EXISTS", "k")).toBe(":0\r\n")
    expect(rig.executor.expire(1)).toBe(false)
    rig.failure = undefined
    rig.executor.pause = "write"
    expect(rig.run("GET", "k")).toBe("$-1\r\n")
    expect(rig.executor.expire(1)).toBe(false)
    expect(rig.drain()).toEqual([])
    expect(rig.run("DBSIZE")).toBe(":1\r\n")
    rig.executor.pause = "none"
    expect(rig.run("GET", "k")).toBe("$-1\r\n")
    expect(rig.drain()).toEqual(["expire db0 KeyExpired k"])
    expect(rig.run("DBSIZE")).toBe(":0\r\n")
  })
})

describe("active expiry", () => {
  it("buries 100,000 keys of one second in slices of the budget and at most one stride more", () => {
    const rig = new Rig()
    const count = 100_000
    for (let i = 0; i < count; i++) rig.run("SET", `key:${i}`, "v", "PXAT", `${rig.now + 1 + (i * 7919) % 1000}`)
    rig.drain()
    expect(rig.run("DBSIZE")).toBe(`:${count}\r\n`)
    rig.now += 1001
    // The clock moves a quarter of a millisecond between two looks: a budget of 1 ms is four strides.
    rig.tickMs = 0.25
    let slices = 0
    for (let more = true; more; slices++) {
      rig.looks = 0
      more = rig.executor.expire(1)
      const buried = rig.drain().length
      expect(buried).toBeLessThanOrEqual((4 + 1) * stride)
      if (more) expect(buried).toBeGreaterThan(0)
      // Looks at the start, at the end and one per stride, not one per key.
      expect(rig.looks).toBeLessThanOrEqual(3 + Math.ceil(buried / stride))
    }
    expect(slices).toBeGreaterThan(count / (5 * stride))
    expect(rig.run("DBSIZE")).toBe(":0\r\n")
    expect(rig.executor.statistics.expiredKeys).toBe(count)
    expect(rig.keyspace.databases[0]!.deadlines.first()).toBe(false)
  })

  it("goes by deadline, not by the order of writing, and leaves those still to come", () => {
    const rig = new Rig()
    const deadlines = [50, 10, 40, 20, 30, 60, 5]
    for (const ms of deadlines) rig.run("SET", `in${ms}`, "v", "PX", `${ms}`)
    rig.run("SET", "forever", "v")
    rig.drain()
    rig.now += 40
    expect(rig.executor.expire(1)).toBe(false)
    expect(rig.drain()).toEqual([5, 10, 20, 30, 40].map((ms) => `expire db0 KeyExpired in${ms}`))
    rig.now += 10
    rig.executor.expire(1)
    expect(rig.drain()).toEqual(["expire db0 KeyExpired in50"])
    expect(rig.run("DBSIZE")).toBe(":2\r\n")
  })

  it("goes by the deadline a key has now", () => {
    const rig = new Rig()
    rig.run("SET", "later", "v", "PX", "10")
    rig.run("SET", "never", "v", "PX", "10")
    rig.run("SET", "again", "v", "PX", "10")
    rig.run("SET", "moved", "v", "PX", "10")
    rig.run("PEXPIRE", "later", "100")
    rig.run("PERSIST", "never")
    rig.run("SET", "again", "w")
    rig.run("RENAME", "moved", "elsewhere")
    rig.drain()
    rig.now += 10
    rig.executor.expire(1)
    expect(rig.drain()).toEqual(["expire db0 KeyExpired elsewhere"])
    rig.now += 90
    rig.executor.expire(1)
    expect(rig.drain()).toEqual(["expire db0 KeyExpired later"])
  })

  it("looks after every database", () => {
    const rig = new Rig()
    for (const db of [15, 0, 7]) {
      rig.connection.client.db = db
      rig.run("SET", "k", "v", "PX", "1")
    }
    rig.drain()
    rig.now += 1
    expect(rig.executor.expire(1)).toBe(false)
    expect(rig.drain().toSorted()).toEqual([
      "expire db0 KeyExpired k",
      "expire db15 KeyExpired k",
      "expire db7 KeyExpired k"
    ])
  })

  it("is off when it is turned off; keys that are met die still", () => {
    const rig = new Rig()
    rig.run("SET", "k", "v", "PX", "1")
    rig.drain()
    rig.now += 1
    rig.executor.activeExpire = false
    expect(rig.executor.expire(1)).toBe(false)
    expect(rig.drain()).toEqual([])
    rig.run("GET", "k")
    expect(rig.drain()).toEqual(["expire db0 KeyExpired k"])
  })

  it("stops in the middle when the log fails, and goes on when it works again", () => {
    const rig = new Rig()
    for (let i = 0; i < 10; i++) rig.run("SET", `k${i}`, "v", "PX", `${i + 1}`)
    rig.drain()
    rig.now += 100
    rig.onAppend = () => {
      if (rig.batches.length === 3) rig.breakLog()
    }
    rig.tickMs = 0.25
    rig.executor.expire(1)
    expect(rig.drain()).toHaveLength(4)
    rig.onAppend = undefined
    rig.failure = undefined
    while (rig.executor.expire(1));
    expect(rig.drain()).toHaveLength(6)
    expect(rig.run("DBSIZE")).toBe(":0\r\n")
  })
})
