/** `annals repair` as one of the subcommands; what it does stands in tools/. */
import { nodeDisk } from "../log/disk.ts"
import { segmentName } from "../log/segment.ts"
import { type Outcome, repairLog, Unreachable } from "../tools/repair.ts"
import { type Context, exitCodes, Failed, UsageError } from "./context.ts"
import { toJson } from "./printing.ts"
import type { Input } from "./spec.ts"
import type { repairSpec } from "./specs.ts"

export const run = async (context: Context, { options }: Input<typeof repairSpec.options>): Promise<number> => {
  const { dir, from, json, user } = options
  // Not ./data by default: what is damaged should be named.
  if (dir === undefined || from === undefined) {
    throw new UsageError(`--${dir === undefined ? "dir" : "from"} is missing`)
  }
  const [, host, port] = /^(.+):([0-9]{1,5})$/.exec(from) ?? []
  if (host === undefined || Number(port) > 65_535) throw new UsageError(`--from takes HOST:PORT, not '${from}'`)
  context.source(dir) // says so where there is none
  const password = process.env["REDISCLI_AUTH"]
  const giver = { host, port: Number(port), user, password: password === "" ? undefined : password }
  try {
    const outcomes = await repairLog(nodeDisk(dir), giver, `quarantine/repair-${context.now()}`)
    for (const outcome of outcomes) context.write(json ? asJson(outcome) : asText(outcome, from))
    if (outcomes.length === 0 && !json) context.write("Nothing is damaged.\n")
    return outcomes.every(({ problem }) => problem === undefined) ? exitCodes.ok : exitCodes.failed
  } catch (error) {
    if (error instanceof Unreachable) throw new Failed(error.message)
    throw error
  }
}

const asJson = ({ bytes, first, problem, why }: Outcome): string =>
  `${
    toJson({
      segment: segmentName(first),
      damage: why,
      repaired: problem === undefined,
      bytes,
      problem: problem ?? null
    })
  }\n`

const asText = ({ bytes, first, problem, why }: Outcome, from: string): string =>
  `Damaged: ${segmentName(first)}: ${why}\n`
  + (problem === undefined ? `  repaired, ${bytes} bytes from ${from}\n` : `  NOT repaired: ${problem}\n`)
