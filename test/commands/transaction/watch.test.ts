/** WATCH. Whether EXEC runs in each of these cases was asked of redis-server 7.0.15. */
import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "../server/ports.ts"

/** Runs a script and says whether the EXEC that follows it runs. "2: " comes from another connection. */
const runs = (script: string): boolean => {
  const last = transcript(`${script}\nMULTI\nPING\nEXEC`, { harness: controlHarness().harness }).split("\n").at(-1)
  expect(["[PONG]", "(nil array)"]).toContain(last)
  return last === "[PONG]"
}

const changes: ReadonlyArray<readonly [string, string]> = [
  ["a write of another connection", "WATCH k\n2: SET k 1"],
  ["a write of its own", "WATCH k\nSET k 1"],
  ["one of several keys", "WATCH a b k c\n2: SET k 1"],
  ["the second WATCH", "WATCH a\nWATCH k\n2: SET k 1"],
  ["a deletion", "SET k 1\nWATCH k\n2: DEL k"],
  ["a write of the same value", "SET k 1\nWATCH k\n2: SET k 1"],
  ["an increment by nothing", "SET k 1\nWATCH k\n2: INCRBY k 0"],
  ["an appended nothing", "SET k 1\nWATCH k\n2: APPEND k \"\""],
  ["a deadline", "SET k 1\nWATCH k\n2: EXPIRE k 100"],
  ["the end of a deadline", "SET k 1 EX 100\nWATCH k\n2: PERSIST k"],
  ["death, buried", "SET k 1 PX 10\nWATCH k\n+20\n2: GET k"],
  ["death, not buried", "SET k 1 PX 10\nWATCH k\n+20"],
  ["a key renamed away", "SET k 1\nWATCH k\n2: RENAME k l"],
  ["a key renamed to it", "SET l 1\nWATCH k\n2: RENAME l k"],
  ["a copy onto it", "SET l 1\nWATCH k\n2: COPY l k"],
  ["a copy from another database", "2: SELECT 1\n2: SET l 1\nWATCH k\n2: COPY l k DB 0"],
  ["a key moved away", "SET k 1\nWATCH k\n2: MOVE k 1"],
  ["a key moved in", "WATCH k\n2: SELECT 1\n2: SET k 1\n2: MOVE k 0"],
  ["FLUSHDB", "SET k 1\nWATCH k\n2: FLUSHDB"],
  ["FLUSHALL", "SET k 1\nWATCH k\n2: SELECT 1\n2: FLUSHALL"],
  ["a database swapped in that has it", "WATCH k\n2: SELECT 1\n2: SET k 1\n2: SWAPDB 0 1"],
  ["a database swapped out that had it", "SET k 1\nWATCH k\n2: SWAPDB 1 0"],
  ["equal keys swapped", "SET k 1\n2: SELECT 1\n2: SET k 1\nWATCH k\n2: SWAPDB 0 1"],
  ["a write to a key that was dead", "SET k 1 PX 10\n+20\nWATCH k\n2: SET k 2"],
  ["a live key swapped in for a dead one", "SET k 1 PX 10\n2: SELECT 1\n2: SET k 1\n+20\nWATCH k\n2: SWAPDB 0 1"],
  ["a transaction of another connection", "WATCH k\n2: MULTI\n2: SET k 1\n2: EXEC"],
  [
    "a write in another database that the connection selected since",
    "SELECT 1\nWATCH k\nSELECT 0\n2: SELECT 1\n2: SET k 1"
  ],
  ["an entry of a stream", "XADD k 1-1 a b\nWATCH k\n2: XADD k 2-1 a b"],
  ["an entry deleted from a stream", "XADD k 1-1 a b\nWATCH k\n2: XDEL k 1-1"],
  ["a stream made for a group", "WATCH k\n2: XGROUP CREATE k g 0 MKSTREAM"],
  ["a write after DISCARD and another WATCH", "WATCH k\n2: SET k 1\nMULTI\nDISCARD\nWATCH k\n2: SET k 2"]
]

/** A stream with a group that has been read from, and is watched. */
const stream =
  "XADD k 1-1 a b\nXADD k 2-1 a b\nXGROUP CREATE k g 0\nXREADGROUP GROUP g c COUNT 1 STREAMS k >\nWATCH k\n2: "

