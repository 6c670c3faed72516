import { Slice } from "../../projections/memory/slice.ts"

/** What separates words and may follow a closing quote: the spaces of C. */
const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13)

/** What ends a word without quotes: vertical tab and form feed do not, although they may stand between words. */
const endsWord = (byte: number): boolean => byte === 32 || byte === 9 || byte === 10 || byte === 13

const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined) return -1
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const escapes: Record<number, number> = { 110: 10, 114: 13, 116: 9, 98: 8, 97: 7 }

/**
 * Splits an inline request into words as redis-cli and redis.conf do: spaces separate, "…" takes \n \r \t \b \a \xNN,
 * '…' takes \' only, and a closing quote must be followed by a space or the end. The words lie one behind the other in
 * one buffer of their own. Undefined when quotes do not balance.
 */
export const splitWords = (line: Uint8Array): Array<Slice> | undefined => {
  const words: Array<Slice> = []
  // Unquoting never lengthens.
  const text = new Uint8Array(line.length)
  let used = 0
  let at = 0
  for (;;) {
    while (at < line.length && isSpace(line[at]!)) at++
    if (at >= line.length) return words
    const start = used
    let quote = 0
    for (;;) {
      if (at >= line.length) {
        if (quote !== 0) return undefined
        break
      }
      const byte = line[at]!
      if (quote === 0) {
        if (endsWord(byte)) break
        if (byte === 34 || byte === 39) quote = byte
        else text[used++] = byte
        at++
      } else if (byte === 92 && quote === 34 && at + 1 < line.length) {
        const high = hexDigit(line[at + 2])
        const low = hexDigit(line[at + 3])
        if (line[at + 1] === 120 && high >= 0 && low >= 0) {
          text[used++] = high * 16 + low
          at += 4
        } else {
          text[used++] = escapes[line[at + 1]!] ?? line[at + 1]!
          at += 2
        }
      } else if (byte === 92 && quote === 39 && line[at + 1] === 39) {
        text[used++] = 39
        at += 2
      } else if (byte === quote) {
        if (at + 1 < line.length && !isSpace(line[at + 1]!)) return undefined
        at++
        break
      } else {
        text[used++] = byte
        at++
      }
    }
    words.push(new Slice(text, start, used - start))
  }
}
