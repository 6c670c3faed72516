import type { Command } from "../define.ts"
import { hincrby, hincrbyfloat } from "./counter.ts"
import {
  hexpire,
  hexpireat,
  hexpiretime,
  hgetdel,
  hgetex,
  hpersist,
  hpexpire,
  hpexpireat,
  hpexpiretime,
  hpttl,
  hsetex,
  httl
} from "./expiry.ts"
import { hdel, hexists, hget, hmget, hmset, hset, hsetnx, hstrlen } from "./fields.ts"
import { himport } from "./import.ts"
import { hgetall, hkeys, hlen, hrandfield, hscan, hvals } from "./iterate.ts"

/** All commands of hashes. */
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
