/**
 * Client-side caching: clients are told when keys that they may hold copies of have changed. Keys belong to no database
 * here: a client is told of a name, whichever database it is in, as in Redis.
 *
 * Where a client has not asked for prefixes, the server remembers which keys it has read and tells it of each once, when
 * the key changes, dies, or is forgotten for want of room. Changes are told of in the order of the events; what goes to
 * the connection whose command runs follows its reply. While nobody tracks, all this costs one look per batch.
 */
import type { Event } from "../../log/events/catalog.ts"
import { allInvalid, type Invalidation, invalidation, redirectBroken, type Sendable } from "../../net/resp/message.ts"
import { ArenaFull } from "../../projections/memory/arena.ts"
import type { HashSeed } from "../../projections/memory/hash.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isSweeping, type TouchVisitor, visitTouched } from "../../projections/touched.ts"
import type { ClientState } from "../client.ts"
import type { Argv } from "../define.ts"
import type { ClientsPort, ConnectionPort } from "../ports.ts"
import type { Subscriptions } from "../pubsub/subscriptions.ts"
import { keysOf } from "../server/key-specs.ts"
import type { CommandTable, Row } from "../table.ts"
import { Broadcasts } from "./broadcasts.ts"
import { ClientTracking } from "./client-tracking.ts"
import { TrackedKeys } from "./tracked-keys.ts"

/** What CLIENT TRACKING ON asks for. */
export interface TrackingOptions {
  readonly bcast: boolean
  readonly optIn: boolean
  readonly optOut: boolean
  readonly noLoop: boolean
  /** 0 for none. */
  readonly redirect: number
  /** With `bcast`; none stands for all keys. One character per byte. */
  readonly prefixes: ReadonlyArray<string>
}

/** What is not told of until it is certain that a transaction is not taken back; no key: all of them. */
interface Held {
  readonly key: Slice | undefined
  readonly by: ConnectionPort | undefined
}

/** Keys forgotten at the end of a turn, at most, where there are too many; so many more with each such turn in a row. */
const forgottenAtOnce = 1000

/** See the head of this file. */
export class Tracking implements TouchVisitor {
  /** Somebody tracks. */
  active = false
  /** tracking-table-max-keys: the most keys remembered, 0 for no limit. */
  limit = 1_000_000
  /** How many keys may be forgotten at the end of this turn: more and more, so that no client can read faster than that. */
  private effort = forgottenAtOnce

  private readonly trackers = new Set<ConnectionPort>()
  private readonly keys: TrackedKeys
  private readonly broadcasts: Broadcasts
  private readonly table: CommandTable
  private readonly subscriptions: Subscriptions
  private readonly random: () => number
  private clients: ClientsPort | undefined = undefined
  /** Called when there is something to tell at the end of the turn. */
  onPending: () => void = () => {}
  private held: Array<Held> | undefined = undefined

  /** Who made the change being told of, by a command of its own. */
  private by: ConnectionPort | undefined = undefined
  private message: Invalidation | undefined = undefined
  private key!: Slice
  private readonly tellReader = (id: number): void => this.changedFor(id)
  private readonly tellForgotten = (id: number, key: Slice): void => {
    this.key = key
    this.changedFor(id)
  }

  constructor(seed: HashSeed, table: CommandTable, subscriptions: Subscriptions, random: () => number) {
    this.keys = new TrackedKeys(seed, (id) => this.clients?.byId(id) === undefined)
    this.broadcasts = new Broadcasts(seed)
    this.table = table
    this.subscriptions = subscriptions
    this.random = random
  }

  attach(clients: ClientsPort): void {
    this.clients = clients
  }

  // ——— figures ———

  get trackingClients(): number {
    return this.trackers.size
  }

  get totalKeys(): number {
    return this.keys.size
  }

  /** Clients of all remembered keys together. */
  get totalItems(): number {
    return this.keys.items
  }

  get totalPrefixes(): number {
    return this.broadcasts.size
  }

  /** What remembering keys takes. */
  get usedBytes(): number {
    return this.active ? this.keys.usedBytes : 0
  }

  // ——— what the commands ask for ———

  /** Begins to track for a connection, or tracks otherwise from now on; prefixes are added to those it has. */
  enable(connection: ConnectionPort, options: TrackingOptions): void {
    const { client } = connection
    const tracking = client.tracking ??= new ClientTracking()
    const { bcast, noLoop, optIn, optOut, redirect } = options
    Object.assign(tracking, { bcast, noLoop, optIn, optOut, redirect, broken: false })
    this.trackers.add(connection)
    this.active = true
    if (!bcast) return
    const names = new Set(tracking.prefixes)
    for (const name of options.prefixes.length === 0 ? [""] : options.prefixes) {
      this.broadcasts.add(connection, name)
      names.add(name)
    }
    tracking.prefixes = [...names].toSorted((a, b) => a < b ? -1 : 1)
    tracking.bytes = tracking.prefixes.reduce((sum, name) => sum + prefixBytes + 2 * name.length, 0)
  }

