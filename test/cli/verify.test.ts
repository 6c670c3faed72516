import { crc32 } from "node:zlib"
import { describe, expect, it } from "vitest"
import { endOfFrames, type FrameFacts, framesOf, headerOf } from "../support/frames.ts"
import { Random, scaled } from "../support/random.ts"
import type { SimDisk } from "../support/sim-disk.ts"
import { live, type Lived } from "./lives.ts"
import { Desk, fingerprint } from "./world.ts"

/** A log that was closed in order, all of it safely on disk. */
const closed = async (seed: number, requests = 500): Promise<Lived> => {
  const lived = await live(seed, {
    requests,
    blind: true,
    segmentBytes: 4096,
    checkpointEvery: 200,
    compressEvery: 150
  })
  lived.world.log.close()
  lived.disk.runPending()
  return lived
}

const segments = (disk: SimDisk): Array<string> => disk.list("log").map((base) => `log/${base}`)
const open = (disk: SimDisk): Array<string> => segments(disk).filter((name) => name.endsWith(".evl"))

/** Flips a byte of a frame's body and makes both of its checksums fit again. */
const mend = (
  bytes: Uint8Array,
  { bodyStart, position, length }: { bodyStart: number; position: number; length: number },
  random: Random
) => {
  const copy = Buffer.from(bytes)
  const at = random.between(bodyStart, position + length - 1)
  copy[at]! ^= 1 << random.below(8)
  copy.writeUInt32LE(crc32(copy.subarray(position + 40, position + length)), position + 32)
  copy.writeUInt32LE(crc32(copy.subarray(position, position + 36)), position + 36)
  return copy
}

const place = (frame: FrameFacts) => ({
  bodyStart: frame.position + 40,
  position: frame.position,
  length: frame.length
})

