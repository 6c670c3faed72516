/** Fields that die: by themselves, under WATCH, inside of transactions, very many at once. */
import { describe, expect, it } from "vitest"
import { stateDigest } from "../../../src/projections/digest.ts"
import { evolve } from "../../../src/projections/evolve.ts"
import { Keyspace } from "../../../src/projections/keyspace.ts"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "../server/ports.ts"

/** A hash whose first `timed` fields die together in 100 ms. */
const fill = (harness: Harness, key: string, count: number, timed: number): void => {
  const fields = Array.from({ length: count }, (_, i) => `f${i}`)
  harness.run("HSET", key, ...fields.flatMap((field) => [field, "value"]))
  if (timed > 0) harness.run("HPEXPIRE", key, "100", "FIELDS", `${timed}`, ...fields.slice(0, timed))
}

/** What the batches of a harness make of an empty keyspace. */
const replayed = (harness: Harness): string => {
  const keyspace = new Keyspace(16, { k0: 7, k1: 8 })
  for (const { db, dbs, events, time } of harness.batches) {
    keyspace.turn.next(time)
    events.forEach((event, i) => evolve(keyspace, dbs?.[i] ?? db, event))
  }
  return stateDigest(keyspace)
}

describe("fields whose time is over", () => {
  it("are removed without anybody asking, the earliest first, and nothing is left of a hash without fields", () => {
    const harness = new Harness()
    const empty = harness.keyspace.usedBytes
    fill(harness, "small", 5, 5)
    fill(harness, "large", 1000, 1000)
    fill(harness, "mixed", 700, 650)
    harness.run("HSET", "plain", "a", "1")
    expect(harness.executor.expire(5)).toBe(false)
    expect(harness.keyspace.database(0).size).toBe(4)
    harness.now += 100
    harness.executor.expire(5)
    expect(harness.keyspace.database(0).size).toBe(2)
    expect(harness.run("HLEN", "mixed")).toBe(":50\r\n")
    expect(harness.keyspace.database(0).fieldDeadlines.size).toBe(0)
    expect(harness.executor.statistics.expiredFields).toBe(5 + 650)
    expect(harness.executor.statistics.expiredKeys).toBe(1)
    expect(replayed(harness)).toBe(stateDigest(harness.keyspace))
    harness.run("DEL", "mixed", "plain")
    while (harness.keyspace.reclaim());
    expect(harness.keyspace.usedBytes).toBe(empty)
  })

  it("are buried some at a time by the commands that meet them, all being invisible at once", () => {
    const harness = new Harness()
    fill(harness, "h", 1000, 999)
    harness.now += 100
    const before = harness.batches.length
    expect(harness.run("HLEN", "h")).toBe(":1\r\n")
    const buried = harness.batches.slice(before)
    expect(buried).toHaveLength(1)
    expect(buried[0]!.origin).toBe("expire")
    expect(harness.run("HGETALL", "h")).toBe("*2\r\n$4\r\nf999\r\n$5\r\nvalue\r\n")
    expect(harness.run("HRANDFIELD", "h")).toBe("$4\r\nf999\r\n")
    expect(harness.run("HRANDFIELD", "h", "-2")).toBe("*2\r\n$4\r\nf999\r\n$4\r\nf999\r\n")
    expect(harness.run("HDEL", "h", "f998")).toBe(":0\r\n")
    expect(harness.run("HSETNX", "h", "f998", "new")).toBe(":1\r\n")
    expect(harness.run("HTTL", "h", "FIELDS", "1", "f998")).toBe("*1\r\n:-1\r\n")
    expect(harness.run("HSETEX", "h", "KEEPTTL", "FIELDS", "1", "f997", "again")).toBe(":1\r\n")
    expect(harness.run("HPTTL", "h", "FIELDS", "1", "f997")).toBe("*1\r\n:-1\r\n")
    harness.executor.expire(5)
    expect(harness.run("HLEN", "h")).toBe(":3\r\n")
    expect(replayed(harness)).toBe(stateDigest(harness.keyspace))
  })

  it("end a hash of very many fields with one event when all of them are dead", () => {
    const harness = new Harness()
    fill(harness, "h", 1000, 1000)
    harness.now += 100
    expect(transcript("KEYS *\nRANDOMKEY\nSCAN 0\nEXISTS h\nDBSIZE", { harness })).toMatchInlineSnapshot(`
      "> KEYS *
      []
      > RANDOMKEY
      (nil)
      > SCAN 0
      ["0", []]
      > EXISTS h
        #3 by expire KeyExpired key=h
      (integer) 0
      > DBSIZE
      (integer) 0"
    `)
  })

  it("go with the hash when it is renamed, copied or moved", () => {
    const harness = new Harness()
    fill(harness, "small", 3, 2)
    fill(harness, "large", 600, 2)
    for (const key of ["small", "large"]) {
      harness.run("COPY", key, `${key}-copy`)
      harness.run("RENAME", key, `${key}-renamed`)
      harness.run("COPY", `${key}-copy`, `${key}-other`, "DB", "1")
      harness.run("COPY", `${key}-copy`, `${key}-moved`)
      harness.run("MOVE", `${key}-moved`, "2")
    }
    harness.run("SWAPDB", "1", "3")
    const sizes = () => [0, 1, 2, 3].map((db) => harness.keyspace.database(db).fieldDeadlines.size)
    expect(sizes()).toEqual([4, 0, 2, 2])
    harness.now += 100
    harness.executor.expire(5)
    expect(sizes()).toEqual([0, 0, 0, 0])
    expect(harness.run("HLEN", "small-renamed")).toBe(":1\r\n")
    expect(harness.run("HLEN", "large-copy")).toBe(":598\r\n")
    expect(replayed(harness)).toBe(stateDigest(harness.keyspace))
    harness.run("FLUSHALL")
  })

  it("are met inside of a transaction as part of it", () => {
    const { harness } = controlHarness()
    expect(transcript(
      `
      HSET h a 1 b 2
      HPEXPIRE h 10 FIELDS 1 a
      +10
      MULTI
      HGET h a
      HSET h c 3
      HGETALL h
      EXEC
    `,
      { harness }
    )).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2
        #1 HashFieldsSet key=h pairs=[a 1 b 2]
      (integer) 2
      > HPEXPIRE h 10 FIELDS 1 a
        #2 HashFieldsExpirySet key=h expireAt=1700000000010 fields=[a]
      [(integer) 1]
      > +10
      > MULTI
      OK
      > HGET h a
      QUEUED
      > HSET h c 3
      QUEUED
      > HGETALL h
      QUEUED
      > EXEC
        #3 HashFieldsExpired key=h fields=[a]
        #3 HashFieldsSet key=h pairs=[c 3]
      [(nil), (integer) 1, ["b", "2", "c", "3"]]"
    `)
  })

  it("come back with what a failing transaction did", () => {
    const { harness } = controlHarness()
    expect(transcript(
      `
      HSET h a 1 b 2
      HPEXPIRE h 50 FIELDS 1 a
      CLIENT MULTI-ON-ERROR ABORT
      MULTI
      HSET h a 5 b 6 c 7
      HPEXPIRE h 90 FIELDS 1 b
      INCR h
      EXEC
      HGETALL h
      HPTTL h FIELDS 2 a b
      +50
      HGETALL h
    `,
      { harness }
    )).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2
        #1 HashFieldsSet key=h pairs=[a 1 b 2]
      (integer) 2
      > HPEXPIRE h 50 FIELDS 1 a
        #2 HashFieldsExpirySet key=h expireAt=1700000000050 fields=[a]
      [(integer) 1]
      > CLIENT MULTI-ON-ERROR ABORT
      OK
      > MULTI
      OK
      > HSET h a 5 b 6 c 7
      QUEUED
      > HPEXPIRE h 90 FIELDS 1 b
      QUEUED
      > INCR h
      QUEUED
      > EXEC
      (error) EXECABORT Transaction rolled back, command 3 ('incr') failed: WRONGTYPE Operation against a key holding the wrong kind of value
      > HGETALL h
      ["a", "1", "b", "2"]
      > HPTTL h FIELDS 2 a b
      [(integer) 50, (integer) -1]
      > +50
      > HGETALL h
        #3 by expire HashFieldsExpired key=h fields=[a]
      ["b", "2"]"
    `)
  })
})

