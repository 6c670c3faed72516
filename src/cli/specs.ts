/** What each subcommand takes. */
import { common, type Spec } from "./spec.ts"

/** How words are given that are not UTF-8. */
const anyBytes = `'"\\xff\\n"'`

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
  arguments: [{ name: "KEY", summary: `The key, as it is named at the end of the range; of any bytes: ${anyBytes}` }],
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

export const verifySpec = {
  name: "verify",
  summary: "Checks that the log is what was written",
  details:
    `Every checksum, the SHA-256 of every sealed stretch and the chain through them, that no sequence is missing, what the
manifest vouches for, and every checkpoint. The first line that is not sound tells file, byte and sequence.

Exit codes: 0 sound; 3 bytes are damaged; 6 the chain is broken: something was changed, exchanged or taken away; 7 the
last write is torn, nothing that was safe is missing; 8 a checkpoint is damaged or not what the log says.`,
  arguments: [],
  options: {
    ...common,
    "expect-head": {
      kind: "text",
      value: "SEQ:HASH",
      summary: "A head that was noted earlier, elsewhere: nothing before it may have changed"
    },
    folds: { kind: "flag", summary: "Also folds the log and compares every checkpoint with it" }
  },
  examples: [
    { command: "annals verify --dir /var/lib/annals", what: "Is everything as it was written?" },
    { command: "annals verify --expect-head 57:3b1e…", what: "Is the log still the one whose head was noted at 57?" }
  ]
} as const satisfies Spec

export const restoreSpec = {
  name: "restore",
  summary: "Makes a new data directory that holds exactly what was there at a moment",
  details:
    `The new directory has the log up to there, with its history. Keys whose deadlines have passed since then expire as
soon as a server is started on it. What was written within one batch is there whole or not at all.`,
  arguments: [],
  options: {
    ...common,
    to: { kind: "moment", value: "MOMENT", summary: "After the last batch at or before it" },
    before: { kind: "moment", value: "MOMENT", summary: "After the last batch before it" },
    out: { kind: "folder", value: "NEWDIR", summary: "The new directory, absent or empty" }
  },
  examples: [
    { command: "annals restore --before 1042 --out ./rescued", what: "As it was just before batch 1042" },
    { command: "annals restore --to @2026-11-22T21:51 --out ./rescued", what: "As it was at nine minutes to ten" }
  ]
} as const satisfies Spec

const expression = {
  name: "EXPRESSION",
  summary: "A command that reads, and perhaps < <= > >= = != and a value ('nil' for nothing): 'GET bal < 0'"
} as const

export const whenSpec = {
  name: "when",
  summary: "Finds the first batch after which something is true",
  details:
    `Without an operator an expression is true of anything but nothing, "" and 0. Only the events of the keys that it reads
are folded. Exit code 1: it never was true.`,
  arguments: [expression],
  options: {
    ...common,
    db,
    from,
    to
  },
  examples: [
    { command: "annals when 'GET bal < 0'", what: "Who overdrew the account?" },
    { command: "annals when 'HGET user:1 email = nil' --from 57", what: "Who removed the e-mail address after 57?" }
  ]
} as const satisfies Spec

export const bisectSpec = {
  name: "bisect",
  summary: "Finds where something became true that stays true, by halving",
  details:
    `It looks at all data of some twenty moments, whatever the expression reads, and is right for what, once true, stays
true. 'annals when' is faster where an expression reads a few keys.`,
  arguments: [expression],
  options: {
    ...common,
    db,
    from,
    to
  },
  examples: [{ command: "annals bisect 'DBSIZE > 1000000'", what: "When were there a million keys?" }]
} as const satisfies Spec

export const blameSpec = {
  name: "blame",
  summary: "Tells for every element of a value which batch put it there",
  details:
    `For every field of a hash, element of a list, member of a set or sorted set, entry of a stream. Values that were renamed,
copied or moved keep what is known about them.`,
  arguments: [{ name: "KEY", summary: `The key; of any bytes: ${anyBytes}` }],
  options: {
    ...common,
    db,
    to: { kind: "moment", value: "MOMENT", summary: "As it was then (default: now)" }
  },
  examples: [{ command: "annals blame user:1", what: "Who set which field, and when" }]
} as const satisfies Spec

export const atSpec = {
  name: "at",
  summary: "Asks a command about the data of a moment",
  details:
    `Deadlines count as of the moment: what had expired by then is not there. At a terminal answers look as in redis-cli,
elsewhere they are raw.`,
  arguments: [
    { name: "MOMENT", summary: "When" },
    {
      name: "COMMAND",
      summary: `Any command that reads, with its arguments; any bytes: ${anyBytes}`,
      optional: true,
      rest: true
    }
  ],
  options: {
    ...common,
    db,
    repl: { kind: "flag", summary: "A read-only prompt instead of one command" },
    raw: { kind: "flag", summary: "Raw values, as if there were no terminal" },
    "no-raw": { kind: "flag", summary: "Values as at a terminal" }
  },
  examples: [
    { command: "annals at 57 -- HGETALL user:1", what: "The user as it was after batch 57" },
    { command: "annals at @2026-11-22T21:51 --repl", what: "Looks around in the data of nine minutes to ten" }
  ]
} as const satisfies Spec

export const diffSpec = {
  name: "diff",
  summary: "Shows what is different between the data of two moments",
  details:
    "Keys that were added (+), removed (-) and changed (~), with the elements that are different, before → after.",
  arguments: [{ name: "MOMENT", summary: "Before" }, { name: "MOMENT", summary: "After" }],
  options: {
    ...common,
    match: { kind: "text", value: "PATTERN", summary: "Only keys like this (as KEYS takes it)" },
    db: { kind: "count", value: "N", summary: "Only this database" },
    elements: { kind: "count", value: "N", summary: "So many elements of one key (default 20)" }
  },
  examples: [{ command: "annals diff 57 60", what: "What batches 58 to 60 have changed, taken together" }]
} as const satisfies Spec

