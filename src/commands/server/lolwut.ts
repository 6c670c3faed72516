/** LOLWUT: a cut through a tree, one ring a year, no two the same. Annals are read like that. */
import { Verbatim } from "../../net/resp/reply.ts"
import { int64, isWord } from "../arguments.ts"
import { defineControl } from "../define.ts"

/** Size of the picture unless told, and the largest. */
const usual = { columns: 48, rows: 21 } as const
const largest = { columns: 240, rows: 120 } as const
/** From a year of little growth to one of much. */
const wood = " .:-=+*"

/**
 * Rings of random widths around the middle, `columns` characters wide and `rows` lines high; `random` gives integers
 * below 2^32.
 */
export const rings = (
  random: () => number,
  columns: number = usual.columns,
  rows: number = usual.rows
): string => {
  const reach = rows / 2
  const edges: Array<number> = []
  for (let edge = 0; edge < reach;) edges.push(edge += 0.5 + (random() % 1000) / 600)
  const shades = edges.map(() => wood[1 + (random() % (wood.length - 1))]!)
  const lines: Array<string> = []
  for (let y = 0; y < rows; y++) {
    let line = ""
    for (let x = 0; x < columns; x++) {
      // A character is about twice as high as wide.
      const distance = Math.hypot((x - columns / 2 + 0.5) / 2.1, y - rows / 2 + 0.5)
      const ring = edges.findIndex((edge) => distance < edge)
      line += distance > reach || ring < 0 ? " " : shades[ring]!
    }
    lines.push(line.trimEnd())
  }
  return lines.join("\n")
}

/** How many numbers may follow a version that Redis draws, and which of them are columns and rows. */
const parametersOf: ReadonlyMap<number | bigint, { readonly count: number; readonly rows: number }> = new Map([
  [5, { count: 3, rows: 2 }],
  [6, { count: 2, rows: 1 }]
])

const within = (value: number | bigint | undefined, fallback: number, high: number): number =>
  value === undefined ? fallback : value < 1 ? 1 : value > high ? high : Number(value)

export const lolwut = defineControl({
  name: "LOLWUT",
  since: "5.0.0",
  group: "server",
  summary: "Draws something, and says which version draws.",
  complexity: "",
  syntax: "[VERSION version]",
  arity: -1,
  flags: ["readonly", "fast"],
  run: ({ d, server }, argv) => {
    // Every version draws the same kind of picture. Only after 5 and 6 does Redis look at what follows.
    const version = argv.length > 2 && isWord(argv.at(1), "VERSION") ? int64(argv.at(2)) : 0
    const { count, rows } = parametersOf.get(version) ?? { count: 0, rows: 0 }
    const sizes = Array.from({ length: Math.min(count, argv.length - 3) }, (_, i) => int64(argv.at(3 + i)))
    const picture = rings(
      () => d.random(),
      within(sizes[0], usual.columns, largest.columns),
      within(count === 0 ? undefined : sizes[rows], usual.rows, largest.rows)
    )
    return new Verbatim(`${picture}\nAnnals ver. ${server.version}\n`)
  }
})
