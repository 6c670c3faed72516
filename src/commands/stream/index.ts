import type { Command } from "../define.ts"
import { xack, xnack } from "./acknowledge.ts"
import { xadd } from "./add.ts"
import { xautoclaim, xclaim } from "./claim.ts"
import { xackdel, xdel, xdelex } from "./delete.ts"
import { xgroup } from "./group.ts"
import { xinfo } from "./info.ts"
import { xpending } from "./pending.ts"
import { xlen, xrange, xrevrange } from "./range.ts"
import { xreadgroup } from "./read-group.ts"
import { xread } from "./read.ts"
import { xcfgset, xidmprecord, xsetid } from "./settings.ts"
import { xtrim } from "./trim.ts"

/** All commands of streams. */
export const streamCommands: ReadonlyArray<Command> = [
  xack,
  xackdel,
  xadd,
  xautoclaim,
  xcfgset,
  xclaim,
  xdel,
  xdelex,
  xgroup,
  xidmprecord,
  xinfo,
  xlen,
  xnack,
  xpending,
  xrange,
  xread,
  xreadgroup,
  xrevrange,
  xsetid,
  xtrim
]
