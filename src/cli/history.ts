/** `annals history`: everything that touched one key, as LOG.HISTORY gives it. */
import { briefly, changeReply, concernsField, inFull } from "../history/describe.ts"
import { keyTrail } from "../history/key-trail.ts"
import type { Reply } from "../net/resp/reply.ts"
import { MapReply } from "../net/resp/reply.ts"
import { Slice } from "../projections/memory/slice.ts"
import { type Context, exitCodes, Failed } from "./context.ts"
import { changeWords, gapJson, gapLine, headOf } from "./log-words.ts"
import { literalOf } from "./parse.ts"
import { bare, jsonOf, toJson } from "./printing.ts"
import { viewOf } from "./source.ts"
import type { Input } from "./spec.ts"
import type { historySpec } from "./specs.ts"

export const run = (context: Context, { options, words }: Input<typeof historySpec.options>): number => {
  const view = viewOf(context, options.dir)
  const from = options.from === undefined ? view.oldest : view.sequenceFrom(options.from)
  const to = options.to === undefined ? view.head : view.sequenceAt(options.to, context.now())
  const key = literalOf(words[0]!)
  const field = options.field === undefined ? undefined : literalOf(options.field)
  const detail = options.values ? { ...inFull, only: field } : briefly(field)
  const reverse = options.rev
  const count = options.count ?? Infinity
  const gaps = view.gaps(from, to).sort((a, b) => reverse ? b.first - a.first : a.first - b.first)
  let shown = 0
  const showGaps = (until: number): void => {
    while (shown < count && gaps.length > 0 && (reverse ? gaps[0]!.first > until : gaps[0]!.first < until)) {
      const gap = gaps.shift()!
      shown++
      context.write(options.json ? `${toJson(gapJson(gap))}\n` : `${gapLine(gap)}\n`)
    }
  }
  if (count > 0) {
    for (const change of keyTrail(view, options.db ?? 0, key, { from, to, reverse })) {
      if (change === undefined || (field !== undefined && !concernsField(change.event, field))) continue
      const { batch, index } = change
      showGaps(batch.sequence)
      if (shown >= count) break
      const reply = changeReply(batch, index, key, detail)
      shown++
      if (options.json) context.write(`${toJson(jsonOf(reply))}\n`)
      else context.write(`${headOf(batch)}\n  ${lineOf(reply)}\n`)
      if (shown >= count) break
    }
    showGaps(reverse ? -Infinity : Infinity)
    if (shown === 0) {
      const what = options.field === undefined ? bare(key) : `${bare(field!)} of ${bare(key)}`
      throw new Failed(`no event from sequence ${from} to ${to} touched ${what} in database ${options.db ?? 0}`)
    }
  }
  return exitCodes.ok
}

const lineOf = ({ pairs }: MapReply): string => {
  const { change, db, key, type } = Object.fromEntries(pairs) as Record<string, Reply>
  const words = [`db${Number(db)}`]
  if (key instanceof Slice) words.push(bare(key))
  words.push(String(type), changeWords(change as MapReply))
  return words.filter((word) => word !== "").join(" ")
}
