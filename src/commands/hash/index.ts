import type { Command } from "../define.ts"
import { hincrby, hincrbyfloat } from "./counter.ts"
import { hexpire, hexpireat, hexpiretime, hpersist, hpexpire, hpexpireat, hpexpiretime, hpttl, httl } from "./expire.ts"
import { hdel, hexists, hget, hgetall, hkeys, hlen, hmget, hmset, hset, hsetnx, hstrlen, hvals } from "./fields.ts"
import { hgetdel, hgetex, hsetex } from "./get-set.ts"
import { himport } from "./import.ts"
import { hrandfield, hscan } from "./random.ts"

/** The commands over hashes. */
export const hashCommands: ReadonlyArray<Command> = [
  hdel,
  hexists,
  hexpire,
  hexpireat,
  hexpiretime,
  hget,
  hgetall,
  hgetdel,
  hgetex,
  himport,
  hincrby,
  hincrbyfloat,
  hkeys,
  hlen,
  hmget,
  hmset,
  hpersist,
  hpexpire,
  hpexpireat,
  hpexpiretime,
  hpttl,
  hrandfield,
  hscan,
  hset,
  hsetex,
  hsetnx,
  hstrlen,
  httl,
  hvals
]
