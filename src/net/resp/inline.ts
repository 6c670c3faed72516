import { Slice } from "../../projections/memory/slice.ts"

const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13) || byte === 0

const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined) return -1
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const escapes: Record<number, number> = { 110: 10, 114: 13, 116: 9, 98: 8, 97: 7 }

/**
 * Splits an inline request into words as redis-cli and redis.conf do: spaces separate, "…" takes \n \r \t \b \a \xNN,
 * '…' takes \' only, and a closing quote must be followed by a space or the end. Undefined when quotes do not balance.
 */
export const splitWords = (line: Uint8Array): Array<Slice> | undefined => {
  const words: Array<Slice> = []
  let at = 0
  for (;;) {
    while (at < line.length && isSpace(line[at]!)) at++
    if (at >= line.length) return words
    const word: Array<number> = []
    let quote = 0
    for (;;) {
      if (at >= line.length) {
        if (quote !== 0) return undefined
        break
      }
      const byte = line[at]!
      if (quote === 0) {
        if (isSpace(byte)) break
        if (byte === 34 || byte === 39) quote = byte
        else word.push(byte)
        at++
      } else if (byte === 92 && quote === 34 && at + 1 < line.length) {
        const high = hexDigit(line[at + 2])
        const low = hexDigit(line[at + 3])
        if (line[at + 1] === 120 && high >= 0 && low >= 0) {
          word.push(high * 16 + low)
          at += 4
        } else {
          word.push(escapes[line[at + 1]!] ?? line[at + 1]!)
          at += 2
        }
      } else if (byte === 92 && quote === 39 && line[at + 1] === 39) {
        word.push(39)
        at += 2
      } else if (byte === quote) {
        if (at + 1 < line.length && !isSpace(line[at + 1]!)) return undefined
        at++
        break
      } else {
        word.push(byte)
        at++
      }
    }
    words.push(new Slice(Uint8Array.from(word)))
  }
}
