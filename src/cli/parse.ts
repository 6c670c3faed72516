/** Reads command lines: `--name value`, `--name=value`, words, and `--` before words that look like options. */
import { splitLine } from "../config/conf-file.ts"
import { parseMoment } from "../history/moment.ts"
import { UsageError } from "./context.ts"
import type { Input, Option, OptionTable, Spec } from "./spec.ts"

/** Throws `UsageError`. */
export const parse = (spec: Spec, argv: ReadonlyArray<string>): Input => {
  const { options: table } = spec
  const values: Record<string, unknown> = {}
  for (const [name, { kind }] of Object.entries(table)) {
    values[name] = kind === "flag" ? false : kind === "list" ? [] : undefined
  }
  const words: Array<string> = []
  const last = spec.arguments.at(-1)
  const before = spec.arguments.length - 1
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    // Behind the first of its words a command is somebody else's: its options are not ours.
    const foreign = last?.rest === true && words.length > before
    if (word === "--" && !foreign) {
      words.push(...argv.slice(i + 1))
      break
    }
    if (foreign || !word.startsWith("--")) {
      words.push(word)
      continue
    }
    const equals = word.indexOf("=")
    const name = word.slice(2, equals < 0 ? undefined : equals)
    const option = Object.hasOwn(table, name) ? table[name] : undefined
    if (option === undefined) throw new UsageError(`unknown option '--${name}'${meant(name, table)}`)
    if (option.kind === "flag") {
      if (equals >= 0) throw new UsageError(`--${name} takes no value`)
      values[name] = true
      continue
    }
    const value = equals >= 0 ? word.slice(equals + 1) : argv[++i]
    if (value === undefined) throw new UsageError(`--${name} takes ${describe(option)}`)
    if (option.kind === "list") (values[name] as Array<string>).push(value)
    else if (values[name] !== undefined) throw new UsageError(`--${name} is given twice`)
    else values[name] = read(name, option, value)
  }
  checkWords(spec, words)
  return { options: values as never, words }
}

const describe = (option: Option): string =>
  option.kind === "choice" ? `one of ${option.choices.join(", ")}` : option.kind === "flag" ? "nothing" : option.value

/** What was probably meant: a name that begins alike. */
const meant = (name: string, table: OptionTable): string => {
  const close = Object.keys(table).find((known) => name !== "" && (known.startsWith(name) || name.startsWith(known)))
  return close === undefined ? "" : `; did you mean --${close}?`
}

const read = (name: string, option: Option, value: string): unknown => {
  switch (option.kind) {
    case "count": {
      if (!/^[0-9]{1,15}$/.test(value)) throw new UsageError(`--${name} takes a number, not '${value}'`)
      return Number(value)
    }
    case "moment":
      return momentOf(value)
    case "choice":
      if (!option.choices.includes(value)) {
        throw new UsageError(`--${name} takes ${describe(option)}, not '${value}'`)
      }
      return value
    default:
      return value
  }
}

/** In a word half of a pair of surrogates, which no UTF-8 makes, stands for a byte from 0x80 on that was written \xNN. */
const byteMark = 0xdc00
const marked = /([\udc80-\udcff])/u

/** The words of a line that was typed; undefined when quotes do not balance. */
export const wordsOf = (line: string): Array<string> | undefined =>
  splitLine(line, (byte) => String.fromCharCode(byte < 0x80 ? byte : byteMark + byte))

/** The bytes a word stands for: UTF-8, and as they are those that were written \xNN. */
export const bytesOf = (word: string): Uint8Array => {
  if (!marked.test(word)) return Buffer.from(word, "utf8")
  return Buffer.concat(
    word.split(marked).map((part, i) =>
      i % 2 === 0 ? Buffer.from(part, "utf8") : Buffer.of(part.charCodeAt(0) - byteMark)
    )
  )
}

/**
 * The bytes a word of a shell's command line stands for: UTF-8; or, where all of it is in double quotes, what redis-cli
 * and these commands print in that way, `"\\xff\\n"`. Throws `UsageError` for quotes that do not match and for bytes that
 * are no UTF-8, which no program of Node.js ever gets to see.
 */
export const literalOf = (word: string): Uint8Array => {
  if (word.includes("\ufffd")) {
    throw new UsageError(`'${word}' is not UTF-8: put it in quotes, with other bytes as \\xNN: '"\\xff"'`)
  }
  if (word.length < 2 || !word.startsWith("\"") || !word.endsWith("\"")) return Buffer.from(word, "utf8")
  const [only, ...more] = wordsOf(word) ?? []
  if (only === undefined || more.length > 0) throw new UsageError(`the quotes of '${word}' do not match`)
  return bytesOf(only)
}

/** A moment of the command line. Throws `UsageError`. */
export const momentOf = (text: string) => {
  const moment = parseMoment(text)
  if (moment === undefined) {
    throw new UsageError(
      `'${text}' is no moment: write a sequence (57), Unix milliseconds (@1763848283500) or a time `
        + "(@2026-11-22T21:51:23.5Z)"
    )
  }
  return moment
}

const checkWords = (spec: Spec, words: ReadonlyArray<string>): void => {
  const wanted = spec.arguments
  for (let i = 0; i < wanted.length; i++) {
    const { name, optional } = wanted[i]!
    if (i >= words.length && optional !== true) throw new UsageError(`${name} is missing`)
  }
  if (words.length > wanted.length && wanted.at(-1)?.rest !== true) {
    throw new UsageError(`'${words[wanted.length]}' is one word too many`)
  }
}
