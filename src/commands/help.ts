/** HELP of containers: one definition for all, texts as data. */
import { Status } from "../net/resp/reply.ts"
import { type ControlCommand, defineControl, type Group } from "./define.ts"

/** A usage and the lines that explain it. */
export type HelpEntry = readonly [usage: string, ...lines: ReadonlyArray<string>]

/** The lines of a HELP reply, in the layout redis-cli users know. */
export const helpLines = (container: string, entries: ReadonlyArray<HelpEntry>): ReadonlyArray<Status> =>
  [
    `${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...[...entries, ["HELP", "Print this help."]].flatMap(([usage, ...lines]) => [
      usage!,
      ...lines.map((line) => `    ${line}`)
    ])
  ].map((line) => new Status(line))

/** The subcommand HELP of a container. */
export const help = (
  container: string,
  group: Group,
  entries: ReadonlyArray<HelpEntry>,
  more: Partial<Pick<ControlCommand, "since" | "categories">> = {}
): ControlCommand => {
  const lines = helpLines(container, entries)
  return defineControl({
    name: "HELP",
    since: "5.0.0",
    group,
    summary: "Lists the subcommands.",
    complexity: "O(1)",
    syntax: "",
    arity: 2,
    flags: ["loading", "stale"],
    ...more,
    run: () => lines
  })
}
