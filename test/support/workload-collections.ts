/**
 * Random requests over lists, sets, hashes and sorted sets for tests of the laws: few keys, which other types may hold as
 * well, so that small and large forms, conversions and deaths of all kinds meet.
 */
import type { Random } from "./random.ts"

type Maker = (random: Random, now: number) => ReadonlyArray<string>

const key = (random: Random): string => random.chance(0.05) ? `k${random.below(4)}` : `c${random.below(9)}`

const element = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.5) return `${random.between(-300, 300)}`
  if (dice < 0.6) return `${random.between(-(2 ** 40), 2 ** 40)}`
  if (dice < 0.97) return `e${random.below(400)}`
  return Buffer.from(random.bytes(random.pick([60, 70, 400, 9000]))).toString("latin1")
}

const elements = (random: Random, most: number): ReadonlyArray<string> =>
  Array.from({ length: random.between(1, most) }, () => element(random))

/** Now and then so many at once that a collection becomes a large one. */
const several = (random: Random): ReadonlyArray<string> => elements(random, random.chance(0.08) ? 300 : 8)

const pairs = (random: Random): ReadonlyArray<string> => several(random).flatMap((field) => [field, element(random)])

const score = (random: Random): string =>
  random.chance(0.05) ? random.pick(["inf", "-inf", "-0", "1e300", "5e-324"]) : `${random.between(-40, 40) / 4}`

const scored = (random: Random): ReadonlyArray<string> => several(random).flatMap((member) => [score(random), member])

const index = (random: Random): string => `${random.between(-30, 30)}`
const side = (random: Random): string => random.pick(["LEFT", "RIGHT"])
const fieldsOf = (random: Random): ReadonlyArray<string> => {
  const fields = elements(random, 4)
  return ["FIELDS", `${fields.length}`, ...fields]
}

/** How often each kind of request comes, and how it is made. */
export const collectionMakers: ReadonlyArray<readonly [number, Maker]> = [
  [4, (random) => ["RPUSH", key(random), ...several(random)]],
  [4, (random) => ["LPUSH", key(random), ...several(random)]],
  [2, (random) => ["LPOP", key(random), `${random.below(20)}`]],
  [2, (random) => ["RPOP", key(random)]],
  [1, (random) => ["LSET", key(random), index(random), element(random)]],
  [1, (random) => ["LINSERT", key(random), random.pick(["BEFORE", "AFTER"]), element(random), element(random)]],
  [1, (random) => ["LREM", key(random), `${random.between(-3, 3)}`, element(random)]],
  [0.5, (random) => ["LTRIM", key(random), index(random), index(random)]],
  [1, (random) => ["LMOVE", key(random), key(random), side(random), side(random)]],
  [1, (random) => ["LMPOP", "2", key(random), key(random), side(random), "COUNT", `${random.between(1, 9)}`]],
  [1, (random) => ["LRANGE", key(random), "0", "-1"]],
  [7, (random) => ["SADD", key(random), ...several(random)]],
  [3, (random) => ["SREM", key(random), ...several(random)]],
  [2, (random) => ["SPOP", key(random), `${random.below(random.chance(0.1) ? 300 : 6)}`]],
  [2, (random) => ["SMOVE", key(random), key(random), element(random)]],
  [1, (random) => [random.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), key(random), key(random), key(random)]],
  [1, (random) => ["SMEMBERS", key(random)]],
  [7, (random) => ["HSET", key(random), ...pairs(random)]],
  [3, (random) => ["HDEL", key(random), ...several(random)]],
  [1, (random) => ["HINCRBY", key(random), element(random), `${random.between(-9, 9)}`]],
  [1, (random) => ["HINCRBYFLOAT", key(random), element(random), `${random.between(-9, 9) / 8}`]],
  [3, (random) => ["HPEXPIRE", key(random), `${random.between(0, 3000)}`, ...fieldsOf(random)]],
  [1, (random) => ["HPERSIST", key(random), ...fieldsOf(random)]],
  [1, (random) => ["HGETDEL", key(random), ...fieldsOf(random)]],
  [1, (random) => ["HGETEX", key(random), "PX", `${random.between(1, 3000)}`, ...fieldsOf(random)]],
  [1, (random) => ["HGETALL", key(random)]],
  [7, (random) => ["ZADD", key(random), ...scored(random)]],
  [3, (random) => ["ZREM", key(random), ...several(random)]],
  [2, (random) => ["ZINCRBY", key(random), score(random), element(random)]],
  [2, (random) => [random.pick(["ZPOPMIN", "ZPOPMAX"]), key(random), `${random.below(8)}`]],
  [1, (random) => ["ZREMRANGEBYRANK", key(random), index(random), index(random)]],
  [1, (random) => ["ZREMRANGEBYSCORE", key(random), score(random), score(random)]],
  [1, (random) => [random.pick(["ZUNIONSTORE", "ZINTERSTORE"]), key(random), "2", key(random), key(random)]],
  [1, (random) => ["ZRANGE", key(random), "0", "-1", "WITHSCORES"]],
  [1, (random) => ["DEL", key(random)]],
  [1, (random) => ["RENAME", key(random), key(random)]],
  [2, (random) => ["COPY", key(random), key(random), "DB", `${random.below(4)}`, "REPLACE"]],
  [1, (random) => ["MOVE", key(random), `${random.below(4)}`]],
  [1, (random) => ["PEXPIRE", key(random), `${random.between(1, 3000)}`]],
  [1, (random) => ["PERSIST", key(random)]]
]
