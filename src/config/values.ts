/** How configuration values are written: each kind parses text, prints itself as CONFIG GET does, and says what it expects. */

/** A kind of value. `parse` returns undefined for text it does not accept. */
export interface Kind<T> {
  readonly parse: (words: ReadonlyArray<string>) => T | undefined
  readonly print: (value: T) => string
  readonly expects: string
}

const single = <T>(parse: (word: string) => T | undefined) => (words: ReadonlyArray<string>): T | undefined =>
  words.length === 1 ? parse(words[0]!) : undefined

export const text: Kind<string> = {
  parse: single((word) => word),
  print: (value) => value,
  expects: "one word"
}

export const yesNo: Kind<boolean> = {
  parse: single((word) => /^yes$/i.test(word) ? true : /^no$/i.test(word) ? false : undefined),
  print: (value) => value ? "yes" : "no",
  expects: "'yes' or 'no'"
}

/** A whole number within bounds, both included. */
export const integer = (minimum: number, maximum: number): Kind<number> => ({
  parse: single((word) => {
    const value = /^-?\d{1,15}$/.test(word) ? Number(word) : NaN
    return value >= minimum && value <= maximum ? value : undefined
  }),
  print: String,
  expects: `a whole number from ${minimum} to ${maximum}`
})

/** One of some words, in any case. */
export const oneOf = <T extends string>(...choices: ReadonlyArray<T>): Kind<T> => ({
  parse: single((word) => choices.find((choice) => choice === word.toLowerCase())),
  print: (value) => value,
  expects: `one of ${choices.join(", ")}`
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
  expects: `a number of bytes from ${minimum} to ${maximum}, such as 512mb`
})

/** A list of words; an empty one is written "". */
export const words: Kind<ReadonlyArray<string>> = {
  parse: (list) => list.flatMap((word) => word.split(/\s+/)).filter((word) => word !== ""),
  print: (value) => value.join(" "),
  expects: "words"
}

/** File permissions in octal, 0 for none. */
export const fileMode: Kind<number> = {
  parse: single((word) => /^[0-7]{1,4}$/.test(word) ? parseInt(word, 8) : undefined),
  print: (value) => value.toString(8),
  expects: "an octal file mode such as 700"
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

/** `normal 0 0 0 slave 268435456 67108864 60 …`, any classes in any order; those not named keep their limits. */
export const outputLimits = (base: OutputLimits): Kind<OutputLimits> => ({
  parse: (list) => {
    const flat = list.flatMap((word) => word.split(/\s+/)).filter((word) => word !== "")
    if (flat.length === 0 || flat.length % 4 !== 0) return undefined
    const limits: Record<string, OutputLimitValue> = { ...base }
    for (let i = 0; i < flat.length; i += 4) {
      const name = outputClass(flat[i]!)
      const hard = parseBytes(flat[i + 1]!)
      const soft = parseBytes(flat[i + 2]!)
      const softSeconds = /^\d{1,9}$/.test(flat[i + 3]!) ? Number(flat[i + 3]) : undefined
      if (name === undefined || hard === undefined || soft === undefined || softSeconds === undefined) return undefined
      limits[name] = { hard, soft, softSeconds }
    }
    return limits as OutputLimits
  },
  print: (value) =>
    (["normal", "slave", "pubsub"] as const)
      .map((name) => `${name} ${value[name].hard} ${value[name].soft} ${value[name].softSeconds}`)
      .join(" "),
  expects: "<class> <hard limit> <soft limit> <soft seconds>, the class being normal, replica or pubsub"
})
