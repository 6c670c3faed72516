/** Pipelines on collections so large that the requests in them are parsed ahead: they answer what single requests do. */
import { expect, it } from "vitest"
import { stateDigest } from "../../src/projections/digest.ts"
import { forSeeds, type Random, scaled } from "../support/random.ts"
import { World } from "./world.ts"

const size = 25_000

/** Fills a set, a hash and a sorted set. */
const fill = (client: ReturnType<World["connect"]>): void => {
  for (let i = 0; i < size; i += 1000) {
    const numbers = Array.from({ length: 1000 }, (_, n) => String(i + n))
    client.ask(
      ["SADD", "s", ...numbers.map((n) => `m${n}`)],
      ["HSET", "h", ...numbers.flatMap((n) => [`m${n}`, `v${n}`])],
      ["ZADD", "z", ...numbers.flatMap((n) => [String(Number(n) % 500), `m${n}`])]
    )
  }
}

/** Requests that come in runs on one key now, on any then. */
const requests = (random: Random): Array<Array<string>> => {
  const list: Array<Array<string>> = []
  while (list.length < 600) {
    const member = (): string => `m${random.below(size + 5000)}`
    const make = random.pick<() => Array<string>>([
      () => ["SADD", "s", member()],
      () => ["SREM", "s", member()],
      () => ["SISMEMBER", "s", member()],
      () => ["HSET", "h", member(), `w${random.below(9)}`],
      () => ["HSETNX", "h", member(), "x"],
      () => ["HGET", "h", member()],
      () => ["HDEL", "h", member()],
      () => ["ZADD", "z", String(random.below(700)), member()],
      () => ["ZINCRBY", "z", "3", member()],
      () => ["ZRANK", "z", member()],
      () => ["ZREM", "z", member()],
      () => ["ZPOPMIN", "z"],
      () => ["zpopmax", "z"],
      () => ["ZCARD", "z"],
      () => ["ZCOUNT", "z", "5", "9"],
      () => random.pick([["DEL", "small"], ["SADD", "small", member()], ["LPUSH", "list", "a"], ["SELECT", "0"]]),
      () => random.pick([["RENAME", "z", "z2"], ["RENAME", "z2", "z"], ["COPY", "s", "s2", "REPLACE"], ["PING"]]),
      () => random.pick([["SET", "string", "1"], ["LPUSH", "string", "x"], ["HGET", "s", "m1"], ["UNLINK", "s2"]])
    ])
    for (let run = random.below(20) + 1; run > 0; run--) list.push(make())
  }
  return list
}

it("a pipeline answers what its requests answer one by one, and leaves the same data", async () => {
  const worlds = [new World(), new World()] as const
  const [piped, single] = [worlds[0].connect(), worlds[1].connect()]
  const answers = async (): Promise<[ReadonlyArray<unknown>, ReadonlyArray<unknown>]> => {
    for (const world of worlds) await world.settle()
    return [piped.replies(), single.replies()]
  }
  fill(piped)
  fill(single)
  await answers()
  for (const { harness } of worlds) expect(harness.executor.anticipation.isWorthwhile(0)).toBe(true)
  const cases: Array<readonly [seed: number, list: Array<Array<string>>]> = []
  forSeeds(scaled(6), (random, seed) => cases.push([seed, requests(random)]))
  for (const [seed, list] of cases) {
    piped.ask(...list)
    for (const request of list) single.ask(request)
    const [together, apart] = await answers()
    expect(together.length, `seed ${seed}`).toBe(list.length)
    expect(together, `seed ${seed}`).toEqual(apart)
    const [data, same] = worlds.map(({ harness }) => stateDigest(harness.keyspace))
    expect(data, `seed ${seed}`).toBe(same)
  }
})
