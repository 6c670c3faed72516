/** The part of the random workload that is about streams: entries, consumer groups, producers. */
import type { Random } from "./random.ts"

/** A request at a moment (Unix ms), one character per byte. */
type Maker = (random: Random, now: number) => ReadonlyArray<string>

/** Keys that mostly hold streams. */
export const streamKey = (random: Random): string => `x${random.below(4)}`

const group = (random: Random): string => `g${random.below(3)}`
const consumer = (random: Random): string => `c${random.below(4)}`

const value = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.5) return `${random.between(-100, 10_000)}`
  if (dice < 0.97) return Buffer.from(random.bytes(random.below(40))).toString("latin1")
  return Buffer.from(random.bytes(random.between(65, 2000))).toString("latin1")
}

const several = (random: Random, most: number, make: () => ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.from({ length: random.between(1, most) }, make).flat()

const pairs = (random: Random): ReadonlyArray<string> =>
  random.chance(0.6)
    ? ["a", value(random), "b", value(random)]
    : several(random, 4, () => [value(random), value(random)])

/** An id that may well be there: additions with `*` have the time of the clock. */
const id = (random: Random, now: number): string => {
  const dice = random.fraction()
  if (dice < 0.7) return `${now - random.below(60)}-${random.below(3)}`
  return dice < 0.9 ? `${random.below(20)}-${random.below(5)}` : `${now - random.below(500)}`
}
const ids = (random: Random, now: number): ReadonlyArray<string> => several(random, 6, () => [id(random, now)])

const some = (random: Random, probability: number, words: () => ReadonlyArray<string>): ReadonlyArray<string> =>
  random.chance(probability) ? words() : []

const trimming = (random: Random, now: number): ReadonlyArray<string> => [
  ...random.pick([
    () => ["MAXLEN", ...some(random, 0.5, () => [random.pick(["=", "~"])]), `${random.below(60)}`],
    () => ["MINID", ...some(random, 0.5, () => [random.pick(["=", "~"])]), id(random, now)]
  ])()
]
const references = (random: Random): ReadonlyArray<string> =>
  some(random, 0.4, () => [random.pick(["KEEPREF", "DELREF", "ACKED"])])

const bounds = (random: Random, now: number): ReadonlyArray<string> =>
  random.chance(0.4) ? ["-", "+"] : [id(random, now), random.chance(0.5) ? "+" : id(random, now)]

/** How often each kind of request comes, and how it is made. */
export const streamMakers: ReadonlyArray<readonly [number, Maker]> = [
  [10, (random) => ["XADD", streamKey(random), "*", ...pairs(random)]],
  [
    3,
    (
      random,
      now
    ) => ["XADD", streamKey(random), ...some(random, 0.3, () => ["NOMKSTREAM"]), id(random, now), ...pairs(random)]
  ],
  [
    2,
    (random, now) => ["XADD", streamKey(random), ...references(random), ...trimming(random, now), "*", ...pairs(random)]
  ],
  [
    2,
    (random) => ["XADD", streamKey(random), "IDMP", `p${random.below(3)}`, `i${random.below(9)}`, "*", ...pairs(random)]
  ],
  [1, (random) => ["XADD", streamKey(random), "IDMPAUTO", `p${random.below(3)}`, "*", "a", `${random.below(5)}`]],
  [0.5, (random) => [
    "XCFGSET",
    streamKey(random),
    ...random.pick([["IDMP-DURATION", `${random.between(1, 3)}`], ["IDMP-MAXSIZE", `${random.between(1, 5)}`]])
  ]],
  [2, (random, now) => ["XDEL", streamKey(random), ...ids(random, now)]],
  [1, (random, now) => {
    const list = ids(random, now)
    return ["XDELEX", streamKey(random), ...references(random), "IDS", `${list.length}`, ...list]
  }],
  [2, (random, now) => ["XTRIM", streamKey(random), ...trimming(random, now), ...references(random)]],
  [0.5, (random, now) => [
    "XSETID",
    streamKey(random),
    `${now + random.below(3)}-0`,
    ...some(random, 0.5, () => ["ENTRIESADDED", `${random.below(5000)}`, "MAXDELETEDID", id(random, now)])
  ]],
  [3, (random) => [
    "XGROUP",
    "CREATE",
    streamKey(random),
    group(random),
    random.pick(["0", "$"]),
    ...some(random, 0.5, () => ["MKSTREAM"]),
    ...some(random, 0.3, () => ["ENTRIESREAD", `${random.between(-1, 50)}`])
  ]],
  [1, (random, now) => ["XGROUP", "SETID", streamKey(random), group(random), random.pick(["0", "$", id(random, now)])]],
  [0.5, (random) => ["XGROUP", "DESTROY", streamKey(random), group(random)]],
  [0.5, (random) => ["XGROUP", "CREATECONSUMER", streamKey(random), group(random), consumer(random)]],
  [0.5, (random) => ["XGROUP", "DELCONSUMER", streamKey(random), group(random), consumer(random)]],
  [8, (random, now) => [
    "XREADGROUP",
    "GROUP",
    group(random),
    consumer(random),
    ...some(random, 0.7, () => ["COUNT", `${random.between(1, 20)}`]),
    ...some(random, 0.2, () => ["CLAIM", `${random.below(300)}`]),
    ...some(random, 0.2, () => ["NOACK"]),
    "STREAMS",
    streamKey(random),
    random.chance(0.8) ? ">" : id(random, now)
  ]],
  [5, (random, now) => ["XACK", streamKey(random), group(random), ...ids(random, now)]],
  [1, (random, now) => {
    const list = ids(random, now)
    return ["XACKDEL", streamKey(random), group(random), ...references(random), "IDS", `${list.length}`, ...list]
  }],
  [1, (random, now) => {
    const list = ids(random, now)
    return [
      "XNACK",
      streamKey(random),
      group(random),
      random.pick(["SILENT", "FAIL", "FATAL"]),
      "IDS",
      `${list.length}`,
      ...list
    ]
  }],
  [3, (random, now) => [
    "XCLAIM",
    streamKey(random),
    group(random),
    consumer(random),
    `${random.below(100)}`,
    ...ids(random, now),
    ...some(random, 0.2, () => ["IDLE", `${random.below(1000)}`]),
    ...some(random, 0.2, () => ["RETRYCOUNT", `${random.below(9)}`]),
    ...some(random, 0.3, () => ["FORCE"]),
    ...some(random, 0.3, () => ["JUSTID"])
  ]],
  [2, (random, now) => [
    "XAUTOCLAIM",
    streamKey(random),
    group(random),
    consumer(random),
    `${random.below(100)}`,
    random.pick(["0", id(random, now)]),
    ...some(random, 0.5, () => ["COUNT", `${random.between(1, 9)}`])
  ]],
  [1, (random) => ["XLEN", streamKey(random)]],
  [2, (random, now) => ["XRANGE", streamKey(random), ...bounds(random, now)]],
  [1, (random) => ["XREVRANGE", streamKey(random), "+", "-", "COUNT", "5"]],
  [1, (random, now) => ["XREAD", "COUNT", "5", "STREAMS", streamKey(random), id(random, now)]],
  [1, (random) => ["XPENDING", streamKey(random), group(random)]],
  [1, (random) => ["XPENDING", streamKey(random), group(random), "-", "+", "9"]],
  [0.5, (random) => ["XINFO", "STREAM", streamKey(random), "FULL"]],
  [0.5, (random) => ["XINFO", "GROUPS", streamKey(random)]]
]
