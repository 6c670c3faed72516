/**
 * XXH3, 64 bits, seed 0: the hash behind DIGEST. Up to 240 bytes are mixed with big integers; longer inputs run through
 * eight 64-bit lanes kept as pairs of 32-bit words, which allocate nothing.
 */
import type { Slice } from "../memory/slice.ts"

/** The default key material of the specification. */
const secret = Buffer.from(
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee035"
    + "90e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04b"
    + "cdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad0"
    + "31ce45cb3a8f95160428afd7fbcabb4b407e",
  "hex"
)
const secretView = new DataView(secret.buffer, secret.byteOffset, secret.length)

const mask = 0xffff_ffff_ffff_ffffn
const prime32x1 = 0x9e37_79b1
const prime32x2 = 0x85eb_ca77
const prime32x3 = 0xc2b2_ae3d
const prime64x1 = 0x9e37_79b1_85eb_ca87n
const prime64x2 = 0xc2b2_ae3d_27d4_eb4fn
const prime64x3 = 0x1656_67b1_9e37_79f9n
const prime64x4 = 0x85eb_ca77_c2b2_ae63n
const prime64x5 = 0x27d4_eb2f_1656_67c5n

const secretWord = (at: number): bigint => secretView.getBigUint64(at, true)

/** The two halves of the 128-bit product, combined by exclusive or. */
const fold = (a: bigint, b: bigint): bigint => {
  const product = a * b
  return (product & mask) ^ (product >> 64n)
}

const avalanche = (input: bigint): bigint => {
  let h = input & mask
  h ^= h >> 37n
  h = (h * 0x1656_6791_9e37_79f9n) & mask
  return h ^ (h >> 32n)
}

/** The final mix of the older XXH64, used for the shortest inputs. */
const avalanche64 = (input: bigint): bigint => {
  let h = input
  h ^= h >> 33n
  h = (h * prime64x2) & mask
  h ^= h >> 29n
  h = (h * prime64x3) & mask
  return h ^ (h >> 32n)
}

const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) & mask) | (value >> (64n - bits))

const swapBytes = (value: bigint): bigint => {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value, true)
  return view.getBigUint64(0, false)
}

const upTo3 = (bytes: Uint8Array, start: number, length: number): bigint => {
  const first = bytes[start]!
  const middle = bytes[start + (length >> 1)]!
  const last = bytes[start + length - 1]!
  const combined = ((first << 16) | (middle << 24) | last | (length << 8)) >>> 0
  const flip = (secretView.getUint32(0, true) ^ secretView.getUint32(4, true)) >>> 0
  return avalanche64(BigInt((combined ^ flip) >>> 0))
}

const from4To8 = (input: DataView, length: number): bigint => {
  const joined = (BigInt(input.getUint32(0, true)) << 32n) + BigInt(input.getUint32(length - 4, true))
  let h = joined ^ secretWord(8) ^ secretWord(16)
  h ^= rotate(h, 49n) ^ rotate(h, 24n)
  h = (h * 0x9fb2_1c65_1e98_df25n) & mask
  h ^= (h >> 35n) + BigInt(length)
  h = (h * 0x9fb2_1c65_1e98_df25n) & mask
  return h ^ (h >> 28n)
}

const from9To16 = (input: DataView, length: number): bigint => {
  const low = input.getBigUint64(0, true) ^ secretWord(24) ^ secretWord(32)
  const high = input.getBigUint64(length - 8, true) ^ secretWord(40) ^ secretWord(48)
  return avalanche(BigInt(length) + swapBytes(low) + high + fold(low, high))
}

const mix16 = (input: DataView, at: number, secretAt: number): bigint =>
  fold(
    input.getBigUint64(at, true) ^ secretWord(secretAt),
    input.getBigUint64(at + 8, true) ^ secretWord(secretAt + 8)
  )

const from17To128 = (input: DataView, length: number): bigint => {
  let sum = BigInt(length) * prime64x1
  for (let pair = (length - 1) >> 5; pair >= 0; pair--) {
    sum += mix16(input, pair * 16, pair * 32) + mix16(input, length - 16 * (pair + 1), pair * 32 + 16)
  }
  return avalanche(sum)
}

const from129To240 = (input: DataView, length: number): bigint => {
  let sum = BigInt(length) * prime64x1
  for (let i = 0; i < 8; i++) sum += mix16(input, i * 16, i * 16)
  sum = avalanche(sum)
  for (let i = 8; i < length >> 4; i++) sum += mix16(input, i * 16, (i - 8) * 16 + 3)
  return avalanche(sum + mix16(input, length - 16, 136 - 17))
}

