/** One configuration parameter: how it is written, its default, and what setting it does here. */
import { type Feature, features } from "./features.ts"
import type { Kind } from "./values.ts"

/**
 * What a parameter means here. `works`: it has its effect. `accepted`: it may be set and is answered by CONFIG GET, but
 * there is nothing here for it to act on. `refused`: only its default can be had.
 */
export type Standing = "works" | "accepted" | "refused"

/** One row of the table. */
export interface Parameter<T> {
  readonly kind: Kind<T>
  readonly initial: T
  readonly standing: Standing
  /** What it does here, why it does nothing, or why other values are refused. One sentence part, lower case. */
  readonly note: string
  /** Whether CONFIG SET may change it. */
  readonly mutable: boolean
  /** CONFIG SET needs `enable-protected-configs`. */
  readonly guarded?: boolean
  /** CONFIG SET of another value is refused with this reason, although Redis allows it. */
  readonly fixedBecause?: string
  /** Its value never appears in messages. */
  readonly secret?: boolean
  /** Names it is also known by. */
  readonly aliases?: ReadonlyArray<string>
  /** Values that cannot be had here, and why. */
  readonly refuse?: (value: T) => string | undefined
  /** At start-up other values than the default are set aside with a warning instead of ending the server. */
  readonly tolerated?: boolean
}

/** What may be said of a row besides kind, default and note. */
export type More<T> = Partial<
  Pick<Parameter<T>, "mutable" | "guarded" | "fixedBecause" | "secret" | "aliases" | "refuse" | "tolerated">
>

const row = <T>(
  standing: Standing,
  kind: Kind<T>,
  initial: T,
  note: string,
  more: More<T>
): Parameter<T> => ({ kind, initial, standing, note, mutable: true, ...more })

/** A parameter with its effect. */
export const works = <T>(kind: Kind<T>, initial: T, note: string, more: More<T> = {}): Parameter<T> =>
  row("works", kind, initial, note, more)

/** A parameter that may be set to anything it could be set to in Redis, without effect. */
export const accepted = <T>(kind: Kind<T>, initial: T, note: string, more: More<T> = {}): Parameter<T> =>
  row("accepted", kind, initial, note, more)

/** A parameter of which only the default can be had. */
export const refused = <T>(kind: Kind<T>, initial: T, reason: string, more: More<T> = {}): Parameter<T> => {
  const standard = kind.print(initial)
  return row("refused", kind, initial, reason, {
    refuse: (value) => kind.print(value) === standard ? undefined : reason,
    ...more
  })
}

/** A parameter that works when the build has a feature, and is refused until then. */
export const needs = <T>(
  feature: Feature,
  kind: Kind<T>,
  initial: T,
  note: string,
  more: More<T> = {}
): Parameter<T> =>
  features[feature]
    ? works(kind, initial, note, more)
    : refused(kind, initial, "this build lacks the feature, so only the default can be had", more)

/** For parameters that cannot change once the server runs: Redis's class of immutable ones. */
export const immutable = { mutable: false } as const
