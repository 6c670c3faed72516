/** ACL categories of a command: what its flags and group imply, and what it adds or takes away. */
import type { Command, Group } from "../define.ts"

/** Every category, in the order Redis prints them, then ours. */
export const allCategories: ReadonlyArray<string> = (
  "@keyspace @read @write @set @sortedset @list @hash @string @bitmap @hyperloglog @geo @stream @pubsub @admin @fast " +
  "@slow @blocking @dangerous @connection @transaction @scripting @history"
).split(" ")

/** Groups whose commands belong to a category of the same meaning. */
const ofGroup: Readonly<Record<Group, string | undefined>> = {
  generic: "@keyspace",
  string: "@string",
  list: "@list",
  set: "@set",
  "sorted-set": "@sortedset",
  hash: "@hash",
  stream: "@stream",
  bitmap: "@bitmap",
  hyperloglog: "@hyperloglog",
  geo: "@geo",
  // PUBSUB and its subcommands have the flag, PUBLISH and the like too.
  pubsub: undefined,
  transactions: "@transaction",
  scripting: "@scripting",
  connection: "@connection",
  server: undefined,
  cluster: undefined,
  history: "@history"
}

/** The ACL categories of a command, in Redis's order. */
export const categoriesOf = (command: Command): ReadonlyArray<string> => {
  const found = new Set<string>()
  const { flags } = command
  if (flags.includes("write")) found.add("@write")
  // What a script that only reads does is not known; it has no category of data.
  if (flags.includes("readonly") && command.group !== "scripting") found.add("@read")
  if (flags.includes("admin")) found.add("@admin").add("@dangerous")
  if (flags.includes("pubsub")) found.add("@pubsub")
  if (flags.includes("blocking")) found.add("@blocking")
  found.add(flags.includes("fast") ? "@fast" : "@slow")
  // A container runs nothing itself; its subcommands have the group's category.
  const group = "subcommands" in command ? undefined : ofGroup[command.group]
  if (group !== undefined) found.add(group)
  for (const change of command.categories ?? []) {
    if (change.startsWith("-")) found.delete(change.slice(1))
    else found.add(change)
  }
  return allCategories.filter((category) => found.has(category))
}
