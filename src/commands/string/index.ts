import type { Command } from "../define.ts"
import { decr, decrby, incr, incrby } from "./counter.ts"
import { delex } from "./delex.ts"
import { incrbyfloat } from "./float-counter.ts"
import { digest, get, getdel, getex, strlen } from "./get.ts"
import { increx } from "./increx.ts"
import { lcs } from "./lcs.ts"
import { mget, mset, msetex, msetnx } from "./multi-key.ts"
import { append, getrange, setrange, substr } from "./range.ts"
import { getset, psetex, set, setex, setnx } from "./set.ts"

/** The commands over strings. */
export const stringCommands: ReadonlyArray<Command> = [
  append,
  decr,
  decrby,
  delex,
  digest,
  get,
  getdel,
  getex,
  getrange,
  getset,
  incr,
  incrby,
  incrbyfloat,
  increx,
  lcs,
  mget,
  mset,
  msetex,
  msetnx,
  psetex,
  set,
  setex,
  setnx,
  setrange,
  strlen,
  substr
]
