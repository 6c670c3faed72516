import type { Event } from "../log/events/catalog.ts"
import type { Int64 } from "../log/events/fields.ts"
import type { Reply } from "../net/resp/reply.ts"
import type { Database, Keyspace } from "../projections/keyspace.ts"
import type { Pointer } from "../projections/memory/arena.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { ClientState } from "./client.ts"
import type { MemorySettings } from "./memory-policy.ts"
import type { Wait } from "./waiting.ts"

/**
 * What a decision may see and do. One instance per executor, refilled per command: a decision never keeps it. A command
 * is a function of (state, arguments, now, seed); it changes nothing but by the events it emits, which are folded when it
 * has returned. It may refuse by throwing a `ReplyError`: then none of its events happened.
 */
export interface Decision {
  /** Unix milliseconds: one reading per command. */
  readonly now: number
  /**
   * What the clock shows, Unix milliseconds: what happens now is noted with it, and relative deadlines count from it.
   * Other than `now` only where nothing is to count as dead (`ExecutorPorts.keepDead`).
   */
  readonly time: number
  /** The selected database; its number is `client.db`. */
  readonly db: Database
  readonly keyspace: Keyspace
  readonly client: ClientState
  /** Name of the running command in lower case ("set", "object|freq"), for texts that print it. */
  readonly commandName: string
  /** The memory limit and its policy. */
  readonly memory: Readonly<MemorySettings>
  /** No string may grow beyond so many bytes, nor what a command needs in between. */
  readonly stringLimit: number

  /** The live entry of a key in the selected database, 0 when absent. A dead one is recorded as KeyExpired first. Counts as an access. */
  lookup(key: Slice): Pointer
  /** Like `lookup`, counting as an access even for a client that asked that its requests do not (TOUCH). */
  touch(key: Slice): Pointer
  /** Like `lookup`, without counting as an access (TTL, TYPE, OBJECT …). */
  peek(key: Slice): Pointer
  /** Like `peek`, in another database. */
  peekIn(db: number, key: Slice): Pointer
  /** Records what a reading command found at a key, for keyspace_hits, keyspace_misses and notifications. Returns `p`. */
  counted(p: Pointer, key: Slice): Pointer

  /**
   * The string at a key as text: undefined when absent, WRONGTYPE thrown for other types. The slice points at the data
   * (or, for an integer, at scratch) and is valid until the command returns and nothing was folded.
   */
  string(key: Slice): Slice | undefined
  /** The text of the string entry at `p`, valid like that of `string`. */
  text(p: Pointer): Slice
  /** Refuses with WRONGTYPE unless the entry holds a string. */
  expectString(p: Pointer): void
  /** The integer at a string key: undefined when absent; refuses other types and text that is no integer. */
  integer(key: Slice): Int64 | undefined
  /** Deadline of a live entry in Unix milliseconds, 0 for none. */
  deadline(p: Pointer): number

  /**
   * Whether a command that only reads may emit events now: not while writes are held back or the log takes none. One that
   * writes is not admitted then, and need not ask.
   */
  mayRecord(): boolean
  /** Adds an event to the command's batch. The slices in it must stay valid until the command returns. */
  emit(event: Event): void
  /** The command's events note what Redis does not count as a change: notifications tell only what keys are new. */
  keepQuiet(): void
  /** Set while a command that waited runs again: only this key may end its wait, others count as empty. */
  readonly served: Slice | undefined
  /**
   * Waits for a key to have what the command wants: the command's reply is then what this returns. It runs again, as if
   * asked anew, when an event touches one of the keys and that holds the type wanted (see `served`).
   */
  wait(wait: Wait): Reply
  /**
   * RESTORE: once the command's events are folded, the key counts as accessed `idleSeconds` ago and with this frequency;
   * a negative number leaves that as it is. No event: how often and when keys are read is not recorded.
   */
  restoreAccess(key: Slice, idleSeconds: number, frequency: number): void
  /** A uniform random integer below 2^32, from the executor's seeded generator. */
  random(): number
}