/** Runs a script and says whether the EXEC that follows it runs. */
const runs = (script: string): boolean => {
  const last = transcript(`${script}\nMULTI\nPING\nEXEC`, { harness: controlHarness().harness }).split("\n").at(-1)
  expect(["[PONG]", "(nil array)"]).toContain(last)
  return last === "[PONG]"
}

describe("WATCH", () => {
  const timed = "HSET h a 1 b 2\nHPEXPIRE h 10 FIELDS 1 a\n"
  it.each([
    ["a field that dies, buried", `${timed}WATCH h\n+10\n2: HGET h b`],
    ["a field that dies, not buried", `${timed}WATCH h\n+10`],
    ["the last field that dies", "HSET h a 1\nHPEXPIRE h 10 FIELDS 1 a\nWATCH h\n+10"],
    ["a new value", "HSET h a 1\nWATCH h\n2: HSET h a 1"],
    ["a deadline", "HSET h a 1\nWATCH h\n2: HEXPIRE h 100 FIELDS 1 a"],
    ["a deadline taken off", `${timed}WATCH h\n2: HPERSIST h FIELDS 1 a`],
    ["a removed field", "HSET h a 1 b 2\nWATCH h\n2: HDEL h a"]
  ])("notices %s", (_name, script) => expect(runs(script)).toBe(false))

  it.each([
    ["reads", `${timed}WATCH h\n2: HGETALL h\n2: HTTL h FIELDS 1 a`],
    ["what was dead before", `${timed}+10\nWATCH h`],
    ["the removal of an absent field", "HSET h a 1\nWATCH h\n2: HDEL h x"],
    ["a deadline that was refused", `${timed}WATCH h\n2: HEXPIRE h 5 NX FIELDS 1 a`]
  ])("does not mind %s", (_name, script) => expect(runs(script)).toBe(true))
})
