/** What blocking commands say to the executor. */
import type { Reply, ReplyError } from "../net/resp/reply.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { Decision } from "./decision.ts"
import type { Argv } from "./define.ts"
import { sameWord } from "./words.ts"

/** What a command waits for. */
export interface Wait {
  /** Keys any of which may end the wait. Words of the request. */
  readonly keys: ReadonlyArray<Slice>
  /** Number of the type (entry.ts) that a key must hold to end it. */
  readonly type: number
  /** Milliseconds until the wait ends by itself; 0 for never. */
  readonly timeoutMs: number
  /** The reply at once where nothing may wait (inside EXEC). At the end of the time it is the null array, whatever the command. */
  readonly nothing: Reply
  /** What runs again, where that is not the request as it was asked: XREAD's `$` is the end of the stream when the wait began. */
  readonly argv?: Argv
  /** Answered when one of the keys is gone, or holds another type; without it the wait goes on. */
  readonly lost?: ReplyError
  /** Commands that wait for the same key with the same word have nothing to gain where one of them has not. */
  readonly alike?: string
  /** Deliveries to others may end the wait, in so many milliseconds at the earliest if nothing else happens (XREADGROUP CLAIM). */
  readonly claimMs?: number
}

/** Whether the command runs again for the sake of another key, so that this one counts as absent. */
export const servedElsewhere = (d: Decision, key: Slice): boolean => d.served !== undefined && !sameWord(d.served, key)
