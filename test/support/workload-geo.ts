/** The part of the random workload that is about places: they share keys with sorted sets of other scores. */
import type { Random } from "./random.ts"

type Maker = (random: Random, now: number) => ReadonlyArray<string>

const key = (random: Random): string => random.chance(0.1) ? `c${random.below(9)}` : `g${random.below(4)}`
const member = (random: Random): string => `e${random.below(random.chance(0.1) ? 400 : 40)}`

const degrees = (random: Random, limit: number): string =>
  random.chance(0.1)
    ? `${random.pick([limit, -limit, 0])}`
    : `${random.between(-limit * 1000, limit * 1000) / (random.chance(0.3) ? 100_000 : 1000)}`
const place = (random: Random): ReadonlyArray<string> => [degrees(random, 180), degrees(random, 85)]

/** Now and then so many at once that the sorted set becomes a large one. */
const placed = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: random.chance(0.05) ? 200 : random.between(1, 6) }, () => [...place(random), member(random)])
    .flat()

const length = (random: Random): string => `${random.pick([1, 100, 1000, 5000, 30_000])}`
const shape = (random: Random): ReadonlyArray<string> => [
  ...random.chance(0.5) ? ["FROMLONLAT", ...place(random)] : ["FROMMEMBER", member(random)],
  ...random.chance(0.5) ? ["BYRADIUS", length(random), "km"] : ["BYBOX", length(random), length(random), "km"],
  ...random.chance(0.3) ? ["COUNT", `${random.between(1, 20)}`] : []
]

/** How often each kind of request comes, and how it is made. */
export const geoMakers: ReadonlyArray<readonly [number, Maker]> = [
  [4, (random) => ["GEOADD", key(random), ...placed(random)]],
  [1, (random) => ["GEOADD", key(random), random.pick(["NX", "XX", "CH"]), ...placed(random)]],
  [1, (random) => ["GEOSEARCHSTORE", key(random), key(random), ...shape(random)]],
  [1, (random) => ["GEOSEARCHSTORE", key(random), key(random), ...shape(random), "STOREDIST"]],
  [0.5, (random) => ["GEORADIUS", key(random), ...place(random), length(random), "km", "STORE", key(random)]],
  [0.5, (random) => ["GEORADIUSBYMEMBER", key(random), member(random), length(random), "km", "STOREDIST", key(random)]],
  [1, (random) => ["GEOSEARCH", key(random), ...shape(random), "WITHDIST", "WITHCOORD"]],
  [1, (random) => [random.pick(["GEOPOS", "GEOHASH"]), key(random), member(random), member(random)]],
  [0.5, (random) => ["GEODIST", key(random), member(random), member(random), "mi"]],
  [1, (random) => ["ZREM", key(random), member(random), member(random)]],
  [2, (random) => ["PEXPIRE", key(random), `${random.between(1, 3000)}`]]
]
