import { describe, expect, it } from "vitest"
import { LogDirectory } from "../../src/history/log-directory.ts"
import { keyspaceAsOf } from "../../src/history/past.ts"
import { openLog } from "../../src/log/store.ts"
import { StartUp } from "../../src/persistence/start-up.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { HistoryWorld } from "../history/world.ts"
import { drain } from "../support/drain.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { Random, scaled } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { live } from "./lives.ts"
import { Desk, fingerprint } from "./world.ts"

/** What a server holds that is started on a disk, and what it warns of. */
const served = (
  disk: SimDisk
): { readonly digest: string; readonly sequence: number; readonly warnings: Array<string> } => {
  const warnings: Array<string> = []
  const warn = (message: string): void => void warnings.push(message)
  const log = openLog(disk, new FakeClock(), { ...logOptions({ policy: "no" }), warn })
  const keyspace = new Keyspace(16, { k0: 1, k1: 2 })
  new StartUp({ keyspace, log, store: log.checkpoints, warn }).run()
  const sequence = log.sequence()
  log.abandon()
  return { digest: stateDigest(keyspace), sequence, warnings }
}

describe("annals restore", () => {
  it("makes a directory whose server holds what was there, at any sequence and time of a random workload", async () => {
    const { byTime, digests, disk, world } = await live(7, { requests: 1400, checkpointEvery: 500, compressEvery: 400 })
    const desk = new Desk()
    desk.now = world.clock.now()
    desk.disks.set("data", disk)
    const before = fingerprint(disk)
    const random = new Random(11)
    const all = [...digests.keys()]
    const chosen = new Set([0, 1, all.at(-1)!, ...Array.from({ length: scaled(115) }, () => random.pick(all))])
    expect(chosen.size).toBeGreaterThan(100)
    let number = 0
    for (const sequence of chosen) {
      const out = `out-${number++}`
      const { code, err } = await desk.run(`restore --dir data --to ${sequence} --out ${out}`)
      expect(`${err} ${code}`, `sequence ${sequence}`).toBe(" 0")
      if (number % 10 === 0) {
        expect((await desk.run(`verify --dir ${out} --folds`)).code, `sequence ${sequence}`).toBe(0)
      }
      expect(served(desk.disks.get(out)!), `sequence ${sequence}`)
        .toEqual({ digest: digests.get(sequence), sequence, warnings: [] })
      desk.disks.delete(out)
    }
    // The data as of any millisecond is what it was then; finding it takes one checkpoint at most.
    const view = new LogDirectory(disk).view()
    const times = [...byTime]
    for (let i = 0; i < scaled(100); i++) {
      const at = random.below(times.length)
      const [time, { digest, sequence }] = times[at]!
      const until = times[at + 1]?.[0] ?? time + 1000
      const moment = { kind: "time", time: random.between(time, until - 1) } as const
      const opens = disk.counts.get("open")!
      const past = drain(keyspaceAsOf(view, moment))
      expect(past.sequence).toBe(sequence)
      expect(stateDigest(past.keyspace), `@${moment.time}`).toBe(digest)
      past.dispose()
      expect(disk.counts.get("open")! - opens).toBeLessThan(2 * view.parts.length + 4)
    }
    expect(fingerprint(disk)).toBe(before)
  }, 60_000)

  it("restores to the third of four writes within one second, and goes on from there", async () => {
    const world = new HistoryWorld()
    const [connection] = world.connections
    const times: Array<number> = []
    for (const value of ["one", "two", "three", "four"]) {
      world.run(connection!, "SET", "k", value)
      times.push(world.clock.now())
      world.clock.advance(200)
    }
    world.commit()
    const desk = new Desk()
    desk.now = world.clock.now()
    desk.disks.set("data", world.disk)
    for (const [i, which] of ["--to 3", "--before 4", `--to @${times[2]}`, `--before @${times[3]}`].entries()) {
      const { out } = await desk.run(`restore --dir data ${which} --out out-${i}`)
      expect(out).toContain(`after sequence 3, of ${new Date(times[2]!).toISOString()}`)
      expect((await desk.run(`at 3 --dir out-${i} -- GET k`)).out).toBe("three\n")
    }
    // The server of the new directory writes on, and its history is one.
    const log = openLog(desk.disks.get("out-0")!, world.clock, world.options)
    expect(log.recovery).toMatchObject({ verdict: "clean", sequence: 3 })
    const key = {
      _tag: "KeyDeleted",
      key: (await import("../../src/projections/memory/slice.ts")).Slice.latin1("k")
    } as const
    expect(log.append(world.clock.now(), 0, "client", 1, undefined, [key], 1)).toBe(4)
    log.commit()
    log.close()
    const lines = (await desk.run("history k --dir out-0")).out.split("\n").filter((line) => line.startsWith("#"))
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["#1", "#2", "#3", "#4"])
    expect((await desk.run("verify --dir out-0")).code).toBe(0)
    expect(await desk.json("restore --dir data --to 2 --out j")).toEqual([
      { out: "j", sequence: 2, time: times[1], segments: 2, checkpoints: [], bytes: expect.any(Number) }
    ])
  })

  it("refuses what cannot be had, and leaves nothing behind", async () => {
    const { disk } = await live(3, { requests: 300, blind: true })
    const desk = new Desk()
    desk.disks.set("data", disk)
    const last = new LogDirectory(disk).view().head
    for (
      const [line, code, what] of [
        [`restore --dir data --to ${last + 1} --out o`, 1, "has not happened yet"],
        ["restore --dir data --to 5", 2, "--out is missing"],
        ["restore --dir data --out o", 2, "either --to or --before"],
        ["restore --dir data --to 5 --before 5 --out o", 2, "either --to or --before"],
        ["restore --dir data --to yesterday --out o", 2, "is no moment"],
        ["restore --dir nowhere --to 5 --out o", 1, "is not a directory"],
        ["restore --dir data --to 5 --out data", 2, "is there already"]
      ] as const
    ) {
      const said = await desk.run(line)
      expect(said.code, line).toBe(code)
      expect(said.err, line).toContain(what)
    }
    const first = disk.list("log")[0]!
    disk.flip(`log/${first}`, 300, 3)
    const { code, err } = await desk.run(`restore --dir data --to ${last} --out o`)
    expect(code).toBe(3)
    expect(err).toContain("damaged")
    expect([...desk.disks.keys()]).toEqual(["data"])
  })
})
