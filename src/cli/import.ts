/** `annals import` as one of the subcommands; what it does stands in tools/. */
import { ConfigInvalid } from "../config/errors.ts"
import { ImportFailed } from "../rdb/import.ts"
import { importPath } from "../tools/import.ts"
import { type Context, exitCodes, Failed, UsageError } from "./context.ts"
import { toJson } from "./printing.ts"
import { Progress } from "./progress.ts"
import type { Input } from "./spec.ts"
import type { importSpec } from "./specs.ts"

export const run = (context: Context, { options, words }: Input<typeof importSpec.options>): number => {
  const { dir = "./data", json } = options
  const progress = new Progress(context, "importing", 1)
  let report = ""
  try {
    const { dead, keys, redisVersion, requests, sequence } = importPath(words[0]!, dir, {
      out: (text) => {
        report += text
      },
      err: (text) => context.warn(text),
      progress: (part) => progress.at(part)
    })
    progress.end()
    if (!json) context.write(report)
    else {
      context.write(
        `${toJson({ dir, keys, expired: dead, requests, sequence, "redis-version": redisVersion ?? null })}\n`
      )
    }
    return exitCodes.ok
  } catch (error) {
    progress.end()
    if (error instanceof ConfigInvalid) throw new UsageError(error.problem)
    if (error instanceof ImportFailed) throw new Failed(error.message)
    throw error
  }
}
