import type { Command } from "../define.ts"
import { blmove, blmovem, blmpop, blpop, brpop, brpoplpush, lmove, lmovem, lmpop, rpoplpush } from "./move.ts"
import { lpop, lpush, lpushx, rpop, rpush, rpushx } from "./push-pop.ts"
import { lindex, linsert, llen, lpos, lrange, lrem, lset, ltrim } from "./range.ts"

/** All commands of lists. */
export const listCommands: ReadonlyArray<Command> = [
  blmove,
  blmovem,
  blmpop,
  blpop,
  brpop,
  brpoplpush,
  lindex,
  linsert,
  llen,
  lmove,
  lmovem,
  lmpop,
  lpop,
  lpos,
  lpush,
  lpushx,
  lrange,
  lrem,
  lset,
  ltrim,
  rpop,
  rpoplpush,
  rpush,
  rpushx
]
