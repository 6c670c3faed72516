/** What each subcommand takes. */
import { common, type Spec } from "./spec.ts"

const from = { kind: "moment", value: "MOMENT", summary: "From the first batch at or after it" } as const
const to = { kind: "moment", value: "MOMENT", summary: "Up to the last batch at or before it" } as const
const db = { kind: "count", value: "N", summary: "Of this database (default 0)" } as const

export const logSpec = {
  name: "log",
  summary: "Shows the batches of the log in order",
  details: `A batch is what one command, one transaction or one background change wrote: all or nothing. Filters keep
batches of which at least one event fits all of --match, --type and --db.`,
  arguments: [],
  options: {
    ...common,
    from,
    to,
    count: { kind: "count", value: "N", summary: "At most so many batches" },
    match: { kind: "text", value: "PATTERN", summary: "Of keys like this (as KEYS takes it)" },
    type: { kind: "list", value: "EVENT", summary: "With an event of this type; may be given several times" },
    user: { kind: "text", value: "NAME", summary: "Of this user" },
    db: { kind: "count", value: "N", summary: "With an event of this database" },
    values: { kind: "flag", summary: "Values in full, and in JSON what was changed at all" },
    follow: { kind: "flag", summary: "Goes on with what is written meanwhile" }
  },
  examples: [
    { command: "annals log --from @2026-11-22T21:00 --match 'cart:*'", what: "What happened to carts since nine" },
    { command: "annals log --follow --json --values | jq .", what: "A feed of changes" }
  ]
} as const satisfies Spec

export const historySpec = {
  name: "history",
  summary: "Shows every event that touched a key",
  arguments: [{ name: "KEY", summary: "The key, as it is named at the end of the range" }],
  options: {
    ...common,
    db,
    from,
    to,
    count: { kind: "count", value: "N", summary: "At most so many events" },
    rev: { kind: "flag", summary: "Newest first" },
    field: { kind: "text", value: "FIELD", summary: "Only what concerns this field, member, element or stream entry" },
    values: { kind: "flag", summary: "Values in full, however long" }
  },
  examples: [
    { command: "annals history cart:7", what: "Who did what to it, and when" },
    { command: "annals history user:1 --field email --rev --count 1", what: "Who last changed the e-mail address" }
  ]
} as const satisfies Spec