export const stepSpec = {
  name: "step",
  summary: "Goes through the log batch by batch, forward and back",
  details:
    `At its prompt: n, p, go MOMENT, find PATTERN, break KEY, c (on to the next batch with such a key), q. Of each batch it
shows its events, and its keys before → after.`,
  arguments: [{ name: "MOMENT", summary: "Where to begin (default: the newest batch)", optional: true }],
  options: { ...common },
  examples: [{ command: "annals step @2026-11-22T21:51", what: "Begins with what had happened last by then" }]
} as const satisfies Spec

export const exportSpec = {
  name: "export",
  summary: "Writes all data of a moment: JSON lines, commands, or an RDB file",
  details:
    `JSON lines: one key each, with db, key, type, value and expire-at (Unix ms). RESP: commands for redis-cli --pipe;
streams as RESTORE, deadlines of hash fields as HPEXPIREAT, which Redis has since 7.4. RDB: the file that a redis-server loads
as its dump.rdb; what producers have added to streams is left out.`,
  arguments: [],
  options: {
    ...common,
    format: { kind: "choice", choices: ["jsonl", "resp"], summary: "Which of the two (default jsonl)" },
    at: { kind: "moment", value: "MOMENT", summary: "As it was then (default: now)" },
    match: { kind: "text", value: "PATTERN", summary: "Only keys like this (as KEYS takes it)" },
    db: { kind: "count", value: "N", summary: "Only this database" },
    rdb: { kind: "text", value: "FILE", summary: "An RDB file instead" },
    "rdb-version": {
      kind: "choice",
      choices: ["10", "12"],
      summary: "Of redis-server 7.0 (default), or of 7.4, with deadlines of hash fields"
    }
  },
  examples: [
    { command: "annals export --rdb dump.rdb", what: "For redis-server" },
    { command: "annals export --format resp | redis-cli -p 7000 --pipe", what: "Moves all data to another server" },
    { command: "annals export --at 57 --match 'user:*' > users.jsonl", what: "All users as they were after batch 57" }
  ]
} as const satisfies Spec

export const statsSpec = {
  name: "stats",
  summary: "Counts what the log is made of",
  details: "Events by type, key prefix and hour, batches by command, user and cause.",
  arguments: [],
  options: {
    ...common,
    from,
    to,
    top: { kind: "count", value: "N", summary: "So many rows of each kind (default 10)" },
    hours: { kind: "count", value: "N", summary: "So many of the latest hours (default 48)" },
    separator: { kind: "text", value: "TEXT", summary: "Ends the prefix of a key (default :)" }
  },
  examples: [{ command: "annals stats --from @2026-11-22", what: "What was written since midnight" }]
} as const satisfies Spec

export const importSpec = {
  name: "import",
  summary: "Makes a new data directory of the files of a redis-server",
  details:
    `FILE is an RDB file (dump.rdb), an append-only file with or without an RDB file at its head (appendonly.aof), or the
folder of one in several parts (appendonlydir). Stop the other server first, or make a copy of the files.`,
  arguments: [{ name: "FILE", summary: "What redis-server has written" }],
  options: {
    ...common,
    dir: { kind: "folder", value: "DIR", summary: "The new data directory, absent or empty (default ./data)" }
  },
  examples: [{ command: "annals import /var/lib/redis/dump.rdb --dir ./data", what: "Moves over from Redis" }]
} as const satisfies Spec

export const repairSpec = {
  name: "repair",
  summary: "Takes damaged and missing segments of a log from a replica or the primary",
  details:
    `The whole log is read. What is damaged comes from the other server, which has to be one of the same store, and takes
its place if it fits the hashes of the rest of the log; damaged files go to quarantine/. The server of the directory must
not be running. Where a password is needed, it is read from the environment variable REDISCLI_AUTH.

Exit codes: 0 the log is whole; 1 something is still damaged, or the other server cannot be asked; 2 wrong usage; 5 the
directory is in use.`,
  arguments: [],
  options: {
    ...common,
    from: { kind: "text", value: "HOST:PORT", summary: "The other server" },
    user: { kind: "text", value: "NAME", summary: "As this user (default: the default user)" }
  },
  examples: [{
    command: "annals repair --dir ./data --from replica:6379",
    what: "A primary takes what its replica has"
  }]
} as const satisfies Spec

export const salvageSpec = {
  name: "salvage",
  summary: "Writes everything readable of a damaged log into a new directory",
  details:
    `What is missing is recorded as gaps. No server may be using the damaged directory, which is never changed. A server
started on the new one names the gaps and goes on with the next sequence.

Exit codes: 0 nothing is missing; 1 something is missing, the report says what; 2 wrong usage; 3 it could not be done,
the new directory is not complete; 4 written by a newer version; 5 the damaged directory is in use.`,
  arguments: [],
  options: {
    ...common,
    out: { kind: "folder", value: "NEWDIR", summary: "The new directory, absent or empty" }
  },
  examples: [{ command: "annals salvage --dir ./data --out ./rescued", what: "Saves what can be saved" }]
} as const satisfies Spec

export const completionSpec = {
  name: "completion",
  summary: "Prints a script that completes command lines in a shell",
  arguments: [{ name: "SHELL", summary: "bash, zsh or fish" }],
  options: {},
  examples: [
    {
      command: "annals completion bash > ~/.local/share/bash-completion/completions/annals",
      what: "For bash, from the next shell on"
    }
  ]
} as const satisfies Spec
