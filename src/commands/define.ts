import type { Reply } from "../net/resp/reply.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { Decision } from "./decision.ts"
import type { Control } from "./ports.ts"
import type { CommandTable } from "./table.ts"

/** The words of one request; slot 0 is the command's name. Slices are valid until the command returns. */
export interface Argv {
  readonly length: number
  /** Hash of the word after the name, as a signed number, where it is known already. */
  readonly keyHash?: number
  readonly isHashed?: boolean
  at(index: number): Slice
}

/** The flags of COMMAND INFO, as Redis spells them. */
export type Flag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "fast"
  | "no_auth"
  | "no_async_loading"
  | "no_multi"
  | "allow_busy"
  | "may_replicate"
  | "no_mandatory_keys"
  | "touches_arbitrary_keys"

/** The groups of the Redis documentation, and ours. */
export type Group =
  | "generic"
  | "string"
  | "list"
  | "set"
  | "sorted-set"
  | "hash"
  | "stream"
  | "bitmap"
  | "hyperloglog"
  | "geo"
  | "pubsub"
  | "transactions"
  | "scripting"
  | "connection"
  | "server"
  | "cluster"
  | "history"

/** What a command does to keys, in the words and the order of COMMAND INFO. */
export type KeyFlag =
  | "RO"
  | "RW"
  | "OW"
  | "RM"
  | "access"
  | "update"
  | "insert"
  | "delete"
  | "not_key"
  | "incomplete"
  | "variable_flags"

/** Where the keys of a request stand, and what the command does to them (COMMAND INFO's key specifications). */
export interface KeySpec {
  readonly flags: ReadonlyArray<KeyFlag>
  /** First key by position, or after a keyword searched from `from` (from the end, backwards, when negative). */
  readonly begin: { readonly index: number } | { readonly keyword: string; readonly from: number } | "unknown"
  /**
   * A range relative to the first key: `last` counts from the end when negative, and then `limit` says which part of
   * the rest are keys (2: the first half). Or a count in the request: where it stands and where the first key does,
   * relative to the beginning.
   */
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly keyNumberAt: number; readonly firstKey: number; readonly step: number }
    | "unknown"
  readonly notes?: string
}

/** A key of a request and what the command does to it. */
export interface FoundKey {
  readonly key: Slice
  readonly flags: ReadonlyArray<KeyFlag>
}

interface Described {
  /** Upper case; of a subcommand only its own word. */
  readonly name: string
  /** Version of Redis that introduced it. */
  readonly since: string
  readonly group: Group
  readonly summary: string
  readonly complexity: string
  /** Arguments after the name, in the notation of server/syntax.ts. */
  readonly syntax: string
  /** Words of a request, name included (for a subcommand both words); negative: at least that many. */
  readonly arity: number
  readonly flags: ReadonlyArray<Flag>
  readonly keys?: ReadonlyArray<KeySpec>
  /**
   * Finds the keys where the specifications alone cannot: they are incomplete, or the flags depend on the arguments.
   * Undefined when the words make no sense as a request.
   */
  readonly findKeys?: (argv: Argv, table: CommandTable) => ReadonlyArray<FoundKey> | undefined
  /** ACL categories beyond those that flags and group imply; with a minus, one that they imply wrongly. */
  readonly categories?: ReadonlyArray<`@${string}` | `-@${string}`>
  /** Hints to proxies of a cluster, as COMMAND INFO prints them. */
  readonly tips?: ReadonlyArray<string>
  readonly deprecated?: { readonly since: string; readonly replacedBy: string }
  /** Not for use by applications ("syscmd"): DEBUG, REPLCONF. */
  readonly internal?: boolean
  /** What later versions of Redis changed: version and change. */
  readonly history?: ReadonlyArray<readonly [version: string, change: string]>
}

/** A command over data: decides from (state, arguments, now, seed), emits events, answers. */
export interface DataCommand extends Described {
  readonly decide: (d: Decision, argv: Argv) => Reply
}

