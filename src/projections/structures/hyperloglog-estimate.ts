/** The estimate of a HyperLogLog from how many registers hold each rank: Ertl 2017, arXiv:1702.01284, algorithm 6. */
import { registerCount } from "./hyperloglog.ts"

/** Ranks come from 50 bits of the hash; a register beyond that is saturated. */
const rankBits = 50
/** The limit of the usual correction for infinitely many registers. */
const alpha = 1 / (2 * Math.LN2)

/** Ertl's σ, of the share of registers that no element reached. */
const sigma = (share: number): number => {
  if (share === 1) return Infinity
  let [power, weight, sum, before] = [share, 1, share, -1]
  while (sum !== before) {
    power *= power
    before = sum
    sum += power * weight
    weight += weight
  }
  return sum
}

/** Ertl's τ, of the share of registers that are not saturated. */
const tau = (share: number): number => {
  if (share === 0 || share === 1) return 0
  let [root, weight, sum, before] = [share, 1, 1 - share, -1]
  while (sum !== before) {
    root = Math.sqrt(root)
    before = sum
    weight *= 0.5
    const missing = 1 - root
    sum -= missing * missing * weight
  }
  return sum / 3
}

/**
 * How many different elements were added, rounded. `counts[r]` is the number of registers that hold rank r (0 to 63).
 * Infinite when all registers are saturated.
 */
export const estimate = (counts: Int32Array): number => {
  const m = registerCount
  let sum = m * tau((m - counts[rankBits + 1]!) / m)
  for (let rank = rankBits; rank >= 1; rank--) sum = (sum + counts[rank]!) * 0.5
  sum += m * sigma(counts[0]! / m)
  const raw = alpha * m * m / sum
  const whole = Math.floor(raw)
  return raw - whole >= 0.5 ? whole + 1 : whole // to the nearest, halves upward
}
