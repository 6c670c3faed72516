/** How subcommands describe what they take; help, completion and the types of their options follow from it. */
import type { Moment } from "../history/moment.ts"
import type { Context } from "./context.ts"

/** What an option takes, and how it is shown. */
export type Option =
  | { readonly kind: "flag"; readonly summary: string }
  | { readonly kind: "text" | "count" | "moment" | "list" | "folder"; readonly value: string; readonly summary: string }
  | { readonly kind: "choice"; readonly choices: ReadonlyArray<string>; readonly summary: string }

/** Options by name. */
export type OptionTable = Readonly<Record<string, Option>>

/** A word that stands without a name, `rest` for all those that are left (also behind `--`). */
export interface Argument {
  readonly name: string
  readonly summary: string
  readonly optional?: boolean
  readonly rest?: boolean
}

/** A subcommand as it is described. */
export interface Spec {
  readonly name: string
  readonly summary: string
  /** More about it, for its help: lines of text. */
  readonly details?: string
  readonly arguments: ReadonlyArray<Argument>
  readonly options: OptionTable
  readonly examples: ReadonlyArray<{ readonly command: string; readonly what: string }>
}

/** What an option holds once it is read. */
type ValueOf<O extends Option> = O extends { readonly kind: "flag" } ? boolean
  : O extends { readonly kind: "count" } ? number | undefined
  : O extends { readonly kind: "moment" } ? Moment | undefined
  : O extends { readonly kind: "list" } ? ReadonlyArray<string>
  : O extends { readonly kind: "choice"; readonly choices: ReadonlyArray<infer C> } ? C | undefined
  : string | undefined

/** The options of a subcommand as it gets them. */
export type Values<O extends OptionTable> = { readonly [K in keyof O]: ValueOf<O[K]> }

/** The words of a command line, read. */
export interface Input<O extends OptionTable = OptionTable> {
  readonly options: Values<O>
  readonly words: ReadonlyArray<string>
}

/** A subcommand with what it does; returns the exit code. */
export interface Subcommand {
  readonly spec: Spec
  /** Loaded when it is wanted: most of them need little. */
  readonly load: () => Promise<(context: Context, input: Input<never>) => number | Promise<number>>
}

/** Every subcommand that reads a data directory has these. */
export const common = {
  dir: { kind: "folder", value: "DIR", summary: "Data directory (default ./data, as the server)" },
  json: { kind: "flag", summary: "One JSON value per line; bytes that are no UTF-8 as {\"base64\": …}" }
} as const satisfies OptionTable
