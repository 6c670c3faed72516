import type { Reply } from "../net/resp/reply.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { Decision } from "./decision.ts"
import type { Control } from "./ports.ts"

/** The words of one request; slot 0 is the command's name. Slices are valid until the command returns. */
export interface Argv {
  readonly length: number
  /** Hash of the word after the name where it is known already, else -1 or absent. */
  readonly keyHash?: number
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
  | "movablekeys"
  | "no_async_loading"
  | "no_multi"
  | "allow_busy"
  | "may_replicate"
  | "touches_arbitrary_keys"

/** The groups of the Redis documentation. */
export type Group = "string" | "generic" | "connection" | "server"

/** Where the keys of a request stand, and what the command does to them (COMMAND INFO's key specifications). */
export interface KeySpec {
  readonly flags: ReadonlyArray<
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
  >
  /** First key by position, or after a keyword searched from `from`. */
  readonly begin: { readonly index: number } | { readonly keyword: string; readonly from: number }
  /** A range relative to the first key (`last` counted from the end when negative), or a count in the request. */
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly keyNumberAt: number; readonly firstKey: number; readonly step: number }
  readonly notes?: string
}

interface Described {
  /** Upper case; of a subcommand only its own word. */
  readonly name: string
  /** Version of Redis that introduced it. */
  readonly since: string
  readonly group: Group
  readonly summary: string
  readonly complexity: string
  /** Arguments after the name, as the documentation prints them. */
  readonly syntax: string
  /** Words of a request, name included (for a subcommand both words); negative: at least that many. */
  readonly arity: number
  readonly flags: ReadonlyArray<Flag>
  readonly keys?: ReadonlyArray<KeySpec>
  /** ACL categories beyond those that flags and group imply. */
  readonly categories?: ReadonlyArray<`@${string}`>
  /** Hints to proxies of a cluster, as COMMAND INFO prints them. */
  readonly tips?: ReadonlyArray<string>
  readonly deprecated?: { readonly since: string; readonly replacedBy: string }
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

type KeyFlags = KeySpec["flags"]

/** One key, at `index`. */
export const keyAtIndex = (index: number, ...flags: KeyFlags): ReadonlyArray<KeySpec> => [
  { flags, begin: { index }, find: { last: 0, step: 1, limit: 0 } }
]
/** One key, the first argument. */
export const firstKey = (...flags: KeyFlags): ReadonlyArray<KeySpec> => keyAtIndex(1, ...flags)
/** Every argument is a key. */
export const allKeys = (...flags: KeyFlags): ReadonlyArray<KeySpec> => [
  { flags, begin: { index: 1 }, find: { last: -1, step: 1, limit: 0 } }
]