  /** Ends tracking for a connection. */
  disable(connection: ConnectionPort): void {
    const { tracking } = connection.client
    if (tracking === undefined) return
    connection.client.tracking = undefined
    this.broadcasts.remove(connection, tracking.prefixes)
    this.trackers.delete(connection)
    if (this.trackers.size > 0) return
    this.active = false
    this.keys.clear()
  }

  // ——— what the executor tells ———

  /** A command that reads has run for a client that tracks: remembers its keys if they are to be. */
  remember(client: ClientState, row: Row, argv: Argv): void {
    if (!client.tracking!.remembers) return
    const { clientId } = client
    const { keyRange } = row
    try {
      if (keyRange === undefined) {
        for (const { key } of keysOf(row.command, argv, this.table) ?? []) this.keys.add(key, clientId)
        return
      }
      const { first, step } = keyRange
      const last = keyRange.last >= 0 ? keyRange.last : argv.length + keyRange.last
      if (last >= argv.length) return
      for (let i = first; i <= last; i += step) this.keys.add(argv.at(i), clientId)
    } catch (full) {
      if (!(full instanceof ArenaFull)) throw full
      this.changedAll() // no memory for more: everybody begins anew
    }
  }

  /** A request of a client that tracks is answered: CLIENT CACHING is over, unless it is what was asked. */
  answered(client: ClientState, row: Row | undefined): void {
    if (client.transaction === undefined && row?.name.startsWith("client|") !== true) client.tracking!.answered()
  }

  /** Events were folded; `by` made them by a command, undefined if nobody did: they happened by themselves. */
  changed(db: number, events: ReadonlyArray<Event>, count: number, by: ConnectionPort | undefined): void {
    this.by = by
    for (let i = 0; i < count; i++) {
      const event = events[i]!
      if (!isSweeping(event)) visitTouched(db, event, this)
      else if (event._tag !== "DatabasesSwapped") this.flushed()
    }
  }

  touch(_db: number, key: Slice): void {
    if (this.held !== undefined) this.held.push({ key: key.copy(), by: this.by })
    else this.changedKey(key)
  }

  /** All data, or that of a database, is gone or was replaced. */
  flushed(): void {
    if (this.held !== undefined) this.held.push({ key: undefined, by: this.by })
    else this.changedAll()
  }

  /** From now on nothing is told, until `release` tells it or `drop` forgets it. */
  hold(): void {
    this.held = []
  }

  release(): void {
    const { held } = this
    this.held = undefined
    for (const { by, key } of held ?? []) {
      this.by = by
      if (key === undefined) this.changedAll()
      else this.changedKey(key)
    }
  }

  drop(): void {
    this.held = undefined
  }

  /**
   * The turn ends: tells of what has changed under prefixes, and forgets keys where there are too many. Returns whether
   * more are to be forgotten.
   */
  endTurn(): boolean {
    if (!this.active) return false
    if (this.broadcasts.pending) this.broadcasts.send((connection, message) => this.tell(connection, message))
    const { keys, limit } = this
    if (limit === 0) return false
    this.by = undefined
    for (let n = 0; keys.size > limit; n++) {
      if (n === this.effort) {
        this.effort += forgottenAtOnce
        return true
      }
      this.message = undefined
      keys.takeAny(this.random, this.tellForgotten)
    }
    this.effort = forgottenAtOnce
    return false
  }

  // ——— who is told ———

  private changedKey(key: Slice): void {
    if (this.broadcasts.size > 0) {
      const { pending } = this.broadcasts
      this.broadcasts.changed(key, this.by)
      if (!pending && this.broadcasts.pending) this.onPending()
    }
    if (this.keys.size === 0) return
    this.key = key
    this.message = undefined
    this.keys.take(key, this.tellReader)
  }

  /** Tells one client that has read `this.key`. */
  private changedFor(id: number): void {
    const connection = this.clients?.byId(id)
    const tracking = connection?.client.tracking
    // Whoever has changed to prefixes since is told of those only.
    if (tracking === undefined || tracking.bcast || (tracking.noLoop && connection === this.by)) return
    this.tell(connection!, this.message ??= invalidation([this.key]))
  }

  private changedAll(): void {
    this.keys.clear()
    for (const connection of this.trackers) this.tell(connection, allInvalid)
  }

  private tell(connection: ConnectionPort, message: Invalidation): void {
    const { client } = connection
    const { redirect } = client.tracking!
    if (redirect === 0) this.push(connection, message)
    else {
      const other = this.clients?.byId(redirect)
      if (other === undefined || other.closing) {
        client.tracking!.broken = true
        this.push(connection, redirectBroken(redirect))
      } else if (other.client.protocol === 3 || other.client.subscribed) {
        this.subscriptions.sendTo(other, message.redirected)
      }
    }
  }

  /** RESP2 has no way to get what was not asked for. */
  private push(connection: ConnectionPort, message: Sendable): void {
    if (connection.client.protocol === 3) this.subscriptions.sendTo(connection, message)
  }
}

/** What a prefix takes besides its bytes, about. */
const prefixBytes = 250
