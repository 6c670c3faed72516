/** Keyspace notifications of what redis-server 7.0 does not know: later commands, and classes of later versions. */
import { describe, expect, it } from "vitest"
import { commandName } from "../../../src/log/commands.ts"
import type { Event } from "../../../src/log/events/catalog.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { Harness } from "../../support/harness.ts"

/** Runs lines and shows what is told of keys after each: database and event, and the key. */
const told = (classes: string, ...lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const harness = new Harness()
  const { executor } = harness
  const listener = harness.connect(2)
  executor.subscriptions.patterns.subscribe(listener, Slice.latin1("__keyevent@*"))
  executor.notifications.configure(classes)
  return lines.flatMap((line) => {
    if (/^\+\d+$/.test(line)) {
      harness.now += Number(line)
      executor.expire(1000)
    } else harness.run(...line.split(" "))
    const messages = listener.pushed.splice(0).map((text) => {
      const [, , , , , , channel, , key] = text.split("\r\n")
      return `${channel!.replace("__keyevent@0__:", "").replace("__keyevent@", "")} ${key}`
    })
    return [`> ${line}`, ...messages.length === 0 ? [] : [`  ${messages.join(", ")}`]]
  })
}

describe("deadlines of fields", () => {
  it("are told as hexpire, hpersist, hexpired and hdel, and del where nothing is left", () => {
    expect(
      told(
        "EA",
        "HSET h a 1 b 2 c 3 d 4",
        "HEXPIRE h 100 FIELDS 2 a nope",
        "HPEXPIRE h 50 FIELDS 1 b",
        "HPERSIST h FIELDS 2 a nope",
        "HEXPIRE h 0 FIELDS 1 a",
        "+60",
        "HGETEX h EX 10 FIELDS 1 c",
        "HGETEX h PERSIST FIELDS 1 c",
        "HGETEX h FIELDS 1 c",
        "HGETDEL h FIELDS 2 c nope",
        "HGETDEL h FIELDS 1 d",
        "HSETEX h EX 10 FIELDS 1 a 1",
        "HSETEX h KEEPTTL FIELDS 2 a 2 b 2",
        "HPEXPIRE h 5 FIELDS 2 a b",
        "+10",
        "HSET h a 1",
        "HEXPIREAT h 1 FIELDS 1 a",
        "HSETEX h FXX FIELDS 1 a 1",
        "HSETEX h PXAT 1 FIELDS 2 a 1 b 2",
        "HSET h c 3",
        "HSETEX h PXAT 1 FIELDS 1 a 1",
        "HSETEX h PXAT 1 FIELDS 2 c 1 a 1"
      ).join("\n")
    ).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 c 3 d 4
        hset h
      > HEXPIRE h 100 FIELDS 2 a nope
        hexpire h
      > HPEXPIRE h 50 FIELDS 1 b
        hexpire h
      > HPERSIST h FIELDS 2 a nope
        hpersist h
      > HEXPIRE h 0 FIELDS 1 a
        hdel h
      > +60
        hexpired h
      > HGETEX h EX 10 FIELDS 1 c
        hexpire h
      > HGETEX h PERSIST FIELDS 1 c
        hpersist h
      > HGETEX h FIELDS 1 c
      > HGETDEL h FIELDS 2 c nope
        hdel h
      > HGETDEL h FIELDS 1 d
        hdel h, del h
      > HSETEX h EX 10 FIELDS 1 a 1
        hset h, hexpire h
      > HSETEX h KEEPTTL FIELDS 2 a 2 b 2
        hset h
      > HPEXPIRE h 5 FIELDS 2 a b
        hexpire h
      > +10
        hexpired h, del h
      > HSET h a 1
        hset h
      > HEXPIREAT h 1 FIELDS 1 a
        hdel h, del h
      > HSETEX h FXX FIELDS 1 a 1
      > HSETEX h PXAT 1 FIELDS 2 a 1 b 2
        hset h, hdel h, del h
      > HSET h c 3
        hset h
      > HSETEX h PXAT 1 FIELDS 1 a 1
        hset h, hdel h
      > HSETEX h PXAT 1 FIELDS 2 c 1 a 1
        hset h, hdel h, del h"
    `)
  })
})

describe("later commands over strings, lists and streams", () => {
  it("are told by what they do", () => {
    expect(
      told(
        "EAn",
        "MSETEX 2 a 1 b 2 EX 100",
        "MSETEX 2 a 1 b 2 KEEPTTL",
        "MSETEX 1 c 1",
        "SET a 3 IFEQ 1",
        "SET a 3 IFEQ nope",
        "DELEX a IFEQ 3",
        "DELEX a",
        "INCREX n",
        "INCREX n BYFLOAT 1.5 EX 10",
        "RPUSH l 1 2 3 4",
        "LMOVEM l m LEFT RIGHT COUNT 2 OBO",
        "LMOVEM l m RIGHT LEFT EXACTLY 2 BULK",
        "XADD s 1-1 f v",
        "XADD s 1-2 f v",
        "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g c STREAMS s >",
        "XACKDEL s g IDS 1 1-1",
        "XDELEX s IDS 1 1-2"
      ).join("\n")
    ).toMatchInlineSnapshot(`
      "> MSETEX 2 a 1 b 2 EX 100
        new a, set a, expire a, new b, set b, expire b
      > MSETEX 2 a 1 b 2 KEEPTTL
        set a, set b
      > MSETEX 1 c 1
        new c, set c
      > SET a 3 IFEQ 1
        set a
      > SET a 3 IFEQ nope
      > DELEX a IFEQ 3
        del a
      > DELEX a
      > INCREX n
        new n, incrby n
      > INCREX n BYFLOAT 1.5 EX 10
        incrbyfloat n, expire n
      > RPUSH l 1 2 3 4
        new l, rpush l
      > LMOVEM l m LEFT RIGHT COUNT 2 OBO
        new m, rpush m, lpop l
      > LMOVEM l m RIGHT LEFT EXACTLY 2 BULK
        lpush m, rpop l, del l
      > XADD s 1-1 f v
        new s, xadd s
      > XADD s 1-2 f v
        xadd s
      > XGROUP CREATE s g 0
        xgroup-create s
      > XREADGROUP GROUP g c STREAMS s >
        xgroup-createconsumer s
      > XACKDEL s g IDS 1 1-1
        xdel s
      > XDELEX s IDS 1 1-2
        xdel s"
    `)
  })
})

describe("the classes of Redis 8.2", () => {
  it("tell what was overwritten, and with another type", () => {
    expect(
      told(
        "Eoc$gls",
        "SET a 1",
        "SET a 2",
        "APPEND a 3",
        "LPUSH l x",
        "SET l 1",
        "MSET a 1 b 2 b 3",
        "SADD s x",
        "SUNIONSTORE a s",
        "SUNIONSTORE a s",
        "SET c 1",
        "RENAME c a",
        "SET c 1",
        "COPY s c REPLACE",
        "COPY s e",
        "RPUSH r 1",
        "SORT r STORE s",
        "BITOP NOT b b",
        "ZADD z 1 m",
        "ZRANGESTORE b z 0 -1",
        "INCR n",
        "INCR n"
      ).join("\n")
    ).toMatchInlineSnapshot(`
      "> SET a 1
        set a
      > SET a 2
        overwritten a, set a
      > APPEND a 3
        append a
      > LPUSH l x
        lpush l
      > SET l 1
        overwritten l, type_changed l, set l
      > MSET a 1 b 2 b 3
        overwritten a, set a, set b, overwritten b, set b
      > SADD s x
        sadd s
      > SUNIONSTORE a s
        overwritten a, type_changed a, sunionstore a
      > SUNIONSTORE a s
        overwritten a, sunionstore a
      > SET c 1
        set c
      > RENAME c a
        rename_from c, rename_to a, overwritten a, type_changed a
      > SET c 1
        set c
      > COPY s c REPLACE
        copy_to c, overwritten c, type_changed c
      > COPY s e
        copy_to e
      > RPUSH r 1
        rpush r
      > SORT r STORE s
        overwritten s, type_changed s, sortstore s
      > BITOP NOT b b
        overwritten b, set b
      > ZADD z 1 m
      > ZRANGESTORE b z 0 -1
        overwritten b, type_changed b
      > INCR n
        incrby n
      > INCR n
        incrby n"
    `)
  })
})

describe("notifications", () => {
  it("go to nobody while they are off, or name no channel", () => {
    for (const classes of ["", "A", "g$lshzxetdmnoc"]) {
      expect(told(classes, "SET a 1", "GET b", "DEL a")).toHaveLength(3)
    }
  })

  it("tell of every key of a long batch, each once as new", () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i % 60}`)
    const [, line] = told("E$n", `MSET ${keys.map((key) => `${key} v`).join(" ")}`)
    const events = line!.trim().split(", ")
    expect(events.filter((event) => event.startsWith("new "))).toEqual(keys.slice(0, 60).map((key) => `new ${key}`))
    expect(events.filter((event) => event.startsWith("set "))).toEqual(keys.map((key) => `set ${key}`))
  })

  it("are told in the order of a connection's own commands, after their replies", () => {
    const harness = new Harness()
    harness.executor.notifications.configure("E$")
    harness.executor.subscriptions.channels.subscribe(harness.connection, Slice.latin1("__keyevent@0__:set"))
    harness.connection.client.protocol = 3
    expect(harness.run("SET", "a", "1")).toBe("+OK\r\n")
    expect(harness.connection.pushed).toEqual([">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$1\r\na\r\n"])
  })

  it("reach a connection outside of its commands at once", () => {
    const harness = new Harness()
    const { connection, executor } = harness
    const told = (): ReadonlyArray<string> => connection.pushed.splice(0).map((text) => text.split("\r\n").at(-2)!)
    executor.notifications.configure("KA")
    executor.subscriptions.patterns.subscribe(connection, Slice.latin1("__key*"))
    connection.client.protocol = 3
    harness.run("SET", "a", "1", "PX", "5")
    expect(told()).toEqual(["set", "expire"])
    harness.now += 10
    executor.expire(1000)
    expect(told()).toEqual(["expired"])
    harness.run("SET", "b", "x".repeat(100_000))
    harness.run("SET", "c", "1")
    expect(told()).toEqual(["set", "set"])
    const limit = executor.keyspace.usedBytes - 50_000
    const settings = { ...executor.view.memory, policy: "allkeys-random" as const }
    executor.limitMemory({ ...settings, limit, tenacity: 100 })
    executor.relieveMemory(1000)
    expect(told()).toContain("evicted")
    // What has to go before a command is told of even where that is refused.
    executor.limitMemory({ ...settings, limit: 1, tenacity: 100 })
    harness.run("SET", "d", "1")
    harness.run("SET", "e", "1")
    expect(told().filter((event) => event === "evicted").length).toBeGreaterThan(0)
    expect(executor.subscriptions.deferred).toBe(false)
    // One that waits is served by another, and hears of that after its answer.
    executor.limitMemory({ ...settings, limit: 0 })
    harness.run("FLUSHALL")
    harness.run("BLMOVE", "l", "l", "LEFT", "RIGHT", "0")
    harness.bytes(["RPUSH", "l", "x"], harness.connect(2))
    expect(told()).toEqual(["rpush", "rpush", "lpop"])
  })

  it("of a command come before those of what it lets others do", () => {
    const harness = new Harness()
    const { connection, executor } = harness
    executor.notifications.configure("KA")
    executor.subscriptions.patterns.subscribe(connection, Slice.latin1("__key*"))
    connection.client.protocol = 3
    harness.bytes(["BLMOVE", "l", "m", "LEFT", "LEFT", "0"], harness.connect(2))
    harness.bytes(["BLPOP", "m", "0"], harness.connect(3))
    harness.run("LPUSH", "l", "x")
    expect(connection.pushed.map((text) => text.split("\r\n").at(-2))).toEqual([
      "lpush",
      "lpush",
      "lpop",
      "del",
      "lpop",
      "del"
    ])
  })

  it("of a long batch do not depend on the long batches before it", () => {
    const harness = new Harness()
    const listener = harness.connect(2)
    harness.executor.subscriptions.patterns.subscribe(listener, Slice.latin1("__keyevent@*"))
    harness.executor.notifications.configure("EAn")
    const fold = (command: string, ...events: ReadonlyArray<Event>): ReadonlyArray<string> => {
      harness.executor.fold(harness.now, 0, events, events.length, command)
      return listener.pushed.splice(0).map((text) => {
        const words = text.split("\r\n")
        return `${words[6]!.replace("__keyevent@0__:", "")} ${words[8]}`
      })
    }
    const text = (value: string | number): Slice => Slice.latin1(`${value}`)
    const added = (key: string, count: number): ReadonlyArray<Event> =>
      Array.from({ length: count }, (_, i) => ({ _tag: "SetMembersAdded", key: text(key), members: [text(i)] }))
    const gone = (key: string): Event => ({ _tag: "KeyDeleted", key: text(key) })
    expect(fold("restore", ...added("s", 40))).toEqual(["new s", "restore s"])
    expect(fold("restore", gone("s"), ...added("s", 20))).toEqual(["new s", "restore s"])
    expect(fold("del", gone("s"))).toEqual(["del s"])
    expect(fold("exec", gone("none"), ...added("s", 20))).toEqual([
      "del none",
      "new s",
      ...Array.from({ length: 20 }, () => "sadd s")
    ])
    const removed = (key: string, member: number): Event => ({
      _tag: "SetMembersRemoved",
      key: text(key),
      members: [text(member)]
    })
    expect(fold("exec", ...Array.from({ length: 20 }, (_, i) => removed("s", i)))).toEqual([
      ...Array.from({ length: 20 }, () => "srem s"),
      "del s"
    ])
  })

  it("of a replica say what a hash died of, however long ago its own last command was", () => {
    const [primary, replica] = [new Harness(), new Harness()]
    const listener = replica.connect(2)
    replica.executor.subscriptions.channels.subscribe(listener, Slice.latin1("__keyspace@0__:h"))
    replica.executor.notifications.configure("Kxgh")
    for (const line of ["HSET h f v", "HPEXPIRE h 50 FIELDS 1 f", "PEXPIRE h 5"]) primary.run(...line.split(" "))
    primary.now += 10
    primary.executor.expire(1000)
    for (const { command, db, events, time } of primary.batches) {
      replica.executor.fold(time, db, events, events.length, commandName(command) ?? "")
    }
    expect(listener.pushed.map((text) => text.split("\r\n").at(-2))).toEqual(["hset", "hexpire", "expire", "expired"])
  })

  it("are told by a replica too, from the batches of its primary", () => {
    const [primary, replica] = [new Harness(), new Harness()]
    const listener = replica.connect(2)
    replica.executor.subscriptions.patterns.subscribe(listener, Slice.latin1("__keyevent@*"))
    replica.executor.notifications.configure("EAn")
    const lines = [
      "SET a 1 PX 5",
      "RPUSH l x y",
      "LPOP l",
      "LMOVE l m LEFT RIGHT",
      "SADD s a b",
      "SPOP s",
      "SPOP s",
      "HSET h f v",
      "RENAME h i",
      "XADD x 1-1 f v",
      "MULTI",
      "SET b 1",
      "DEL m",
      "EXEC"
    ]
    for (const line of lines) primary.run(...line.split(" "))
    primary.now += 10
    primary.executor.expire(1000)
    for (const { command, db, events, time } of primary.batches) {
      replica.executor.fold(time, db, events, events.length, commandName(command) ?? "")
    }
    expect(
      listener.pushed.map((text) => {
        const [, , , , , , channel, , key] = text.split("\r\n")
        return `${channel!.replace("__keyevent@0__:", "")} ${key}`
      }).join(", ")
    ).toMatchInlineSnapshot(
      `"new a, set a, expire a, new l, rpush l, lpop l, new m, rpush m, lpop l, del l, new s, sadd s, spop s, spop s, del s, new h, hset h, new i, rename_from h, rename_to i, new x, xadd x, new b, set b, del m, expired a"`
    )
  })
})
