/** RDB files out of checkpoints that were made while writes went on. */
import { describe, expect, it } from "vitest"
import { digest } from "../../src/projections/digest.ts"
import { CheckpointRdb } from "../../src/rdb/checkpoint-rdb.ts"
import { RdbFileWriter } from "../../src/rdb/file-writer.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { forSeeds, Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { loaded, withoutFieldDeadlines } from "./support.ts"

describe("an RDB file of a checkpoint", () => {
  it("holds exactly what was there when the checkpoint began", () =>
    forSeeds(6, (random: Random) => {
      const world = new CheckpointWorld(random, new SimDisk())
      world.work(1000)
      for (let i = 0; i < 300; i++) world.run("ZADD", "large", `${random.below(1000)}`, `member:${i}`)
      world.run("APPEND", "long", "x".repeat(700_000))
      world.run("PEXPIRE", "long", "100000000")
      const wanted = digest(withoutFieldDeadlines(world.keyspace), 0)
      const running = world.begin(true)
      while (!running.walk.slice(3, 2000)) {
        world.work(20)
        world.run("APPEND", "long", "y")
        world.run("ZADD", "large", `${random.below(1000)}`, `member:${random.below(400)}`)
      }
      world.publish(running)
      const chunks: Array<Buffer> = []
      const writer = new RdbFileWriter((bytes) => void chunks.push(Buffer.from(bytes)), {
        created: 0,
        fieldDeadlines: "left out"
      })
      const rdb = new CheckpointRdb(world.log.checkpoints.open(running.sequence), writer, 0)
      for (const _ of rdb.steps());
      rdb.close()
      expect(digest(loaded(Buffer.concat(chunks)), 0)).toBe(wanted)
    }))
})
