/** `annals stats`: what a stretch of the log is made of. */
import { commandName } from "../log/commands.ts"
import type { Event } from "../log/events/catalog.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { type Context, exitCodes } from "./context.ts"
import { rangeOf } from "./log.ts"
import { bare, isoTime, toJson } from "./printing.ts"
import { Progress } from "./progress.ts"
import { viewOf } from "./source.ts"
import type { Input } from "./spec.ts"
import type { statsSpec } from "./specs.ts"

/** Prefixes that are told apart; keys without any order would take all memory. */
const mostPrefixes = 100_000
const others = "(others)"
const hour = 3_600_000

/** How often each of some things was met. */
class Tally extends Map<string, number> {
  add(name: string, count = 1): void {
    this.set(name, (this.get(name) ?? 0) + count)
  }
}

export const run = (context: Context, { options }: Input<typeof statsSpec.options>): number => {
  const view = viewOf(context, options.dir)
  const { from, to } = rangeOf(view, options.from, options.to)
  const separator = Buffer.from(options.separator ?? ":", "utf8")
  const [types, users, commands, origins, prefixes, hours] = Array.from({ length: 6 }, () => new Tally()) as Six
  let batches = 0
  let events = 0
  let first = 0
  let last = 0
  const end = Math.min(to, view.head)
  const progress = new Progress(context, "reading", end - from + 1)
  for (const batch of view.batches({ from, to })) {
    progress.at(batch.sequence - from)
    batches++
    first ||= batch.time
    last = batch.time
    const count = batch.events.length
    events += count
    users.add(batch.author === undefined ? "(nobody)" : bare(batch.author.user))
    commands.add(batch.command === 0 ? "(none)" : commandName(batch.command) ?? `command ${batch.command}`)
    origins.add(batch.origin)
    hours.add(isoTime(batch.time - batch.time % hour).slice(0, 13), count)
    for (const event of batch.events) {
      types.add(event._tag)
      const key = (event as Event & { readonly key?: Slice }).key
      if (key === undefined) continue
      const prefix = prefixOf(key, separator)
      prefixes.add(prefixes.size < mostPrefixes || prefixes.has(prefix) ? prefix : others)
    }
  }
  progress.end()
  const sections = { types, commands, users, origins, prefixes }
  if (options.json) {
    const counts = Object.fromEntries(
      Object.entries({ ...sections, hours }).map(([name, tally]) => [name, Object.fromEntries(sorted(tally, name))])
    )
    context.write(`${toJson({ from, to: end, batches, events, "first-time": first, "last-time": last, ...counts })}\n`)
    return exitCodes.ok
  }
  const when = batches === 0 ? "" : `, ${isoTime(first)} to ${isoTime(last)}`
  context.write(`${batches} batches, ${events} events, sequences ${from} to ${end}${when}\n`)
  if (batches === 0) return exitCodes.ok
  const top = options.top ?? 10
  section(context, "events by type", sorted(types, "types"), events, top)
  section(context, "batches by command", sorted(commands, "commands"), batches, top)
  section(context, "batches by user", sorted(users, "users"), batches, top)
  section(context, "batches by cause", sorted(origins, "origins"), batches, top)
  section(context, "events by key prefix", sorted(prefixes, "prefixes"), events, top)
  section(context, "events by hour (UTC)", sorted(hours, "hours"), events, options.hours ?? 48, true)
  return exitCodes.ok
}

type Six = [Tally, Tally, Tally, Tally, Tally, Tally]

/** A key up to its first separator, that included. */
const prefixOf = (key: Slice, separator: Uint8Array): string => {
  const bytes = Buffer.from(key.bytes.buffer, key.bytes.byteOffset + key.start, key.length)
  const at = bytes.indexOf(separator)
  return at < 0 ? "(no prefix)" : bare(bytes.subarray(0, at + separator.length))
}

/** The most frequent first; hours in their order. */
const sorted = (tally: Tally, name: string): Array<[string, number]> =>
  name === "hours"
    ? [...tally].sort(([a], [b]) => a < b ? -1 : 1)
    : [...tally].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))

const section = (
  context: Context,
  title: string,
  rows: ReadonlyArray<readonly [string, number]>,
  total: number,
  top: number,
  newest = false
): void => {
  if (rows.length === 0) return
  const shown = newest ? rows.slice(-top) : rows.slice(0, top)
  const left = rows.length - shown.length
  const width = Math.max(...shown.map(([name]) => name.length))
  const most = Math.max(...shown.map(([, count]) => count))
  const digits = String(most).length
  const room = Math.min(50, (context.columns ?? 0) - width - digits - 14)
  context.write(`\n${title}\n`)
  for (const [name, count] of shown) {
    const percent = `${(count / total * 100).toFixed(1)} %`.padStart(7)
    const bar = room < 5 ? "" : `  ${barOf(count / most * room)}`
    context.write(`  ${name.padEnd(width)}  ${String(count).padStart(digits)} ${percent}${bar}\n`)
  }
  if (left > 0) context.write(`  (${left} ${newest ? "earlier ones" : "more"})\n`)
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

/** A bar of so many columns, in eighths. */
const barOf = (columns: number): string => {
  const whole = Math.floor(columns)
  const rest = Math.round((columns - whole) * 8)
  const bar = "█".repeat(whole) + (rest === 8 ? "█" : eighths[rest]!)
  return bar === "" ? "▏" : bar
}
