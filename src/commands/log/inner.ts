/** Which commands may be asked about the past: those that only look at data. */
import { ReplyError } from "../../net/resp/reply.ts"
import { shown } from "../arguments.ts"
import type { Argv } from "../define.ts"
import { unknownSubcommand, wrongArity } from "../errors.ts"
import type { CommandTable, Row } from "../table.ts"

const onlyReads = (name: string): ReplyError =>
  new ReplyError(`READONLY the past cannot be changed, and '${name}' is a command that writes`)

const notAboutData = (name: string): ReplyError =>
  new ReplyError(`ERR '${name}' does not read data, so it has no answer about the past`)

/** The row of the command that a request, its name first, asks about the past. Refuses what is unknown, writes or reads no data. */
export const pastCommand = (table: CommandTable, argv: Argv): Row => {
  let row = table.find(argv.at(0))
  if (row === undefined) throw new ReplyError(`ERR unknown command '${shown(argv.at(0))}'`)
  if (row.subcommands !== undefined && argv.length > 1) {
    const sub = row.subcommands.find(argv.at(1))
    if (sub === undefined) throw unknownSubcommand(row.name, argv.at(1).latin1())
    row = sub
  }
  const { arity, command, name } = row
  if (arity > 0 ? argv.length !== arity : argv.length < -arity) throw wrongArity(name)
  if (row.write) throw onlyReads(name)
  if (row.decide === undefined || !command.flags.includes("readonly")) throw notAboutData(name)
  return row
}