/** A command over the server itself: connections, configuration, figures. */
export interface ControlCommand extends Described {
  readonly run: (control: Control, argv: Argv) => Reply
}

/** A command whose second word selects what to do: CLIENT, OBJECT, CONFIG. `run` answers when there is none (COMMAND). */
export interface ContainerCommand extends Described {
  readonly run?: (control: Control, argv: Argv) => Reply
  readonly subcommands: ReadonlyArray<DataCommand | ControlCommand>
}

export type Command = DataCommand | ControlCommand | ContainerCommand

/** Declares a command over data. Its table row, COMMAND INFO, documentation and ACL categories follow from it. */
export const defineCommand = (command: DataCommand): DataCommand => Object.freeze(command)
/** Declares a command over the server. */
export const defineControl = (command: ControlCommand): ControlCommand => Object.freeze(command)
/** Declares a container of subcommands. */
export const defineContainer = (command: ContainerCommand): ContainerCommand => Object.freeze(command)

/** Keys from `index` to `last`, which counts from there, or from the end when negative; `step` apart. */
const keyRange = (index: number, last: number, step: number, flags: ReadonlyArray<KeyFlag>): KeySpec => ({
  flags,
  begin: { index },
  find: { last, step, limit: 0 }
})

/** One key, at `index`. */
export const keyAtIndex = (index: number, ...flags: ReadonlyArray<KeyFlag>): ReadonlyArray<KeySpec> => [
  keyRange(index, 0, 1, flags)
]
/** One key, the first argument. */
export const firstKey = (...flags: ReadonlyArray<KeyFlag>): ReadonlyArray<KeySpec> => keyAtIndex(1, ...flags)
/** Every argument is a key. */
export const allKeys = (...flags: ReadonlyArray<KeyFlag>): ReadonlyArray<KeySpec> => keysFrom(1, ...flags)
/** Every argument from `index` on is a key. */
export const keysFrom = (index: number, ...flags: ReadonlyArray<KeyFlag>): ReadonlyArray<KeySpec> => [
  keyRange(index, -1, 1, flags)
]
/** Every argument from `index` on is a key, but the last. */
export const keysBeforeLast = (index: number, ...flags: ReadonlyArray<KeyFlag>): ReadonlyArray<KeySpec> => [
  keyRange(index, -2, 1, flags)
]
/** Every second argument is a key, the first one among them. */
export const keysWithValues = (...flags: ReadonlyArray<KeyFlag>): ReadonlyArray<KeySpec> => [keyRange(1, -1, 2, flags)]
/** A number at `index` says how many keys follow it, each `step` words from the one before. */
export const numberedKeys = (
  index: number,
  flags: ReadonlyArray<KeyFlag>,
  step = 1
): ReadonlyArray<KeySpec> => [{ flags, begin: { index }, find: { keyNumberAt: 0, firstKey: 1, step } }]
/** Keys in the first half of what follows a keyword, searched from word `from` on. */
export const keysAfterWord = (
  keyword: string,
  from: number,
  ...flags: ReadonlyArray<KeyFlag>
): ReadonlyArray<KeySpec> => [{ flags, begin: { keyword, from }, find: { last: -1, step: 1, limit: 2 } }]
/** One key, after a keyword, searched from word `from` on. */
export const keyAfterWord = (
  keyword: string,
  from: number,
  ...flags: ReadonlyArray<KeyFlag>
): ReadonlyArray<KeySpec> => [{ flags, begin: { keyword, from }, find: { last: 0, step: 1, limit: 0 } }]
/** Keys that no specification can find: names come from data, or the keyword may stand anywhere. */
export const unknownKeys = (...flags: ReadonlyArray<KeyFlag>): ReadonlyArray<KeySpec> => [
  { flags, begin: "unknown", find: "unknown" }
]
