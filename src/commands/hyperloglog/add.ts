/** PFADD: elements go into a HyperLogLog. */
import { Slice } from "../../projections/memory/slice.ts"
import { rankAndRegister } from "../../projections/structures/hyperloglog-hash.ts"
import { planRaise, Raise, RaisePlan } from "../../projections/structures/hyperloglog-sparse.ts"
import { isSparse } from "../../projections/structures/hyperloglog.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { denseChanges, emitReplaced, emitStale } from "./changes.ts"
import { draft } from "./draft.ts"
import { corrupted, sketchOf } from "./value.ts"

const positionOf = ({ bytes, length, start }: Slice): number => rankAndRegister(bytes, start, length)
const registerOf = (position: number): number => position & 0x3fff
const rankOf = (position: number): number => position >>> 14

const addDense = (d: Decision, argv: Argv, key: Slice, value: Slice): number => {
  let raised = 0
  for (let i = 2; i < argv.length; i++) {
    const position = positionOf(argv.at(i))
    if (denseChanges.raise(value, registerOf(position), rankOf(position))) raised = 1
  }
  if (raised === 1) denseChanges.emit(d, key, value)
  return raised
}

const plan = new RaisePlan()
const planned = new Slice()

/** One element needs no copy: the plan says what changes. */
const addOneSparse = (d: Decision, key: Slice, value: Slice, position: number): number => {
  const { bytes, length, start } = value
  plan.restart()
  const limit = d.db.limits.sparseHyperLogLogBytes
  switch (planRaise(bytes, start, length, registerOf(position), rankOf(position), limit, plan)) {
    case Raise.none:
      return 0
    case Raise.corrupt:
      throw corrupted
    case Raise.planned:
      emitStale(d, key, value)
      emitReplaced(d, key, plan.offset, plan.removed, planned.set(plan.bytes, plan.start, plan.length))
      return 1
  }
  draft.load(value) // it becomes dense
  draft.raise(registerOf(position), rankOf(position), limit, false)
  draft.emit(d, key)
  return 1
}

const addSparse = (d: Decision, argv: Argv, key: Slice, value: Slice): number => {
  if (argv.length === 3) return addOneSparse(d, key, value, positionOf(argv.at(2)))
  if (argv.length === 2) return 0
  draft.load(value)
  if (!raiseAll(d, argv)) return 0
  draft.emit(d, key)
  return 1
}

const raiseAll = (d: Decision, argv: Argv): boolean => {
  let raised = false
  for (let i = 2; i < argv.length; i++) {
    const position = positionOf(argv.at(i))
    if (draft.raise(registerOf(position), rankOf(position), d.db.limits.sparseHyperLogLogBytes, false)) raised = true
  }
  return raised
}

export const pfadd = defineCommand({
  name: "PFADD",
  since: "2.8.9",
  group: "hyperloglog",
  summary: "Adds elements to a HyperLogLog, which is made when the key is absent; 1 when that changed what it holds.",
  complexity: "O(1) for each element",
  syntax: "key [element ...]",
  arity: -2,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "insert"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = d.lookup(key)
    if (p === 0) {
      draft.begin()
      raiseAll(d, argv)
      draft.emit(d, key)
      return 1
    }
    const value = sketchOf(d, p)
    return isSparse(value.bytes, value.start) ? addSparse(d, argv, key, value) : addDense(d, argv, key, value)
  }
})
