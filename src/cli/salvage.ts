/** `annals salvage` as one of the subcommands; what it does stands in tools/. */
import { describeGap } from "../log/gaps.ts"
import { salvage, salvageDirectory } from "../tools/salvage.ts"
import { type Context, exitCodes, UsageError } from "./context.ts"
import { toJson } from "./printing.ts"
import type { Input } from "./spec.ts"
import type { salvageSpec } from "./specs.ts"

export const run = (context: Context, { options }: Input<typeof salvageSpec.options>): number => {
  const { dir, json, out } = options
  // Not ./data by default: what is damaged should be named.
  if (dir === undefined || out === undefined) throw new UsageError(`--${dir === undefined ? "dir" : "out"} is missing`)
  if (!json) return salvage(["--dir", dir, "--out", out], { out: context.write, err: context.warn })
  const { segments, walk } = salvageDirectory(dir, out)
  const { anonymous, batches, events, gaps, next, notes, oldGaps, oldest } = walk
  context.write(`${
    toJson({
      out,
      batches,
      events,
      segments,
      "oldest-sequence": oldest,
      "next-sequence": next,
      missing: gaps.map(({ first, last }) => ({ sequence: first, "last-sequence": last })),
      reasons: gaps.map(describeGap),
      "missing-since-earlier": oldGaps.map(({ first, last }) => ({ sequence: first, "last-sequence": last })),
      "without-author": anonymous,
      notes
    })
  }\n`)
  return gaps.length === 0 ? exitCodes.ok : exitCodes.failed
}
