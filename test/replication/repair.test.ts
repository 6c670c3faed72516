/** A primary and its replica repair each other's logs: what comes out is what was there, byte for byte, and it starts. */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { LogCorrupt } from "../../src/log/errors.ts"
import { type Fault, findFaults, mend, NotTheSame } from "../../src/log/segment-check.ts"
import { segmentHeaderSize } from "../../src/log/segment.ts"
import { repairLog } from "../../src/tools/repair.ts"
import { compressAll } from "../support/compressing.ts"
import { nodePath, repository } from "../support/processes.ts"
import { Random } from "../support/random.ts"
import { caughtUp, digests, Node, stopAfterEach } from "./servers.ts"
import { type SimServer, World } from "./world.ts"

stopAfterEach()

const segmentsOf = (server: SimServer): ReadonlyArray<string> =>
  server.disk.files().filter((name) => /^log\/.*\.ev[lz]$/.test(name)).sort()

/** All of a segment as a server gives it away. */
const given = (server: SimServer, { first }: Fault): Uint8Array => {
  const pieces: Array<Uint8Array> = []
  for (let position = 0;;) {
    const piece = server.log.mirror.segmentBytes(first, position)!
    if (piece.length === 0) return Buffer.concat(pieces)
    pieces.push(piece)
    position += piece.length
  }
}

/** A primary with a replica, both with several segments. */
const pair = (seed: number): { world: World; primary: SimServer; replica: SimServer; random: Random } => {
  const world = new World()
  const [primary, replica] = [world.server(), world.server()]
  const random = new Random(seed)
  replica.follow(primary)
  while (primary.log.status().segments < 5) {
    primary.work(random, 20)
    world.pass(40)
  }
  world.pass(1500) // and everything is on the disks
  return { world, primary, replica, random }
}

const damage = (server: SimServer, name: string, random: Random): string => {
  const { disk } = server
  const { length } = disk.bytes(name)
  const how = random.pick(["flip", "header", "cut", "zeros", "gone"])
  const at = how === "header" ? random.below(segmentHeaderSize) : random.between(segmentHeaderSize, length / 2)
  if (how === "gone") disk.remove(name)
  else if (how === "cut") disk.put(name, disk.bytes(name).slice(0, at))
  else if (how === "zeros") disk.put(name, Buffer.from(disk.bytes(name)).fill(0, at, at + 200))
  else disk.flip(name, at, random.below(8))
  return `${how} at ${at}`
}

