/** What is found through the keys of blocks is what a look at every batch finds, in every form and age of a segment. */
import { crc32 } from "node:zlib"
import { describe, expect, it } from "vitest"
import { movesDatabases } from "../../src/history/frame-scan.ts"
import { LogDirectory } from "../../src/history/log-directory.ts"
import type { DiskFile } from "../../src/log/disk.ts"
import type { Event } from "../../src/log/events/catalog.ts"
import { blockKeysPosition, readFooterTail } from "../../src/log/footer.ts"
import { put32 } from "../../src/log/frame.ts"
import { knownAfter, type KnownOfOpen } from "../../src/log/open-segment.ts"
import type { Slice } from "../../src/projections/memory/slice.ts"
import { compressAll } from "../support/compressing.ts"
import { Random, scaled } from "../support/random.ts"
import { HistoryWorld } from "./world.ts"

/** Sequences of the batches that name each key, by looking at every batch. */
const scanned = (world: HistoryWorld): Map<string, Array<number>> => {
  const all = new Map<string, Array<number>>([["never", []]])
  for (const batch of world.log.read(1)) {
    const names = new Set<string>()
    for (const event of batch.events as ReadonlyArray<Event & { key?: Slice; to?: Slice }>) {
      if (event.key !== undefined) names.add(event.key.latin1())
      if (event.to !== undefined) names.add(event.to.latin1())
    }
    for (const name of names) {
      const sequences = all.get(name)
      if (sequences === undefined) all.set(name, [batch.sequence])
      else sequences.push(batch.sequence)
    }
  }
  return all
}

type View = ReturnType<LogDirectory["view"]>

const foundIn = (view: View, name: string, reverse = false): Array<number> =>
  [...view.naming([Buffer.from(name, "latin1")], { reverse })].flatMap((batch) => batch?.sequence ?? [])

const expectSame = (view: View, expected: ReadonlyMap<string, ReadonlyArray<number>>, note: string): void => {
  for (const [name, sequences] of expected) {
    expect([note, name, foundIn(view, name)]).toEqual([note, name, sequences])
  }
}

/** Writes with the clock going on by more than a second, so that every frame is a block. */
const turnOf = (world: HistoryWorld, random: Random): void => {
  world.turn(random)
  world.clock.advance(random.pick([5, 1100]))
  world.log.tick()
}

const segmentBytes = 16 << 10

/** A sealed segment, as `readFooterTail` wants it. */
const opened = (bytes: Uint8Array): DiskFile =>
  ({
    size: () => bytes.length,
    read: (into: Uint8Array, start: number, length: number, position: number): number => {
      const part = bytes.subarray(position, position + length)
      into.set(part, start)
      return part.length
    }
  }) as unknown as DiskFile

/** Takes the keys of the blocks out of a footer: as it was before there were any. */
const asOld = (bytes: Uint8Array): Uint8Array => {
  const { bytes: now, start } = readFooterTail(opened(bytes), bytes.length)!
  const { at } = blockKeysPosition(readFooterTail(opened(bytes), bytes.length)!)!
  const tail = now.slice()
  put32(tail, 88, at - start + tail.length)
  put32(tail, 108, 0)
  put32(tail, 112, crc32(bytes.subarray(start, at)))
  put32(tail, 116, crc32(tail.subarray(0, 116)))
  return Buffer.concat([bytes.subarray(0, at), tail])
}

