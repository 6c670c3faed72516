/** Help texts, made of what subcommands say of themselves. */
import type { Argument, Option, Spec, Subcommand } from "./spec.ts"

/** Column at which summaries begin. */
const summaryColumn = 24

const shown = ({ name, optional, rest }: Argument): string => {
  const word = rest === true ? `${name} …` : name
  return optional === true ? `[${word}]` : word
}

const valueOf = (option: Option): string =>
  option.kind === "flag" ? "" : option.kind === "choice" ? ` ${option.choices.join("|")}` : ` ${option.value}`

const row = (left: string, right: string): string =>
  left.length + 4 > summaryColumn
    ? `  ${left}\n${" ".repeat(summaryColumn)}${right}`
    : `  ${left.padEnd(summaryColumn - 2)}${right}`

/** The line that says how a subcommand is called. */
export const usageOf = (spec: Spec): string => {
  const words = spec.arguments.map(shown).join(" ")
  const own = Object.keys(spec.options).length > 0 ? " [options]" : ""
  const rest = spec.arguments.at(-1)?.rest === true && spec.arguments.at(-1)!.optional !== true
  return `Usage: annals ${spec.name}${rest ? `${own} ${words}` : `${words === "" ? "" : ` ${words}`}${own}`}\n`
}

/** Everything about one subcommand. */
export const helpOf = (spec: Spec): string => {
  const lines = [usageOf(spec), `${spec.summary}.`]
  if (spec.details !== undefined) lines.push("", spec.details)
  if (spec.arguments.length > 0) {
    lines.push("", ...spec.arguments.map((argument) => row(shown(argument), argument.summary)))
  }
  const options = Object.entries(spec.options)
  if (options.length > 0) {
    lines.push("", "Options:")
    for (const [name, option] of options) lines.push(row(`--${name}${valueOf(option)}`, option.summary))
    lines.push(row("--help", "This text"))
  }
  if (spec.examples.length > 0) {
    lines.push("", "Examples:")
    for (const { command, what } of spec.examples) lines.push(`  ${command}`, `      ${what}`)
  }
  return `${lines.join("\n")}\n`
}

/** The list of subcommands. */
export const overview = (subcommands: ReadonlyArray<Subcommand>): string =>
  `Usage: annals COMMAND [options]

  server                Serves a data directory: annals server [file.conf] [--port 6379] [--dir ./data] [--name value …]

On a data directory, whether a server uses it or not; nothing in it is ever changed:
${subcommands.map(({ spec }) => row(spec.name, spec.summary)).join("\n")}

  --version, --help     'annals COMMAND --help' says more, with examples

Moments are written 57 (a sequence), @1763848283500 (Unix milliseconds) or @2026-11-22T21:51:23.5Z.

Exit codes: 0 done · 1 not possible, or not found · 2 wrong usage · 3 damaged bytes · 4 written by a newer version
5 in use · 6 the hash chain is broken · 7 the last write is torn · 8 a checkpoint is not what the log says
`
