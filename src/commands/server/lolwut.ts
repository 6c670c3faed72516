/** LOLWUT: a cut through a tree, one ring a year, no two the same. Annals are read like that. */
import { Verbatim } from "../../net/resp/reply.ts"
import { int64, isWord } from "../arguments.ts"
import { defineControl } from "../define.ts"

const columns = 48
const rows = 21
/** From a year of little growth to one of much. */
const wood = " .:-=+*"

/** Rings of random widths around the middle; `random` gives integers below 2^32. */
export const rings = (random: () => number): string => {
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
    // Every version draws the same kind of picture; what follows the version would be its parameters.
    if (argv.length >= 3 && isWord(argv.at(1), "VERSION")) int64(argv.at(2))
    return new Verbatim(`${rings(() => d.random())}\nAnnals ver. ${server.version}\n`)
  }
})
