import type { Command } from "../define.ts"
import {
  sdiff,
  sdiffcard,
  sdiffstore,
  sinter,
  sintercard,
  sinterstore,
  smembers,
  sunion,
  sunioncard,
  sunionstore
} from "./algebra.ts"
import { sadd, scard, sismember, smismember, smove, srem } from "./members.ts"
import { spop, srandmember, sscan } from "./random.ts"

/** All commands of sets. */
export const setCommands: ReadonlyArray<Command> = [
  sadd,
  scard,
  sdiff,
  sdiffcard,
  sdiffstore,
  sinter,
  sintercard,
  sinterstore,
  sismember,
  smembers,
  smismember,
  smove,
  spop,
  srandmember,
  srem,
  sscan,
  sunion,
  sunioncard,
  sunionstore
]
