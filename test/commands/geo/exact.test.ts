/** Searches against going through all members one by one. */
import { describe, expect, it } from "vitest"
import { distanceOf } from "../../../src/projections/structures/geohash-distance.ts"
import { Place, placeOfScore } from "../../../src/projections/structures/geohash.ts"
import { Harness } from "../../support/harness.ts"
import { forSeeds, type Random, scaled } from "../../support/random.ts"
import { parseReply, plain } from "../../support/resp-client.ts"

/** A member and where the index has it. */
interface Member {
  readonly name: string
  readonly longitude: number
  readonly latitude: number
}

const ask = (harness: Harness, words: ReadonlyArray<string>): ReadonlyArray<unknown> =>
  plain(parseReply(harness.bytes(words)!)) as ReadonlyArray<unknown>

/** Mostly anywhere; the ends of the plane, the poles and crowds often. */
const coordinates = (random: Random): readonly [longitude: number, latitude: number] => {
  const longitude = random.chance(0.2)
    ? random.pick([180, -180, 179.9999, -179.9999, 0, 10, 10.0001])
    : (random.fraction() - 0.5) * (random.chance(0.2) ? 2 : 360)
  const latitude = random.chance(0.3)
    ? random.pick([85.05112878, -85.05112878, 85.05, 84.7, -84.9, 79.9, -79, 0, 38])
    : (random.fraction() - 0.5) * (random.chance(0.2) ? 2 : 170)
  return [longitude, latitude]
}

const populate = (harness: Harness, random: Random, count: number): ReadonlyArray<Member> => {
  for (let i = 0; i < count; i++) harness.run("GEOADD", "k", ...coordinates(random).map(String), `m${i}`)
  const flat = ask(harness, ["ZRANGE", "k", "0", "-1", "WITHSCORES"]) as ReadonlyArray<string>
  return Array.from({ length: count }, (_, i) => {
    const { latitude, longitude } = placeOfScore(Number(flat[2 * i + 1]), new Place())
    return { name: flat[2 * i]!, longitude, latitude }
  })
}

const lengths = [0.3, 20, 120, 500, 600, 1200, 2400, 6000, 15_000, 41_000]

describe("a search", () => {
  it("finds exactly the members inside of the shape, in order, over poles and the date line", () => {
    forSeeds(6, (random, seed) => {
      const harness = new Harness()
      if (seed % 2 === 1) harness.keyspace.limits.sortedSetEntries = 4
      const members = populate(harness, random, seed % 2 === 1 ? 600 : 100)
      let found = 0
      for (let i = 0; i < scaled(150); i++) {
        const own = random.pick(members)
        const fromMember = random.chance(0.4)
        const [longitude, latitude] = fromMember ? [own.longitude, own.latitude] : coordinates(random)
        const kilometres = (): number => random.pick(lengths) * (0.5 + random.fraction())
        const [radius, width, height] = [kilometres(), kilometres(), kilometres()]
        const isBox = random.chance(0.5)
        const inside = members.filter((member) =>
          isBox
            ? distanceOf(member.longitude, member.latitude, longitude, member.latitude) <= width * 1000 / 2 &&
              distanceOf(member.longitude, member.latitude, member.longitude, latitude) <= height * 1000 / 2
            : distanceOf(longitude, latitude, member.longitude, member.latitude) <= radius * 1000
        ).map((member) => ({
          name: member.name,
          metres: distanceOf(longitude, latitude, member.longitude, member.latitude)
        }))
        const search = [
          ...fromMember ? ["FROMMEMBER", own.name] : ["FROMLONLAT", `${longitude}`, `${latitude}`],
          ...isBox ? ["BYBOX", `${width}`, `${height}`, "km"] : ["BYRADIUS", `${radius}`, "km"]
        ]
        const names = ask(harness, ["GEOSEARCH", "k", ...search]) as ReadonlyArray<string>
        if (JSON.stringify(names.toSorted()) !== JSON.stringify(inside.map(({ name }) => name).toSorted())) {
          throw new Error(
            `${search.join(" ")} found ${names.toSorted().join()}, not ${inside.map((m) => m.name).join()}`
          )
        }
        found += names.length
        const distances = new Map(inside.map(({ metres, name }) => [name, metres]))
        const far = (list: ReadonlyArray<string>) => list.map((name) => distances.get(name))
        const ascending = inside.map(({ metres }) => metres).toSorted((a, b) => a - b)
        const count = random.between(1, 60)
        const first = ask(harness, ["GEOSEARCH", "k", ...search, "COUNT", `${count}`]) as ReadonlyArray<string>
        expect(far(first)).toEqual(ascending.slice(0, count))
        const last = ask(harness, ["GEOSEARCH", "k", ...search, "COUNT", `${count}`, "DESC"]) as ReadonlyArray<string>
        expect(far(last)).toEqual(ascending.toReversed().slice(0, count))
        const any = ask(harness, ["GEOSEARCH", "k", ...search, "COUNT", `${count}`, "ANY"]) as ReadonlyArray<string>
        expect(any).toEqual(names.slice(0, count))
        const shown = ask(harness, ["GEOSEARCH", "k", ...search, "ASC", "WITHDIST"]) as ReadonlyArray<[string, string]>
        for (const [name, text] of shown) expect(text).toBe((distances.get(name)! / 1000).toFixed(4))
        harness.run("GEOSEARCHSTORE", "d", "k", ...search, "STOREDIST")
        const kept = ask(harness, ["ZRANGE", "d", "0", "-1", "WITHSCORES"]) as ReadonlyArray<string>
        const scores = kept.filter((_, n) => n % 2 === 1).map(Number)
        expect(scores).toEqual(ascending.map((metres) => metres / 1000))
      }
      expect(found).toBeGreaterThan(500)
    })
  })

  it("takes the members of a crowd in one place as they come", () => {
    const harness = new Harness()
    for (let i = 0; i < 300; i++) harness.run("GEOADD", "k", "10", "20", `m${i}`)
    const all = ask(harness, ["GEOSEARCH", "k", "FROMLONLAT", "10", "20", "BYRADIUS", "1", "km", "ASC"])
    expect(all).toEqual(ask(harness, ["ZRANGE", "k", "0", "-1"]))
    const some = ask(harness, ["GEOSEARCH", "k", "FROMLONLAT", "10", "20", "BYRADIUS", "1", "km", "COUNT", "250"])
    expect(new Set(some).size).toBe(250)
  })
})
