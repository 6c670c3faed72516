import type { Row } from "../table.ts"

/** Control commands that change nothing outside the connection's choice of a database, which is taken back too. */
const harmless = new Set([
  "ping",
  "echo",
  "select",
  "time",
  "lolwut",
  "info",
  "lastsave",
  "role",
  "command",
  "client|id",
  "client|getname",
  "client|info",
  "client|list",
  "client|help",
  "config|get",
  "config|help",
  "memory|stats",
  "memory|doctor",
  "memory|malloc-stats",
  "memory|help",
  "slowlog|get",
  "slowlog|len",
  "slowlog|help",
  "latency|doctor",
  "latency|graph",
  "latency|histogram",
  "latency|history",
  "latency|latest",
  "latency|help"
])

/**
 * Whether a failing transaction can take the command back. Commands over data can be, by their nature; of the others
 * those that only look.
 */
export const isUndoable = (row: Row): boolean =>
  row.decide !== undefined || harmless.has(row.name) || row.name.startsWith("command|") || row.name === "unwatch"
