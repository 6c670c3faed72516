/** The data as of a moment: what it was then, wherever checkpoints lie, and errors that name the bounds. */
import { describe, expect, it } from "vitest"
import { LogDirectory } from "../../src/history/log-directory.ts"
import type { LogView } from "../../src/history/log-view.ts"
import { keyspaceAsOf, type Past, type PastOptions } from "../../src/history/past.ts"
import { checkpointFolder } from "../../src/log/checkpoint-file.ts"
import { PastAsker } from "../../src/past/ask-past.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { drain } from "../support/drain.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const asOf = (view: LogView, sequence: number, options: PastOptions = {}): Past =>
  drain(keyspaceAsOf(view, { kind: "sequence", sequence }, options))

const words = (...texts: ReadonlyArray<string>): Array<Uint8Array> => texts.map((text) => Slice.latin1(text).bytes)

/** A workload with checkpoints in between, and what the data was after some of its batches. */
const lived = (random: Random, checkpoints: number) => {
  const world = new CheckpointWorld(random, new SimDisk())
  const digests = new Map<number, string>()
  for (let i = 0; i <= checkpoints; i++) {
    for (let turn = 0; turn < 12; turn++) {
      world.work(random.between(1, 9))
      if (random.chance(0.7)) digests.set(world.log.sequence(), stateDigest(world.keyspace))
    }
    if (i < checkpoints) world.checkpoint()
  }
  return { world, digests }
}

describe("the data as of a moment", () => {
  it("is what it was when that was the newest, from checkpoints and from the log alone, and going on from there", () => {
    const random = new Random(20_261_128)
    let compared = 0
    for (let round = 0; compared < 500; round++) {
      const { digests, world } = lived(random, random.below(4))
      const view = new LogDirectory(world.disk).view()
      let before: Past | undefined
      for (const [sequence, digest] of digests) {
        const at = `seed ${random.seed}, round ${round}, sequence ${sequence}`
        if (before !== undefined && random.chance(0.5)) {
          drain(before.forward(view, { sequence, time: 0 }))
          expect(drain(before.digest()), at).toBe(digest)
        } else {
          before?.dispose()
          before = asOf(view, sequence)
          expect(drain(before.digest()), at).toBe(digest)
        }
        compared++
      }
      world.log.close()
    }
  })

  it("answers commands by the clock of the moment, and none that writes", () => {
    const world = new CheckpointWorld(new Random(1), new SimDisk())
    const began = world.clock.now()
    world.run("SET", "a", "1", "PX", "100")
    world.run("RPUSH", "l", "x", "y")
    world.log.commit()
    world.clock.advance(50)
    world.run("SET", "b", "2")
    world.log.commit()
    world.clock.advance(60)
    world.run("SET", "c", "3")
    world.log.commit()
    const view = new LogDirectory(world.disk).view()
    const asker = new PastAsker()
    const ask = (past: Past, ...request: ReadonlyArray<string>): string =>
      Buffer.from(asker.ask(past, words(...request))).toString()
    const first = asOf(view, 2)
    expect(ask(first, "PTTL", "a")).toBe(":100\r\n")
    expect(ask(first, "LRANGE", "l", "0", "-1")).toBe("*2\r\n$1\r\nx\r\n$1\r\ny\r\n")
    expect(ask(asOf(view, 3), "PTTL", "a")).toBe(":50\r\n")
    const third = asOf(view, 4)
    expect(third.keyspace.databases[0]!.size).toBe(4)
    expect(ask(third, "EXISTS", "a", "b", "c")).toBe(":2\r\n")
    const between = drain(keyspaceAsOf(view, { kind: "time", time: began + 99 }))
    expect([between.sequence, ask(between, "PTTL", "a")]).toEqual([3, ":1\r\n"])
    expect(ask(first, "SET", "a", "2")).toBe(
      "-READONLY the past cannot be changed, and 'set' is a command that writes\r\n"
    )
    expect(ask(first, "PING")).toBe("-ERR 'ping' does not read data, so it has no answer about the past\r\n")
    expect(ask(first, "XREAD", "BLOCK", "0", "STREAMS", "s", "$")).toBe("*-1\r\n")
    expect(ask(first, "GET")).toBe("-ERR wrong number of arguments for 'get' command\r\n")
    expect(ask(asOf(view, 0), "DBSIZE")).toBe(":0\r\n")
    expect(() => asOf(view, 5)).toThrow("5 has not happened yet, the newest sequence is 4")
    world.log.close()
  })

  it("takes an older checkpoint when the newest cannot be used, and says what it lacks without any", () => {
    const { digests, world } = lived(new Random(77), 2)
    const view = new LogDirectory(world.disk).view()
    const sequence = [...digests.keys()].at(-1)!
    const newest = world.disk.list(checkpointFolder).sort().at(-1)!
    const file = world.disk.open(`${checkpointFolder}/${newest}`, "write")
    file.write(Uint8Array.of(1, 2, 3), 0, 3, 300)
    file.close()
    const warnings: Array<string> = []
    const past = asOf(view, sequence, { warn: (message) => warnings.push(message) })
    expect(drain(past.digest())).toBe(digests.get(sequence))
    expect(warnings.join()).toMatch(/^the checkpoint of sequence \d+ cannot be used: /)
    expect(() => asOf(view, sequence, { limitBytes: 1000 })).toThrow("takes more than 1000 bytes of memory")
    world.log.close()
  })
})
