/** Replies to questions about a log: what they show and leave out, gaps among them, and that the log stays as it is. */
import { createHash } from "node:crypto"
import { afterAll, describe, expect, it } from "vitest"
import { answer } from "../../src/history/answers.ts"
import { LogDirectory } from "../../src/history/log-directory.ts"
import type { Answer, HistoryRequest, LogRequest, ReadRequest } from "../../src/history/questions.ts"
import { type Disk, nodeDisk } from "../../src/log/disk.ts"
import { PastAnswers } from "../../src/past/answers.ts"
import { salvageDirectory } from "../../src/tools/salvage.ts"
import { linesOf, peek } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { smallSegments } from "../support/sample-log.ts"
import { showReply } from "../support/transcript.ts"
import { batchesOf, cleanUp, closed, filesOf, load, newFolder, store } from "../tools/salvage-support.ts"
import { HistoryWorld } from "./world.ts"

afterAll(cleanUp)

const historyOf = (key: string, changed: Partial<HistoryRequest> = {}): HistoryRequest => ({
  kind: "history",
  db: 0,
  key: Buffer.from(key, "latin1"),
  from: undefined,
  to: undefined,
  count: undefined,
  reverse: false,
  field: undefined,
  ...changed
})

const readFrom = (from: number, changed: Partial<ReadRequest> = {}): ReadRequest => ({
  kind: "read",
  from,
  to: undefined,
  count: undefined,
  match: undefined,
  types: [],
  user: undefined,
  db: undefined,
  values: false,
  ...changed
})

