/** `annals log`: the batches of the log in order, as LOG.READ gives them. */
import { filterOf } from "../history/answers.ts"
import { briefly, envelopeOf, eventReply, inFull } from "../history/describe.ts"
import type { LogView } from "../history/log-view.ts"
import type { Moment } from "../history/moment.ts"
import type { ReadRequest } from "../history/questions.ts"
import type { Batch } from "../log/event-log.ts"
import { MapReply } from "../net/resp/reply.ts"
import { type Context, exitCodes, UsageError } from "./context.ts"
import { eventLine, gapJson, gapLine, headOf } from "./log-words.ts"
import { literalOf } from "./parse.ts"
import { jsonOf, toJson } from "./printing.ts"
import { openSource } from "./source.ts"
import type { Input } from "./spec.ts"
import type { logSpec } from "./specs.ts"

/** How often a log that is followed is looked at, ms. */
const lookEvery = 200

/** What filters say, as LOG.READ takes it. */
export const requestOf = (
  options: {
    readonly match: string | undefined
    readonly type: ReadonlyArray<string>
    readonly user: string | undefined
    readonly db: number | undefined
  },
  tags: ReadonlyArray<string>
): ReadRequest => {
  const types = options.type.map((name) => {
    const tag = tags.find((known) => known.toLowerCase() === name.toLowerCase())
    if (tag === undefined) throw new UsageError(`there is no event of the type '${name}', see docs/events.md`)
    return tag
  })
  const { db, match, user } = options
  return {
    kind: "read",
    from: 1,
    to: undefined,
    count: undefined,
    match: match === undefined ? undefined : literalOf(match),
    types,
    user,
    db,
    values: false
  }
}

/** The sequences from one moment to another; what has not happened yet is an end like any other. */
export const rangeOf = (
  view: LogView,
  from: Moment | undefined,
  to: Moment | undefined
): { readonly from: number; readonly to: number } => ({
  from: from === undefined ? view.oldest : view.sequenceFrom(from),
  to: to === undefined
    ? Infinity
    : to.kind === "sequence"
    ? to.sequence
    : to.time > view.headTime
    ? Infinity
    : view.sequenceAt(to)
})

export const run = async (context: Context, { options }: Input<typeof logSpec.options>): Promise<number> => {
  const { tags } = await import("../log/events/catalog.ts")
  const { directory } = openSource(context, options.dir)
  const wants = filterOf(requestOf(options, tags))
  const detail = options.values ? inFull : undefined
  const count = options.count ?? Infinity
  let shown = 0
  const show = (batch: Batch): void => {
    shown++
    if (options.json) {
      const events = batch.events.map((_, index) => eventReply(batch, index, detail))
      context.write(`${toJson(jsonOf(new MapReply([...envelopeOf(batch), ["events", events]])))}\n`)
      return
    }
    const lines = batch.events.map((_, index) => `  ${eventLine(batch, index, detail ?? briefly(undefined))}\n`)
    context.write(`${headOf(batch)}\n${lines.join("")}`)
  }
  let view = directory.view()
  const range = rangeOf(view, options.from, options.to)
  const { to } = range
  let { from } = range
  for (;;) {
    const gaps = view.gaps(from, to)
    const showGaps = (until: number): void => {
      while (shown < count && gaps.length > 0 && gaps[0]!.first < until) {
        const gap = gaps.shift()!
        shown++
        context.write(options.json ? `${toJson(gapJson(gap))}\n` : `${gapLine(gap)}\n`)
      }
    }
    for (const batch of shown < count ? view.batches({ from, to }) : []) {
      showGaps(batch.sequence)
      if (shown >= count) break
      if (wants(batch)) show(batch)
      if (shown >= count) break
    }
    showGaps(Infinity)
    from = Math.max(from, view.head + 1)
    if (!options.follow || shown >= count || from > to || context.stopped()) return exitCodes.ok
    context.sleep(lookEvery)
    view = directory.view()
  }
}
