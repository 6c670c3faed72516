/** The secret of one dict or one server: two random u32 words. */
export interface HashSeed {
  readonly k0: number
  readonly k1: number
}

/**
 * HalfSipHash-1-3 with a 32-bit result: a hash with a secret key, so that nobody who does not know the key can send keys
 * that collide. All arithmetic is on 32-bit integers; words are little-endian.
 * @returns a u32
 */
export const hashBytes = (
  seed0: number,
  seed1: number,
  bytes: Uint8Array,
  start: number,
  length: number
): number => {
  let v0 = seed0 | 0
  let v1 = seed1 | 0
  let v2 = seed0 ^ 0x6c796765
  let v3 = seed1 ^ 0x74656462
  let i = start
  const whole = start + (length & ~3)
  for (; i < whole; i += 4) {
    const m = bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24
    v3 ^= m
    v0 = (v0 + v1) | 0
    v1 = (v1 << 5 | v1 >>> 27) ^ v0
    v0 = v0 << 16 | v0 >>> 16
    v2 = (v2 + v3) | 0
    v3 = (v3 << 8 | v3 >>> 24) ^ v2
    v0 = (v0 + v3) | 0
    v3 = (v3 << 7 | v3 >>> 25) ^ v0
    v2 = (v2 + v1) | 0
    v1 = (v1 << 13 | v1 >>> 19) ^ v2
    v2 = v2 << 16 | v2 >>> 16
    v0 ^= m
  }
  // The last word: what is left of the input, and the length in the top byte.
  let m = length << 24
  const left = length & 3
  if (left > 0) m |= bytes[i]!
  if (left > 1) m |= bytes[i + 1]! << 8
  if (left > 2) m |= bytes[i + 2]! << 16
  v3 ^= m
  v0 = (v0 + v1) | 0
  v1 = (v1 << 5 | v1 >>> 27) ^ v0
  v0 = v0 << 16 | v0 >>> 16
  v2 = (v2 + v3) | 0
  v3 = (v3 << 8 | v3 >>> 24) ^ v2
  v0 = (v0 + v3) | 0
  v3 = (v3 << 7 | v3 >>> 25) ^ v0
  v2 = (v2 + v1) | 0
  v1 = (v1 << 13 | v1 >>> 19) ^ v2
  v2 = v2 << 16 | v2 >>> 16
  v0 ^= m
  v2 ^= 0xff
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0
    v1 = (v1 << 5 | v1 >>> 27) ^ v0
    v0 = v0 << 16 | v0 >>> 16
    v2 = (v2 + v3) | 0
    v3 = (v3 << 8 | v3 >>> 24) ^ v2
    v0 = (v0 + v3) | 0
    v3 = (v3 << 7 | v3 >>> 25) ^ v0
    v2 = (v2 + v1) | 0
    v1 = (v1 << 13 | v1 >>> 19) ^ v2
    v2 = v2 << 16 | v2 >>> 16
  }
  return (v1 ^ v3) >>> 0
}
