/** Streams in dumps of three versions of Redis, made by hand, and in damaged ones. */
import { describe, expect, it } from "vitest"
import { streamEvents } from "../../src/projections/dump-read-stream.ts"
import { hasValidFooter, readDump } from "../../src/projections/dump-read.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import * as Streams from "../../src/projections/stream-read.ts"
import { type DumpedStream, dumpOf } from "../support/stream-dump.ts"
import { flat, readStream, slice, type Stream, streamEntry } from "../support/stream-model.ts"

const seen = 1_700_000_000_000

const dumped: DumpedStream = {
  nodes: [
    [{ id: [5, 1], value: 7 }, { id: [5, 3], value: "x", removed: true }, { id: [9, 9], value: "text" }],
    [{ id: [300, 0], value: "y" }]
  ],
  last: [4_000_000_000, 2],
  first: [5, 1],
  maxDeleted: [5, 3],
  added: 20_000,
  groups: [
    {
      name: "g",
      last: [5, 1],
      read: 3,
      pending: [{ id: [5, 1], time: seen - 5, count: 2 }, { id: [9, 9], time: seen - 4, count: 100 }],
      consumers: [
        { name: "idle", seen, pending: [] },
        { name: "busy", seen, active: seen - 4, pending: [[9, 9], [5, 1]] }
      ]
    },
    { name: "", last: [9, 9], pending: [], consumers: [] }
  ]
}

const restored = (dump: Buffer): { readonly keyspace: Keyspace; readonly stream: Stream | undefined } => {
  const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
  const bytes = new Slice(dump)
  expect(hasValidFooter(bytes)).toBe(true)
  const value = readDump(bytes)
  if (value?.type !== "stream") return { keyspace, stream: undefined }
  for (const event of streamEvents(slice("k"), value)) {
    keyspace.turn.next(seen)
    evolve(keyspace, 0, event)
  }
  const db = keyspace.database(0)
  return { keyspace, stream: readStream(db, streamEntry(db, "k")) }
}

const entries = new Map([["5-1", ["f", "7"]], ["9-9", ["f", "text"]], ["300-0", ["f", "y"]]])
const pending = new Map([
  ["5-1", { owner: "=busy", time: seen - 5, count: 2 }],
  ["9-9", { owner: "=busy", time: seen - 4, count: 100 }]
])
const stream = { entries, last: "4000000000-2", producers: undefined }
const group = { last: "5-1", pending }
const nameless = { last: "9-9", consumers: new Map<string, number>(), pending: new Map<string, never>() }

describe("dumps of streams", () => {
  it("of type 15 (Redis 5) tell nothing of what was added and read: both are estimated", () => {
    expect(flat(restored(dumpOf(dumped, 15)).stream!)).toEqual(flat({
      ...stream,
      maxDeleted: "0-0",
      added: 3,
      groups: new Map([
        ["g", { ...group, read: 1, consumers: new Map([["busy", -1], ["idle", -1]]) }],
        ["", { ...nameless, read: null }]
      ])
    }))
  })

  it("of type 19 (Redis 7.0) tell both, and of type 21 (Redis 7.2) when consumers were active", () => {
    for (const [type, active] of [[19, -1], [21, seen - 4]] as const) {
      expect(flat(restored(dumpOf(dumped, type)).stream!)).toEqual(flat({
        ...stream,
        maxDeleted: "5-3",
        added: 20_000,
        groups: new Map([
          ["g", { ...group, read: 3, consumers: new Map([["busy", active], ["idle", -1]]) }],
          ["", { ...nameless, read: null }]
        ])
      }))
    }
  })

  it("may have nodes of removed entries only, and removed entries beyond the last id", () => {
    for (const type of [15, 19, 21] as const) {
      const { keyspace, stream } = restored(dumpOf({
        nodes: [
          [{ id: [1, 1], value: 1, removed: true }],
          [{ id: [2, 1], value: 2 }, { id: [8, 1], value: 3, removed: true }]
        ],
        last: [3, 1],
        groups: []
      }, type))
      expect([...stream!.entries.keys()]).toEqual(["2-1"])
      expect(stream!.last).toBe("3-1")
      const db = keyspace.database(0)
      expect(Streams.treeKeys(db, streamEntry(db, "k"))).toBe(1)
    }
  })

  it("are refused when their parts do not fit together", () => {
    const bad: ReadonlyArray<DumpedStream> = [
      { ...dumped, last: [299, 0] },
      { ...dumped, nodes: [...dumped.nodes].reverse() },
      { ...dumped, nodes: [dumped.nodes[0]!, dumped.nodes[0]!] },
      { ...dumped, nodes: [[{ id: [0, 0], value: 1 }]] },
      { ...dumped, groups: [dumped.groups[0]!, dumped.groups[0]!] },
      { ...dumped, groups: [{ ...dumped.groups[0]!, consumers: [] }] },
      { ...dumped, groups: [{ ...dumped.groups[0]!, pending: [] }] }
    ]
    for (const one of bad) {
      for (const type of [15, 19, 21] as const) expect(restored(dumpOf(one, type)).stream).toBeUndefined()
    }
  })

  it("make no room for what cannot be in them", () => {
    const end = Buffer.from([10, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const most = [0x80, 0xff, 0xff, 0xff, 0xff]
    // Nodes, and the name of one that says it unpacks to 512 MiB.
    for (
      const value of [[19, ...most], [19, 1, 0xc3, 3, 0x80, 0x20, 0, 0, 0, 0, 1, 2], [
        19,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        ...most
      ]]
    ) {
      const before = process.memoryUsage().arrayBuffers
      expect(readDump(new Slice(Buffer.concat([Buffer.from(value), end])))).toBeUndefined()
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 24)
    }
  })
})
