import { type Directive, splitLine } from "./conf-file.ts"
import { ConfigInvalid } from "./errors.ts"
import { parameterNamed } from "./parameters.ts"

/** What the words after `annals server` say. */
export interface CommandLine {
  /** The configuration file, when the first word names one. */
  readonly file: string | undefined
  /** Whether more configuration comes from standard input: the last word is "-". */
  readonly stdin: boolean
  readonly directives: ReadonlyArray<Directive>
}

const where = "command line"

const isOption = (word: string | undefined): boolean => word?.startsWith("--") === true && word.length > 2

/**
 * redis-server style: `[file.conf] [--name value …]… [-]`; `--name=value` works too. The word after a name is its value
 * even when it begins with "--", but `save` may be left without one, which stands for "".
 */
export const parseCommandLine = (argv: ReadonlyArray<string>): CommandLine => {
  const file = argv[0] !== undefined && !argv[0].startsWith("-") ? argv[0] : undefined
  const stdin = argv.at(-1) === "-"
  const words = argv.slice(file === undefined ? 0 : 1, stdin ? -1 : undefined)
  const directives: Array<Directive> = []
  let current: Array<string> | undefined
  let needsValue = false
  for (const [index, word] of words.entries()) {
    if (isOption(word) && !needsValue) {
      // "--port 7000" as one word is a name and its value.
      const parts = splitLine(word.slice(2)) ?? []
      const equals = parts.length === 1 ? parts[0]!.indexOf("=") : -1
      const name = equals < 0 ? parts[0] ?? "" : parts[0]!.slice(0, equals)
      current = equals < 0 ? parts.slice(1) : [parts[0]!.slice(equals + 1)]
      needsValue = current.length === 0
      if (needsValue && name.toLowerCase() === "save" && (index === words.length - 1 || isOption(words[index + 1]))) {
        current.push("")
        needsValue = false
      }
      directives.push({ name, words: current, where })
    } else if (current === undefined) {
      throw new ConfigInvalid({ where, problem: `'${word}' is not an option; options begin with --` })
    } else {
      current.push(word)
      needsValue = false
    }
  }
  return { file, stdin, directives }
}

/**
 * Directives of variables such as ANNALS_PORT; those that name no parameter are somebody else's. A value is written as
 * for CONFIG SET, so it needs no quotes.
 */
export const parseEnvironment = (environment: Readonly<Record<string, string | undefined>>): Array<Directive> =>
  Object.entries(environment).flatMap(([variable, value]) => {
    if (!variable.startsWith("ANNALS_") || value === undefined) return []
    const name = variable.slice("ANNALS_".length).toLowerCase()
    const known = [name, name.replaceAll("_", "-")].find((spelling) => parameterNamed(spelling) !== undefined)
    return known === undefined
      ? []
      : [{ name: known, words: [value], where: `environment variable ${variable}`, anew: true }]
  })
