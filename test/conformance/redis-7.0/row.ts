/**
 * Every command of Redis 7.0.15, declared as the product declares its own: one row says what COMMAND INFO, COMMAND DOCS
 * and COMMAND GETKEYS answer. The rows of commands that the product has not (yet) are there to prove that they can be
 * declared; none of them can be run. Sentences are left out, that there is one is noted: summaries, complexities, notes
 * and what a version changed are not compared.
 */
import type { Command, ContainerCommand, Flag, Group, KeySpec } from "../../../src/commands/define.ts"

interface Facts
  extends
    Partial<Pick<Command, "syntax" | "keys" | "findKeys" | "categories" | "deprecated" | "internal" | "complexity">>
{
  /** Separated by spaces. */
  readonly flags?: string
  readonly tips?: string
  /** The versions that changed something. */
  readonly history?: string
  /** Which key specifications have notes. */
  readonly notes?: ReadonlyArray<boolean>
  readonly subcommands?: ReadonlyArray<Row>
}

/** A command of a group that `group` adds. */
export type Row = (group: Group) => Command

const words = (text: string | undefined): ReadonlyArray<string> => text?.split(" ") ?? []

const noted = (keys: ReadonlyArray<KeySpec>, notes: ReadonlyArray<boolean> | undefined): ReadonlyArray<KeySpec> =>
  keys.map((spec, i) => notes?.[i] === true ? { ...spec, notes: "a note" } : spec)

/** One command: name, the version that introduced it, arity, and what else there is to say. */
export const row = (name: string, since: string, arity: number, facts: Facts = {}): Row => (group) => {
  const { categories, deprecated, findKeys, internal, keys, notes, subcommands } = facts
  const described = {
    name,
    since,
    arity,
    group,
    summary: "a summary",
    complexity: facts.complexity ?? "a complexity",
    syntax: facts.syntax ?? "",
    flags: words(facts.flags) as ReadonlyArray<Flag>,
    tips: words(facts.tips),
    history: words(facts.history).map((version) => [version, "a change"] as const),
    ...(keys === undefined ? {} : { keys: noted(keys, notes) }),
    ...(findKeys === undefined ? {} : { findKeys }),
    ...(categories === undefined ? {} : { categories }),
    ...(deprecated === undefined ? {} : { deprecated }),
    ...(internal === undefined ? {} : { internal })
  }
  return subcommands === undefined
    ? { ...described, decide: () => null }
    : { ...described, subcommands: subcommands.map((sub) => sub(group)) as ContainerCommand["subcommands"] }
}

export const group = (name: Group, rows: ReadonlyArray<Row>): ReadonlyArray<Command> => rows.map((make) => make(name))
