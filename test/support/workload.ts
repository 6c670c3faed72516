/**
 * Random requests over all types, keys and databases for tests of the laws: few keys, so that commands meet each other's
 * work; values at the edges of every encoding; deadlines near enough to pass while the workload runs.
 */
import type { Random } from "./random.ts"
import { bitmapMakers } from "./workload-bitmaps.ts"
import { collectionMakers } from "./workload-collections.ts"
import { geoMakers } from "./workload-geo.ts"
import { hashKey, hashMakers } from "./workload-hashes.ts"
import { hyperLogLogMakers } from "./workload-hyperloglogs.ts"
import { streamKey, streamMakers } from "./workload-streams.ts"

const databases = 4
const keyCount = 24

const edges = [
  "0",
  "1",
  "-1",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775806",
  "9223372036854775808",
  "2147483647",
  "-2147483648",
  "4294967296",
  "9007199254740993",
  "007",
  "-0",
  "+5",
  " 12",
  "3.0e3",
  "1e400",
  "nan",
  ""
]

/** Mostly a key of a string, now and then one of a hash or a stream. */
const key = (random: Random): string => {
  const dice = random.fraction()
  return dice < 0.05 ? hashKey(random) : dice < 0.08 ? streamKey(random) : `k${random.below(keyCount)}`
}
const database = (random: Random): string => `${random.below(databases)}`

const text = (random: Random, length: number): string => Buffer.from(random.bytes(length)).toString("latin1")

const value = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.4) return `${random.between(-1000, 100_000)}`
  if (dice < 0.55) return random.pick(edges)
  if (dice < 0.62) return `${random.between(-500, 500) / 8}`
  if (dice < 0.94) return text(random, random.below(24))
  if (dice < 0.98) return text(random, random.between(40, 70))
  return text(random, random.between(1000, 5000))
}

const integer = (random: Random): string => random.chance(0.8) ? `${random.between(-50, 50)}` : random.pick(edges)

const offset = (random: Random): string => `${random.between(-6, random.chance(0.1) ? 400 : 40)}`

type Maker = (random: Random, now: number) => ReadonlyArray<string>

const seconds = (random: Random): string => `${random.between(random.chance(0.1) ? -1 : 1, 4)}`
const millis = (random: Random): string => `${random.between(random.chance(0.1) ? -10 : 1, 3000)}`

const deadline: Maker = (random, now) =>
  random.pick([
    () => ["EX", seconds(random)],
    () => ["PX", millis(random)],
    () => ["EXAT", `${Math.floor(now / 1000) + random.between(0, 4)}`],
    () => ["PXAT", `${now + random.between(-5, 3000)}`]
  ])()

const some = (random: Random, chance: number, make: () => ReadonlyArray<string>): ReadonlyArray<string> =>
  random.chance(chance) ? make() : []

const keys = (random: Random, most: number): ReadonlyArray<string> =>
  Array.from({ length: random.between(1, most) }, () => key(random))

const pairs = (random: Random, most: number): ReadonlyArray<string> =>
  Array.from({ length: random.between(1, most) }, () => [key(random), value(random)]).flat()

const setOptions: Maker = (random, now) => [
  ...some(random, 0.25, () => [random.pick(["NX", "XX"])]),
  ...some(random, 0.15, () => ["GET"]),
  ...some(random, 0.5, () => random.chance(0.2) ? ["KEEPTTL"] : deadline(random, now))
]

const expiry = (name: string, time: (random: Random, now: number) => string): readonly [number, Maker] => [
  2,
  (random, now) => [
    name,
    key(random),
    time(random, now),
    ...some(random, 0.25, () => [random.pick(["NX", "XX", "GT", "LT"])])
  ]
]

const reading = (weight: number, name: string): readonly [number, Maker] => [weight, (random) => [name, key(random)]]

