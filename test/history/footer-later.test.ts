/** What readers see of a segment whose footer comes later, comes in part, or is taken away by a disk that fails. */
import { describe, expect, it } from "vitest"
import { keyTrail } from "../../src/history/key-trail.ts"
import { LogDirectory } from "../../src/history/log-directory.ts"
import type { LogView } from "../../src/history/log-view.ts"
import type { Segment } from "../../src/history/segment.ts"
import { segmentsOf } from "../support/frames.ts"
import { batchLine, linesOf } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { HistoryWorld } from "./world.ts"

const keys = Array.from({ length: 12 }, (_, i) => `key:${i}`)
const newest = { lsn: Number.MAX_SAFE_INTEGER, oldest: 1 }

/** A log of some keys, written until a segment is sealed that has no footer yet; `name` and `end` are that segment's. */
const start = () => {
  const world = new HistoryWorld({ policy: "everysec", footersLater: true })
  const random = new Random(3)
  const [client] = world.connections
  /** Sequences of the batches that name a key. */
  const written = new Map<string, Array<number>>([...keys, "nosuch"].map((key) => [key, []]))
  const write = (): void => {
    // Some keys are in few segments only.
    const key = keys[random.below(random.chance(0.02) ? keys.length : 3) + (random.chance(0.01) ? 3 : 0)] ?? keys[0]!
    world.run(client!, "SET", key, "v".repeat(random.below(200)))
    written.get(key)!.push(world.log.sequence())
    world.log.commit()
    world.clock.advance(1)
  }
  const rotate = (): void => {
    const before = segmentsOf(world.disk.files()).length
    while (segmentsOf(world.disk.files()).length === before) write()
  }
  const tick = (): void => {
    world.clock.advance(50)
    world.log.tick()
  }
  rotate()
  const [name] = segmentsOf(world.disk.files())
  return { ...world, world, written, rotate, tick, name: name!, end: world.disk.bytes(name!).length }
}

/** Reads everything, and the history of each key. */
const check = (view: LogView, lines: ReadonlyArray<string>, written: ReadonlyMap<string, ReadonlyArray<number>>) => {
  expect(Array.from(view.batches(), batchLine)).toEqual(lines)
  for (const [key, sequences] of written) {
    const trail = [...keyTrail(view, 0, Buffer.from(key))].flatMap((change) => change?.batch.sequence ?? [])
    expect(trail, key).toEqual(sequences)
  }
}

const firstOf = (directory: LogDirectory): Segment => directory.view(newest).parts[0]!.segment

describe("a footer that comes later", () => {
  it("is not missed, and used once it is there, by who looked before and by who did not", () => {
    const { rotate, tick, world, written } = start()
    const lasting = new LogDirectory(world.disk)
    const look = (): void => {
      const lines = linesOf(world.log)
      for (const directory of [lasting, new LogDirectory(world.disk)]) {
        for (const live of [world.live(), undefined]) check(directory.view(live), lines, written)
      }
    }
    look()
    expect(firstOf(lasting).summary).toBeUndefined()
    for (let segments = 0; segments < 3; segments++) {
      for (let i = 0; i < 8; i++) {
        tick()
        look()
        world.disk.runPending()
      }
      for (const { segment } of lasting.view(world.live()).parts.slice(0, -1)) {
        expect(segment.summary).toBeDefined()
        segment.forget()
      }
      look()
      expect(firstOf(lasting).index).toBeUndefined()
      rotate()
      look()
    }
  })

  it("is no damage while only a part of it is there, however small", () => {
    const { disk, end, name, tick, world, written } = start()
    const lines = linesOf(world.log)
    for (let i = 0; i < 8; i++) tick()
    const whole = disk.bytes(name)
    disk.kill()
    const left = disk.settled()
    const lasting = new LogDirectory(left)
    const step = Math.ceil((whole.length - end) / 40)
    for (let cut = end; cut < whole.length; cut += cut - end < 10 || whole.length - cut < 140 ? 1 : step) {
      left.put(name, whole.subarray(0, cut))
      for (const directory of [lasting, new LogDirectory(left)]) {
        for (const live of [newest, undefined]) {
          const view = directory.view(live)
          expect(view.parts[0]!.segment.summary).toBeUndefined()
          if (cut === end || whole.length - cut === 1) check(view, lines, written)
          else expect(view.head).toBe(lines.length)
        }
      }
    }
    left.put(name, whole)
    const view = lasting.view(newest)
    expect(view.parts[0]!.segment.summary?.lastSequence).toBe(view.parts[1]!.segment.first - 1)
    check(view, lines, written)
  })

  it("and that the disk takes away again, to be written anew, leaves nothing out", () => {
    const { disk, end, name, tick, world, written } = start()
    const lines = linesOf(world.log)
    disk.fail({ operation: "fdatasync", file: new RegExp(name) })
    for (let i = 0; i < 8; i++) tick()
    const whole = disk.bytes(name)
    const directory = new LogDirectory(disk)
    check(directory.view(world.live()), lines, written)
    expect(firstOf(directory).index).toBeUndefined()
    disk.runPending()
    disk.fail({ operation: "write", file: new RegExp(name), times: Infinity })
    for (let i = 0; i < 40; i++) tick()
    expect(disk.bytes(name).length).toBe(end)
    for (let cut = end; cut < whole.length; cut += 16) {
      disk.put(name, whole.subarray(0, cut))
      check(directory.view(world.live()), lines, written)
      expect(firstOf(directory).index).toBeUndefined()
    }
    check(new LogDirectory(disk).view(world.live()), lines, written)
  })
})
