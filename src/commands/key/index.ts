/** Commands about keys of any type and about whole databases. */
import type { Command } from "../define.ts"
import { dbSize, flushAll, flushDb, swapDb } from "./database.ts"
import { del, unlink } from "./delete.ts"
import { dump, restore, restoreAsking } from "./dump.ts"
import { exists, touch, type } from "./existence.ts"
import { expireAtMilliseconds, expireAtSeconds, expireMilliseconds, expireSeconds, persist } from "./expire.ts"
import { keys, randomKey, scan } from "./iterate.ts"
import { copy, move, renameAny, renameToFree } from "./move.ts"
import { object } from "./object.ts"
import { sort, sortReadOnly } from "./sort.ts"
import { expireTime, pexpireTime, pttl, ttl } from "./ttl.ts"

export const keyCommands: ReadonlyArray<Command> = [
  del,
  unlink,
  exists,
  type,
  touch,
  keys,
  scan,
  randomKey,
  renameAny,
  renameToFree,
  copy,
  move,
  swapDb,
  dbSize,
  flushDb,
  flushAll,
  object,
  expireSeconds,
  expireMilliseconds,
  expireAtSeconds,
  expireAtMilliseconds,
  ttl,
  pttl,
  expireTime,
  pexpireTime,
  persist,
  dump,
  restore,
  restoreAsking,
  sort,
  sortReadOnly
]
