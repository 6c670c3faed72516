/** `multi-on-error abort`: one failing command, and nothing of the transaction has happened. */
import { describe, expect, it } from "vitest"
import { stateDigest } from "../../../src/projections/digest.ts"
import type { Keyspace } from "../../../src/projections/keyspace.ts"
import type { Harness } from "../../support/harness.ts"
import { forSeeds, type Random } from "../../support/random.ts"
import { showEvent, transcript } from "../../support/transcript.ts"
import { randomRequest, workloadDatabases } from "../../support/workload.ts"
import { controlHarness } from "../server/ports.ts"

/** Deadlines in their order, by database. */
const deadlines = (keyspace: Keyspace): ReadonlyArray<ReadonlyArray<number>> =>
  keyspace.databases.map(({ deadlines: order }) => {
    const found: Array<number> = []
    order.each((high, low) => found.push(high * 0x1_0000_0000 + low))
    return found
  })

const stateOf = (harness: Harness) => ({
  digest: stateDigest(harness.keyspace),
  deadlines: deadlines(harness.keyspace),
  batches: harness.batches.length,
  sizes: harness.keyspace.databases.map((database) => database.size),
  db: harness.connection.client.db,
  expired: harness.executor.statistics.expiredKeys
})

/**
 * What depends on random draws, or on the order in which a table has its elements: a transaction that was taken back has
 * drawn as well, and what it touched may lie elsewhere. In its place something that does not.
 */
const unordered: Readonly<Record<string, string>> = {
  SPOP: "SCARD",
  SMEMBERS: "SCARD",
  SINTERSTORE: "SCARD",
  SUNIONSTORE: "SCARD",
  SDIFFSTORE: "SCARD",
  HGETALL: "HLEN",
  ZUNIONSTORE: "ZCARD",
  ZINTERSTORE: "ZCARD"
}

const repeatable = (request: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [name, key] = request as [string, string]
  if (name === "RANDOMKEY") return ["DBSIZE"]
  return unordered[name] === undefined ? request : [unordered[name], key]
}

const randomQueue = (random: Random, now: number): Array<ReadonlyArray<string>> =>
  Array.from(
    { length: random.between(1, 14) },
    () =>
      random.chance(0.15)
        ? ["SELECT", `${random.below(workloadDatabases)}`]
        : random.chance(0.06)
        ? random.pick([["FLUSHALL"], ["FLUSHDB"], ["SWAPDB", "0", "1"], ["SWAPDB", "2", "1"]])
        : repeatable(randomRequest(random, now))
  )

/** The queue without the requests that would be refused when they are queued. */
const admitted = (harness: Harness, queue: ReadonlyArray<ReadonlyArray<string>>): Array<ReadonlyArray<string>> =>
  queue.filter((request) => {
    harness.run("MULTI")
    const reply = harness.run(...request)
    harness.run("DISCARD")
    return reply === "+QUEUED\r\n"
  })

const execute = (harness: Harness, queue: ReadonlyArray<ReadonlyArray<string>>): string => {
  harness.run("MULTI")
  for (const request of queue) expect(harness.run(...request)).toBe("+QUEUED\r\n")
  return harness.run("EXEC")
}

const printed = (harness: Harness, from: number): ReadonlyArray<string> =>
  harness.batches.slice(from).flatMap(({ db, dbs, events }) =>
    events.map((event, i) => `db${dbs?.[i] ?? db} ${showEvent(event)}`)
  )

