/**
 * Sine, cosine and arc sine rounded to the nearest double, which JavaScript leaves to the engine (V8's are off by one in
 * the last place for every thirtieth argument, those of C libraries for one in a thousand): distances are printed and
 * kept as the server's C library would have computed them, as nearly as anything can be that is not that library.
 *
 * Numbers are pairs of doubles, value = high + low, so with some 106 bits (Dekker, "A floating-point technique for
 * extending the available precision", 1971). An angle is split into k/64 and a rest of at most 1/128: a table has sine and
 * cosine of the one, a few terms of the power series give those of the other, the addition theorems join them.
 */

const steps = 64
/** π/2 lies before this multiple of 1/64. */
const tableSize = 102
const scaleBits = 200n

/** Four doubles for each multiple of 1/64: sine high and low, cosine high and low. */
const makeTable = (): Float64Array => {
  const table = new Float64Array(4 * tableSize)
  const one = 1n << scaleBits
  const multiply = (a: bigint, b: bigint): bigint => (a * b) >> scaleBits
  const split = (value: bigint, at: number): void => {
    const scale = 2 ** Number(scaleBits)
    const high = Number(value)
    table[at] = high / scale
    table[at + 1] = Number(value - BigInt(high)) / scale
  }
  // Sine and cosine of the first step from the series, those of each further one from the step before.
  let [stepSine, stepCosine] = [0n, 0n]
  let term = one
  for (let n = 1n; term !== 0n; n++) {
    if (n % 2n === 1n) stepCosine += n % 4n === 1n ? term : -term
    else stepSine += n % 4n === 2n ? term : -term
    term = term / (n * BigInt(steps))
  }
  let [sine, cosine] = [0n, one]
  for (let k = 0; k < tableSize; k++) {
    split(sine, 4 * k)
    split(cosine, 4 * k + 2)
    const next = multiply(sine, stepCosine) + multiply(cosine, stepSine)
    cosine = multiply(cosine, stepCosine) - multiply(sine, stepSine)
    sine = next
  }
  return table
}

const table = makeTable()

const halfPi = Math.PI / 2
/** What the nearest doubles lack of π and π/2. */
const piLow = 1.2246467991473532e-16
const halfPiLow = piLow / 2

/** The results of `pair`: sine high and low, cosine high and low. */
const found = new Float64Array(4)

/** 2^27 + 1: multiplying by it cuts a double into two halves whose products are exact. */
const splitter = 134_217_729

/** What the double a * b lacks of the product. */
const productLow = (a: number, b: number, product: number): number => {
  const scaledA = splitter * a
  const scaledB = splitter * b
  const highA = scaledA - (scaledA - a)
  const highB = scaledB - (scaledB - b)
  const lowA = a - highA
  const lowB = b - highB
  return ((highA * highB - product) + highA * lowB + lowA * highB) + lowA * lowB
}

/** Puts sine and cosine of an angle between about 0 and π/2 into `found`; `low` is what the double lacks of the angle. */
const pair = (angle: number, low: number): void => {
  const k = Math.round(angle * steps)
  const at = 4 * k
  const sineHigh = table[at]!
  const cosineHigh = table[at + 2]!
  const r = angle - k / steps
  const square = r * r
  // What the sine of the rest lacks of it, and the cosine of one.
  const sineRest = r * square * (-1 / 6 + square * (1 / 120 - square / 5040)) + low
  const cosineRest = square * (-0.5 + square * (1 / 24 - square * (1 / 720 - square / 40_320))) - low * r
  const toSine = cosineHigh * r
  const toCosine = -sineHigh * r
  let sum = sineHigh + toSine
  // The table's sine is the greater of the two, or zero.
  let rest = toSine - (sum - sineHigh)
  rest += productLow(cosineHigh, r, toSine) + table[at + 1]! + table[at + 3]! * r
  rest += sineHigh * cosineRest + cosineHigh * sineRest
  const sine = sum + rest
  found[0] = sine
  found[1] = rest - (sine - sum)
  sum = cosineHigh + toCosine
  const kept = sum - cosineHigh
  rest = (cosineHigh - (sum - kept)) + (toCosine - kept)
  rest += productLow(-sineHigh, r, toCosine) + table[at + 3]! - table[at + 1]! * r
  rest += cosineHigh * cosineRest - sineHigh * sineRest
  const cosine = sum + rest
  found[2] = cosine
  found[3] = rest - (cosine - sum)
}

/** The sine of an angle between -π and π, rounded to the nearest double. */
export const sine = (angle: number): number => {
  if (angle < 0) return -sine(-angle)
  if (angle <= halfPi) pair(angle, 0)
  else pair(Math.PI - angle, piLow)
  return found[0]!
}

/** The cosine of an angle, rounded to the nearest double where it is between -π/2 and π/2; elsewhere as the engine has it. */
export const cosine = (angle: number): number => {
  const size = Math.abs(angle)
  if (!(size <= halfPi)) return Math.cos(angle)
  pair(size, 0)
  return found[2]!
}

/** The arc sine of a number between 0 and 1, rounded to the nearest double; NaN beyond 1. */
export const arcSine = (value: number): number => {
  const near = Math.asin(value)
  if (!(value > 0 && value <= 1)) return near
  if (value < 0.75) {
    pair(near, 0)
    return near + ((value - found[0]!) - found[1]!) / found[2]!
  }
  // Towards 1 the sine says little about its angle: sin x = 1 - 2 sin²(½(π/2 - x)).
  pair((halfPi - near) / 2, halfPiLow / 2)
  const half = found[0]!
  const square = half * half
  const squareLow = productLow(half, half, square) + 2 * half * found[1]!
  return near + ((value - 1) + 2 * square + 2 * squareLow) / (2 * half * found[2]!)
}
