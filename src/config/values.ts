/** How configuration values are written: each kind parses text, prints itself as CONFIG GET does, and says what is wrong. */

/** A kind of value. */
export interface Kind<T> {
  /** What it is called in the documentation: "yes or no", "a number from 0 to 65535". */
  readonly name: string
  /** Whether a value is made of several words; CONFIG SET then splits its argument at each blank. */
  readonly several?: true
  /**
   * Undefined for text it does not accept. `current` is what stands so far, for values given in parts, and `again` is
   * true when an earlier line of the same configuration has set it, for directives that add up.
   */
  readonly parse: (words: ReadonlyArray<string>, current: T, again: boolean) => T | undefined
  readonly print: (value: T) => string
  /** What is wrong with words that `parse` did not accept, as CONFIG SET of Redis puts it. */
  readonly complaint: (words: ReadonlyArray<string>) => string
  /** Whether files have it in quotes. */
  readonly textual?: true
  /** How files have it, where that is not how it is printed. */
  readonly write?: (value: T) => string
  /** The words of each of its lines in a file, where that may be several. */
  readonly lines?: (value: T) => ReadonlyArray<ReadonlyArray<string>>
  /** The printed form of words whose value a number cannot hold exactly; undefined when `print` will do. */
  readonly exact?: (words: ReadonlyArray<string>) => string | undefined
}

/** The complaint of Redis about a directive with too few or too many words. */
export const wrongCount = "wrong number of arguments"

const single = <T>(parse: (word: string) => T | undefined) => (words: ReadonlyArray<string>): T | undefined =>
  words.length === 1 ? parse(words[0]!) : undefined

const complain = (say: (word: string) => string) => (words: ReadonlyArray<string>): string =>
  words.length === 1 ? say(words[0]!) : wrongCount

/** Any text, up to its first NUL as in Redis. */
export const text: Kind<string> = {
  name: "text",
  textual: true,
  parse: single((word) => word.split("\0", 1)[0]),
  print: (value) => value,
  complaint: () => wrongCount
}

/** Any text, NULs included: passwords. */
export const anyText: Kind<string> = { ...text, parse: single((word) => word) }

/** Text that must look a certain way. */
export const textLike = (name: string, like: (word: string) => boolean, complaint: string): Kind<string> => ({
  name,
  textual: true,
  parse: (words) => {
    const word = text.parse(words, "", false)
    return word !== undefined && like(word) ? word : undefined
  },
  print: (value) => value,
  complaint: complain(() => complaint)
})

export const yesNo: Kind<boolean> = {
  name: "yes or no",
  parse: single((word) => /^yes$/i.test(word) ? true : /^no$/i.test(word) ? false : undefined),
  print: (value) => value ? "yes" : "no",
  complaint: complain(() => "argument must be 'yes' or 'no'")
}

/** The greatest values of Redis's integers: C's int, unsigned int, long long and unsigned long long. */
export const int = 0x7fff_ffff
export const unsigned = 0xffff_ffff
export const long = 2n ** 63n - 1n
export const unsignedLong = 2n ** 64n - 1n

type Bound = number | bigint

const isWithin = (value: bigint, minimum: Bound, maximum: Bound): boolean => value >= minimum && value <= maximum

/** A whole number as Redis reads one: no sign but a minus, no leading zeros, no blanks, 64 bits. */
const parseLong = (word: string): bigint | undefined => {
  if (!/^(0|-?[1-9]\d{0,19})$/.test(word)) return undefined
  const value = BigInt(word)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const range = (minimum: Bound, maximum: Bound): string =>
  `${minimum}${maximum === long || maximum === unsignedLong ? " or more" : ` to ${maximum}`}`

const between = (minimum: Bound, maximum: Bound): string =>
  `argument must be between ${minimum} and ${maximum} inclusive`

const exactOf = (value: bigint | undefined): string | undefined =>
  value === undefined || Number.isSafeInteger(Number(value)) ? undefined : String(value)

/** A whole number within bounds, both included. */
export const integer = (minimum: Bound, maximum: Bound): Kind<number> => ({
  name: `a number, ${range(minimum, maximum)}`,
  parse: single((word) => {
    const value = parseLong(word)
    return value !== undefined && isWithin(value, minimum, maximum) ? Number(value) : undefined
  }),
  print: String,
  complaint: complain((word) =>
    parseLong(word) === undefined ? "argument couldn't be parsed into an integer" : between(minimum, maximum)
  ),
  exact: ([word]) => exactOf(parseLong(word!))
})

/** A whole number, which is brought within bounds when it is not: Redis's hz. */
export const clamped = (minimum: number, maximum: number): Kind<number> => {
  const kind = integer(0, int)
  return {
    ...kind,
    name: `a number, ${minimum} to ${maximum}; others are brought within`,
    parse: (words, current, again) => {
      const value = kind.parse(words, current, again)
      return value === undefined ? undefined : Math.min(Math.max(value, minimum), maximum)
    }
  }
}

/** One of some words, in any case. */
export const oneOf = <T extends string>(...choices: ReadonlyArray<T>): Kind<T> => ({
  name: choices.join(", "),
  parse: single((word) => choices.find((choice) => choice === word.toLowerCase())),
  print: (value) => value,
  complaint: complain(() => `argument(s) must be one of the following: ${choices.join(", ")}`)
})

const units: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1_000_000n,
  mb: 1024n ** 2n,
  g: 1_000_000_000n,
  gb: 1024n ** 3n
}

