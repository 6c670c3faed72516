/** How configuration values are written: each kind parses text, prints itself as CONFIG GET does, and says what is wrong. */

/** A kind of value. */
export interface Kind<T> {
  /** Undefined for text it does not accept. `current` is what stands so far, for values given in parts. */
  readonly parse: (words: ReadonlyArray<string>, current: T) => T | undefined
  readonly print: (value: T) => string
  /** What is wrong with words that `parse` did not accept, as CONFIG SET of Redis puts it. */
  readonly complaint: (words: ReadonlyArray<string>) => string
}

const oneWord = "wrong number of arguments"

const single = <T>(parse: (word: string) => T | undefined) => (words: ReadonlyArray<string>): T | undefined =>
  words.length === 1 ? parse(words[0]!) : undefined

export const text: Kind<string> = {
  parse: single((word) => word),
  print: (value) => value,
  complaint: () => oneWord
}

export const yesNo: Kind<boolean> = {
  parse: single((word) => /^yes$/i.test(word) ? true : /^no$/i.test(word) ? false : undefined),
  print: (value) => value ? "yes" : "no",
  complaint: () => "argument must be 'yes' or 'no'"
}

/** A whole number within bounds, both included. */
export const integer = (minimum: number, maximum: number): Kind<number> => ({
  parse: single((word) => {
    const value = /^-?\d{1,15}$/.test(word) ? Number(word) : NaN
    return value >= minimum && value <= maximum ? value : undefined
  }),
  print: String,
  complaint: ([word, ...rest]) =>
    rest.length > 0
      ? oneWord
      : /^-?\d+$/.test(word ?? "")
      ? `argument must be between ${minimum} and ${maximum} inclusive`
      : "argument couldn't be parsed into an integer"
})

/** One of some words, in any case. */
export const oneOf = <T extends string>(...choices: ReadonlyArray<T>): Kind<T> => ({
  parse: single((word) => choices.find((choice) => choice === word.toLowerCase())),
  print: (value) => value,
  complaint: () => `argument(s) must be one of the following: ${choices.join(", ")}`
})

const units: Record<string, number> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1_000_000,
  mb: 1024 ** 2,
  g: 1_000_000_000,
  gb: 1024 ** 3
}

/** Bytes of "512mb": k, m and g count in thousands, kb, mb and gb in 1024s. Undefined when it is no size. */
export const parseBytes = (word: string): number | undefined => {
  const match = /^(\d{1,15})([a-z]*)$/i.exec(word)
  const unit = match === null ? undefined : units[match[2]!.toLowerCase()]
  if (match === null || unit === undefined) return undefined
  const value = Number(match[1]) * unit
  return Number.isSafeInteger(value) ? value : undefined
}

/** A number of bytes with an optional unit. */
export const bytes = (minimum: number, maximum = Number.MAX_SAFE_INTEGER): Kind<number> => ({
  parse: single((word) => {
    const value = parseBytes(word)
    return value !== undefined && value >= minimum && value <= maximum ? value : undefined
  }),
  print: String,
  complaint: ([word]) =>
    parseBytes(word ?? "") === undefined
      ? "argument must be a memory value"
      : `argument must be between ${minimum} and ${maximum} inclusive`
})

/** A list of words; an empty one is written "". */
export const words: Kind<ReadonlyArray<string>> = {
  parse: (list) => list.flatMap((word) => word.split(/\s+/)).filter((word) => word !== ""),
  print: (value) => value.join(" "),
  complaint: () => "expected words"
}

/** File permissions in octal, 0 for none. */
export const fileMode: Kind<number> = {
  parse: single((word) => /^[0-7]{1,4}$/.test(word) ? parseInt(word, 8) : undefined),
  print: (value) => value.toString(8),
  complaint: () => "expected an octal file mode such as 700"
}

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

/** The words of a list of limits, however they were quoted. */
const limitWords = (list: ReadonlyArray<string>): ReadonlyArray<string> =>
  list.flatMap((word) => word.split(/\s+/)).filter((word) => word !== "")

/** `normal 0 0 0 slave 268435456 67108864 60 …`, any classes in any order; those not named keep their limits. */
export const outputLimits: Kind<OutputLimits> = {
  parse: (list, current) => {
    const flat = limitWords(list)
    if (flat.length === 0 || flat.length % 4 !== 0) return undefined
    const limits: { -readonly [Name in keyof OutputLimits]: OutputLimitValue } = { ...current }
    for (let i = 0; i < flat.length; i += 4) {
      const name = outputClass(flat[i]!)
      const numbers = limitNumbers(flat[i + 1]!, flat[i + 2]!, flat[i + 3]!)
      if (name === undefined || numbers === undefined) return undefined
      limits[name] = numbers
    }
    return limits
  },
  print: (value) =>
    (["normal", "slave", "pubsub"] as const)
      .map((name) => `${name} ${value[name].hard} ${value[name].soft} ${value[name].softSeconds}`)
      .join(" "),
  complaint: (list) => {
    const flat = limitWords(list)
    if (flat.length === 0 || flat.length % 4 !== 0) return "Wrong number of arguments in buffer limit configuration."
    return flat.some((word, i) => i % 4 === 0 && outputClass(word) === undefined)
      ? "Invalid client class specified in buffer limit configuration."
      : "Error in hard, soft or soft_seconds setting in buffer limit configuration."
  }
}
