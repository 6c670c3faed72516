/** CRC-64 as RDB files and DUMP carry it: polynomial ad93d23594c935a9, reflected, no inversion ("Jones"). */

const tableHigh = new Uint32Array(256)
const tableLow = new Uint32Array(256)

/** A checksum: its high and its low word. */
export type Crc64 = readonly [high: number, low: number]

/** That of no bytes. */
const none: Crc64 = [0, 0]

for (let byte = 0; byte < 256; byte++) {
  let crc = BigInt(byte)
  // The polynomial with its bits in reverse.
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n
  tableHigh[byte] = Number(crc >> 32n)
  tableLow[byte] = Number(crc & 0xffff_ffffn)
}

/** The checksum of a run of bytes, as its high and low word; it goes on from that of the bytes before them. */
export const crc64 = (
  bytes: Uint8Array,
  start: number,
  length: number,
  [beforeHigh, beforeLow]: Crc64 = none
): Crc64 => {
  let high = beforeHigh
  let low = beforeLow
  for (let i = start; i < start + length; i++) {
    const index = (low ^ bytes[i]!) & 0xff
    low = (low >>> 8 | high << 24) ^ tableLow[index]!
    high = high >>> 8 ^ tableHigh[index]!
  }
  return [high >>> 0, low >>> 0]
}