describe("multi-on-error abort", () => {
  it("takes everything back, whatever the commands were; else does what continue does", () => {
    let back = 0
    let through = 0
    forSeeds(20, (random) => {
      const worlds = [0, 1].map(() => controlHarness().harness) as [Harness, Harness]
      const [abort, plain] = worlds
      abort.run("CLIENT", "MULTI-ON-ERROR", "ABORT")
      for (let round = 0; round < 60; round++) {
        for (let i = random.below(6); i > 0; i--) {
          const db = random.below(workloadDatabases)
          const request = repeatable(randomRequest(random, abort.now))
          for (const harness of worlds) {
            harness.connection.client.db = db
            harness.run(...request)
          }
        }
        const passed = random.below(600)
        for (const harness of worlds) harness.now += passed
        const queue = admitted(abort, randomQueue(random, abort.now))
        const before = stateOf(abort)
        const reply = execute(abort, queue)
        if (reply.startsWith("-")) {
          expect(reply).toMatch(/^-EXECABORT Transaction rolled back, command \d+ \('[a-z|]+'\) failed: [A-Z]+ .+\r\n$/)
          expect(stateOf(abort)).toEqual(before)
          back++
          continue
        }
        through++
        const from = plain.batches.length
        expect(execute(plain, queue)).toBe(reply)
        expect(stateDigest(abort.keyspace)).toBe(stateDigest(plain.keyspace))
        expect(deadlines(abort.keyspace)).toEqual(deadlines(plain.keyspace))
        expect(printed(abort, before.batches)).toEqual(printed(plain, from))
      }
    })
    expect(back).toBeGreaterThan(100)
    expect(through).toBeGreaterThan(100)
  })

  it("gives back the memory that emptied databases took", () => {
    const { harness } = controlHarness("--multi-on-error", "abort")
    harness.executor.transactions.abortByDefault = true
    for (let i = 0; i < 200; i++) harness.run("SET", `k${i}`, "x".repeat(1000))
    const used = harness.keyspace.usedBytes
    execute(harness, [["FLUSHALL"], ["SET", "a", "x"], ["INCR", "a"]])
    expect(harness.keyspace.usedBytes).toBe(used)
    expect(execute(harness, [["FLUSHALL"], ["SET", "a", "1"], ["FLUSHALL"], ["SET", "b", "1"]])).toMatch(/^\*4\r\n/)
    expect(harness.keyspace.usedBytes).toBeLessThan(20_000)
    expect(harness.run("DBSIZE")).toBe(":1\r\n")
  })

  it("names the command and its position", () => {
    expect(transcript(
      `SET a 5
       CLIENT MULTI-ON-ERROR ABORT
       MULTI
       SET a x
       SELECT 2
       SET b 1
       FLUSHALL
       SET a x
       INCR a
       SET c 1
       EXEC
       GET a
       CLIENT MULTI-ON-ERROR CONTINUE
       MULTI
       SET a x
       INCR a
       EXEC
       CLIENT MULTI-ON-ERROR perhaps`,
      { harness: controlHarness().harness }
    )).toMatchInlineSnapshot(`
      "> SET a 5
        #1 StringSet key=a value=5 expireAt=null
      OK
      > CLIENT MULTI-ON-ERROR ABORT
      OK
      > MULTI
      OK
      > SET a x
      QUEUED
      > SELECT 2
      QUEUED
      > SET b 1
      QUEUED
      > FLUSHALL
      QUEUED
      > SET a x
      QUEUED
      > INCR a
      QUEUED
      > SET c 1
      QUEUED
      > EXEC
      (error) EXECABORT Transaction rolled back, command 6 ('incr') failed: ERR value is not an integer or out of range
      > GET a
      "5"
      > CLIENT MULTI-ON-ERROR CONTINUE
      OK
      > MULTI
      OK
      > SET a x
      QUEUED
      > INCR a
      QUEUED
      > EXEC
        #2 StringSet key=a value=x expireAt=null
      [OK, (error) ERR value is not an integer or out of range]
      > CLIENT MULTI-ON-ERROR perhaps
      (error) ERR syntax error"
    `)
  })

  it("refuses what cannot be taken back, before it runs", () => {
    expect(transcript(
      `CLIENT MULTI-ON-ERROR ABORT
       MULTI
       CONFIG SET timeout 5
       SET a 1
       EXEC
       MULTI
       CLIENT SETNAME me
       DISCARD
       MULTI
       CLIENT GETNAME
       CONFIG GET timeout
       TIME
       UNWATCH
       PING
       EXEC
       RESET
       MULTI
       CLIENT SETNAME me
       INCR x
       EXEC`,
      { harness: controlHarness().harness }
    )).toMatchInlineSnapshot(`
      "> CLIENT MULTI-ON-ERROR ABORT
      OK
      > MULTI
      OK
      > CONFIG SET timeout 5
      (error) ERR 'config|set' cannot be taken back, so it is not allowed in a transaction with multi-on-error abort
      > SET a 1
      QUEUED
      > EXEC
      (error) EXECABORT Transaction discarded because of previous errors.
      > MULTI
      OK
      > CLIENT SETNAME me
      (error) ERR 'client|setname' cannot be taken back, so it is not allowed in a transaction with multi-on-error abort
      > DISCARD
      OK
      > MULTI
      OK
      > CLIENT GETNAME
      QUEUED
      > CONFIG GET timeout
      QUEUED
      > TIME
      QUEUED
      > UNWATCH
      QUEUED
      > PING
      QUEUED
      > EXEC
      [(nil), ["timeout", "0"], ["1700000000", "7"], OK, PONG]
      > RESET
      RESET
      > MULTI
      OK
      > CLIENT SETNAME me
      QUEUED
      > INCR x
      QUEUED
      > EXEC
        #1 StringIncremented key=x value=1
      [OK, (integer) 1]"
    `)
  })

  it("is the server's default when configured, which a connection may overrule", () => {
    const { harness } = controlHarness()
    harness.executor.transactions.abortByDefault = true
    const failing = [["SET", "a", "x"], ["INCR", "a"]]
    expect(execute(harness, failing)).toMatch(/^-EXECABORT/)
    harness.run("CLIENT", "MULTI-ON-ERROR", "CONTINUE")
    expect(execute(harness, failing)).toMatch(/^\*2\r\n/)
    harness.run("CLIENT", "MULTI-ON-ERROR", "DEFAULT")
    expect(execute(harness, failing)).toMatch(/^-EXECABORT/)
    // As it was when MULTI came.
    harness.run("MULTI")
    harness.executor.transactions.abortByDefault = false
    for (const request of failing) harness.run(...request)
    expect(harness.run("EXEC")).toMatch(/^-EXECABORT/)
  })
})
