/** The part of the random workload that is about hashes: fields with deadlines, packs that become tables. */
import type { Random } from "./random.ts"

/** A request at a moment (Unix ms), one character per byte. */
type Maker = (random: Random, now: number) => ReadonlyArray<string>

/** Keys that mostly hold hashes. */
export const hashKey = (random: Random): string => `h${random.below(6)}`

const field = (random: Random): string => `f${random.below(random.chance(0.05) ? 60 : 10)}`

const value = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.5) return `${random.between(-100, 10_000)}`
  if (dice < 0.97) return Buffer.from(random.bytes(random.below(40))).toString("latin1")
  return Buffer.from(random.bytes(random.between(65, 400))).toString("latin1")
}

const several = (random: Random, most: number, make: () => ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.from({ length: random.between(1, most) }, make).flat()

const fields = (random: Random): ReadonlyArray<string> => several(random, 4, () => [field(random)])
const pairs = (random: Random): ReadonlyArray<string> => several(random, 5, () => [field(random), value(random)])

const list = (random: Random): ReadonlyArray<string> => {
  const named = fields(random)
  return ["FIELDS", `${named.length}`, ...named]
}

const condition = (random: Random): ReadonlyArray<string> =>
  random.chance(0.25) ? [random.pick(["NX", "XX", "GT", "LT"])] : []

const expiration: Maker = (random, now) =>
  random.pick([
    () => ["EX", `${random.between(0, 3)}`],
    () => ["PX", `${random.between(1, 2000)}`],
    () => ["EXAT", `${Math.floor(now / 1000) + random.between(0, 3)}`],
    () => ["PXAT", `${now + random.between(-5, 2000)}`]
  ])()

/** How often each kind of request comes, and how it is made. */
export const hashMakers: ReadonlyArray<readonly [number, Maker]> = [
  [8, (random) => ["HSET", hashKey(random), ...pairs(random)]],
  [1, (random) => ["HMSET", hashKey(random), ...pairs(random)]],
  [1, (random) => ["HSETNX", hashKey(random), field(random), value(random)]],
  [4, (random) => ["HDEL", hashKey(random), ...fields(random)]],
  [2, (random) => ["HINCRBY", hashKey(random), field(random), `${random.between(-50, 50)}`]],
  [1, (random) => ["HINCRBYFLOAT", hashKey(random), field(random), `${random.between(-40, 40) / 16}`]],
  [3, (random) => ["HPEXPIRE", hashKey(random), `${random.between(0, 2000)}`, ...condition(random), ...list(random)]],
  [1, (random) => ["HEXPIRE", hashKey(random), `${random.between(0, 3)}`, ...condition(random), ...list(random)]],
  [1, (random, now) => [
    "HPEXPIREAT",
    hashKey(random),
    `${now + random.between(-5, 2000)}`,
    ...condition(random),
    ...list(random)
  ]],
  [2, (random) => ["HPERSIST", hashKey(random), ...list(random)]],
  [1, (random) => ["HGETDEL", hashKey(random), ...list(random)]],
  [2, (random, now) => [
    "HGETEX",
    hashKey(random),
    ...random.chance(0.2) ? ["PERSIST"] : expiration(random, now),
    ...list(random)
  ]],
  [3, (random, now) => {
    const set = pairs(random)
    return [
      "HSETEX",
      hashKey(random),
      ...random.chance(0.2) ? [random.pick(["FNX", "FXX"])] : [],
      ...random.chance(0.3) ? ["KEEPTTL"] : expiration(random, now),
      "FIELDS",
      `${set.length / 2}`,
      ...set
    ]
  }],
  [2, (random) => ["HGET", hashKey(random), field(random)]],
  [1, (random) => ["HMGET", hashKey(random), ...fields(random)]],
  [1, (random) => ["HGETALL", hashKey(random)]],
  [1, (random) => ["HLEN", hashKey(random)]],
  [1, (random) => ["HPTTL", hashKey(random), ...list(random)]],
  [1, (random) => ["HRANDFIELD", hashKey(random), `${random.between(-3, 5)}`, "WITHVALUES"]],
  [1, (random) => ["HSCAN", hashKey(random), "0", "COUNT", "20"]],
  [0.5, (random) => ["EXISTS", hashKey(random), hashKey(random)]]
]
