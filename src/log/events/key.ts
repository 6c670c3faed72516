import * as Schema from "effect/Schema"
import { Count, EvictionPolicy, Key, UnixMillis } from "./fields.ts"

/** What can happen to a key of any type. */
export const KeyEvent = Schema.TaggedUnion({
  /** A client removed the key. */
  KeyDeleted: { key: Key },
  /** The key's deadline passed and the key is gone. */
  KeyExpired: { key: Key },
  /** The key now dies at `expireAt`. */
  KeyExpirySet: { key: Key, expireAt: UnixMillis },
  /** The key lost its deadline. */
  KeyPersisted: { key: Key },
  /** The value and its deadline moved to the name `to` of the same database, replacing what was there. */
  KeyRenamed: { key: Key, to: Key },
  /** The value and its deadline were copied to the name `to` in database `toDb`, replacing what was there. */
  KeyCopied: { key: Key, to: Key, toDb: Count },
  /** The key went from this database to database `toDb`, where it was absent. */
  KeyMoved: { key: Key, toDb: Count },
  /** The memory limit was passed: the key was removed by this policy to make room. */
  KeyEvicted: { key: Key, policy: EvictionPolicy }
})
export type KeyEvent = typeof KeyEvent.Type