const answered = (disk: Disk, request: LogRequest, protocol = 2): Answer => {
  const question = {
    id: 1,
    request,
    live: { lsn: Number.MAX_SAFE_INTEGER, oldest: 1 },
    protocol,
    now: 2 ** 50,
    memory: 1 << 30
  }
  const steps = answer(new LogDirectory(disk), question, new PastAnswers().answer)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** A reply as redis-cli prints it. */
const shown = (disk: Disk, request: LogRequest, protocol = 3): string => {
  const found = answered(disk, request, protocol)
  if (found.kind === "plan") throw new Error("a plan is no reply")
  return found.kind === "error" ? `(error) ${found.text}` : showReply(Buffer.from(found.bytes).toString("latin1"))[0]
}

/** The numbers behind a name in what is shown. */
const numbers = (text: string, name: string): Array<number> =>
  [...text.matchAll(new RegExp(`"${name}", \\(integer\\) (\\d+)`, "g"))].map(([, value]) => Number(value))

describe("what a reply shows of streams", () => {
  const world = new HistoryWorld()
  const [client] = world.connections
  world.run(client!, "XADD", "x", "5-1", "a", "1")
  world.run(client!, "XADD", "x", "5-2", "a", "2")
  world.run(client!, "XGROUP", "CREATE", "x", "g", "0")
  world.run(client!, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">")
  world.run(client!, "XACK", "x", "g", "5-1")
  world.run(client!, "XADD", "x", "6-1", "a", "3", "b", "4")
  world.log.commit()

  it("ids as they are written, and by an entry's id what happened to it", () => {
    expect(shown(world.disk, historyOf("x"))).toContain("\"5-2\"")
    expect(numbers(shown(world.disk, historyOf("x", { field: Buffer.from("5-1") })), "sequence")).toEqual([1, 4, 5])
    expect(numbers(shown(world.disk, historyOf("x", { field: Buffer.from("5-2") })), "sequence")).toEqual([2, 4])
  })

  it("all of an entry that is asked for, and of others the field that is", () => {
    const entry = shown(world.disk, historyOf("x", { field: Buffer.from("6-1"), count: 1 }))
    expect(entry).toContain("\"fields\", {\"a\", \"3\", \"b\", \"4\"}")
    const field = shown(world.disk, historyOf("x", { field: Buffer.from("b") }))
    expect(field).toContain("\"fields\", {\"b\", \"4\"}")
  })
})

describe("what a reply shows", () => {
  const world = new HistoryWorld()
  const [client] = world.connections
  client!.client.name = "w"
  client!.client.changed()
  world.run(client!, "ZADD", "z", "1.5", "a", "2", "b")
  world.run(client!, "SADD", "s", "a", "b")
  world.run(client!, "RPUSH", "l", "a", "b", "a")
  world.run(client!, "LREM", "l", "1", "a")
  world.run(client!, "ZREM", "z", "a")
  world.run(client!, "ZREMRANGEBYRANK", "z", "0", "0")
  world.run(client!, "EXPIRE", "s", "100")
  world.run(client!, "SREM", "s", "b")
  world.run(client!, "DEL", "s")
  world.commit()

  it("is a map in RESP3 and names and values in turn in RESP2", () => {
    expect(shown(world.disk, historyOf("z", { count: 1 }))).toMatchInlineSnapshot(
      `"[{"sequence", (integer) 1, "event", (integer) 0, "time", (integer) 1790000000000, "type", "SortedSetMembersScored", "db", (integer) 0, "origin", "client", "command", "zadd", "user", "default", "client-id", (integer) 1, "address", "127.0.0.1:50001", "client-name", "w", "change", {"members", {"a", (double) 1.5, "b", (double) 2}}}]"`
    )
    expect(shown(world.disk, historyOf("z", { count: 1 }), 2)).toMatchInlineSnapshot(
      `"[["sequence", (integer) 1, "event", (integer) 0, "time", (integer) 1790000000000, "type", "SortedSetMembersScored", "db", (integer) 0, "origin", "client", "command", "zadd", "user", "default", "client-id", (integer) 1, "address", "127.0.0.1:50001", "client-name", "w", "change", ["members", ["a", "1.5", "b", "2"]]]]"`
    )
    expect(shown(world.disk, readFrom(1, { count: 2 }))).toMatchInlineSnapshot(
      `"{"next", (integer) 3, "batches", [{"sequence", (integer) 1, "time", (integer) 1790000000000, "origin", "client", "command", "zadd", "user", "default", "client-id", (integer) 1, "address", "127.0.0.1:50001", "client-name", "w", "events", [{"type", "SortedSetMembersScored", "db", (integer) 0, "key", "z"}]}, {"sequence", (integer) 2, "time", (integer) 1790000000000, "origin", "client", "command", "sadd", "user", "default", "client-id", (integer) 1, "address", "127.0.0.1:50001", "client-name", "w", "events", [{"type", "SetMembersAdded", "db", (integer) 0, "key", "s"}]}]}"`
    )
    expect(shown(world.disk, readFrom(2, { count: 1, values: true }), 2)).toMatchInlineSnapshot(
      `"["next", (integer) 3, "batches", [["sequence", (integer) 2, "time", (integer) 1790000000000, "origin", "client", "command", "sadd", "user", "default", "client-id", (integer) 1, "address", "127.0.0.1:50001", "client-name", "w", "events", [["type", "SetMembersAdded", "db", (integer) 0, "key", "s", "change", ["members", ["a", "b"]]]]]]]"`
    )
    expect(shown(world.disk, historyOf("nosuch"))).toBe("[]")
  })

  it("with a field keeps to members, elements, and what changes the key as a whole", () => {
    const kinds = (key: string, field: string): Array<string> =>
      [...shown(world.disk, historyOf(key, { field: Buffer.from(field) })).matchAll(/"type", "(\w+)"/g)].map((
        [, kind]
      ) => kind!)
    expect(kinds("z", "a")).toEqual(["SortedSetMembersScored", "SortedSetMembersRemoved", "SortedSetRangeRemoved"])
    expect(kinds("z", "c")).toEqual(["SortedSetRangeRemoved"])
    expect(kinds("s", "a")).toEqual(["SetMembersAdded", "KeyDeleted"])
    expect(kinds("s", "b")).toEqual(["SetMembersAdded", "SetMembersRemoved", "KeyDeleted"])
    expect(kinds("l", "a")).toEqual(["ListPushed", "ListElementsRemoved"])
    expect(kinds("l", "b")).toEqual(["ListPushed"])
  })

  it("is cut where it is long, in the history of a key, and whole in the feed", () => {
    const long = new HistoryWorld()
    const [writer] = long.connections
    long.run(writer!, "SADD", "s", "x".repeat(3000), ...Array.from({ length: 149 }, (_, i) => `m${i}`))
    long.commit()
    const told = shown(long.disk, historyOf("s"))
    expect(numbers(told, "cut-bytes")).toEqual([1976])
    expect(numbers(told, "left-out")).toEqual([50])
    const feed = answered(long.disk, readFrom(1, { values: true }))
    const text = feed.kind === "reply" ? Buffer.from(feed.bytes).toString("latin1") : ""
    expect(text).toContain("x".repeat(3000))
    expect(text).toContain("m148")
  })
})

describe("a feed", () => {
  it("resumed anywhere, with any filter, gives what fits exactly once and goes past the rest", () => {
    const random = new Random(3)
    const world = new HistoryWorld()
    for (let turn = 0; turn < 200; turn++) world.turn(random)
    const all = new Map<number, boolean>()
    for (const batch of world.log.read(1)) {
      all.set(
        batch.sequence,
        batch.events.some((event) => event._tag === "StringSet" && event.key.latin1().startsWith("k1"))
      )
    }
    const fitting = [...all].filter(([, fits]) => fits).map(([sequence]) => sequence)
    expect(fitting.length).toBeGreaterThan(20)
    const seen: Array<number> = []
    for (let from = 1; from <= all.size;) {
      const request = readFrom(from, { count: random.between(1, 9), match: Buffer.from("k1*"), types: ["StringSet"] })
      const text = shown(world.disk, request)
      seen.push(...numbers(text, "sequence"))
      const [next] = numbers(text, "next")
      expect(next).toBeGreaterThan(from)
      from = next!
    }
    expect(seen).toEqual(fitting)
    const atHead = answered(world.disk, readFrom(all.size + 1))
    expect(atHead).toMatchObject({ kind: "reply", next: all.size + 1 })
    expect(answered(world.disk, readFrom(all.size + 1, { to: { kind: "sequence", sequence: 5 } }))).toMatchObject({
      next: undefined
    })
  })
})

describe("a log with a gap", () => {
  const files = filesOf(closed)
  const frame = batchesOf(closed, closed.sealed[3]!)[2]!
  files.get(closed.sealed[3]!)![frame.position + 44]! ^= 16
  const target = newFolder()
  const { walk } = salvageDirectory(store(files), target)
  const [gap] = walk.gaps

  it("shows it in its place, once, in feeds and histories of either direction", () => {
    const { first, last } = gap!
    const disk = nodeDisk(target)
    const whole = shown(disk, readFrom(1))
    const sequences = numbers(whole, "sequence")
    expect(sequences.filter((sequence) => sequence === first)).toEqual([first])
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(sequences.length).toBe(closed.lines.length - (last - first))
    expect(whole).toContain(`"type", "Gap", "last-sequence", (integer) ${last}`)
    const pieces: Array<number> = []
    for (let from = 1; from <= closed.lines.length;) {
      const text = shown(disk, readFrom(from, { count: 3 }))
      pieces.push(...numbers(text, "sequence"))
      from = numbers(text, "next")[0]!
    }
    expect(pieces).toEqual(sequences)
    for (const reverse of [false, true]) {
      const told = shown(disk, historyOf("key:1", { reverse }))
      expect([...told.matchAll(/"Gap"/g)].length).toBe(1)
      const order = numbers(told, "sequence")
      expect(order).toEqual(order.toSorted((a, b) => reverse ? b - a : a - b))
    }
    expect(shown(disk, historyOf("nosuch", { to: { kind: "sequence", sequence: first - 1 } }))).toBe("[]")
  })

  it("is left byte for byte as it was", () => {
    const digest = (): string => {
      const hash = createHash("sha256")
      for (const [name, bytes] of load(target)) hash.update(name).update(bytes)
      return hash.digest("hex")
    }
    const before = digest()
    shown(nodeDisk(target), readFrom(1, { values: true }))
    shown(nodeDisk(target), historyOf("key:1"))
    expect(digest()).toBe(before)
    expect(peek(nodeDisk(target), (log) => linesOf(log), smallSegments).length).toBeGreaterThan(10)
  })
})
