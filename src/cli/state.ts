/** The data of a moment, made while a bar shows how far it is. */
import type { LogView } from "../history/log-view.ts"
import type { Moment } from "../history/moment.ts"
import { Past, pastAt, type Point, pointOf } from "../history/past.ts"
import { Keyspace } from "../projections/keyspace.ts"
import type { Context } from "./context.ts"
import { Progress } from "./progress.ts"

/** Takes all steps of something that tells how much of it is done, 0 to 1. */
export const drain = <T>(context: Context, what: string, steps: Generator<number, T>): T => {
  const progress = new Progress(context, what, 1)
  try {
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
      progress.at(step.value)
    }
  } finally {
    progress.end()
  }
}

/** The data as of a point. Throws as `pastAt` does. */
export const stateAt = (context: Context, view: LogView, point: Point): Past =>
  drain(
    context,
    "folding the log",
    pastAt(view, point, { warn: (message) => context.warn(`note: ${message}\n`) })
  )

/** The same for a moment of the command line; undefined: now. */
export const stateOf = (context: Context, view: LogView, moment: Moment | undefined): Past =>
  stateAt(
    context,
    view,
    moment === undefined
      ? { sequence: view.head, time: context.now() }
      : pointOf(view, moment, context.now())
  )

/** No data, before the first batch. */
export const nothing = (): Past => new Past(new Keyspace(1, { k0: 0x3b9aca07, k1: 0x5deece66 }), 0)

/** The digest of all data of a moment. */
export const digestOf = (past: Past): string => {
  const steps = past.digest()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
