import type { Directive } from "./conf-file.ts"
import { ConfigInvalid } from "./errors.ts"
import { parameterNamed } from "./parameters.ts"

/** What the words after `annals server` say. */
export interface CommandLine {
  /** The configuration file, when the first word names one. */
  readonly file: string | undefined
  readonly directives: ReadonlyArray<Directive>
}

/** redis-server style: `[file.conf] --name value … --name value …`; `--name=value` works too. */
export const parseCommandLine = (argv: ReadonlyArray<string>): CommandLine => {
  const where = "command line"
  const file = argv[0] !== undefined && !argv[0].startsWith("--") ? argv[0] : undefined
  const directives: Array<Directive> = []
  let words: Array<string> | undefined
  for (const arg of file === undefined ? argv : argv.slice(1)) {
    if (arg.startsWith("--") && arg.length > 2) {
      const equals = arg.indexOf("=")
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals)
      words = equals < 0 ? [] : [arg.slice(equals + 1)]
      directives.push({ name, words, where })
    } else if (words === undefined) {
      throw new ConfigInvalid({ where, problem: `'${arg}' is not an option; options begin with --` })
    } else words.push(arg)
  }
  return { file, directives }
}

/** Directives of variables such as ANNALS_PORT; those that name no parameter are somebody else's. */
export const parseEnvironment = (environment: Readonly<Record<string, string | undefined>>): Array<Directive> =>
  Object.entries(environment).flatMap(([variable, value]) => {
    if (!variable.startsWith("ANNALS_") || value === undefined) return []
    const name = variable.slice("ANNALS_".length).toLowerCase().replaceAll("_", "-")
    if (parameterNamed(name) === undefined) return []
    return [{
      name,
      words: value.split(/\s+/).filter((word) => word !== ""),
      where: `environment variable ${variable}`
    }]
  })
