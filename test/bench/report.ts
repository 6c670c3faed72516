/** Samples to medians, ratios with their spread, a table, and JSON. */
import type { ServerName } from "./servers.ts"

/** One measured value. Samples of the same metric and repetition are compared with each other. */
export interface Sample {
  readonly part: string
  readonly metric: string
  readonly unit: string
  readonly better: "higher" | "lower"
  readonly server: ServerName
  readonly repetition: number
  readonly value: number
}

export interface Failure {
  readonly part: string
  readonly server: ServerName
  readonly repetition: number
  readonly message: string
}

/** Median with the least and the greatest, over repetitions. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

export interface Row {
  readonly part: string
  readonly metric: string
  readonly unit: string
  readonly better: "higher" | "lower"
  readonly values: Partial<Record<ServerName, Spread>>
  /** Annals divided by the other server, repetition by repetition. */
  readonly ratios: Partial<Record<ServerName, Spread>>
}

/** The value a share (0 to 1) of the ascending values does not exceed. */
export const quantile = (ascending: ArrayLike<number>, share: number): number => {
  if (ascending.length === 0) throw new Error("no values")
  return ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1))]!
}

export const spread = (values: ReadonlyArray<number>): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length }
}

/** One row per metric, in the order in which the metrics were first measured. */
export const rows = (samples: ReadonlyArray<Sample>): ReadonlyArray<Row> => {
  const groups = Map.groupBy(samples, (sample) => `${sample.part}\0${sample.metric}`)
  return [...groups.values()].map((group) => {
    const { part, metric, unit, better } = group[0]!
    const byServer = Map.groupBy(group, (sample) => sample.server)
    const annals = new Map(byServer.get("annals")?.map((sample) => [sample.repetition, sample.value]))
    const values: Partial<Record<ServerName, Spread>> = {}
    const ratios: Partial<Record<ServerName, Spread>> = {}
    for (const [server, own] of byServer) {
      values[server] = spread(own.map((sample) => sample.value))
      const pairs = own.filter((sample) => annals.has(sample.repetition) && sample.value > 0)
      if (server !== "annals" && pairs.length > 0) {
        ratios[server] = spread(pairs.map((sample) => annals.get(sample.repetition)! / sample.value))
      }
    }
    return { part, metric, unit, better, values, ratios }
  })
}

const number = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en-US") : value >= 100 ? value.toFixed(0) : value.toFixed(2)
const range = (s: Spread | undefined, digits = 2): string =>
  s === undefined
    ? "–"
    : s.count === 1
    ? s.median.toFixed(digits)
    : `${s.median.toFixed(digits)} (${s.min.toFixed(digits)}–${s.max.toFixed(digits)})`

/** The table: medians of each server, and Annals ÷ other as median and range over the repetitions. */
export const table = (all: ReadonlyArray<Row>, servers: ReadonlyArray<ServerName>): string => {
  const others = servers.includes("annals") ? servers.filter((server) => server !== "annals") : []
  const head = ["", "unit", ...servers, ...others.map((server) => `annals ÷ ${server}`), "better"]
  const cells = all.map((row) => [
    `${row.part}: ${row.metric}`,
    row.unit,
    ...servers.map((server) => row.values[server] === undefined ? "–" : number(row.values[server].median)),
    ...others.map((server) => range(row.ratios[server])),
    row.better
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((line) => line[i]!.length)))
  const line = (words: ReadonlyArray<string>): string =>
    words.map((word, i) => i === 0 ? word.padEnd(widths[i]!) : word.padStart(widths[i]!)).join("  ").trimEnd()
  return [line(head), widths.map((width) => "─".repeat(width)).join("  "), ...cells.map(line)].join("\n")
}
