/** The words of LOG commands: what they ask for, and what they refuse. Answers come from elsewhere: test/process/history.test.ts. */
import { describe, expect, it } from "vitest"
import { controlHarness } from "../server/ports.ts"

/** Runs one request; what it asked for, or the reply that refused it. */
const asked = (request: string): unknown => {
  const { harness } = controlHarness()
  const reply = harness.run(...request.split(" "))
  if (reply !== "") return reply
  expect(harness.connection.blocked).toBe(true)
  return JSON.parse(
    JSON.stringify(
      harness.asked,
      (_, value: unknown) => value instanceof Uint8Array ? Buffer.from(value).toString() : value
    )
  )[0]
}

describe("LOG.HISTORY", () => {
  it("asks for the history of a key of the selected database", () => {
    expect(asked("LOG.HISTORY k")).toEqual({ kind: "history", db: 0, key: "k", reverse: false })
    expect(asked("log.history k rev FROM 5 to @1763848283500 Count 3 FIELD f")).toEqual({
      kind: "history",
      db: 0,
      key: "k",
      from: { kind: "sequence", sequence: 5 },
      to: { kind: "time", time: 1763848283500 },
      count: 3,
      field: "f",
      reverse: true
    })
  })

  it.each([
    "LOG.HISTORY",
    "LOG.HISTORY k FROM",
    "LOG.HISTORY k FROM x",
    "LOG.HISTORY k TO @2026-02-30",
    "LOG.HISTORY k COUNT 0",
    "LOG.HISTORY k COUNT -1",
    "LOG.HISTORY k COUNT x",
    "LOG.HISTORY k WITHVALUES"
  ])("refuses %s", (request) => {
    expect(asked(request)).toMatch(/^-ERR /)
  })
})

describe("LOG.READ", () => {
  it("asks for what follows a sequence", () => {
    expect(asked("LOG.READ FROM 0")).toEqual({ kind: "read", from: 0, types: [], values: false })
    expect(
      asked("LOG.READ COUNT 2 FROM 7 BLOCK 100 MATCH a* TYPE stringset KeyDeleted USER bob DB 15 VALUES TO 9")
    ).toEqual({
      kind: "read",
      from: 7,
      to: { kind: "sequence", sequence: 9 },
      count: 2,
      blockMs: 100,
      match: "a*",
      types: ["StringSet", "KeyDeleted"],
      user: "bob",
      db: 15,
      values: true
    })
  })

  it.each([
    ["LOG.READ FROM -1", "-ERR a sequence is an integer, 0 or greater\r\n"],
    ["LOG.READ FROM x", "-ERR value is not an integer or out of range\r\n"],
    ["LOG.READ COUNT 5", "-ERR syntax error\r\n"],
    ["LOG.READ FROM 1 BLOCK", "-ERR syntax error\r\n"],
    ["LOG.READ FROM 1 BLOCK -5", "-ERR timeout is negative\r\n"],
    ["LOG.READ FROM 1 BLOCK 1.5", "-ERR timeout is not an integer or out of range\r\n"],
    ["LOG.READ FROM 1 TYPE Nothing", "-ERR unknown event type 'Nothing'\r\n"],
    ["LOG.READ FROM 1 TYPE StringSet Nothing", "-ERR syntax error\r\n"],
    ["LOG.READ FROM 1 DB 16", "-ERR DB index is out of range\r\n"],
    ["LOG.READ FROM 1 COUNT 0", "-ERR COUNT must be greater than 0\r\n"]
  ])("refuses %s", (request, refusal) => {
    expect(asked(request)).toBe(refusal)
  })
})

describe("LOG.HEAD", () => {
  it("asks for the ends of the log, and takes no arguments", () => {
    expect(asked("LOG.HEAD")).toEqual({ kind: "head" })
    expect(asked("LOG.HEAD x")).toBe("-ERR wrong number of arguments for 'log.head' command\r\n")
  })

  it("like the others is not for transactions, and spoils them", () => {
    const { harness } = controlHarness()
    for (const request of ["LOG.HEAD", "LOG.HISTORY k", "LOG.READ FROM 1"]) {
      expect(harness.run("MULTI")).toBe("+OK\r\n")
      expect(harness.run(...request.split(" "))).toBe("-ERR Command not allowed inside a transaction\r\n")
      expect(harness.run("EXEC")).toMatch(/^-EXECABORT /)
    }
    expect(harness.asked).toEqual([])
  })
})