describe("a damaged log", () => {
  it("gets its segments from the other server, whichever is damaged", { timeout: 60_000 }, async () => {
    let refused = 0
    for (let seed = 1; seed <= 20; seed++) {
      const { primary, random, replica, world } = pair(seed)
      const [hurt, whole] = seed % 2 === 0 ? [primary, replica] : [replica, primary]
      if (seed % 4 < 2) {
        hurt.disk.immediate = true
        await compressAll(hurt.log)
      }
      const { digest, sequence } = hurt
      hurt.crash(random, false)
      const names = segmentsOf(hurt)
      const victim = random.pick(names)
      const before = hurt.disk.bytes(victim)
      const what = `seed ${seed}, ${victim}, ${damage(hurt, victim, random)}`
      const faults = findFaults(hurt.disk)
      if (victim !== names.at(-1)) expect(faults.length, what).toBeGreaterThan(0)
      for (const fault of faults.toReversed()) {
        mend(
          hurt.disk,
          findFaults(hurt.disk).find(({ first }) => first === fault.first)!,
          given(whole, fault),
          "quarantine/repair"
        )
      }
      if (faults.length > 0) refused++
      expect(findFaults(hurt.disk), what).toEqual([])
      hurt.open()
      expect([hurt.sequence, hurt.digest], what).toEqual([sequence, digest])
      if (victim !== names.at(-1) && victim.endsWith(".evl")) {
        // Footer and all: the hash that it holds is that of the bytes.
        expect(Buffer.compare(hurt.disk.bytes(victim), before), what).toBe(0)
      }
      world.pass(400)
      primary.work(random, 5)
      world.pass(400)
      expect(hurt.frames().equals(whole.frames()), what).toBe(true)
      expect([replica.sequence, replica.digest], what).toEqual([primary.sequence, primary.digest])
    }
    expect(refused).toBeGreaterThan(14)
  })

  it("takes nothing that does not fit", () => {
    const { primary, random, replica } = pair(50)
    const stranger = pair(51).primary
    primary.crash(random, false)
    const names = segmentsOf(primary)
    for (const name of [names[1]!, names.at(-1)!]) {
      const kept = primary.disk.bytes(name)
      primary.disk.flip(name, segmentHeaderSize + 60, 3)
      const [fault] = findFaults(primary.disk)
      const files = primary.disk.files()
      const good = given(replica, fault!)
      const flipped = Uint8Array.from(good)
      flipped[200]! ^= 1
      for (
        const bytes of [given(stranger, { ...fault!, first: 1 }), flipped, good.subarray(0, 150), new Uint8Array(0)]
      ) {
        expect(() => mend(primary.disk, fault!, bytes, "quarantine/repair")).toThrow(NotTheSame)
      }
      expect(primary.disk.files()).toEqual(files)
      expect(() => primary.open()).toThrow(LogCorrupt)
      primary.crash(random, false)
      mend(primary.disk, fault!, good, "quarantine/repair")
      expect(Buffer.compare(primary.disk.bytes(name).subarray(0, good.length), kept.subarray(0, good.length))).toBe(0)
    }
    primary.open()
    expect(primary.digest).toBe(replica.digest)
  })

  it("of real servers is repaired over the network", { timeout: 180_000 }, async () => {
    const args = ["--log-segment-bytes", "65536"]
    const primary = await Node.start(...args, "--requirepass", "secret")
    const replica = await Node.start(...args, "--masterauth", "secret")
    await primary.ask("AUTH", "secret")
    await primary.ask("DEBUG", "POPULATE", "3000", "key", "100")
    for (let i = 0; i < 30; i++) await primary.ask("SET", `k${i}`, "x".repeat(3000))
    await replica.follow(primary)
    await caughtUp(primary, replica)
    const [digest] = await digests(replica)
    const giver = ({ port }: Node, password: string | undefined) => ({
      host: "127.0.0.1",
      port,
      user: undefined,
      password
    })
    const run = (hurt: Node, from: Node, password?: string) =>
      repairLog(nodeDisk(hurt.server.dir), giver(from, password), "quarantine/repair")
    for (const [hurt, whole, password] of [[replica, primary, "secret"], [primary, replica, undefined]] as const) {
      await expect(run(hurt, whole, password)).rejects.toThrow("The data directory is in use")
      await hurt.stop()
      const file = join(hurt.server.dir, "log", readdirSync(join(hurt.server.dir, "log")).sort()[1]!)
      const bytes = readFileSync(file)
      const damaged = Buffer.from(bytes)
      damaged[1000]! ^= 4
      writeFileSync(file, damaged)
      await expect(run(hurt, whole, "wrong")).rejects.toThrow(/WRONGPASS|AUTH/)
      const outcomes = await run(hurt, whole, password)
      expect(outcomes).toEqual([{
        first: expect.any(Number),
        why: expect.stringMatching(/frame/),
        bytes: expect.any(Number),
        problem: undefined
      }])
      expect(await run(hurt, whole, password)).toEqual([])
      await hurt.restart()
      expect(readFileSync(file).equals(bytes)).toBe(true)
      if (hurt === primary) await hurt.ask("AUTH", "secret")
      await caughtUp(primary, replica)
      expect(await digests(hurt)).toEqual([digest])
    }
    // The same as a command.
    const { dir } = primary.server
    await primary.stop()
    const names = readdirSync(join(dir, "log")).sort()
    rmSync(join(dir, "log", names[0]!))
    const annals = (...words: ReadonlyArray<string>): string => {
      const { status, stdout, stderr } = spawnSync(nodePath, [join(repository, "src/cli/main.ts"), "repair", ...words])
      return `${stdout}${stderr}${status}`
    }
    expect(annals("--dir", dir)).toMatch(/--from is missing[^]*2$/)
    expect(annals("--dir", dir, "--from", "nowhere")).toMatch(/--from takes HOST:PORT, not 'nowhere'[^]*2$/)
    expect(annals("--dir", dir, "--from", `127.0.0.1:${replica.port}`))
      .toMatch(/^Damaged: log\/0+1\.evl: it is missing\n {2}repaired, [0-9]+ bytes from 127\.0\.0\.1:[0-9]+\n0$/)
    expect(annals("--dir", dir, "--from", "127.0.0.1:1")).toBe("Nothing is damaged.\n0")
    expect(readdirSync(join(dir, "log")).sort()).toEqual(names)
  })
})
