/** The part of the random workload that is about HyperLogLogs: few elements and many, sparse values that become dense. */
import type { Random } from "./random.ts"

/** A request, one character per byte. */
type Maker = (random: Random) => ReadonlyArray<string>

/** Keys that mostly hold HyperLogLogs. */
const key = (random: Random): string => random.chance(0.03) ? `k${random.below(24)}` : `p${random.below(5)}`

const element = (random: Random): string => `e${random.below(random.chance(0.5) ? 50 : 100_000)}`

const elements = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: random.chance(0.05) ? random.between(100, 1500) : random.below(5) }, () => element(random))

const keys = (random: Random, most: number): ReadonlyArray<string> =>
  Array.from({ length: random.between(1, most) }, () => key(random))

/** How often each kind of request comes, and how it is made. */
export const hyperLogLogMakers: ReadonlyArray<readonly [number, Maker]> = [
  [4, (random) => ["PFADD", key(random), ...elements(random)]],
  [1.5, (random) => ["PFCOUNT", key(random)]],
  [0.5, (random) => ["PFCOUNT", ...keys(random, 4)]],
  [0.7, (random) => ["PFMERGE", ...keys(random, 4)]],
  [0.3, (random) => ["PFDEBUG", random.pick(["TODENSE", "TODENSE", "DECODE", "ENCODING"]), key(random)]],
  [0.2, (random) => ["DEL", key(random)]],
  [0.3, (random) => ["COPY", key(random), key(random), "REPLACE"]],
  [0.1, (random) => ["APPEND", key(random), "\x7f\xff"]],
  [2, (random) => ["PEXPIRE", key(random), `${random.between(1, 900)}`]]
]
