/** Prometheus's text format, version 0.0.4: `# HELP`, `# TYPE`, then a line for each set of labels. */

/** Names of labels and their values. */
export type Labels = Readonly<Record<string, string>>

const escapeHelp = (text: string): string => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")
const escapeLabel = (text: string): string => escapeHelp(text).replace(/"/g, "\\\"")

const labelled = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

const number = (value: number): string =>
  Number.isNaN(value) ? "NaN" : value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value)

/** A histogram's cumulative counts at its bounds, and its totals. */
export interface Distribution {
  readonly bounds: ReadonlyArray<number>
  readonly counts: ReadonlyArray<number>
  readonly count: number
  readonly sum: number
}

/** Gathers the lines of one report. Every name is given once, with all its samples. */
export class Report {
  private readonly lines: Array<string> = []

  private head(name: string, type: string, help: string): void {
    this.lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`)
  }

  private samples(name: string, values: number | Iterable<readonly [Labels, number]>): void {
    if (typeof values === "number") this.lines.push(`${name} ${number(values)}`)
    else for (const [labels, value] of values) this.lines.push(`${name}${labelled(labels)} ${number(value)}`)
  }

  /** A figure that goes up and down. */
  gauge(name: string, help: string, values: number | Iterable<readonly [Labels, number]>): void {
    this.head(name, "gauge", help)
    this.samples(name, values)
  }

  /** A figure that only grows; its name ends in `_total`. */
  counter(name: string, help: string, values: number | Iterable<readonly [Labels, number]>): void {
    this.head(name, "counter", help)
    this.samples(name, values)
  }

  /** Distributions under one name. */
  histogram(name: string, help: string, values: Iterable<readonly [Labels, Distribution]>): void {
    this.head(name, "histogram", help)
    for (const [labels, { bounds, count, counts, sum }] of values) {
      bounds.forEach((bound, i) =>
        this.lines.push(`${name}_bucket${labelled({ ...labels, le: number(bound) })} ${number(counts[i]!)}`)
      )
      this.lines.push(`${name}_bucket${labelled({ ...labels, le: "+Inf" })} ${number(count)}`)
      this.lines.push(
        `${name}_sum${labelled(labels)} ${number(sum)}`,
        `${name}_count${labelled(labels)} ${number(count)}`
      )
    }
  }

  text(): string {
    return `${this.lines.join("\n")}\n`
  }
}
