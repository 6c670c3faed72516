/** Moments of a log as people write them. */

/** A batch, or a time: everything up to and including it has happened. */
export type Moment =
  | { readonly kind: "sequence"; readonly sequence: number }
  /** Unix milliseconds. */
  | { readonly kind: "time"; readonly time: number }

const sequenceForm = /^[0-9]{1,16}$/
const millisForm = /^@[0-9]{1,16}$/
const isoForm =
  /^@([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(Z|z|[+-][0-9]{2}:?[0-9]{2})?)?$/

/**
 * Reads `57` (a sequence), `@1763848283500` (Unix milliseconds) or `@2026-11-22T21:51:23.5Z` (ISO 8601; without a zone
 * UTC, without a time of day its beginning; what is finer than a millisecond is cut). Undefined for anything else.
 */
export const parseMoment = (text: string): Moment | undefined => {
  if (sequenceForm.test(text)) return whole("sequence", Number(text))
  if (millisForm.test(text)) return whole("time", Number(text.slice(1)))
  const parts = isoForm.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0)) as Six
  const millis = Number((parts[7] ?? "").padEnd(3, "0").slice(0, 3))
  const local = Date.UTC(year, month - 1, day, hour, minute, second, millis)
  // The 30th of February, and the like, would silently be another day.
  const back = new Date(local)
  const same = back.getUTCMonth() === month - 1 && back.getUTCDate() === day && back.getUTCHours() === hour
    && back.getUTCMinutes() === minute && back.getUTCSeconds() === second
  const zone = zoneOf(parts[8])
  return same && zone !== undefined ? whole("time", local - zone) : undefined
}

type Six = [number, number, number, number, number, number]

const whole = (kind: Moment["kind"], value: number): Moment | undefined => {
  if (!Number.isSafeInteger(value) || value < 0) return undefined
  return kind === "sequence" ? { kind, sequence: value } : { kind, time: value }
}

/** Milliseconds to the east of UTC. */
const zoneOf = (zone: string | undefined): number | undefined => {
  if (zone === undefined || /^z$/i.test(zone)) return 0
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))]
  return hours < 24 && minutes < 60 ? (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000 : undefined
}

/** A moment in the way it is written: `57` or `@1763848283500`. */
export const printMoment = (moment: Moment): string =>
  moment.kind === "sequence" ? `${moment.sequence}` : `@${moment.time}`
