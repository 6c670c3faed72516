/** Kinds of values that are made of several words or characters, each with rules of its own. */
import { type Kind, parseBytes, printBytes, wrongCount } from "./values.ts"

/** Limits of one class of clients: bytes hard, bytes soft, seconds over the soft one. */
export interface OutputLimitValue {
  readonly hard: number
  readonly soft: number
  readonly softSeconds: number
}
export type OutputLimits = Readonly<Record<"normal" | "slave" | "pubsub", OutputLimitValue>>

const outputClass = (word: string): keyof OutputLimits | undefined => {
  const name = word.toLowerCase()
  return name === "replica" ? "slave" : name === "normal" || name === "slave" || name === "pubsub" ? name : undefined
}

const limitNumbers = (hard: string, soft: string, softSeconds: string): OutputLimitValue | undefined => {
  const [hardBytes, softBytes] = [parseBytes(hard), parseBytes(soft)]
  return hardBytes === undefined || softBytes === undefined || !/^\d{1,9}$/.test(softSeconds)
    ? undefined
    : { hard: hardBytes, soft: softBytes, softSeconds: Number(softSeconds) }
}

/** `normal 0 0 0 slave 268435456 67108864 60 …`, any classes in any order; those not named keep their limits. */
export const outputLimits: Kind<OutputLimits> = {
  name: "class, hard bytes, soft bytes, soft seconds; for any of the classes normal, replica, pubsub",
  several: true,
  parse: (list, current) => {
    if (list.length % 4 !== 0) return undefined
    const limits: { -readonly [Name in keyof OutputLimits]: OutputLimitValue } = { ...current }
    for (let i = 0; i < list.length; i += 4) {
      const name = outputClass(list[i]!)
      const numbers = limitNumbers(list[i + 1]!, list[i + 2]!, list[i + 3]!)
      if (name === undefined || numbers === undefined) return undefined
      limits[name] = numbers
    }
    return limits
  },
  print: (value) =>
    (["normal", "slave", "pubsub"] as const)
      .map((name) => `${name} ${value[name].hard} ${value[name].soft} ${value[name].softSeconds}`)
      .join(" "),
  lines: (value) =>
    (["normal", "slave", "pubsub"] as const).map((name) => [
      name === "slave" ? "replica" : name,
      printBytes(value[name].hard),
      printBytes(value[name].soft),
      `${value[name].softSeconds}`
    ]),
  complaint: (list) => {
    if (list.length % 4 !== 0) return "Wrong number of arguments in buffer limit configuration."
    return list.some((word, i) => i % 4 === 0 && outputClass(word) === undefined)
      ? "Invalid client class specified in buffer limit configuration."
      : "Error in hard, soft or soft_seconds setting in buffer limit configuration."
  }
}

/** After so many seconds with at least so many changes, a checkpoint is made. */
export interface SaveRule {
  readonly seconds: number
  readonly changes: number
}

/** `3600 1 300 100`; "" for no rules. Lines of one configuration add up. */
export const saveRules: Kind<ReadonlyArray<SaveRule>> = {
  name: "seconds and changes, any number of times; \"\" for none",
  several: true,
  parse: (list, current, again) => {
    if (list.length === 0) return []
    if (list.length % 2 !== 0) return undefined
    const rules: Array<SaveRule> = []
    for (let i = 0; i < list.length; i += 2) {
      const [seconds, changes] = [Number(list[i]), Number(list[i + 1])]
      if (!(Number.isInteger(seconds) && Number.isInteger(changes) && seconds >= 1 && changes >= 0)) return undefined
      rules.push({ seconds, changes })
    }
    return again ? [...current, ...rules] : rules
  },
  print: (value) => value.map(({ changes, seconds }) => `${seconds} ${changes}`).join(" "),
  lines: (value) => value.length === 0 ? [[""]] : value.map(({ changes, seconds }) => [`${seconds}`, `${changes}`]),
  complaint: () => "Invalid save parameters"
}

