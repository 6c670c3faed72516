/** Commands that Redis tells of although they changed nothing: here such a command leaves no event to tell of. */
import type { Reply } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import type { Argv } from "../define.ts"
import { sameWord } from "../words.ts"
import type { Fields } from "./announcer.ts"
import { fieldsOfHsetex } from "./table.ts"

/** Tells of a key. */
type Tell = (name: string, key: Slice, fields?: Fields) => void
/** Looks at what a command was asked that succeeded without an event, and tells what Redis would. */
type Changeless = (d: Decision, argv: Argv, tell: Tell, reply: Reply) => void

const exists = (d: Decision, key: Slice): boolean => d.db.locate(key) !== 0

/** If the key is there, it is told of by that name. */
const ifThere = (name: string): Changeless => (d, argv, tell) => {
  if (exists(d, argv.at(1))) tell(name, argv.at(1))
}

/** A list of one element, or of equal ones, that was moved onto itself. */
const rotation = (pushed: (argv: Argv) => string, popped: (argv: Argv) => string): Changeless => (d, argv, tell) => {
  const key = argv.at(1)
  if (!sameWord(key, argv.at(2)) || !exists(d, key)) return
  tell(pushed(argv), key)
  tell(popped(argv), key)
}

const side = (argv: Argv, index: number): string => isWord(argv.at(index), "LEFT") ? "l" : "r"
const moved = rotation((argv) => `${side(argv, 4)}push`, (argv) => `${side(argv, 3)}pop`)
const rotated = rotation(() => "lpush", () => "rpop")

const deadlines = ["EX", "PX", "EXAT", "PXAT"]

/** By the name of the command. */
export const changeless: ReadonlyMap<string, Changeless> = new Map<string, Changeless>([
  ["append", ifThere("append")],
  ["pfmerge", ifThere("pfadd")],
  ["ltrim", ifThere("ltrim")],
  ["lmove", moved],
  ["blmove", moved],
  ["rpoplpush", rotated],
  ["brpoplpush", rotated],
  // Deadlines that are past: set, and gone at once.
  ["hsetex", (d, argv, tell, reply) => {
    if (reply !== 1) return
    const key = argv.at(1)
    const there = exists(d, key)
    if (!there) tell("new", key)
    tell("hset", key, fieldsOfHsetex(argv))
    tell("hdel", key, fieldsOfHsetex(argv))
    if (!there) tell("del", key)
  }],
  ["getex", (d, argv, tell, reply) => {
    if (argv.length === 4 && deadlines.some((word) => isWord(argv.at(2), word))) ifThere("expire")(d, argv, tell, reply)
  }]
])
