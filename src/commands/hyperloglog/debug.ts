/** PFDEBUG: what a HyperLogLog looks like inside. */
import { type Reply, ReplyError, Status } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { describeRuns } from "../../projections/structures/hyperloglog-sparse.ts"
import { isSparse, registerAt, registerCount } from "../../projections/structures/hyperloglog.ts"
import { isWord, shown } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, keyAtIndex } from "../define.ts"
import { draft } from "./draft.ts"
import { union } from "./gather.ts"
import { sketchOf } from "./value.ts"

const noSuchKey = new ReplyError("ERR The specified key does not exist")
const notSparse = new ReplyError("ERR HLL encoding is not sparse")
const neither = new ReplyError("ERR Argument must be ON or OFF")
const sparse = new Status("sparse")
const dense = new Status("dense")
const enabled = new Status("enabled")
const disabled = new Status("disabled")

/** Where Redis has vector instructions, here registers are taken four to a word, or one at a time. */
const chooseWords = (choice: Slice): Reply => {
  const on = isWord(choice, "ON")
  if (!on && !isWord(choice, "OFF")) throw neither
  union.wordwise = on
  return on ? enabled : disabled
}

/** Makes a sparse value dense; its estimate stays as good as it was. */
const makeDense = (d: Decision, key: Slice, value: Slice): void => {
  draft.load(value)
  draft.becomeDense()
  draft.emit(d, key, true)
}

const registersOf = (bytes: Uint8Array, start: number): Array<Reply> =>
  Array.from({ length: registerCount }, (_, register) => registerAt(bytes, start, register))

export const pfdebug = defineCommand({
  name: "PFDEBUG",
  since: "2.8.9",
  group: "hyperloglog",
  summary: "Shows the registers, the runs or the encoding of a HyperLogLog (GETREG, DECODE, ENCODING), makes it dense "
    + "(TODENSE, GETREG too), or chooses how registers are merged (SIMD ON or OFF in place of a key).",
  complexity: "O(N), N being the bytes of the value",
  syntax: "subcommand key",
  arity: 3,
  flags: ["write", "denyoom", "admin"],
  keys: keyAtIndex(2, "RW", "access"),
  internal: true,
  decide: (d, argv) => {
    const sub = argv.at(1)
    const key = argv.at(2)
    if (isWord(sub, "SIMD")) return chooseWords(key)
    const p = d.lookup(key)
    if (p === 0) throw noSuchKey
    const value = sketchOf(d, p)
    const { bytes, length, start } = value
    const wasSparse = isSparse(bytes, start)
    if (isWord(sub, "ENCODING")) return wasSparse ? sparse : dense
    if (isWord(sub, "DECODE")) {
      if (!wasSparse) throw notSparse
      return Buffer.from(describeRuns(bytes, start, length), "latin1")
    }
    if (isWord(sub, "TODENSE")) {
      if (wasSparse) makeDense(d, key, value)
      return wasSparse ? 1 : 0
    }
    if (!isWord(sub, "GETREG")) throw new ReplyError(`ERR Unknown PFDEBUG subcommand '${shown(sub)}'`)
    if (!wasSparse) return registersOf(bytes, start)
    makeDense(d, key, value)
    return registersOf(draft.dense, 0)
  }
})
