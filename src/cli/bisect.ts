/** `annals bisect`: where something becomes true that then stays true, with as few looks at the data as may be. */
import type { LogView } from "../history/log-view.ts"
import { timeOf } from "../history/past.ts"
import { type Context, exitCodes, Failed } from "./context.ts"
import { brief, Expression } from "./expression.ts"
import { rangeOf } from "./log.ts"
import { toJson } from "./printing.ts"
import { openSource } from "./source.ts"
import type { Input } from "./spec.ts"
import type { bisectSpec } from "./specs.ts"
import { nothing, stateAt } from "./state.ts"
import { tellFound } from "./when.ts"

export const run = (context: Context, { options, words }: Input<typeof bisectSpec.options>): number => {
  const expression = new Expression(words[0]!, options.db ?? 0)
  const view = openSource(context, options.dir).directory.view()
  const range = rangeOf(view, options.from, options.to)
  let low = Math.max(range.from, view.oldest) - 1
  let high = Math.min(range.to, view.head)
  if (look(context, view, expression, low).holds) {
    throw new Failed(`'${expression.text}' is true already after sequence ${low}: begin earlier with --from`)
  }
  let found = look(context, view, expression, high)
  let looks = 2
  if (!found.holds) {
    if (options.json) {
      context.write(`${toJson({ expression: expression.text, found: false, from: low + 1, to: high })}\n`)
    }
    else context.write(`'${expression.text}' is not true after sequence ${high} either: ${brief(found.reply)}\n`)
    return exitCodes.failed
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const seen = look(context, view, expression, middle)
    looks++
    if (!options.json) {
      const answer = seen.holds ? "true" : "false"
      context.write(
        `after ${String(middle).padEnd(String(view.head).length)}  ${answer.padEnd(5)}  ${brief(seen.reply)}\n`
      )
    }
    if (seen.holds) {
      high = middle
      found = seen
    } else low = middle
  }
  for (const batch of view.batches({ from: high, to: high })) {
    tellFound(context, options.json, batch, expression, found.reply)
  }
  if (!options.json) context.write(`  (${looks} looks)\n`)
  return exitCodes.ok
}

const look = (context: Context, view: LogView, expression: Expression, sequence: number) => {
  const past = sequence === 0 ? nothing() : stateAt(context, view, { sequence, time: timeOf(view, sequence) })
  try {
    const reply = expression.answer({ keyspace: past.keyspace, time: past.time })
    return { reply, holds: expression.holds(reply) }
  } finally {
    past.dispose()
  }
}
