/** The part of the random workload that is about bits of strings: the keys are those of strings, so that all meet. */
import { bitOperations } from "../../src/projections/memory/bits.ts"
import type { Random } from "./random.ts"

/** A request, one character per byte. */
type Maker = (random: Random) => ReadonlyArray<string>

/** Keys that other requests fill with strings, and some that hold nothing but bitmaps. */
const key = (random: Random): string => random.chance(0.5) ? `k${random.below(24)}` : `b${random.below(6)}`

const offset = (random: Random): string =>
  `${random.below(random.pick([8, 100, 600, random.chance(0.02) ? 20_000 : 20]))}`

const index = (random: Random): string => `${random.between(-40, 40)}`

const type = (random: Random): string => random.chance(0.5) ? `i${random.between(1, 64)}` : `u${random.between(1, 63)}`

const number = (random: Random): string =>
  random.chance(0.7)
    ? `${random.between(-300, 300)}`
    : `${BigInt.asIntN(64, BigInt(random.uint32()) << BigInt(random.below(33)))}`

const field: Maker = (random) =>
  random.pick([
    () => ["GET", type(random), offset(random)],
    () => ["SET", type(random), offset(random), number(random)],
    () => ["INCRBY", type(random), `#${random.below(12)}`, number(random)],
    () => ["OVERFLOW", random.pick(["WRAP", "SAT", "FAIL"])]
  ])()

/** How often each kind of request comes, and how it is made. */
export const bitmapMakers: ReadonlyArray<readonly [number, Maker]> = [
  [6, (random) => ["SETBIT", key(random), offset(random), `${random.below(2)}`]],
  [
    4,
    (random) => ["BITFIELD", key(random), ...Array.from({ length: random.between(1, 4) }, () => field(random)).flat()]
  ],
  [4, (random) => {
    const operation = random.pick(bitOperations)
    const sources = Array.from({ length: operation === "NOT" ? 1 : random.between(1, 4) }, () => key(random))
    return ["BITOP", operation, key(random), ...sources]
  }],
  [1, (random) => ["GETBIT", key(random), offset(random)]],
  [1, (random) => ["BITCOUNT", key(random), index(random), index(random), random.pick(["BIT", "BYTE"])]],
  [1, (random) => ["BITPOS", key(random), `${random.below(2)}`, index(random)]],
  [1, (random) => ["BITFIELD_RO", key(random), "GET", type(random), offset(random)]]
]
