import { noReply, ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { word } from "../arguments.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"

const notARange = new ReplyError("ERR what to undo is a sequence, or two with .. between them, the first of them not 0")
const form = /^([0-9]{1,16})(?:\.\.([0-9]{1,16}))?$/

/** `57` or `57..60`. */
const rangeAt = (arg: Slice): { readonly from: number; readonly to: number } => {
  const found = form.exec(arg.latin1())
  const from = Number(found?.[1] ?? 0)
  const to = Number(found?.[2] ?? from)
  if (from === 0 || to < from || !Number.isSafeInteger(to)) throw notARange
  return { from, to }
}

export const undo = defineControl({
  name: "LOG.UNDO",
  since: "7.4.0",
  group: "history",
  summary: "Brings the keys that some batches changed back to what they held before, by one batch more.",
  complexity:
    "O(N) where N is the number of batches to undo and of those after them, and for many keys the size of the data.",
  syntax: "range [KEY key] [DRYRUN] [FORCE]",
  arity: -2,
  flags: ["write", "denyoom", "noscript", "no_multi"],
  categories: ["@dangerous"],
  run: ({ client, connection, questions }, argv) => {
    const range = rangeAt(argv.at(1))
    let key: Uint8Array | undefined
    let dryRun = false
    let force = false
    for (let i = 2; i < argv.length; i++) {
      const option = word(argv.at(i))
      if (option === "DRYRUN") dryRun = true
      else if (option === "FORCE") force = true
      else if (option === "KEY" && i + 1 < argv.length) key = argv.at(++i).toBytes()
      else throw errors.syntax
    }
    questions.undo(connection, { kind: "undo", ...range, key, db: client.db, dryRun, force })
    return noReply
  }
})
