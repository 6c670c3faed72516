/**
 * MurmurHash64A (Austin Appleby), with the seed that HyperLogLogs have in Redis: multiplications of 64 bits in halves of 32,
 * their upper halves from limbs of 16, so that nothing is allocated.
 */

/** The seed; its upper half is zero. */
const seed = 0xadc83b19

// The multiplier, 0xc6a4a7935bd1e995, and the limbs of its lower half.
const multiplierHigh = 0xc6a4a793 | 0
const multiplierLow = 0x5bd1e995
const limb0 = 0xe995
const limb1 = 0x5bd1

/** Upper half of (high, low) times the multiplier; the lower one is `Math.imul(low, multiplierLow)`. */
const productHigh = (high: number, low: number): number => {
  const a0 = low & 0xffff
  const a1 = low >>> 16
  const middle = (Math.imul(a1, limb0) + (Math.imul(a0, limb0) >>> 16)) | 0
  const carry = (Math.imul(a0, limb1) + (middle & 0xffff)) >>> 16
  return (Math.imul(a1, limb1) + (middle >>> 16) + carry + Math.imul(low, multiplierHigh)
    + Math.imul(high, multiplierLow)) | 0
}

/** The hash of so many bytes, as its two halves; for tests. */
export const murmur64 = (bytes: Uint8Array, start: number, length: number): readonly [high: number, low: number] => {
  hash(bytes, start, length)
  return [hashHigh >>> 0, hashLow >>> 0]
}

// What `hash` found.
let hashHigh = 0
let hashLow = 0

const hash = (bytes: Uint8Array, start: number, length: number): void => {
  // Lengths have 32 bits at most.
  let high = productHigh(0, length)
  let low = seed ^ Math.imul(length, multiplierLow)
  let at = start
  const whole = start + (length & ~7)
  for (; at < whole; at += 8) {
    let l = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24
    let h = bytes[at + 4]! | bytes[at + 5]! << 8 | bytes[at + 6]! << 16 | bytes[at + 7]! << 24
    h = productHigh(h, l)
    l = Math.imul(l, multiplierLow)
    l ^= h >>> 15 // a shift by 47 takes the upper half's upper bits into the lower half
    h = productHigh(h, l)
    l = Math.imul(l, multiplierLow)
    high = productHigh(high ^ h, low ^= l)
    low = Math.imul(low, multiplierLow)
  }
  const left = length & 7
  if (left > 0) {
    for (let i = 0; i < left; i++) {
      if (i < 4) low ^= bytes[at + i]! << 8 * i
      else high ^= bytes[at + i]! << 8 * i - 32
    }
    high = productHigh(high, low)
    low = Math.imul(low, multiplierLow)
  }
  low ^= high >>> 15
  high = productHigh(high, low)
  low = Math.imul(low, multiplierLow)
  hashLow = low ^ high >>> 15
  hashHigh = high
}

/** The rank of an element and the register it goes to, as rank · 16384 + register. */
export const rankAndRegister = (bytes: Uint8Array, start: number, length: number): number => {
  hash(bytes, start, length)
  const lower = hashLow >>> 14
  const rank = lower !== 0
    ? 32 - Math.clz32(lower & -lower)
    : hashHigh !== 0
    ? 50 - Math.clz32(hashHigh & -hashHigh)
    : 51
  return rank << 14 | hashLow & 0x3fff
}
