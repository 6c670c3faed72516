/** Epochs: their record in the log, their list beside it, and up to where two logs are the same. */
import { describe, expect, it } from "vitest"
import { buildFrame, FrameHeader, frameType } from "../../src/log/frame.ts"
import {
  commonEnd,
  decodeReplication,
  encodeReplication,
  type Epoch,
  epochBody,
  epochsBefore,
  parseEpochs,
  printEpochs,
  readEpoch,
  readReplication
} from "../../src/log/lineage.ts"
import { SimDisk } from "../support/sim-disk.ts"

const id = (digit: string): string => digit.repeat(40)
const epoch = (number: number, digit: string, lsn: number): Epoch => ({ number, replicationId: id(digit), lsn })

describe("the record of an epoch", () => {
  it("has these bytes for ever", () => {
    const body = epochBody(300, Uint8Array.from({ length: 20 }, (_, i) => i), "promoted")
    expect(Buffer.from(body).toString("hex")).toBe(
      "03ac02000102030405060708090a0b0c0d0e0f10111213" + "0870726f6d6f746564"
    )
    const header = new FrameHeader()
    header.type = frameType.control
    header.epoch = 300
    const frame = buildFrame(header, body)
    expect(readEpoch(frame, 0, header)).toEqual({ number: 300, replicationId: body.slice(3, 23) })
    header.epoch = 299
    expect(readEpoch(frame, 0, header), "it is that of its frame").toBe(undefined)
  })
})

describe("REPLICATION", () => {
  const state = {
    epochs: [epoch(1, "a", 0), epoch(2, "b", 400)],
    following: "127.0.0.1 6379 0 -",
    pending: { kind: "rewind", lsn: 400, to: "quarantine/rewind-1" } as const
  }

  it("comes back as it was written, and its text stays as it is", () => {
    const bytes = encodeReplication(state)
    expect(Buffer.from(bytes).toString("utf8")).toMatchInlineSnapshot(`
      "{"annals":"replication","version":1,"epochs":"1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:0,2:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb:400","following":"127.0.0.1 6379 0 -","pending":{"kind":"rewind","lsn":400,"to":"quarantine/rewind-1"}}
      {"crc32":"2f76cd16"}
      "
    `)
    expect(decodeReplication(bytes)).toEqual(state)
  })

  it("is refused when any of its bytes is another", () => {
    const bytes = encodeReplication(state)
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[i]! ^= 1
      const found = decodeReplication(damaged)
      expect(typeof found === "string" || JSON.stringify(found) === JSON.stringify(state), `byte ${i}`).toBe(true)
    }
    const disk = new SimDisk()
    expect(readReplication(disk)).toBe(undefined)
    disk.writeFileAtomic("REPLICATION", bytes.subarray(0, 100))
    expect(() => readReplication(disk)).toThrow(/REPLICATION cannot be used/)
  })
})

describe("two logs", () => {
  const first = [epoch(1, "a", 0)]
  const second = [...first, epoch(2, "b", 100)]
  const third = [...second, epoch(3, "c", 200)]

  it.each([
    ["one behind the other", second, 150, second, 300, 150],
    ["one that went on in a new epoch", third, 250, second, 180, 180],
    ["one that went on and one that did, too, in the old one", third, 250, second, 300, 200],
    ["both promoted under one number", [...second, epoch(3, "d", 200)], 300, third, 300, 200],
    ["promoted at different places", [...second, epoch(3, "d", 150)], 300, third, 300, 150],
    ["one from before any epoch", first, 40, third, 300, 40],
    ["nothing in common", [epoch(1, "x", 0)], 40, third, 300, undefined],
    ["the same epoch from different places", [...first, epoch(2, "b", 120)], 300, second, 300, 100]
  ])("%s", (_what, mine, myEnd, theirs, theirEnd, common) => {
    expect(commonEnd(mine, myEnd, theirs, theirEnd)).toBe(common)
    expect(commonEnd(theirs, theirEnd, mine, myEnd)).toBe(common)
  })

  it("name their epochs in words, and take back nothing else", () => {
    expect(parseEpochs(printEpochs(third))).toEqual(third)
    for (
      const text of ["", "1:a:0", `1:${id("a")}`, `2:${id("a")}:0,1:${id("b")}:5`, `1:${id("a")}:9,2:${id("b")}:5`]
    ) {
      expect(parseEpochs(text), text).toBe(undefined)
    }
    expect(epochsBefore(third, 100)).toEqual(first)
    expect(epochsBefore(third, 101)).toEqual(second)
    expect(epochsBefore(third, 0)).toEqual(first)
  })
})
