/** PFSELFTEST: whether this machine counts as it should. */
import { ok, ReplyError } from "../../net/resp/reply.ts"
import { estimate } from "../../projections/structures/hyperloglog-estimate.ts"
import { rankAndRegister } from "../../projections/structures/hyperloglog-hash.ts"
import { histogramOf } from "../../projections/structures/hyperloglog-union.ts"
import {
  denseBytes,
  Encoding,
  registerAt,
  registerCount,
  setRegister,
  writeHeader
} from "../../projections/structures/hyperloglog.ts"
import type { Decision } from "../decision.ts"
import { defineCommand } from "../define.ts"
import { Draft } from "./draft.ts"

const cycles = 20
/** The most elements added; ten times as many would hold up everybody else for a moment. */
const elements = 100_000
/** Standard error of an estimate: 1.04 / √16384. */
const standardError = 1.04 / Math.sqrt(registerCount)
/** An estimate further off than so many standard errors is taken for a failure; one in 500 million would be by chance. */
const tolerated = 6
/** Up to so many elements a value is to be sparse as well as dense, the limit being wide. */
const sparseElements = 3000
const sparseLimit = 16 * 1024

const failed = (what: string): ReplyError => new ReplyError(`TESTFAILED ${what}`)

const words = new Uint8Array(8)

const randomElement = (d: Decision): number => {
  for (let i = 0; i < words.length; i += 4) {
    const word = d.random()
    for (let n = 0; n < 4; n++) words[i + n] = word >>> 8 * n
  }
  return rankAndRegister(words, 0, words.length)
}

/** Registers keep what is written, and leave their neighbours alone. */
const testRegisters = (d: Decision): void => {
  const value = new Uint8Array(denseBytes)
  const expected = new Uint8Array(registerCount)
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (let register = 0; register < registerCount; register++) {
      expected[register] = d.random() & 63
      setRegister(value, 0, register, expected[register]!)
    }
    for (let register = 0; register < registerCount; register++) {
      const found = registerAt(value, 0, register)
      if (found === expected[register]) continue
      throw failed(`Register ${register} should be ${expected[register]}, but is ${found}`)
    }
  }
}

/** Sparse and dense values of the same elements hold the same, and their estimates are near enough. */
const testEstimates = (d: Decision): void => {
  const dense = new Uint8Array(denseBytes)
  writeHeader(dense, Encoding.dense)
  const sparse = new Draft()
  sparse.begin()
  let checkpoint = 1
  for (let added = 1; added <= elements; added++) {
    const position = randomElement(d)
    const register = position & 0x3fff
    const rank = position >>> 14
    if (registerAt(dense, 0, register) < rank) setRegister(dense, 0, register, rank)
    if (added <= sparseElements) sparse.raise(register, rank, sparseLimit, false)
    if (added === sparseElements) {
      sparse.becomeDense()
      for (let i = 0; i < registerCount; i++) {
        if (registerAt(dense, 0, i) !== registerAt(sparse.dense, 0, i)) throw failed("dense and sparse differ")
      }
    }
    if (added !== checkpoint) continue
    checkpoint *= 10
    const found = estimate(histogramOf(dense, 0, denseBytes)!)
    if (Math.abs(found - added) > Math.ceil(added * standardError * tolerated)) {
      throw failed(`Too big error: ${found} estimated, ${added} added`)
    }
  }
}

export const pfselftest = defineCommand({
  name: "PFSELFTEST",
  since: "2.8.9",
  group: "hyperloglog",
  summary: "Tests the registers, the two encodings and the estimates of HyperLogLogs with random elements.",
  complexity: "O(1), about 20 milliseconds",
  syntax: "",
  arity: 1,
  flags: ["admin"],
  internal: true,
  decide: (d) => {
    testRegisters(d)
    testEstimates(d)
    return ok
  }
})
