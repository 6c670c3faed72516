/** How INFO prints figures. */

/** Lines of a section: name and value. */
export type Fields = ReadonlyArray<readonly [name: string, value: string | number]>

/** Bytes as people read them: 1.50M. */
export const humanBytes = (bytes: number): string => {
  const units = ["B", "K", "M", "G", "T", "P"]
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${value}B` : `${value.toFixed(2)}${units[unit]}`
}

/** A figure and, after it, the same one for people. */
export const bytesAndHuman = (name: string, bytes: number): Fields => [
  [name, bytes],
  [`${name}_human`, humanBytes(bytes)]
]

export const flag = (on: boolean): number => on ? 1 : 0
export const fixed2 = (value: number): string => value.toFixed(2)
export const ratio = (a: number, b: number): string => fixed2(b === 0 ? 0 : a / b)
/** Names as they stand in a line: Redis replaces what would break it. */
export const inLine = (name: string): string => name.replace(/[#:\n\r]/g, "_")
/** Fields of Redis whose subject does not exist here: they are always nought. */
export const noughts = (...names: ReadonlyArray<string>): Fields => names.map((name) => [name, 0])
