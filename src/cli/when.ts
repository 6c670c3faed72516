/** `annals when`: the first batch after which something is true, found by folding only what it is about. */
import { briefly } from "../history/describe.ts"
import { mattersTo, namesBehind } from "../history/existence.ts"
import type { LogView } from "../history/log-view.ts"
import { checkpointsOf, type Past, timeOf } from "../history/past.ts"
import type { Batch } from "../log/event-log.ts"
import { dbOf } from "../log/event-log.ts"
import type { Reply } from "../net/resp/reply.ts"
import { evolve } from "../projections/evolve.ts"
import { type Context, exitCodes, Failed } from "./context.ts"
import { brief, Expression } from "./expression.ts"
import { eventLine, headOf } from "./log-words.ts"
import { rangeOf } from "./log.ts"
import { jsonOf, toJson } from "./printing.ts"
import { Progress } from "./progress.ts"
import { openSource } from "./source.ts"
import type { Input } from "./spec.ts"
import type { whenSpec } from "./specs.ts"
import { nothing, stateAt } from "./state.ts"

export const run = (context: Context, { options, words }: Input<typeof whenSpec.options>): number => {
  const expression = new Expression(words[0]!, options.db ?? 0)
  const view = openSource(context, options.dir).directory.view()
  const range = rangeOf(view, options.from, options.to)
  const start = startOf(context, view, options.from === undefined ? undefined : range.from)
  const from = start.sequence + 1
  const before = expression.answer({ keyspace: start.keyspace, time: start.time })
  if (expression.holds(before)) return tellAlready(context, options.json, start.sequence, expression, before)
  const names = expression.keys()
  const to = Math.min(range.to, view.head)
  const progress = new Progress(context, "looking", to - from + 1)
  const batches = names === undefined ? everything(view, start, from, to) : only(view, start, names, from, to)
  for (const batch of batches) {
    progress.at(batch.sequence - from)
    const reply = expression.answer({ keyspace: start.keyspace, time: batch.time })
    if (!expression.holds(reply)) continue
    progress.end()
    tellFound(context, options.json, batch, expression, reply)
    return exitCodes.ok
  }
  progress.end()
  if (options.json) context.write(`${toJson({ expression: expression.text, found: false, from, to })}\n`)
  else context.write(`never: '${expression.text}' was not true after any batch from ${from} to ${to}\n`)
  return exitCodes.failed
}

/** The data before the first batch that counts. */
export const startOf = (context: Context, view: LogView, from: number | undefined): Past => {
  if (from !== undefined && from > 1) {
    return stateAt(context, view, { sequence: from - 1, time: timeOf(view, from - 1) })
  }
  if (!view.beginsLater) return nothing()
  const checkpoint = checkpointsOf(view).find((sequence) => sequence + 1 >= view.oldest && sequence <= view.head)
  if (checkpoint === undefined) throw new Failed("history-retention has dropped what the first checkpoint was made of")
  if (checkpoint + 1 > view.oldest) {
    context.warn(`note: what came before the checkpoint of ${checkpoint} is not looked at, its beginning was dropped\n`)
  }
  return stateAt(context, view, { sequence: checkpoint, time: timeOf(view, checkpoint) })
}

/** Folds all batches, giving each after it was folded. */
function* everything(view: LogView, { keyspace }: Past, from: number, to: number): Generator<Batch> {
  for (const batch of view.batches({ from, to })) {
    keyspace.turn.next(batch.time)
    for (let i = 0; i < batch.events.length; i++) evolve(keyspace, dbOf(batch, i), batch.events[i]!)
    yield batch
  }
}

/** What `namesBehind` answers, at once. */
export const namesOf = (view: LogView, names: ReadonlyArray<Uint8Array>, to: number) => {
  const steps = namesBehind(view, names, to)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Folds what concerns some names, giving each batch that does after it was folded. */
export function* only(
  view: LogView,
  { keyspace }: Past,
  names: ReadonlyArray<Uint8Array>,
  from: number,
  to: number
): Generator<Batch> {
  const { all, known } = namesOf(view, names, to)
  for (const batch of view.naming(all, { from, to }, true)) {
    if (batch === undefined) continue
    keyspace.turn.next(batch.time)
    for (let i = 0; i < batch.events.length; i++) {
      const event = batch.events[i]!
      if (mattersTo(event, known)) evolve(keyspace, dbOf(batch, i), event)
    }
    yield batch
  }
}

const tellAlready = (
  context: Context,
  json: boolean,
  sequence: number,
  expression: Expression,
  reply: Reply
): number => {
  if (json) {
    const { text } = expression
    context.write(`${toJson({ expression: text, found: true, already: true, sequence, answer: jsonOf(reply) })}\n`)
  } else context.write(`it was true already after sequence ${sequence}: ${brief(reply)}\n`)
  return exitCodes.ok
}

/** The batch that made it true. */
export const tellFound = (
  context: Context,
  json: boolean,
  batch: Batch,
  expression: Expression,
  reply: Reply
): void => {
  if (json) {
    const { sequence, time } = batch
    const { text } = expression
    const cause = { user: batch.author?.user ?? null, client: batch.author?.name ?? null, origin: batch.origin }
    context.write(`${toJson({ expression: text, found: true, sequence, time, ...cause, answer: jsonOf(reply) })}\n`)
    return
  }
  context.write(`${headOf(batch)}\n`)
  for (let i = 0; i < batch.events.length; i++) context.write(`  ${eventLine(batch, i, briefly(undefined))}\n`)
  context.write(`  then ${expression.text}, with ${brief(reply)}\n`)
}
