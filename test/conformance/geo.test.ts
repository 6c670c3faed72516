/** Places against a real Redis: many random ones, crowds of them searched, and what Redis overlooks next to the poles. */
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import { encodeRequest, plain } from "../support/resp-client.ts"
import { bothServers, canCompare, redisTitle } from "./subject.ts"

type Request = ReadonlyArray<string>

const seed = Number(process.env["ANNALS_CONFORMANCE_SEED"] ?? (Math.random() * 0x7fffffff) | 0)

describe.skipIf(!canCompare)(`places against ${redisTitle}, seed ${seed}`, () => {
  const { clients } = bothServers()

  /** Expects the same replies from both, byte for byte, a thousand requests at a time. */
  const same = async (requests: ReadonlyArray<Request>): Promise<void> => {
    for (let from = 0; from < requests.length; from += 1000) {
      const some = requests.slice(from, from + 1000)
      const bytes = Buffer.concat(some.map((words) => encodeRequest(words)))
      const [redis, annals] = await Promise.all(clients.map((client) => client.raw(bytes, some.length)))
      some.forEach((words, i) =>
        expect(annals![i]!.toString("latin1"), words.join(" ")).toBe(redis![i]!.toString("latin1"))
      )
    }
  }

  const names = (reply: unknown): ReadonlyArray<string> => reply as ReadonlyArray<string>

  const searchBoth = async (words: Request): Promise<ReadonlyArray<ReadonlyArray<string>>> =>
    Promise.all(clients.map(async (client) => names(plain(await client.command(...words)))))

  it("has the same scores, coordinates, letters and distances for 12,000 random places", async () => {
    const random = new Random(seed)
    const end = (limit: number): string =>
      random.chance(0.01)
        ? `${random.pick([limit, -limit])}`
        : ((random.fraction() - 0.5) * 2 * limit).toFixed(random.between(0, 17))
    const count = 12_000
    const unit = (): Request => random.pick([[], ["m"], ["km"], ["ft"], ["mi"]])
    await same([["FLUSHALL"]])
    await same(
      Array.from({ length: count }, (_, i) => ["GEOADD", "k", end(180), end(85.05112878), `m${i}`])
    )
    const near = Array.from({ length: 2000 }, (_, i) => i).flatMap((i) => {
      const [longitude, latitude] = [random.fraction() * 0.01, random.fraction() * 0.01]
      return [["GEOADD", "k", `${longitude}`, `${latitude}`, `n${i}`]]
    })
    await same(near)
    const any = (): string => random.chance(0.8) ? `m${random.below(count)}` : `n${random.below(2000)}`
    await same(Array.from({ length: count }, (_, i) => ["ZSCORE", "k", `m${i}`]))
    await same(Array.from({ length: count }, (_, i) => ["GEOPOS", "k", `m${i}`]))
    await same(Array.from({ length: count }, (_, i) => ["GEOHASH", "k", `m${i}`]))
    await same(Array.from({ length: count }, (_, i) => ["GEODIST", "k", `m${i}`, any(), ...unit()]))
    await same(Array.from({ length: 4000 }, (_, i) => ["GEODIST", "k", `n${i % 2000}`, `n${random.below(2000)}`]))
  }, 120_000)

  it(
    "finds the same among thousands, in the same order, equal distances and parts of the result included",
    async () => {
      const random = new Random(seed + 1)
      await same([["FLUSHALL"]])
      // Places are shared, so that distances are equal. On a grid some would differ by their last bit alone, which C's
      // library does not always round as it should: then Redis takes another one for the nearer.
      const shared = Array.from(
        { length: 700 },
        () => [(random.fraction() - 0.5) * 30, (random.fraction() - 0.5) * 30].map((degrees) => degrees.toFixed(6))
      )
      const at = (): ReadonlyArray<string> => random.pick(shared)
      await same(Array.from({ length: 6000 }, (_, i) => ["GEOADD", "k", ...at(), `m${i}`]))
      const order = (): Request => random.pick([[], [], ["ASC"], ["DESC"]])
      const limit = (): Request =>
        random.pick([[], ["COUNT", `${random.between(1, 400)}`], ["COUNT", `${random.between(1, 40)}`], [
          "COUNT",
          `${random.between(1, 400)}`,
          "ANY"
        ]])
      const length = (): string => `${random.pick([1, 30, 100, 300, 1000, 3000, 12_000]) * random.between(1, 3)}`
      const shown = (): Request => random.pick([[], ["WITHDIST"], ["WITHCOORD", "WITHHASH"]])
      const from = (): Request =>
        random.chance(0.5) ? ["FROMMEMBER", `m${random.below(6000)}`] : ["FROMLONLAT", ...at()]
      await same(
        Array.from({ length: 1200 }, () => [
          "GEOSEARCH",
          "k",
          ...from(),
          ...random.chance(0.5) ? ["BYRADIUS", length(), "km"] : ["BYBOX", length(), length(), "km"],
          ...order(),
          ...limit(),
          ...shown()
        ])
      )
    },
    240_000
  )

  it(
    "finds beyond the poles and at 180° what Redis finds, in its order, and what it overlooks, which is inside",
    async () => {
      const random = new Random(seed + 2)
      await same([["FLUSHALL"]])
      const meridian = (): string =>
        random.chance(0.3) ? random.pick(["180", "-180", "179.999", "-179.999"]) : `${random.between(-179, 179)}`
      const parallel = (): string =>
        random.pick(["85.05112878", "-85.05112878", "85", "84.6", "-84.8", "80", "79.3", "-79.5", "83", "-70"])
      await same(Array.from({ length: 1500 }, (_, i) => ["GEOADD", "k", meridian(), parallel(), `m${i}`]))
      let overlooked = 0
      for (let i = 0; i < 400; i++) {
        const center = `m${random.below(1500)}`
        const radius = random.between(1, random.pick([300, 700, 1300]))
        const [redis, annals] = await searchBoth([
          "GEOSEARCH",
          "k",
          "FROMMEMBER",
          center,
          "BYRADIUS",
          `${radius}`,
          "km"
        ])
        const known = new Set(redis)
        expect(annals!.filter((name) => known.has(name)), `${center} ${radius}`).toEqual(redis)
        const more = annals!.filter((name) => !known.has(name))
        overlooked += more.length
        const distances = await clients[0]!.pipeline(
          more.map((name) => ["GEODIST", "k", center, name, "km"].map((word) => Buffer.from(word)))
        )
        for (const distance of distances) expect(Number(plain(distance))).toBeLessThanOrEqual(radius)
      }
      expect(overlooked).toBeGreaterThan(0)
    },
    120_000
  )
})