/** How often each kind of request comes, and how it is made. */
const makers: ReadonlyArray<readonly [number, Maker]> = [
  [8, (random) => ["SET", key(random), value(random)]],
  [8, (random, now) => ["SET", key(random), value(random), ...setOptions(random, now)]],
  [2, (random) => ["GETSET", key(random), value(random)]],
  [2, (random) => ["GETDEL", key(random)]],
  [3, (random, now) => ["GETEX", key(random), ...random.chance(0.3) ? ["PERSIST"] : deadline(random, now)]],
  [2, (random) => ["SETNX", key(random), value(random)]],
  [2, (random) => ["SETEX", key(random), seconds(random), value(random)]],
  [2, (random) => ["PSETEX", key(random), millis(random), value(random)]],
  [4, (random) => ["APPEND", key(random), value(random)]],
  [4, (random) => ["SETRANGE", key(random), offset(random), value(random)]],
  [4, (random) => ["INCR", key(random)]],
  [3, (random) => ["DECR", key(random)]],
  [4, (random) => ["INCRBY", key(random), integer(random)]],
  [3, (random) => ["DECRBY", key(random), integer(random)]],
  [3, (random) => ["INCRBYFLOAT", key(random), random.chance(0.8) ? `${random.between(-40, 40) / 16}` : value(random)]],
  [2, (random) => ["INCREX", key(random), ...some(random, 0.5, () => ["BYINT", integer(random)])]],
  [4, (random) => ["MSET", ...pairs(random, 6)]],
  [3, (random) => ["MSETNX", ...pairs(random, 3)]],
  [2, (random, now) => {
    const set = pairs(random, 4)
    return ["MSETEX", `${set.length / 2}`, ...set, ...setOptions(random, now).filter((word) => word !== "GET")]
  }],
  [2, (random) => ["DELEX", key(random), ...some(random, 0.5, () => [random.pick(["IFEQ", "IFNE"]), value(random)])]],
  [4, (random) => ["DEL", ...keys(random, 4)]],
  [2, (random) => ["UNLINK", ...keys(random, 4)]],
  [4, (random) => ["RENAME", key(random), key(random)]],
  [2, (random) => ["RENAMENX", key(random), key(random)]],
  [4, (random) => [
    "COPY",
    key(random),
    key(random),
    ...some(random, 0.5, () => ["DB", database(random)]),
    ...some(random, 0.5, () => ["REPLACE"])
  ]],
  [4, (random) => ["MOVE", key(random), database(random)]],
  [2, (random) => ["SWAPDB", database(random), database(random)]],
  [0.3, () => ["FLUSHDB"]],
  [0.1, () => ["FLUSHALL"]],
  expiry("EXPIRE", seconds),
  expiry("PEXPIRE", millis),
  expiry("EXPIREAT", (random, now) => `${Math.floor(now / 1000) + random.between(-1, 4)}`),
  expiry("PEXPIREAT", (random, now) => `${now + random.between(-5, 3000)}`),
  [2, (random) => ["PERSIST", key(random)]],
  reading(8, "GET"),
  reading(1, "STRLEN"),
  reading(1, "TTL"),
  reading(1, "PTTL"),
  reading(1, "EXPIRETIME"),
  reading(1, "PEXPIRETIME"),
  reading(1, "TYPE"),
  reading(1, "DIGEST"),
  [2, (random) => ["GETRANGE", key(random), offset(random), offset(random)]],
  [1, (random) => ["SUBSTR", key(random), offset(random), offset(random)]],
  [2, (random) => ["MGET", ...keys(random, 5)]],
  [2, (random) => ["EXISTS", ...keys(random, 5)]],
  [1, (random) => ["TOUCH", ...keys(random, 5)]],
  [1, (random) => ["OBJECT", random.pick(["ENCODING", "REFCOUNT", "IDLETIME"]), key(random)]],
  [0.5, (random) => ["LCS", key(random), key(random), "LEN"]],
  [0.3, () => ["KEYS", "*"]],
  [0.5, () => ["SCAN", "0", "COUNT", "50"]],
  [0.5, () => ["RANDOMKEY"]],
  [0.5, () => ["DBSIZE"]],
  [0.5, (random) => [random.pick(["SET", "MSET", "COPY", "GET", "EXPIRE"]), ...keys(random, 2)]],
  ...collectionMakers,
  ...hashMakers,
  ...bitmapMakers,
  ...geoMakers,
  ...hyperLogLogMakers,
  ...streamMakers
]
const total = makers.reduce((sum, [weight]) => sum + weight, 0)

/** One random request at a moment (Unix ms), one character per byte. */
export const randomRequest = (random: Random, now: number): ReadonlyArray<string> => {
  let left = random.fraction() * total
  for (const [weight, make] of makers) {
    left -= weight
    if (left < 0) return make(random, now)
  }
  return ["DBSIZE"]
}

/**
 * A random transaction as the requests of one connection: perhaps keys watched and a choice of what a failing command
 * means, MULTI, some requests with changes of the database among them, and EXEC or, now and then, DISCARD. Some requests
 * are refused when they are queued.
 */
export const randomTransaction = (random: Random, now: number): ReadonlyArray<ReadonlyArray<string>> => [
  ...random.chance(0.3) ? [["WATCH", ...keys(random, 3)]] : [],
  ...random.chance(0.2) ? [["CLIENT", "MULTI-ON-ERROR", random.pick(["ABORT", "CONTINUE"])]] : [],
  ["MULTI"],
  ...Array.from({ length: random.below(9) }, () =>
    random.chance(0.25)
      ? ["SELECT", random.chance(0.9) ? database(random) : "77"]
      : random.chance(0.02)
      ? [random.pick(["FLUSHDB", "FLUSHALL"])]
      : randomRequest(random, now)),
  random.chance(0.93) ? ["EXEC"] : ["DISCARD"]
]

/** Databases the requests name: 0 to this, exclusive. */
export const workloadDatabases = databases
