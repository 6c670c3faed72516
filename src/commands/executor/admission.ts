import { ReplyError } from "../../net/resp/reply.ts"
import type { Argv } from "../define.ts"

/** Redis shows at most this many characters of what it did not understand. */
const shown = 128

/** "unknown command 'x', with args beginning with: 'a' 'b' ", cut where Redis cuts it. */
export const unknownCommand = (argv: Argv): ReplyError => {
  let args = ""
  for (let i = 1; i < argv.length && args.length < shown; i++) {
    args += `'${argv.at(i).latin1().slice(0, shown - args.length)}' `
  }
  return new ReplyError(
    `ERR unknown command '${argv.at(0).latin1().slice(0, shown)}', with args beginning with: ${args}`
  )
}
