/** LATENCY: what took longer than latency-monitor-threshold, and how long each command takes. */
import { highestEquivalent, type Histogram } from "../../metrics/histogram.ts"
import { MapReply, type Reply, ReplyError, Verbatim } from "../../net/resp/reply.ts"
import { rest } from "../arguments.ts"
import { type Argv, defineContainer, defineControl } from "../define.ts"
import { help } from "../help.ts"
import { latencyFigures, type LatencySeries } from "../observation/latency.ts"
import type { Control } from "../ports.ts"
import type { CommandTable, Row } from "../table.ts"
import { latencyGraph } from "./latency-graph.ts"

const flags = ["admin", "noscript", "loading", "stale"] as const
const tips = ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]
const described = { group: "server", since: "2.8.13", flags } as const

const seriesOf = ({ observer }: Control, argv: Argv): LatencySeries | undefined =>
  observer.latency.series(argv.at(2).latin1())

const latest = defineControl({
  ...described,
  name: "LATEST",
  summary: "Answers the newest sample of every kind of event.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  tips,
  run: ({ observer }) =>
    [...observer.latency.all()].map(([kind, { max, samples }]) => {
      const last = samples.at(-1)!
      return [kind, last.time, last.ms, max]
    })
})

const history = defineControl({
  ...described,
  name: "HISTORY",
  summary: "Answers the samples of one kind of event.",
  complexity: "O(1)",
  syntax: "event",
  arity: 3,
  tips,
  run: (control, argv) => (seriesOf(control, argv)?.samples ?? []).map(({ ms, time }) => [time, ms])
})

const graph = defineControl({
  ...described,
  name: "GRAPH",
  summary: "Draws the samples of one kind of event.",
  complexity: "O(1)",
  syntax: "event",
  arity: 3,
  tips,
  run: (control, argv) => {
    const series = seriesOf(control, argv)
    const kind = argv.at(2).latin1()
    if (series === undefined) throw new ReplyError(`ERR No samples available for event '${kind}'`)
    return new Verbatim(latencyGraph(kind, series, Math.floor(control.d.now / 1000)))
  }
})

const reset = defineControl({
  ...described,
  name: "RESET",
  summary: "Forgets the samples of some or of all kinds of events.",
  complexity: "O(1)",
  syntax: "[event [event ...]]",
  arity: -2,
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  run: ({ observer }, argv) => observer.latency.reset(rest(argv, 2).map((kind) => kind.latin1()))
})

const noMonitor = "The latency monitor is off: CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n"
const nothingSlow = "Nothing has taken longer than the threshold since the samples were reset.\n"

/** What to do about a kind of event. */
const advice: Readonly<Record<string, string>> = {
  "command":
    "SLOWLOG GET shows which commands were slow. Commands that visit whole collections or the whole keyspace " +
    "have a cheaper form: SCAN for KEYS, UNLINK for DEL of large values.",
  "fast-command": "Commands that are always quick were not: the machine itself paused. Look for swapping, a busy " +
    "processor, or a neighbour on the same host.",
  "aof-write": "Writing to the log waits for the disk: it is busy or slow.",
  "aof-fsync": "Syncing the log takes long: the disk is busy with something else, or appendfsync always asks more of " +
    "it than it can do.",
  "expire-cycle": "Very many keys expire at the same moment: give their deadlines some spread.",
  "eviction-cycle": "Memory is full and keys are removed to make room for each write."
}

const doctor = defineControl({
  ...described,
  name: "DOCTOR",
  summary: "Explains what has been slow, and what helps.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  tips,
  run: ({ observer }) => {
    const kinds = [...observer.latency.all()]
    if (kinds.length === 0) return new Verbatim(observer.latency.thresholdMs === 0 ? noMonitor : nothingSlow)
    const lines = kinds.map(([kind, series], i) => {
      const figures = latencyFigures(series)
      return `${i + 1}. ${kind}: ${figures.count} samples, average ${Math.round(figures.average)} ms, mean deviation ` +
        `${Math.round(figures.deviation)} ms, one every ${figures.period.toFixed(2)} s; longest ${series.max} ms.`
    })
    const hints = kinds.flatMap(([kind]) => Object.hasOwn(advice, kind) ? [`- ${advice[kind]!}`] : [])
    return new Verbatim(["Spikes of latency were seen:", ...lines, "", ...hints, ""].join("\n"))
  }
})

/** Upper bounds of the buckets shown, ns: 1024, 2048, … as far as durations are told apart. */
const bounds = Array.from({ length: 21 }, (_, i) => highestEquivalent(1024 * 2 ** i))

const distribution = (histogram: Histogram): ReadonlyArray<readonly [Reply, Reply]> => {
  const counts = histogram.cumulative(bounds)
  return bounds.flatMap((bound, i) =>
    counts[i]! > (counts[i - 1] ?? 0) ? [[Math.floor(bound / 1000), counts[i]!] as const] : []
  )
}

const rowsNamed = (table: CommandTable, argv: Argv): Iterable<Row> =>
  argv.length === 2 ? table.all() : rest(argv, 2).flatMap((name) => {
    const text = name.latin1()
    const [container, sub] = text.split("|", 2)
    const row = table.byName(container!)
    if (row === undefined) return []
    if (sub === undefined) return [row, ...row.subcommands?.rows ?? []]
    const found = row.subcommands?.byName(sub)
    return found === undefined ? [] : [found]
  })

const histogram = defineControl({
  ...described,
  name: "HISTOGRAM",
  since: "7.0.0",
  summary: "Answers how many calls of each command took at most so many microseconds.",
  complexity: "O(N) where N is the number of commands with latency information being retrieved.",
  syntax: "[command [command ...]]",
  arity: -2,
  tips,
  run: ({ table }, argv) =>
    new MapReply(
      [...rowsNamed(table, argv)].flatMap(({ histogram, name }) =>
        histogram === undefined || histogram.count === 0
          ? []
          : [[
            name,
            new MapReply([["calls", histogram.count], ["histogram_usec", new MapReply(distribution(histogram))]])
          ]]
      )
    )
})

export const latency = defineContainer({
  name: "LATENCY",
  since: "2.8.13",
  group: "server",
  summary: "Commands about latency.",
  complexity: "Depends on subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    doctor,
    graph,
    histogram,
    history,
    latest,
    reset,
    help("LATENCY", "server", [
      ["DOCTOR", "Explain what has been slow."],
      ["GRAPH <event>", "Draw the samples of an event."],
      ["HISTORY <event>", "Answer time and milliseconds of each sample of an event."],
      ["LATEST", "Answer the newest sample of every event."],
      ["RESET [<event> ...]", "Forget the samples of these events, or of all."],
      [
        "HISTOGRAM [COMMAND ...]",
        "Answer how many calls of these commands, or of all, took at most so many microseconds."
      ]
    ], { since: "2.8.13" })
  ]
})
