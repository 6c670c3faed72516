/** What blocking commands say to the executor. */
import type { Reply } from "../net/resp/reply.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { Decision } from "./decision.ts"
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
}

/** Whether the command runs again for the sake of another key, so that this one counts as absent. */
export const servedElsewhere = (d: Decision, key: Slice): boolean => d.served !== undefined && !sameWord(d.served, key)
