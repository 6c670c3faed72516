/** The end of a primary: it waits for its replicas, but not for ever, and not when it is told to go on. */
import { describe, expect, it } from "vitest"
import { TestConnection } from "../support/harness.ts"
import { type SimServer, World } from "./world.ts"

/** A primary with a replica that has got nothing of the last writes. */
const lagging = () => {
  const world = new World()
  const primary = world.server()
  const replica = world.server()
  primary.run("SET", "k", "1")
  primary.log.commit()
  replica.follow(primary)
  world.pass(1000)
  expect(replica.sequence).toBe(primary.sequence)
  const link = world.links[0]!
  link.reading = false
  for (let i = 0; i < 5; i++) primary.run("SET", `k${i}`, "2")
  let ended = false
  const leave = (connection?: TestConnection): void =>
    primary.replication.leaving.begin(() => (ended = true), connection)
  return { leave, link, over: () => ended, primary, replica, world }
}

const endsAtOnce = (server: SimServer): boolean => {
  let ended = false
  server.replication.leaving.begin(() => (ended = true))
  return ended
}

describe("a primary that is to end", () => {
  it("ends at once where nobody follows, and soon when all say that they have everything", () => {
    const world = new World()
    const primary = world.server()
    expect(endsAtOnce(primary)).toBe(true)
    const replica = world.server()
    replica.follow(primary)
    world.pass(1000)
    let ended = false
    primary.replication.leaving.begin(() => (ended = true))
    world.settle()
    expect([ended, primary.warnings]).toEqual([true, []])
  })

  it("holds writes back until its replicas have what was acknowledged", () => {
    const { leave, link, over, primary, replica, world } = lagging()
    leave()
    world.pass(9_000)
    expect([over(), primary.executor.pause, replica.sequence < primary.sequence]).toEqual([false, "write", true])
    link.reading = true
    world.pass(100)
    expect([over(), replica.digest]).toEqual([true, primary.digest])
    expect(primary.warnings).toEqual([])
  })

  it("waits no longer than shutdown-timeout, and says who has not got everything", () => {
    const { leave, over, primary, world } = lagging()
    leave()
    world.pass(9_980)
    expect(over()).toBe(false)
    world.pass(40)
    expect(over()).toBe(true)
    expect(primary.warnings).toEqual([
      expect.stringMatching(/^the replica .* has not got everything: it has said \d+ of \d+$/)
    ])
    const { leave: again, over: over2, primary: impatient } = lagging()
    impatient.settings.shutdownMs = 0
    again()
    expect(over2()).toBe(true)
  })

  it("goes on when that is asked for, and tells whoever wanted it to end", () => {
    const { leave, link, over, primary, replica, world } = lagging()
    const connection = new TestConnection(9, 0)
    expect(primary.replication.leaving.abort()).toBe(false)
    leave(connection)
    world.pass(100)
    expect(primary.replication.leaving.abort()).toBe(true)
    expect(connection.answers).toMatchObject([{ text: "ERR Errors trying to SHUTDOWN. Check logs." }])
    expect(primary.executor.pause).toBe("none")
    link.reading = true
    world.pass(20_000)
    expect([over(), primary.replication.leaving.abort()]).toEqual([false, false])
    expect(replica.digest).toBe(primary.digest)
  })

  it("does not wait for replicas of a replica", () => {
    const world = new World()
    const [first, second, third] = [world.server(), world.server(), world.server()]
    first.run("SET", "k", "1")
    first.log.commit()
    second.follow(first)
    third.follow(second)
    world.pass(2000)
    world.links.find(({ owner }) => owner === third)!.reading = false
    first.run("SET", "k", "2")
    first.log.commit()
    world.pass(100)
    expect([second.sequence, third.sequence]).toEqual([2, 1])
    expect(endsAtOnce(second)).toBe(true)
  })
})
