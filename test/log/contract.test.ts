import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import type { EventLog } from "../../src/log/event-log.ts"
import type { Event } from "../../src/log/events/catalog.ts"
import { memoryLog } from "../../src/log/memory-log.ts"
import { openLog } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { author, batchLine, FakeClock, lineOf, logOptions } from "../support/log-writer.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** What holds for every log, whatever it keeps its batches in. */

type Log = EventLog["Service"]
const folders: Array<string> = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

const logs: Record<string, () => Log> = {
  "memory": () => memoryLog(),
  "segment files": () => {
    const folder = mkdtempSync(join(tmpdir(), "annals-log-"))
    folders.push(folder)
    return openLog(nodeDisk(folder), new FakeClock(), logOptions())
  },
  "a simulated disk": () => openLog(new SimDisk(), new FakeClock(), logOptions())
}

const set = (key: string, value: string): Event => ({
  _tag: "StringSet",
  key: Slice.latin1(key),
  value: Slice.latin1(value),
  expireAt: null
})
const read = (log: Log, from = 1): Array<string> => {
  const lines: Array<string> = []
  for (const batch of log.read(from)) lines.push(batchLine(batch))
  return lines
}

for (const [name, open] of Object.entries(logs)) {
  describe(`a log in ${name}`, () => {
    it("numbers batches from 1 without gaps", () => {
      const log = open()
      expect(log.sequence()).toBe(0)
      for (let i = 1; i <= 5; i++) {
        expect(log.append(1000, 0, "client", 1, undefined, [set("k", "v")], 1)).toBe(i)
        expect(log.sequence()).toBe(i)
      }
    })

    it("shows batches once they are committed, with all they were appended with", () => {
      const log = open()
      const who = author(7)
      const events: Array<Event> = [set("a", "1"), { _tag: "KeyDeleted", key: Slice.latin1("b") }, set("not", "this")]
      log.append(2000, 3, "script", 77, who, events, 2)
      expect(read(log)).toEqual([])
      log.commit()
      expect(read(log)).toEqual([lineOf(1, 2000, 3, "script", 77, who, events.slice(0, 2))])
    })

    it("copies what it is given", () => {
      const log = open()
      const bytes = Buffer.from("before")
      log.append(1, 0, "client", 0, undefined, [{ _tag: "KeyDeleted", key: new Slice(bytes) }], 1)
      bytes.write("after!")
      log.commit()
      expect(read(log)).toEqual(["#1 1 db0 client c0 [-] KeyDeleted key=before"])
    })

    it("keeps batches without events and batches of many", () => {
      const log = open()
      log.append(5, 0, "admin", 0, undefined, [], 0)
      const many = Array.from({ length: 300 }, (_, i) => set(`k${i}`, "v".repeat(i)))
      log.append(5, 0, "client", 1, undefined, many, 300)
      log.commit()
      expect(read(log)).toEqual([
        lineOf(1, 5, 0, "admin", 0, undefined, []),
        lineOf(2, 5, 0, "client", 1, undefined, many)
      ])
    })

    it("never lets time fall", () => {
      const log = open()
      for (const time of [5000, 4000, 6000, 1]) log.append(time, 0, "client", 1, undefined, [set("k", "v")], 1)
      log.commit()
      expect([...log.read(1)].length).toBe(4)
      const times: Array<number> = []
      for (const batch of log.read(1)) times.push(batch.time)
      expect(times).toEqual([5000, 5000, 6000, 6000])
    })

    it("reads from any sequence", () => {
      const log = open()
      const lines: Array<string> = []
      for (let i = 1; i <= 400; i++) {
        const who = author(i % 5)
        const events = [set(`key ${i}`, "x".repeat(i % 90))]
        log.append(1000 + i, 0, "client", 1, who, events, 1)
        lines.push(lineOf(i, 1000 + i, 0, "client", 1, who, events))
        if (i % 7 === 0) log.commit()
      }
      log.commit()
      for (const from of [-3, 0, 1, 2, 137, 399, 400, 401, 5000]) {
        expect(read(log, from), `from ${from}`).toEqual(lines.slice(Math.max(0, from - 1)))
      }
    })

    it("lets a reader go on to what is written meanwhile", () => {
      const log = open()
      const seen: Array<number> = []
      log.append(1, 0, "client", 1, undefined, [set("k", "v")], 1)
      log.commit()
      for (const batch of log.read(1)) {
        seen.push(batch.sequence)
        if (seen.length < 300) {
          log.append(1, 0, "client", 1, undefined, [set("k", "v".repeat(50))], 1)
          log.commit()
        }
      }
      expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i + 1))
    })

    it("releases what is committed, and its position grows", () => {
      const log = open()
      let before = log.lsn()
      for (let i = 0; i < 20; i++) {
        log.append(1, 0, "client", 1, undefined, [set("k", "v")], 1)
        log.commit()
        expect(log.lsn()).toBeGreaterThan(before)
        expect(log.released()).toBeGreaterThanOrEqual(log.lsn())
        before = log.lsn()
      }
      log.commit()
      expect(log.lsn(), "a turn without writes").toBe(before)
      expect(log.failure()).toBeUndefined()
      expect(log.status()).toMatchObject({ sequence: 20, oldestSequence: 1, lastWriteOk: true })
    })

    it("notes a name that changes", () => {
      const log = open()
      const first = author(3)
      const later = { ...first, name: "renamed", revision: first.revision + 1 }
      log.append(1, 0, "client", 1, first, [set("k", "v")], 1)
      log.append(1, 0, "client", 1, later, [set("k", "v")], 1)
      log.append(1, 0, "client", 1, undefined, [set("k", "v")], 1)
      log.commit()
      log.append(1, 0, "client", 1, later, [set("k", "v")], 1)
      log.commit()
      const names: Array<string | undefined> = []
      for (const batch of log.read(1)) names.push(batch.author?.name)
      expect(names).toEqual(["", "renamed", undefined, "renamed"])
    })
  })
}