/** A size as Redis reads one: a unit alone and nothing at all are zero, and what is too large wraps at 64 bits. */
const parseSize = (word: string): bigint | undefined => {
  const match = /^(\d*)([a-z]*)$/i.exec(word)
  const unit = match === null ? undefined : units[match[2]!.toLowerCase()]
  if (match === null || unit === undefined || match[1]!.length > 128) return undefined
  const digits = BigInt(match[1]! === "" ? 0 : match[1]!)
  return BigInt.asUintN(64, (digits > unsignedLong ? unsignedLong : digits) * unit)
}

/** Bytes of "512mb": k, m and g count in thousands, kb, mb and gb in 1024s. Undefined when it is no size. */
export const parseBytes = (word: string): number | undefined => {
  const value = parseSize(word)
  return value === undefined ? undefined : Number(value)
}

/** Bytes in the largest unit that divides them: "3gb", "100mb", "5000". */
export const printBytes = (value: number): string => {
  for (const [unit, size] of [["gb", 1024 ** 3], ["mb", 1024 ** 2], ["kb", 1024]] as const) {
    if (value >= size && value % size === 0 && Number.isSafeInteger(value)) return `${value / size}${unit}`
  }
  return String(value)
}

/** A number of bytes with an optional unit. */
export const bytes = (minimum: Bound, maximum: Bound = long): Kind<number> => ({
  name: `bytes (512mb), ${range(minimum, maximum)}`,
  parse: single((word) => {
    const value = parseSize(word)
    return value !== undefined && isWithin(value, minimum, maximum) ? Number(value) : undefined
  }),
  print: String,
  write: printBytes,
  complaint: complain((word) =>
    parseSize(word) === undefined ? "argument must be a memory value" : between(minimum, maximum)
  ),
  exact: ([word]) => exactOf(parseSize(word!))
})

/** A number that is raised to a minimum instead of being refused. */
export const atLeast = (minimum: number, kind: Kind<number>): Kind<number> => ({
  ...kind,
  name: `${kind.name}; less is raised to ${minimum}`,
  parse: (words, current, again) => {
    const value = kind.parse(words, current, again)
    return value === undefined ? undefined : Math.max(value, minimum)
  }
})

/** Bytes, or the negative percentage; sizes past 2^63 wrap around to percentages, as in Redis. */
const sizeOrPercent = (word: string): bigint | undefined => {
  if (!word.endsWith("%")) {
    const size = parseSize(word)
    return size === undefined ? undefined : BigInt.asIntN(64, size)
  }
  const percent = parseLong(word.slice(0, -1))
  return percent === undefined || percent < 0n ? undefined : -percent
}

/** A number of bytes, or a share of `maxmemory` such as "5%", held as the negative percentage. */
export const bytesOrPercent: Kind<number> = {
  name: "bytes (512mb) or a percentage (5%)",
  parse: single((word) => {
    const value = sizeOrPercent(word)
    return value === undefined || value < -100n ? undefined : Number(value)
  }),
  print: (value) => value < 0 ? `${-value}%` : String(value),
  complaint: complain((word) =>
    (sizeOrPercent(word) ?? 0n) < -100n
      ? "percentage argument must be less or equal to 100"
      : "argument must be a memory or percent value"
  ),
  exact: ([word]) => exactOf(sizeOrPercent(word!))
}

/** A list of words; an empty one is written "". */
export const words: Kind<ReadonlyArray<string>> = {
  name: "words",
  several: true,
  parse: (list) => list.filter((word) => word !== ""),
  print: (value) => value.join(" "),
  complaint: () => wrongCount
}

/** File permissions in octal, 0 for none. */
export const fileMode: Kind<number> = {
  name: "an octal file mode (700)",
  parse: single((word) => /^[0-7]{1,4}$/.test(word) && parseInt(word, 8) <= 0o777 ? parseInt(word, 8) : undefined),
  print: (value) => value.toString(8),
  complaint: complain((word) =>
    /^[0-7]+$/.test(word)
      ? "argument must be between 0 and 777 inclusive"
      : "argument couldn't be parsed as an octal number"
  )
}