/** A number as C's strtod reads the usual ones; NaN is none. */
const parseDecimal = (word: string): number | undefined =>
  /^[+-]?inf(inity)?$/i.test(word)
    ? Infinity
    : /^([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|0x[\da-f]+)$/i.test(word)
    ? Number(word)
    : undefined

/** A decimal in as few digits as come back the same; C keeps the sign of a zero. */
const printDecimal = (value: number): string => Object.is(value, -0) ? "-0" : String(value)

/** Percentiles such as `50 99 99.9`; "" for none. */
export const percentiles: Kind<ReadonlyArray<number>> = {
  name: "percentiles (50 99 99.9)",
  several: true,
  parse: (list) => {
    const values = list.map(parseDecimal)
    return values.every((value) => value !== undefined && value >= 0 && value <= 100)
      ? values as ReadonlyArray<number>
      : undefined
  },
  print: (value) => value.map(printDecimal).join(" "),
  complaint: (list) =>
    list.map(parseDecimal).includes(undefined)
      ? "Invalid latency-tracking-info-percentiles parameters"
      : "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
}

/** Classes of keyspace events that `A` stands for, in the order in which they are printed. */
const usualEvents = "g$lshzxetd"
/** Other classes of events. */
const unusualEvents = "noc"
/** Channels, and among them the class of keys that are missed. */
const eventChannels = "KEmSTIV"

/** Which keyspace events are told: letters, in the order of CONFIG GET. */
export const keyspaceEvents: Kind<string> = {
  name: "letters of Ag$lshzxeKEtmdnocSTIV",
  textual: true,
  parse: (list) => {
    const letters = list.length === 1 ? list[0]! : undefined
    if (letters === undefined || !/^[Ag$lshzxeKEtmdnocSTIV]*$/.test(letters)) return undefined
    const has = (letter: string): boolean =>
      letters.includes(letter) || (letters.includes("A") && usualEvents.includes(letter))
    const named = [...usualEvents].filter(has)
    return (named.length === usualEvents.length ? "A" : named.join(""))
      + [...unusualEvents, ...eventChannels].filter(has).join("")
  },
  // Behind an A, Redis does not say which others there are. They are on all the same, and CONFIG REWRITE keeps them.
  print: (value) => value.startsWith("A") ? value.replaceAll(/[noc]/g, "") : value,
  write: (value) => value,
  complaint: (list) => list.length === 1 ? "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." : wrongCount
}

/** Three scores for the kernel's out-of-memory killer: primary, replica, background child. */
export const oomScores: Kind<ReadonlyArray<number>> = {
  name: "three numbers, -2000 to 2000",
  several: true,
  parse: (list) => {
    if (list.length !== 3 || !list.every((word) => /^[+-]?\d{1,9}$/.test(word))) return undefined
    const scores = list.map(Number)
    return scores.every((score) => Math.abs(score) <= 2000) ? scores : undefined
  },
  print: (value) => value.join(" "),
  complaint: (list) =>
    list.length === 3 ? "Invalid oom-score-adj-values, elements must be between -2000 and 2000." : wrongCount
}

const shutdownWords = ["default", "save", "nosave", "now", "force"] as const
type ShutdownWord = typeof shutdownWords[number]

const isShutdownWord = (word: string): word is ShutdownWord => (shutdownWords as ReadonlyArray<string>).includes(word)

/** What a signal asks of the shutdown: `default`, or any of the others but `save` with `nosave`. */
export const shutdownOptions: Kind<ReadonlyArray<ShutdownWord>> = {
  name: shutdownWords.join(", "),
  several: true,
  parse: (list) => {
    const lower = list.map((word) => word.toLowerCase())
    if (lower.length === 0 || !lower.every(isShutdownWord)) return undefined
    const chosen = shutdownWords.filter((word) => word !== "default" && lower.includes(word))
    if (chosen.includes("save") && chosen.includes("nosave")) return undefined
    return chosen.length === 0 ? ["default"] : chosen
  },
  print: (value) => value.join(" "),
  complaint: (list) =>
    list.length > 0 && list.every((word) => isShutdownWord(word.toLowerCase()))
      ? "shutdown options SAVE and NOSAVE can't be used simultaneously"
      : `argument(s) must be one of the following: ${shutdownWords.join(", ")}`
}

/** How much history is kept. */
export type Retention =
  | { readonly by: "for-ever" }
  | { readonly by: "age"; readonly ms: number }
  | { readonly by: "bytes"; readonly bytes: number }
  | { readonly by: "sequences"; readonly count: number }

const ageUnits: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `for-ever`, an age such as `7d` (s, min, h, d, w), a size such as `10gb` (kb, mb, gb), or `seq 1000000`. */
export const retention: Kind<Retention> = {
  name: "for-ever, an age (12h, 7d), a size (10gb) or a number of sequences (seq 1000000)",
  several: true,
  parse: (list) => {
    const [first = "", second] = list.map((word) => word.toLowerCase())
    if (list.length === 2 && first === "seq") {
      const count = /^[1-9]\d{0,14}$/.test(second!) ? Number(second) : 0
      return count > 0 ? { by: "sequences", count } : undefined
    }
    if (list.length !== 1) return undefined
    if (first === "for-ever") return { by: "for-ever" }
    const age = /^([1-9]\d{0,8})(s|min|h|d|w)$/.exec(first)
    if (age !== null) return { by: "age", ms: Number(age[1]) * ageUnits[age[2]!]! }
    const bytes = /^[1-9]\d{0,14}[kmg]?b$/.test(first) ? parseBytes(first) : undefined
    return bytes === undefined ? undefined : { by: "bytes", bytes }
  },
  print: (value) => {
    switch (value.by) {
      case "for-ever":
        return "for-ever"
      case "bytes":
        return `${value.bytes}b`
      case "sequences":
        return `seq ${value.count}`
      case "age": {
        const unit = (["w", "d", "h", "min", "s"] as const).find((name) => value.ms % ageUnits[name]! === 0) ?? "s"
        return `${value.ms / ageUnits[unit]!}${unit}`
      }
    }
  },
  complaint: () => "argument must be for-ever, an age such as 7d or 12h, a size such as 10gb, or seq and a number"
}