const nothing: ReadonlyArray<readonly [string, string]> = [
  ["another group of a stream", `${stream}XGROUP CREATE k h 0`],
  ["the position of a group", `${stream}XGROUP SETID k g 0`],
  ["the end of a group", `${stream}XGROUP DESTROY k g`],
  ["a consumer", `${stream}XGROUP CREATECONSUMER k g d`],
  ["the end of a consumer", `${stream}XGROUP DELCONSUMER k g c`],
  ["entries delivered to a group", `${stream}XREADGROUP GROUP g c STREAMS k >`],
  ["entries acknowledged", `${stream}XACK k g 1-1`],
  ["entries claimed", `${stream}XCLAIM k g d 0 1-1`],
  ["entries claimed without naming them", `${stream}XAUTOCLAIM k g d 0 0`],
  ["the last id of a stream", `${stream}XSETID k 5-1`],
  ["reads", "SET k 1\nWATCH k\n2: GET k\n2: TTL k\n2: TYPE k"],
  ["another key", "WATCH k\n2: SET l 1"],
  ["the same key of another database", "WATCH k\n2: SELECT 1\n2: SET k 1"],
  ["a write before", "2: SET k 1\nWATCH k"],
  ["UNWATCH", "WATCH k\n2: SET k 1\nUNWATCH"],
  ["DISCARD", "WATCH k\n2: SET k 1\nMULTI\nDISCARD"],
  ["an EXEC in between", "WATCH k\n2: SET k 1\nMULTI\nEXEC"],
  ["a refused write", "SET k x\nWATCH k\n2: INCR k"],
  ["deletion of an absent key", "WATCH k\n2: DEL k"],
  ["nothing set into a range", "SET k 1\nWATCH k\n2: SETRANGE k 0 \"\""],
  ["a copy from it", "SET k 1\nWATCH k\n2: COPY k l"],
  ["a rename to its own name", "SET k 1\nWATCH k\n2: RENAME k k"],
  ["FLUSHALL without it", "SET l 1\nWATCH k\n2: FLUSHALL"],
  ["FLUSHDB elsewhere", "SET k 1\nWATCH k\n2: SELECT 1\n2: SET k 1\n2: FLUSHDB"],
  ["databases swapped that lack it", "2: SELECT 1\n2: SET l 1\nWATCH k\n2: SWAPDB 0 1"],
  ["a dead key swapped in", "2: SELECT 1\n2: SET k 1 PX 10\nWATCH k\n+20\n2: SWAPDB 0 1"],
  ["a key dead before", "SET k 1 PX 10\n+20\nWATCH k"],
  ["a key dead before, buried", "SET k 1 PX 10\n+20\nWATCH k\n2: GET k"],
  ["a key dead before, flushed", "SET k 1 PX 10\n+20\nWATCH k\n2: FLUSHALL"],
  ["a key dead before, swapped out", "SET k 1 PX 10\n+20\nWATCH k\n2: SWAPDB 0 1"],
  ["a transaction of another connection that did not run", "WATCH k\n2: MULTI\n2: SET k 1\n2: DISCARD"],
  [
    "a transaction that was taken back",
    "SET k 1\nWATCH k\n2: CLIENT MULTI-ON-ERROR ABORT\n2: MULTI\n2: SET k x\n2: INCR k\n2: EXEC"
  ],
  [
    "a flush that was taken back",
    "SET k 1\nWATCH k\n2: CLIENT MULTI-ON-ERROR ABORT\n2: MULTI\n2: FLUSHALL\n2: SET k x\n2: INCR k\n2: EXEC"
  ]
]

describe("WATCH", () => {
  it.each(changes)("notices %s", (_name, script) => expect(runs(script)).toBe(false))
  it.each(nothing)("does not mind %s", (_name, script) => expect(runs(script)).toBe(true))

  it("shows in CLIENT LIST, and ends with RESET and with the connection", () => {
    const { client, harness } = controlHarness()
    const flags = (): string | undefined =>
      / flags=(\S+) .* (multi=\S+ watch=\S+) .* (multi-mem=\d+) /.exec(harness.run("CLIENT", "LIST"))?.slice(1).join(
        " "
      )
    harness.run("WATCH", "a", "b", "a")
    expect(flags()).toBe("N multi=-1 watch=2 multi-mem=0")
    harness.run("MULTI")
    harness.run("GET", "a")
    const other = harness.connect(2)
    const list = (): string => harness.bytes(["CLIENT", "LIST"], other)!.toString("latin1")
    expect(list()).toMatch(/flags=x .* multi=1 watch=2 .* multi-mem=4 /)
    harness.bytes(["SET", "b", "1"], other)
    expect(list()).toMatch(/flags=xd .* multi=1 watch=0 /)
    harness.run("RESET")
    expect(flags()).toBe("N multi=-1 watch=0 multi-mem=0")
    expect(harness.run("EXEC")).toBe("-ERR EXEC without MULTI\r\n")
    harness.run("WATCH", "a")
    expect(harness.executor.transactions.watches.size).toBe(1)
    harness.executor.transactions.forget(client)
    expect(harness.executor.transactions.watches.size).toBe(0)
    expect(harness.executor.transactions.attentive).toBe(false)
  })
})