describe("a search through the keys of blocks", () => {
  it("finds what a look at every batch finds: open and sealed, compressed, old, told by the log, after crashes", async () => {
    const sizes = { blocks: 0, looked: 0 }
    for (const [seed, footersLater] of [[1, false], [2, true]] as const) {
      const random = new Random(seed)
      const world = new HistoryWorld({ segmentBytes, footersLater })
      world.disk.immediate = true
      let told = new LogDirectory(world.disk)
      const plain = new LogDirectory(world.disk)
      let known: KnownOfOpen | undefined
      let parts = 0
      for (let turn = 0; turn < scaled(300); turn++) {
        turnOf(world, random)
        if (random.chance(0.01)) {
          world.restart(random.chance(0.4)) // in the midst of a footer, too
          told = new LogDirectory(world.disk)
          known = undefined
        }
        if (random.chance(0.05)) {
          const open = world.log.openSegment(known)
          if (open === undefined || open === "later") continue
          parts++
          known = knownAfter(open)
          told.adopt(open)
        }
        if (random.chance(0.01)) {
          const expected = new Map([...scanned(world)].filter(() => random.chance(0.1)))
          expectSame(told.view(world.live()), expected, `told, seed ${seed}, turn ${turn}`)
          expectSame(plain.view(world.live()), expected, `walked, seed ${seed}, turn ${turn}`)
        }
        if (random.chance(0.005)) await compressAll(world.log, 2)
      }
      expect(parts).toBeGreaterThan(5)
      for (let tick = 0; tick < 40; tick++) {
        world.clock.advance(50)
        world.log.tick()
      }
      const expected = scanned(world)
      expect(expected.size).toBeGreaterThan(50)
      for (const cacheBytes of [undefined, 0]) {
        const view = new LogDirectory(world.disk, cacheBytes).view(world.live())
        expectSame(view, expected, `cache ${cacheBytes}, seed ${seed}`)
        for (const [name, sequences] of expected) {
          if (random.chance(0.2)) expect(foundIn(view, name, true)).toEqual(sequences.toReversed())
        }
      }
      const view = new LogDirectory(world.disk).view(world.live())
      expect(view.parts.length).toBeGreaterThan(4)
      for (const { end, segment } of view.parts.slice(0, -1)) {
        const file = segment.open()
        sizes.blocks += segment.directory(file, end).entries.length
        sizes.looked += segment.blocksOf(file, end, [Buffer.from("never")], false).length
        expect(segment.index).toBeUndefined()
        expect(segment.wantsIndex).toBe(false)
        file.close()
      }
      const old = world.disk.settled()
      for (const name of old.files()) {
        if (name.endsWith(".evl") && name !== old.files().filter((each) => each.endsWith(".evl")).at(-1)) {
          old.put(name, asOld(old.bytes(name)))
        }
      }
      const oldView = new LogDirectory(old).view(world.live())
      expectSame(oldView, expected, `old, seed ${seed}`)
    }
    expect(sizes.blocks).toBeGreaterThan(200)
    expect(sizes.looked).toBeLessThan(sizes.blocks * 0.05)
  })

  it("finds what is written after the log was opened again and has told about what was there", () => {
    for (const clean of [true, false]) {
      const world = new HistoryWorld({ segmentBytes: 1 << 20 })
      world.disk.immediate = true
      const write = (times: number): void => {
        for (let i = 0; i < times; i++) {
          world.run(world.connections[0]!, "SET", `key:${i}`, "x")
          world.commit()
          world.clock.advance(100)
        }
      }
      write(45)
      world.restart(clean)
      const directory = new LogDirectory(world.disk)
      let known: KnownOfOpen | undefined
      for (let round = 0; round < 8; round++) {
        while (world.log.openSegment(known) === "later");
        const open = world.log.openSegment(known)
        if (open !== undefined && open !== "later") {
          known = knownAfter(open)
          directory.adopt(open)
        }
        expect(known?.blocks).toBeGreaterThan(3)
        expectSame(directory.view(world.live()), scanned(world), `clean ${clean}, round ${round}`)
        write(round)
        expectSame(directory.view(world.live()), scanned(world), `clean ${clean}, round ${round}, later`)
      }
    }
  })

  it("finds which blocks move databases, without a look at the others", () => {
    const random = new Random(5)
    const world = new HistoryWorld({ segmentBytes })
    for (let turn = 0; turn < 400; turn++) turnOf(world, random)
    const moves: Array<number> = []
    for (const { events, sequence } of world.log.read(1)) if (events.some(movesDatabases)) moves.push(sequence)
    expect(moves.length).toBeGreaterThan(5)
    const view = new LogDirectory(world.disk).view(world.live())
    const found = [...view.naming([Buffer.from("never")], {}, true)].flatMap((batch) => batch?.sequence ?? [])
    expect(found).toEqual(moves)
    for (const { segment } of view.parts.slice(0, -1)) expect(segment.index).toBeUndefined()
  })

  it("has read the footers before it is asked, but for those that cannot be read", async () => {
    const random = new Random(6)
    const world = new HistoryWorld({ segmentBytes })
    world.disk.immediate = true
    for (let turn = 0; turn < 300; turn++) turnOf(world, random)
    await compressAll(world.log, 2)
    const disk = world.disk.settled()
    const directory = new LogDirectory(disk)
    const { parts } = directory.view(world.live())
    expect(parts.length).toBeGreaterThan(5)
    const [damaged] = disk.files().filter((name) => name.endsWith(".evz"))
    disk.put(damaged!, disk.bytes(damaged!).subarray(0, 300))
    let steps = 0
    while (directory.indexMore()) steps++
    expect(steps).toBe(parts.length - 2)
    for (const { segment } of parts.slice(1, -1)) expect(segment.cachedBytes).toBeGreaterThan(0)
  })

  it("of which a bit is flipped, before it is read or between two times, misses nothing", () => {
    const random = new Random(9)
    const world = new HistoryWorld({ segmentBytes })
    for (let turn = 0; turn < 120; turn++) turnOf(world, random)
    const expected = scanned(world)
    const few = new Map([...expected].slice(0, 12))
    const disk = world.disk.settled()
    const view = new LogDirectory(disk).view(world.live())
    expect(view.parts.length).toBeGreaterThan(1)
    const name = disk.files().filter((each) => each.endsWith(".evl"))[0]!
    const bytes = disk.bytes(name)
    const { at, length } = blockKeysPosition(readFooterTail(opened(bytes), bytes.length)!)!
    expect(length).toBeGreaterThan(200)
    const lasting = new LogDirectory(disk)
    expectSame(lasting.view(world.live()), expected, "sound")
    for (let position = at; position < at + length; position += 1 + random.below(7)) {
      const bit = random.below(8)
      disk.flip(name, position, bit)
      for (const directory of [new LogDirectory(disk), lasting]) {
        for (const { segment } of directory.view(world.live()).parts) segment.forgetKeys()
        expectSame(directory.view(world.live()), few, `byte ${position} bit ${bit}`)
      }
      disk.flip(name, position, bit)
    }
  })
})
