/**
 * A small seeded generator (sfc32): the same seed gives the same run on every machine, so a failure is repeated by its
 * seed alone. Not for secrets.
 */
export class Random {
  readonly seed: number
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(seed: number) {
    this.seed = seed
    this.a = seed | 0
    this.b = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995
    this.c = ~seed
    for (let i = 0; i < 12; i++) this.uint32()
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.a + this.b + this.counter++) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** 0 ≤ x < 1. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<T>(values: ReadonlyArray<T>): T {
    return values[this.below(values.length)]!
  }

  /** Overwrites a range with random bytes. */
  fill(bytes: Uint8Array, start = 0, end = bytes.length): void {
    let at = start
    for (; at + 4 <= end; at += 4) {
      const word = this.uint32()
      bytes[at] = word
      bytes[at + 1] = word >>> 8
      bytes[at + 2] = word >>> 16
      bytes[at + 3] = word >>> 24
    }
    for (; at < end; at++) bytes[at] = this.uint32()
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.fill(bytes)
    return bytes
  }
}

/** Random cases in longer runs: ANNALS_TEST_FACTOR=20 makes twenty of each case that a plain run has one of. */
const factor = Math.max(1, Math.round(Number(process.env["ANNALS_TEST_FACTOR"] ?? 1)) || 1)
export const scaled = (count: number): number => count * factor

/** Runs `body` with a generator of its own per run; a failure names the seed, and `only` repeats that one run. */
export const forSeeds = (
  count: number,
  body: (random: Random, seed: number) => void,
  options: { readonly first?: number; readonly only?: number } = {}
): void => {
  const first = options.only ?? options.first ?? 1
  const last = options.only ?? first + count - 1
  for (let seed = first; seed <= last; seed++) {
    try {
      body(new Random(seed), seed)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`seed ${seed}: ${why}`, { cause })
    }
  }
}