describe("LOG.ASOF", () => {
  it("asks for what a command would have answered, from the events of its keys where they are known", () => {
    const moment = { kind: "sequence", sequence: 7 }
    expect(asked("LOG.ASOF 7 get k")).toEqual({ kind: "asof", db: 0, moment, words: ["get", "k"], keys: ["k"] })
    expect(asked("log.asof 7 MGET a b")).toMatchObject({ keys: ["a", "b"] })
    expect(asked("LOG.ASOF 7 OBJECT ENCODING k")).toMatchObject({ keys: ["k"], words: ["OBJECT", "ENCODING", "k"] })
    expect(asked("LOG.ASOF 7 KEYS *")).toEqual({ kind: "asof", db: 0, moment, words: ["KEYS", "*"] })
    expect(asked("LOG.ASOF 7 SORT_RO k BY w_*")).not.toHaveProperty("keys")
  })

  it.each([
    ["LOG.ASOF 7", "-ERR wrong number of arguments for 'log.asof' command"],
    ["LOG.ASOF x GET k", "-ERR a moment is a sequence"],
    ["LOG.ASOF 7 GET", "-ERR wrong number of arguments for 'get' command"],
    ["LOG.ASOF 7 NOPE k", "-ERR unknown command 'NOPE'"],
    ["LOG.ASOF 7 SET k v", "-READONLY the past cannot be changed, and 'set' is a command that writes"],
    ["LOG.ASOF 7 FLUSHALL", "-READONLY "],
    ["LOG.ASOF 7 PING", "-ERR 'ping' does not read data"],
    ["LOG.ASOF 7 OBJECT NOPE k", "-ERR unknown subcommand 'NOPE'"],
    ["LOG.ASOF 7 LOG.ASOF 6 GET k", "-ERR 'log.asof' does not read data"]
  ])("refuses %s", (request, text) => {
    expect(asked(request)).toContain(text)
  })

  it("has the keys of the command inside", () => {
    const { harness } = controlHarness()
    expect(harness.run("COMMAND", "GETKEYS", "LOG.ASOF", "7", "MGET", "a", "b")).toBe("*2\r\n$1\r\na\r\n$1\r\nb\r\n")
  })
})

describe("LOG.DIGEST", () => {
  it("asks for that of now or of a moment", () => {
    expect(asked("LOG.DIGEST")).toEqual({ kind: "digest" })
    expect(asked("log.digest asof @5")).toEqual({ kind: "digest", moment: { kind: "time", time: 5 } })
  })

  it.each(["LOG.DIGEST ASOF", "LOG.DIGEST AT 5", "LOG.DIGEST ASOF x", "LOG.DIGEST 5"])("refuses %s", (request) => {
    expect(asked(request)).toMatch(/^-ERR /)
  })
})

describe("LOG.UNDO", () => {
  it("asks for what takes batches back", () => {
    const plain = { kind: "undo", from: 57, to: 57, db: 0, dryRun: false, force: false }
    expect(asked("LOG.UNDO 57")).toEqual(plain)
    expect(asked("log.undo 57..60 key k dryrun force")).toEqual({
      ...plain,
      to: 60,
      key: "k",
      dryRun: true,
      force: true
    })
  })

  it.each([
    "LOG.UNDO",
    "LOG.UNDO 0",
    "LOG.UNDO 5..4",
    "LOG.UNDO @5",
    "LOG.UNDO 5..",
    "LOG.UNDO 5 KEY",
    "LOG.UNDO 5 AGAIN"
  ])("refuses %s", (request) => {
    expect(asked(request)).toMatch(/^-ERR /)
  })
})

describe("LOG.DIFF", () => {
  it("asks for what differs between two moments", () => {
    const [from, to] = [{ kind: "sequence", sequence: 5 }, { kind: "time", time: 9 }]
    expect(asked("LOG.DIFF 5 @9")).toEqual({ kind: "diff", from, to, count: 100 })
    expect(asked("log.diff 5 @9 match a* count 3")).toEqual({ kind: "diff", from, to, match: "a*", count: 3 })
  })

  it.each(["LOG.DIFF 5", "LOG.DIFF 5 x", "LOG.DIFF 5 6 MATCH", "LOG.DIFF 5 6 COUNT 0", "LOG.DIFF 5 6 DB 1"])(
    "refuses %s",
    (request) => {
      expect(asked(request)).toMatch(/^-ERR /)
    }
  )
})
