import { ReplyError, Status } from "../../net/resp/reply.ts"
import * as Access from "../../projections/access.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { integerOf } from "../../projections/string.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, defineContainer, keyAtIndex } from "../define.ts"
import { Tracking, trackingOf } from "../memory-policy.ts"

const noFrequency = new ReplyError(
  "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
)
const noIdleTime = new ReplyError(
  "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
)

/** Redis keeps the integers from 0 to here as objects shared by all keys, and answers a count that never ends. */
const sharedIntegers = 10_000
const sharedCount = 2_147_483_647

/** The entry of OBJECT's key, which does not count as an access. */
const subject = (d: Decision, argv: Argv): Pointer => d.counted(d.peek(argv.at(2)), argv.at(2))

const encoding = defineCommand({
  name: "ENCODING",
  since: "2.2.3",
  group: "generic",
  summary: "Tells how the value at a key is held in memory.",
  complexity: "O(1)",
  syntax: "key",
  arity: 3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: keyAtIndex(2, "RO"),
  decide: (d, argv) => {
    const p = subject(d, argv)
    return p === 0 ? null : Entry.encodings[Entry.encodingOf(d.db.arena, p)]!
  }
})

const freq = defineCommand({
  name: "FREQ",
  since: "4.0.0",
  group: "generic",
  summary: "Tells how often a key has been accessed, on a logarithmic scale.",
  complexity: "O(1)",
  syntax: "key",
  arity: 3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: keyAtIndex(2, "RO"),
  decide: (d, argv) => {
    const p = subject(d, argv)
    if (p === 0) return null
    if (trackingOf(d.memory.policy) !== Tracking.frequency) return noFrequency
    return Access.frequency(Entry.clockOf(d.db.arena, p), Access.freshClock(d.now), d.memory.lfuDecayMinutes)
  }
})

const idleTime = defineCommand({
  name: "IDLETIME",
  since: "2.2.3",
  group: "generic",
  summary: "Tells how many seconds ago a key was last accessed, or under an LRM policy, last modified.",
  complexity: "O(1)",
  syntax: "key",
  arity: 3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: keyAtIndex(2, "RO"),
  decide: (d, argv) => {
    const p = subject(d, argv)
    if (p === 0) return null
    if (trackingOf(d.memory.policy) === Tracking.frequency) return noIdleTime
    return Access.idleSeconds(Entry.clockOf(d.db.arena, p), Access.freshClock(d.now))
  }
})

const refCount = defineCommand({
  name: "REFCOUNT",
  since: "2.2.3",
  group: "generic",
  summary:
    "Tells how many references there are to the value of a key: one, or for small integers, which Redis shares, 2147483647.",
  complexity: "O(1)",
  syntax: "key",
  arity: 3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: keyAtIndex(2, "RO"),
  decide: (d, argv) => {
    const p = subject(d, argv)
    if (p === 0) return null
    if (Entry.typeOf(d.db.arena, p) !== Entry.Type.string) return 1
    if (Entry.encodingOf(d.db.arena, p) !== Entry.Encoding.int) return 1
    const value = integerOf(d.db, p)
    return value >= 0 && value < sharedIntegers ? sharedCount : 1
  }
})

const helpLines = [
  "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "ENCODING <key>",
  "    Return the kind of internal representation used in order to store the value",
  "    associated with a <key>.",
  "FREQ <key>",
  "    Return the access frequency index of the <key>. The returned integer is",
  "    proportional to the logarithm of the recent access frequency of the key.",
  "IDLETIME <key>",
  "    Return the idle time of the <key>, that is the approximated number of",
  "    seconds elapsed since the last access to the key.",
  "REFCOUNT <key>",
  "    Return the number of references of the value associated with the specified",
  "    <key>.",
  "HELP",
  "    Prints this help."
].map((line) => new Status(line))

const help = defineCommand({
  name: "HELP",
  since: "6.2.0",
  group: "generic",
  summary: "Lists what OBJECT can tell.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags: ["loading", "stale"],
  decide: () => helpLines
})

export const object = defineContainer({
  name: "OBJECT",
  since: "2.2.3",
  group: "generic",
  summary: "Tells how values are held.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [encoding, freq, help, idleTime, refCount]
})