describe("annals verify", () => {
  it("finds a flipped bit in any file, and says whether it is in the log or in a checkpoint", async () => {
    const { disk } = await closed(21)
    const desk = new Desk()
    desk.disks.set("data", disk)
    expect((await desk.run("verify --dir data --folds")).code).toBe(0)
    const random = new Random(5)
    const names = [...segments(disk), "MANIFEST", ...disk.list("checkpoints").map((base) => `checkpoints/${base}`)]
    for (let i = 0; i < scaled(150); i++) {
      const name = random.pick(names)
      const damaged = disk.settled()
      const position = random.below(damaged.readFile(name).length)
      damaged.flip(name, position, random.below(8))
      desk.disks.set("data", damaged)
      const [said] = await desk.json("verify --dir data")
      const at = `${name}, byte ${position}: ${JSON.stringify(said)}`
      expect(said["exit-code"], at).toBe(name.startsWith("checkpoints") ? 8 : 3)
      expect(said.findings[0].file.replace(/\.ev[lz]$/, ""), at).toBe(name.replace(/\.ev[lz]$/, ""))
    }
  }, 60_000)

  it("finds what was tampered with although every checksum fits, with its first bad sequence", async () => {
    const { disk } = await closed(22)
    const desk = new Desk()
    const random = new Random(6)
    const sealed = open(disk).slice(0, -1)
    for (let i = 0; i < scaled(200); i++) {
      const damaged = disk.settled()
      const name = random.pick(open(damaged))
      const bytes = damaged.readFile(name)
      const frames = framesOf(bytes)
      const what = random.pick(["edit", "cut", "drop", "duplicate", "exchange"])
      let first = 0
      let last = Infinity
      if (what === "edit") {
        const frame = random.pick(frames.filter(({ type }) => type === "BATCHES"))
        damaged.put(name, mend(bytes, place(frame), random))
        first = last = frame.sequence
      } else if (what === "cut") {
        const active = open(damaged).at(-1)!
        const all = framesOf(damaged.readFile(active))
        const kept = random.below(all.length)
        damaged.put(active, damaged.readFile(active).slice(0, kept === 0 ? 128 : endOfFrames(all.slice(0, kept))))
        first = headerOf(damaged.readFile(active)).sequence
      } else {
        const all = segments(damaged)
        const one = random.pick(all)
        const other = random.pick(all.filter((each) => each !== one && each.slice(-4) === one.slice(-4)))
        const [a, b] = [damaged.readFile(one), damaged.readFile(other)]
        if (what === "drop") damaged.remove(one)
        else damaged.put(one, b)
        if (what === "exchange") damaged.put(other, a)
        first = Number(/[0-9]{20}/.exec(one)![0])
        if (what === "exchange") first = Math.min(first, Number(/[0-9]{20}/.exec(other)![0]))
      }
      desk.disks.set("data", damaged)
      const [said] = await desk.json("verify --dir data")
      const at = `${i}: ${what} ${name}: ${JSON.stringify(said)}`
      expect(said["exit-code"], at).toBe(6)
      const [finding] = said.findings
      if (what === "edit") {
        // Somewhere between two SEALs: the sealed stretch that is named has it.
        expect(finding.sequence, at).toBeLessThanOrEqual(first)
        expect(finding.last, at).toBeGreaterThanOrEqual(last)
        expect(finding.file, at).toBe(name)
      } else if (what === "cut") expect(finding.sequence, at).toBeGreaterThanOrEqual(first)
      else expect(finding.sequence, at).toBe(first)
    }
    expect(sealed.length).toBeGreaterThan(1)
  }, 60_000)

  it("proves by a head noted elsewhere that history was not written anew, which it cannot see by itself", async () => {
    const { disk, world } = await closed(23, 250)
    const desk = new Desk()
    desk.now = world.clock.now()
    desk.disks.set("data", disk)
    const [whole] = await desk.json("verify --dir data")
    const early = (await desk.json(["log", "--dir", "data", "--json", "--count", "1"]))[0].sequence
    expect(early).toBe(1)
    const middle = Math.floor(whole.sequence / 2)
    // The log up to the middle, and another history from there on.
    await desk.run(`restore --dir data --to ${middle} --out other`)
    const other = desk.disks.get("other")!
    const [kept] = await desk.json("verify --dir other")
    const { CheckpointWorld } = await import("../support/checkpoint-world.ts")
    const forged = new CheckpointWorld(new Random(99), other, { segmentBytes: 4096 })
    forged.clock.wall = world.clock.wall
    while (forged.log.sequence() < whole.sequence) forged.work(5)
    forged.log.close()
    expect((await desk.run("verify --dir other")).code).toBe(0)
    const head = ({ head }: { head: { sequence: number; chain: string } }): string => `${head.sequence}:${head.chain}`
    const met = await desk.run(`verify --dir other --expect-head ${head(kept)}`)
    expect(met.code).toBe(0)
    expect(met.out).toContain(`the head is as expected: everything up to sequence ${middle} is as it was`)
    const unmet = await desk.run(`verify --dir other --expect-head ${head(whole)}`)
    expect(unmet.code).toBe(6)
    expect(unmet.out).toContain("CHAIN BROKEN: the log was never sealed with the expected head")
    expect((await desk.run(`verify --dir data --expect-head ${head(whole)}`)).code).toBe(0)
    // LOG.HEAD tells the value of the last SEAL with a sequence that may be further on.
    const [{ expected }] = await desk.json(`verify --dir data --expect-head ${whole.sequence}:${whole.head.chain}`)
    expect(expected).toMatchObject({ met: true, "proved-up-to": whole.head.sequence })
    expect((await desk.run(`verify --dir data --expect-head 5:${whole.head.chain}`)).code).toBe(6)
    expect((await desk.run("verify --dir data --expect-head 5:abc")).code).toBe(2)
  })

  it("tells a torn tail from damage, and changes nothing", async () => {
    const { disk, world } = await live(24, { requests: 200, blind: true, segmentBytes: 1 << 20 })
    world.log.abandon()
    const active = open(disk).at(-1)!
    const bytes = disk.readFile(active)
    const last = framesOf(bytes).filter(({ type }) => type === "BATCHES").at(-1)!
    const torn = disk.settled()
    torn.put(active, bytes.slice(0, last.position + last.length - 5))
    const desk = new Desk()
    desk.disks.set("data", torn)
    const before = fingerprint(torn)
    const { code, out } = await desk.run("verify --dir data")
    expect(code).toBe(7)
    expect(out).toContain(`TORN TAIL: the last ${last.length - 5} bytes were never safely on disk`)
    expect(out).toContain(`${active}, byte ${last.position}, lsn ${last.position - 128}, sequence ${last.sequence}\n`)
    expect(fingerprint(torn)).toBe(before)
    // A byte that is safely on disk before it is damage, whatever the end is like.
    const both = torn.settled()
    both.flip(active, 60, 2)
    desk.disks.set("data", both)
    expect((await desk.run("verify --dir data")).code).toBe(3)
  })

  it("finds a checkpoint that is sound but not what the log says, when it folds", async () => {
    const lives = await Promise.all([31, 32].map((seed) => live(seed, { requests: 120, blind: true })))
    const target = Math.max(...lives.map(({ world }) => world.log.sequence())) + 5
    for (const { world } of lives) {
      let n = 0
      while (world.log.sequence() < target) world.run("SET", "filler", `${n++} ${world.random.below(1000)}`)
      world.checkpoint()
      world.log.close()
    }
    const [mine, theirs] = lives.map(({ disk }) => disk)
    const name = `checkpoints/${mine!.list("checkpoints")[0]!}`
    const desk = new Desk()
    desk.disks.set("data", mine!)
    expect((await desk.run("verify --dir data --folds")).out)
      .toContain(`the checkpoint of ${target} holds what the log makes up to there`)
    mine!.put(name, theirs!.readFile(name))
    expect((await desk.run("verify --dir data")).code).toBe(0)
    const { code, out } = await desk.run("verify --dir data --folds")
    expect(code).toBe(8)
    expect(out).toContain("CHECKPOINT WRONG: it holds something else than the log makes up to there")
  })
})
