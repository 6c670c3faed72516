/** ACL categories of a command: what its flags and group imply, and what it adds. */
import type { Command } from "../define.ts"

/** Every category, in the order Redis prints them. */
const order = (
  "@keyspace @read @write @set @sortedset @list @hash @string @bitmap @hyperloglog @geo @stream @pubsub @admin @fast " +
  "@slow @blocking @dangerous @connection @transaction @scripting"
).split(" ")

const ofGroup: Readonly<Record<Command["group"], string | undefined>> = {
  string: "@string",
  generic: "@keyspace",
  connection: "@connection",
  server: undefined
}

export const categoriesOf = (command: Command): ReadonlyArray<string> => {
  const found = new Set<string>(command.categories)
  const { flags } = command
  if (flags.includes("write")) found.add("@write")
  if (flags.includes("readonly")) found.add("@read")
  if (flags.includes("admin")) found.add("@admin").add("@dangerous")
  if (flags.includes("pubsub")) found.add("@pubsub")
  if (flags.includes("blocking")) found.add("@blocking")
  found.add(flags.includes("fast") ? "@fast" : "@slow")
  // A container runs nothing itself; its subcommands have the group's category.
  const group = "subcommands" in command ? undefined : ofGroup[command.group]
  if (group !== undefined) found.add(group)
  return [...found].toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
}
