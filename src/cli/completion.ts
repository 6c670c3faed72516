/** `annals completion`: scripts with which shells complete command lines, made of what subcommands say of themselves. */
import type { Context } from "./context.ts"
import { exitCodes, UsageError } from "./context.ts"
import type { Input, Option, Spec } from "./spec.ts"
import type { completionSpec } from "./specs.ts"

export const run = async (context: Context, { words }: Input<typeof completionSpec.options>): Promise<number> => {
  const { subcommands } = await import("./table.ts")
  const specs = subcommands.map(({ spec }) => spec)
  const make = { bash, fish, zsh }[words[0]! as "bash"]
  if (make === undefined) throw new UsageError(`'${words[0]}' is no shell that is known: bash, zsh or fish`)
  context.write(make([serverSpec, ...specs]))
  return exitCodes.ok
}

/** Its options are those of redis.conf; the ones that everybody types. */
const serverSpec: Spec = {
  name: "server",
  summary: "Serves a data directory",
  arguments: [],
  options: {
    dir: { kind: "folder", value: "DIR", summary: "Data directory" },
    port: { kind: "count", value: "PORT", summary: "TCP port" },
    appendfsync: { kind: "choice", choices: ["always", "everysec", "no"], summary: "When writes are synced" }
  },
  examples: []
}

const namesOf = ({ options }: Spec): string => [...Object.keys(options), "help"].map((name) => `--${name}`).join(" ")

const valuesOf = (option: Option): string =>
  option.kind === "choice"
    ? `COMPREPLY=($(compgen -W "${option.choices.join(" ")}" -- "$word"))`
    : option.kind === "folder"
    ? "COMPREPLY=($(compgen -d -- \"$word\"))"
    : "COMPREPLY=()"

const bash = (specs: ReadonlyArray<Spec>): string => {
  const cases = specs.map((spec) => {
    const own = Object.entries(spec.options).filter(([, { kind }]) => kind !== "flag")
    const rows = own.map(([name, option]) => `        --${name}) ${valuesOf(option)}; return ;;`)
    return `    ${spec.name})
      case "$before" in
${rows.join("\n")}
      esac
      COMPREPLY=($(compgen -W "${wordsOf(spec)}${namesOf(spec)}" -- "$word")) ;;`
  })
  return `# For bash: annals completion bash > ~/.local/share/bash-completion/completions/annals
_annals() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${specs.map(({ name }) => name).join(" ")} --help --version" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
}
complete -F _annals annals
`
}

/** Words that stand where a subcommand takes one of a few. */
const wordsOf = ({ name }: Spec): string => name === "completion" ? "bash zsh fish " : ""

const single = (text: string): string => text.replaceAll("'", "'\\''")

const zshValue = (option: Option): string =>
  option.kind === "flag"
    ? ""
    : option.kind === "choice"
    ? `:value:(${option.choices.join(" ")})`
    : option.kind === "folder"
    ? ":directory:_files -/"
    : `:${option.value.toLowerCase()}: `

const zsh = (specs: ReadonlyArray<Spec>): string => {
  const describe = (text: string): string => single(text.replace(/[[\]:]/g, (mark) => `\\${mark}`))
  const commands = specs.map(({ name, summary }) => `    '${name}:${describe(summary)}'`)
  const cases = specs.map((spec) => {
    const options = Object.entries(spec.options).map(([name, option]) =>
      `        '${option.kind === "list" ? "*" : ""}--${name}[${describe(option.summary)}]${single(zshValue(option))}'`
    )
    const words = spec.name === "completion" ? " \\\n        '1:shell:(bash zsh fish)'" : ""
    return `    ${spec.name})
      _arguments \\
${[...options, "        '--help[Help]'"].join(" \\\n")}${words} ;;`
  })
  return `#compdef annals
# For zsh: annals completion zsh > a folder of $fpath, as _annals
_annals() {
  local -a commands
  commands=(
${commands.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join("\n")}
  esac
}
_annals "$@"
`
}

const fish = (specs: ReadonlyArray<Spec>): string => {
  const lines = [
    "# For fish: annals completion fish > ~/.config/fish/completions/annals.fish",
    "complete -c annals -f"
  ]
  for (const spec of specs) {
    lines.push(`complete -c annals -n __fish_use_subcommand -a ${spec.name} -d '${single(spec.summary)}'`)
    const within = `complete -c annals -n '__fish_seen_subcommand_from ${spec.name}'`
    if (spec.name === "completion") lines.push(`${within} -a 'bash zsh fish'`)
    for (const [name, option] of Object.entries(spec.options)) {
      const value = option.kind === "flag"
        ? ""
        : option.kind === "choice"
        ? ` -x -a '${option.choices.join(" ")}'`
        : option.kind === "folder"
        ? " -x -a '(__fish_complete_directories)'"
        : " -x"
      lines.push(`${within} -l ${name}${value} -d '${single(option.summary)}'`)
    }
  }
  return `${lines.join("\n")}\n`
}
