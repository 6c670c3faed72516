/** REPLICAOF host port AT sequence: a replica that has what was true then, and stays there. */
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import { World } from "./world.ts"

describe("a replica that stops at a sequence", () => {
  it("has exactly the data of that sequence, also in the middle of a frame, and may go on later", () => {
    const world = new World()
    const primary = world.server()
    const random = new Random(3)
    const digests: Array<string> = [primary.digest]
    for (let i = 0; i < 12; i++) { // several sequences a frame
      for (let n = random.between(1, 5); n > 0; n--) {
        primary.run("SET", `k${random.below(5)}`, `${random.below(100)}`)
        digests[primary.sequence] = primary.digest
      }
      primary.log.commit()
      world.clock.advance(300)
      primary.log.tick()
    }
    const last = primary.sequence
    for (let until = 1; until <= last; until++) {
      const replica = world.server()
      expect(replica.follow(primary, { until })).toBe(true)
      world.pass(400)
      expect([replica.sequence, replica.digest], `${until} of ${last}`).toEqual([until, digests[until]])
      primary.run("SET", "after", `${until}`)
      primary.log.commit()
      world.pass(200)
      expect([replica.sequence, replica.digest], `${until}, later`).toEqual([until, digests[until]])
      replica.crash(random, false)
      replica.open()
      world.pass(200)
      expect([replica.sequence, replica.digest], `${until}, started again`).toEqual([until, digests[until]])
      if (until > 1) expect(replica.follow(primary, { until: until - 1 })).toBe(false)
      if (until % 2 === 0) {
        replica.follow(primary)
        world.pass(400)
        expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
      } else {
        expect(replica.replication.lead()).toBe(undefined)
        expect(replica.run("SET", "own", "1")).toBe("+OK\r\n")
        expect(replica.sequence).toBe(until + 1)
      }
      replica.crash(random, false)
    }
    expect(primary.replication.status().fullSyncs).toBe(last)
  })
})
