/**
 * Unpacks LZF, the compression of long strings in RDB files: runs of literal bytes (a byte below 32: so many and one more)
 * and copies from what was unpacked (three bits of length, thirteen of distance).
 * @returns undefined when the bytes are none, or do not unpack to exactly `length` bytes
 */
export const unpackLzf = (bytes: Uint8Array, start: number, end: number, length: number): Uint8Array | undefined => {
  const out = new Uint8Array(length)
  let to = 0
  for (let at = start; at < end;) {
    const control = bytes[at++]!
    if (control < 32) {
      const run = control + 1
      if (at + run > end || to + run > length) return undefined
      out.set(bytes.subarray(at, at + run), to)
      at += run
      to += run
      continue
    }
    let run = control >>> 5
    if (run === 7) {
      if (at >= end) return undefined
      run += bytes[at++]!
    }
    if (at >= end) return undefined
    const from = to - ((control & 0x1f) << 8 | bytes[at++]!) - 1
    run += 2
    if (from < 0 || to + run > length) return undefined
    // Byte by byte: a copy may reach into itself.
    for (let i = 0; i < run; i++) out[to + i] = out[from + i]!
    to += run
  }
  return to === length ? out : undefined
}
