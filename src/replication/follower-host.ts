import type { PublishedTo } from "../commands/pubsub/subscriptions.ts"
import type { FollowTarget } from "../commands/replication/port.ts"
import type { AppendedBatch } from "../log/following-writer.ts"
import type { LogMirror, SetAside } from "../log/mirror.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import type { HashSeed } from "../projections/memory/hash.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { Dial } from "./dial.ts"
import type { Loaded } from "./full-sync.ts"

/** What the configuration says at the moment. */
export interface FollowerSettings {
  readonly timeoutMs: number
  readonly user: string
  readonly password: string
  readonly listeningPort: number
  /** "" for the address the connection comes from. */
  readonly announceAddress: string
}

/** What the follower needs of the server. */
export interface FollowerHost {
  readonly mirror: LogMirror
  readonly dial: Dial
  /** Unix ms. */
  readonly now: () => number
  readonly monotonic: () => number
  readonly settings: () => FollowerSettings
  /** Folds a batch that the log has. */
  readonly fold: (batch: AppendedBatch) => void
  /** A message comes from the primary: for the subscribers here, and for replicas of this server. */
  readonly publish: (to: PublishedTo, channel: Slice, text: Slice) => void
  /** Something was folded: whoever waits for it may go on, and what the policy wants synced is. */
  readonly folded: () => void
  /**
   * The log is another than before: makes memory from it anew, a slice at a time, and says when that is done. `loaded`:
   * what its checkpoint holds, in a keyspace that `blank` gave.
   */
  readonly reload: (done: () => void, loaded?: Loaded) => void
  /** An empty keyspace to load a checkpoint into beside the one there is; undefined unless that is empty, too. */
  readonly blank: (seed: HashSeed) => Keyspace | undefined
  readonly later: (run: () => void) => void
  readonly setAside: (what: SetAside, why: string) => void
  /** The link is up: it is shown among the connections until the function returned is called. */
  readonly linked: (address: string, localAddress: string, close: () => void) => () => void
  /** The server that is to be followed is a Redis: it does not know this protocol. */
  readonly foundRedis: (target: FollowTarget) => void
  /** The state of the link is another. */
  readonly changed: () => void
  readonly report: (text: string) => void
  readonly warn: (text: string) => void
}

/** Why a link is given up by this side; `hopeless` when trying again at once makes no sense. */
export class LinkEnded extends Error {
  override readonly name = "LinkEnded"
  readonly hopeless: boolean
  constructor(message: string, hopeless = false) {
    super(message)
    this.hopeless = hopeless
  }
}
