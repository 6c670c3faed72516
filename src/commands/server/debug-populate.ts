/** DEBUG POPULATE: many keys at once, as one batch of ordinary events. */
import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { Slice } from "../../projections/memory/slice.ts"
import type { Argv } from "../define.ts"
import type { Control } from "../ports.ts"

const mustBePositive = new ReplyError("ERR value is out of range, must be positive")
const tooMany = new ReplyError("ERR DEBUG POPULATE takes at most 10000000 keys and 1 GiB at once: ask several times")
const notWritable = new ReplyError("MISCONF Errors writing to the AOF file: the log takes no writes now")

/** What one batch may hold: its events wait in memory until it is written. */
const mostKeys = 10_000_000
const mostBytes = 1 << 30

const natural = (arg: Slice): number => {
  const value = parseInt64Slice(arg)
  if (value === undefined || value < 0) throw mustBePositive
  return Number(value)
}

/** Creates prefix:0 … prefix:count-1 holding value:N, padded with NULs or cut to `size`; keys that exist stay. */
export const populate = ({ d, server }: Control, argv: Argv): Reply => {
  const count = natural(argv.at(2))
  const prefix = argv.length > 3 ? argv.at(3).latin1() : "key"
  const size = argv.length > 4 ? natural(argv.at(4)) : 0
  if (count > mostKeys || count * (prefix.length + 16 + Math.max(size, 16)) > mostBytes) throw tooMany
  if (!server.logStatus().lastWriteOk) throw notWritable
  for (let i = 0; i < count; i++) {
    const key = Slice.latin1(`${prefix}:${i}`)
    if (d.peek(key) !== 0) continue
    const text = Buffer.from(`value:${i}`, "latin1")
    const value = size === 0 ? text : Buffer.alloc(size)
    if (size > 0) text.copy(value)
    d.emit({ _tag: "StringSet", key, value: new Slice(value), expireAt: null })
  }
  return ok
}
