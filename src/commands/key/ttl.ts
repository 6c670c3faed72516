import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"

const noKey = -2
const noDeadline = -1

/** The key's deadline in Unix ms, or one of the two negative answers. */
const deadlineOf = (d: Decision, argv: Argv): number => {
  const p = d.counted(d.peek(argv.at(1)), argv.at(1))
  if (p === 0) return noKey
  const deadline = d.deadline(p)
  return deadline === 0 ? noDeadline : deadline
}

const roundToSeconds = (ms: number): number => Math.floor((ms + 500) / 1000)

export const ttl = defineCommand({
  name: "TTL",
  since: "1.0.0",
  group: "generic",
  summary: "Tells how many seconds a key has left, rounded; -1 without a deadline, -2 without a key.",
  complexity: "O(1)",
  syntax: "key",
  history: [["2.8.0", "-2 for an absent key."]],
  arity: 2,
  flags: ["readonly", "fast"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const deadline = deadlineOf(d, argv)
    return deadline < 0 ? deadline : roundToSeconds(deadline - d.now)
  }
})

export const pttl = defineCommand({
  name: "PTTL",
  since: "2.6.0",
  group: "generic",
  summary: "Tells how many milliseconds a key has left; -1 without a deadline, -2 without a key.",
  complexity: "O(1)",
  syntax: "key",
  history: [["2.8.0", "-2 for an absent key."]],
  arity: 2,
  flags: ["readonly", "fast"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const deadline = deadlineOf(d, argv)
    return deadline < 0 ? deadline : deadline - d.now
  }
})

export const expireTime = defineCommand({
  name: "EXPIRETIME",
  since: "7.0.0",
  group: "generic",
  summary: "Tells when a key dies, in Unix seconds; -1 without a deadline, -2 without a key.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const deadline = deadlineOf(d, argv)
    return deadline < 0 ? deadline : roundToSeconds(deadline)
  }
})

export const pexpireTime = defineCommand({
  name: "PEXPIRETIME",
  since: "7.0.0",
  group: "generic",
  summary: "Tells when a key dies, in Unix milliseconds; -1 without a deadline, -2 without a key.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: deadlineOf
})
