/** The entry of `annals` for everything but the server: it starts in a tenth of the time that the server's modules take. */
import { version } from "../config/version.ts"
import { exitCodes } from "./context.ts"
import { overview } from "./help.ts"
import { runSubcommand } from "./run.ts"
import { subcommands } from "./table.ts"
import { processContext } from "./terminal.ts"

/** Runs a command line whose first word is not `server`, and sets the exit code of the process. */
export const main = async ([word, ...rest]: ReadonlyArray<string>): Promise<void> => {
  const context = processContext()
  const subcommand = subcommands.find(({ spec }) => spec.name === word)
  if (word === "--version" || word === "-v") context.write(`Annals ${version}\n`)
  else if (word === "--help" || word === "-h" || word === "help") context.write(overview(subcommands))
  else if (subcommand !== undefined) process.exitCode = await runSubcommand(subcommand, rest, context)
  else {
    context.warn(word === undefined ? overview(subcommands) : `annals: unknown command '${word}', see annals --help\n`)
    process.exitCode = exitCodes.usage
  }
}

if (import.meta.main) await main(process.argv.slice(2))
