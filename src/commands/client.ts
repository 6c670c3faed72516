import type { Author } from "../log/event-log.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { ClientTracking } from "./tracking/client-tracking.ts"
import type { Transaction } from "./transaction/queue.ts"

/** Lists of fields that a connection has named for importing hashes (HIMPORT). */
export class Fieldsets {
  /** About what they take. */
  bytes = 0
  private readonly byName = new Map<string, ReadonlyArray<Slice>>()

  get size(): number {
    return this.byName.size
  }

  get(name: string): ReadonlyArray<Slice> | undefined {
    return this.byName.get(name)
  }

  set(name: string, fields: ReadonlyArray<Slice>): void {
    this.delete(name)
    this.byName.set(name, fields)
    this.bytes += bytesOf(name, fields)
  }

  /** False when there is none of this name. */
  delete(name: string): boolean {
    const fields = this.byName.get(name)
    if (fields === undefined) return false
    this.byName.delete(name)
    this.bytes -= bytesOf(name, fields)
    return true
  }
}

/** A slice over bytes of its own takes about so much besides them. */
const sliceBytes = 160

const bytesOf = (name: string, fields: ReadonlyArray<Slice>): number =>
  fields.reduce((sum, { length }) => sum + length + sliceBytes, name.length + sliceBytes)

/**
 * What the commands see of a connection: who it is and what it has chosen. The network owns it; commands of the
 * connection group change it. It is also the author the log records, so a change of name, user or library raises `revision`.
 */
export class ClientState implements Author {
  readonly clientId: number
  readonly address: string
  readonly localAddress: string
  readonly connectedAt: number
  user = "default"
  name = ""
  libraryName = ""
  libraryVersion = ""
  protocol: 2 | 3 = 2
  db = 0
  authenticated = false
  noTouch = false
  noEvict = false
  /** Whose connection it is where it is no client's: a replica's, or the one to the primary. */
  role: "client" | "replica" | "master" = "client"
  /** Is shown every command (MONITOR). */
  monitoring = false
  /** Subscriptions of each kind (SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE). */
  channels = 0
  patterns = 0
  shardChannels = 0
  revision = 0
  /** A batch of this client's was appended in this turn. */
  wrote = false
  /** Position in the log behind the last batch of this client's. */
  writtenLsn = 0
  logged = { segment: -1, revision: -1, ref: 0 }
  /** What waits for EXEC, between MULTI and it. */
  transaction: Transaction | undefined = undefined
  /** Keys the connection watches, and whether one of those it watched has changed since. */
  watchedKeys = 0
  watchDirty = false
  /** While CLIENT TRACKING is on. */
  tracking: ClientTracking | undefined = undefined
  /** What HIMPORT PREPARE has named. */
  fieldsets: Fieldsets | undefined = undefined
  /** CLIENT MULTI-ON-ERROR: what a failing command means for the rest of an EXEC. */
  multiOnError: "default" | "continue" | "abort" = "default"
  /** Lower-case name of the last command (container|sub), for CLIENT LIST. */
  lastCommand = ""
  /** Unix ms of the last command, for the idle time. */
  lastActiveAt: number

  constructor(clientId: number, address: string, localAddress: string, connectedAt: number) {
    this.clientId = clientId
    this.address = address
    this.localAddress = localAddress
    this.connectedAt = connectedAt
    this.lastActiveAt = connectedAt
  }

  get library(): string {
    return this.libraryVersion === "" ? this.libraryName : `${this.libraryName} ${this.libraryVersion}`
  }

  /** Has subscribed to something: in RESP2 only few commands are allowed then. */
  get subscribed(): boolean {
    return this.channels + this.patterns + this.shardChannels > 0
  }

  /** To be called after any change of what `Author` holds, so that the log writes the author anew. */
  changed(): void {
    this.revision++
  }
}
