/** LATENCY GRAPH: bars of characters, one column per sample, with their ages below. */
import type { LatencySeries } from "../observation/latency.ts"

const columns = 80
const rows = 4

/** Age in the largest unit that fits, of at most so many characters: 45s, 12m, 3h, 2d. */
const age = (seconds: number): string => {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** One column from the bottom: filled cells, then a half cell; the longest ends in "#". */
const bar = (ms: number, low: number, high: number): ReadonlyArray<string> => {
  const range = high - low
  const level = range === 0 ? 1 : Math.floor((ms - low) / range * (rows * 2 - 1)) + 1
  const cells: Array<string> = []
  for (let row = 0; row < rows; row++) {
    const left = level - row * 2
    cells.push(left >= 2 ? (row === rows - 1 || left === 2) && ms === high ? "#" : "|" : left === 1 ? "_" : " ")
  }
  return cells
}

/** The drawing. `now` is in Unix seconds. */
export const latencyGraph = (kind: string, series: LatencySeries, now: number): string => {
  const samples = series.samples.slice(-columns)
  const durations = samples.map(({ ms }) => ms)
  const high = Math.max(...durations)
  const low = Math.min(...durations)
  const lines = [
    `${kind} - high ${high} ms, low ${low} ms (all time high ${series.max} ms)`,
    "-".repeat(columns)
  ]
  const bars = durations.map((ms) => bar(ms, low, high))
  for (let row = rows - 1; row >= 0; row--) lines.push(bars.map((cells) => cells[row]).join(""))
  lines.push("")
  const ages = samples.map(({ time }) => age(Math.max(0, now - time)))
  const longest = Math.max(...ages.map((text) => text.length))
  for (let i = 0; i < longest; i++) lines.push(ages.map((text) => text[i] ?? " ").join(""))
  return `${lines.join("\n")}\n`
}