const stripeBytes = 64
const blockBytes = 1024
const stripesPerBlock = blockBytes / stripeBytes

/** Lane i as its low word at 2i and its high word at 2i + 1. Hashing neither nests nor waits, so one set is enough. */
const lanes = new Uint32Array(16)
const initialLanes = new Uint32Array(
  [
    BigInt(prime32x3),
    prime64x1,
    prime64x2,
    prime64x3,
    prime64x4,
    BigInt(prime32x2),
    prime64x5,
    BigInt(prime32x1)
  ].flatMap((lane) => [Number(lane & 0xffff_ffffn), Number(lane >> 32n)])
)

/** The high word of the product of two 32-bit words. */
const productHigh = (a: number, b: number): number => {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16)
  const middle = aLow * bHigh + (cross & 0xffff)
  return (aHigh * bHigh + Math.floor(cross / 0x1_0000) + Math.floor(middle / 0x1_0000)) >>> 0
}

/** Adds (high, low) to a lane. */
const addTo = (lane: number, low: number, high: number): void => {
  const sum = lanes[lane]! + low
  lanes[lane] = sum
  lanes[lane + 1] = lanes[lane + 1]! + high + (sum > 0xffff_ffff ? 1 : 0)
}

const accumulate = (input: DataView, at: number, secretAt: number): void => {
  for (let lane = 0; lane < 16; lane += 2) {
    const low = input.getUint32(at + lane * 4, true)
    const high = input.getUint32(at + lane * 4 + 4, true)
    const keyLow = (low ^ secretView.getUint32(secretAt + lane * 4, true)) >>> 0
    const keyHigh = (high ^ secretView.getUint32(secretAt + lane * 4 + 4, true)) >>> 0
    addTo(lane ^ 2, low, high)
    addTo(lane, Math.imul(keyLow, keyHigh) >>> 0, productHigh(keyLow, keyHigh))
  }
}

/** Spreads what a block has gathered: shift, key, multiply, each lane by itself. */
const scramble = (): void => {
  for (let lane = 0; lane < 16; lane += 2) {
    const high = lanes[lane + 1]!
    const low = (lanes[lane]! ^ (high >>> 15) ^ secretView.getUint32(128 + lane * 4, true)) >>> 0
    const keyedHigh = (high ^ secretView.getUint32(128 + lane * 4 + 4, true)) >>> 0
    lanes[lane] = Math.imul(low, prime32x1)
    lanes[lane + 1] = productHigh(low, prime32x1) + (Math.imul(keyedHigh, prime32x1) >>> 0)
  }
}

const laneWord = (lane: number): bigint => (BigInt(lanes[lane * 2 + 1]!) << 32n) | BigInt(lanes[lane * 2]!)

const above240 = (input: DataView, length: number): bigint => {
  lanes.set(initialLanes)
  const blocks = Math.floor((length - 1) / blockBytes)
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < stripesPerBlock; i++) accumulate(input, block * blockBytes + i * stripeBytes, i * 8)
    scramble()
  }
  const rest = Math.floor((length - 1 - blocks * blockBytes) / stripeBytes)
  for (let i = 0; i < rest; i++) accumulate(input, blocks * blockBytes + i * stripeBytes, i * 8)
  accumulate(input, length - stripeBytes, 121)
  let sum = BigInt(length) * prime64x1
  for (let i = 0; i < 4; i++) {
    sum += fold(laneWord(2 * i) ^ secretWord(11 + 16 * i), laneWord(2 * i + 1) ^ secretWord(19 + 16 * i))
  }
  return avalanche(sum)
}

/** The 64-bit XXH3 of some bytes, as an unsigned integer. */
export const xxh3 = (value: Slice): bigint => {
  const { bytes, start, length } = value
  if (length === 0) return avalanche64(secretWord(56) ^ secretWord(64))
  if (length <= 3) return upTo3(bytes, start, length)
  const input = new DataView(bytes.buffer, bytes.byteOffset + start, length)
  if (length <= 8) return from4To8(input, length)
  if (length <= 16) return from9To16(input, length)
  if (length <= 128) return from17To128(input, length)
  return length <= 240 ? from129To240(input, length) : above240(input, length)
}

/** The 64-bit XXH3 as 16 hexadecimal digits, leading zeros included. */
export const xxh3Hex = (value: Slice): string => xxh3(value).toString(16).padStart(16, "0")
