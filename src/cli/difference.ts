/** Values before and after, and what is different between them, element by element. */
import { stateDigestValue } from "../projections/digest.ts"
import type { Database, Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { valueJson } from "./export.ts"
import { abridged, bare, isoTime, jsonOfBytes } from "./printing.ts"
import { deadlineOf, eachEntry, eachPart, scoreText, stringOf, type TypeName, typeOf } from "./values.ts"

/** A value by itself: everything that `difference` compares. Of an absent key there is none. */
export interface Snapshot {
  readonly type: TypeName
  readonly deadline: number
  readonly digest: string
  /** Of a string. */
  readonly text: string
  /** Of a collection, by element in its order; of a list all names are alike. */
  readonly parts: ReadonlyArray<readonly [name: string, value: string]>
  readonly json: Record<string, unknown>
}

/** The value of a key as it is in a keyspace; undefined when there is none. `withJson`: also as JSON. */
export const snapshot = (keyspace: Keyspace, number: number, key: Slice, withJson: boolean): Snapshot | undefined => {
  const db: Database = keyspace.database(number)
  const p = db.locate(key)
  if (p === 0) return undefined
  const type = typeOf(db, p)
  const parts: Array<readonly [string, string]> = []
  let text = ""
  if (type === "string") text = abridged(stringOf(db, p))
  else if (type === "stream") {
    eachEntry(db, p, (id, pairs) =>
      void parts.push([
        id,
        pairs.map((x) => abridged(x)).join(" ")
      ]))
  }
  else {
    eachPart(db, p, (name, value, extra) => {
      const held = type === "hash"
        ? `${abridged(value!)}${extra === 0 ? "" : ` (until ${isoTime(extra)})`}`
        : type === "zset"
        ? scoreText(extra)
        : ""
      parts.push(type === "list" ? ["", abridged(name)] : [abridged(name), held])
    })
  }
  return {
    type,
    deadline: deadlineOf(db, p),
    digest: stateDigestValue(db, p),
    text,
    parts,
    json: withJson ? valueJson(db, p, 0) : {}
  }
}

/** Whether two snapshots say the same. */
export const isSame = (before: Snapshot | undefined, after: Snapshot | undefined): boolean =>
  before?.digest === after?.digest && before?.deadline === after?.deadline && before?.type === after?.type

const whole = ({ parts, text, type }: Snapshot): string => type === "string" ? text : `${type} of ${parts.length}`

/** Lines that tell before from after: the key first, its elements indented below it; `most` elements at most. */
export const difference = (
  db: number,
  key: Slice,
  before: Snapshot | undefined,
  after: Snapshot | undefined,
  most: number
): Array<string> => {
  const name = `db${db} ${bare(key)}`
  if (before === undefined && after === undefined) return []
  if (after === undefined) return [`- ${name}: ${whole(before!)}`]
  if (before === undefined) {
    return [`+ ${name}: ${whole(after)}${untilText(after)}`, ...elements([], after, most)]
  }
  const lines: Array<string> = []
  if (before.type !== after.type) lines.push(`~ ${name}: ${whole(before)} → ${whole(after)}`)
  else if (after.type === "string" && before.text !== after.text) {
    lines.push(`~ ${name}: ${before.text} → ${after.text}`)
  }
  else lines.push(`~ ${name}: ${after.type}`)
  if (before.deadline !== after.deadline) {
    lines.push(`    expires ${deadlineText(before.deadline)} → ${deadlineText(after.deadline)}`)
  }
  const changed = elements(before.type === after.type ? before.parts : [], after, most)
  if (changed.length === 0 && lines.length === 1 && after.type === "stream") {
    lines.push("    its groups, ids or producers")
  }
  return [...lines, ...changed]
}

const deadlineText = (deadline: number): string => deadline === 0 ? "never" : isoTime(deadline)
const untilText = ({ deadline }: Snapshot): string => deadline === 0 ? "" : `, expires ${isoTime(deadline)}`

const elements = (before: Snapshot["parts"], after: Snapshot, most: number): Array<string> => {
  const all = after.type === "list" ? inOrder(before, after.parts) : byName(before, after.parts)
  const shown = all.slice(0, most).map((line) => `    ${line}`)
  return all.length > most ? [...shown, `    (${all.length - most} more)`] : shown
}

/** Elements that have names. */
const byName = (before: Snapshot["parts"], after: Snapshot["parts"]): Array<string> => {
  const old = new Map(before)
  const lines: Array<string> = []
  const word = (value: string): string => value === "" ? "" : ` ${value}`
  for (const [name, value] of after) {
    const was = old.get(name)
    old.delete(name)
    if (was === undefined) lines.push(`+ ${name}${word(value)}`)
    else if (was !== value) lines.push(`~ ${name}: ${was} → ${value}`)
  }
  for (const [name, value] of old) lines.push(`- ${name}${word(value)}`)
  return lines
}

/** Elements that have places: what lies between the beginning and the end that stayed. */
const inOrder = (before: Snapshot["parts"], after: Snapshot["parts"]): Array<string> => {
  let start = 0
  const same = (a: number, b: number): boolean => before[a]?.[1] === after[b]?.[1]
  while (start < before.length && start < after.length && same(start, start)) start++
  let end = 0
  const shorter = Math.min(before.length, after.length) - start
  while (end < shorter && same(before.length - 1 - end, after.length - 1 - end)) end++
  const gone = before.slice(start, before.length - end).map(([, value], i) => `- [${start + i}] ${value}`)
  const come = after.slice(start, after.length - end).map(([, value], i) => `+ [${start + i}] ${value}`)
  return [...gone, ...come]
}

/** The same as JSON. */
export const differenceJson = (
  db: number,
  key: Slice,
  before: Snapshot | undefined,
  after: Snapshot | undefined
): unknown => ({
  db,
  key: jsonOfBytes(key),
  change: before === undefined ? "added" : after === undefined ? "removed" : "changed",
  before: sideJson(before),
  after: sideJson(after)
})

const sideJson = (side: Snapshot | undefined): unknown =>
  side === undefined
    ? null
    : { type: side.type, ...side.deadline === 0 ? {} : { "expire-at": side.deadline }, ...side.json }
