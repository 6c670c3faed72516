/**
 * Connections that wait in blocking commands (BLPOP, XREAD and their like). Each waits under every key that may end its
 * wait; what an event does to a key makes it ready; after the command or transaction that did it, the commands waiting
 * there run again in the order in which they came, until the key has nothing more to give. A command that serves itself may
 * make other keys ready (BLMOVE), whose waiters then have their turn. Nothing here costs anything while nobody waits.
 */
import type { Event } from "../../log/events/catalog.ts"
import { nilArray, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { isSweeping, visitTouched } from "../../projections/touched.ts"
import type { Argv } from "../define.ts"
import type { ConnectionPort } from "../ports.ts"
import type { Row } from "../table.ts"
import { copyRequest, type QueuedRequest } from "../transaction/queue.ts"
import type { Wait } from "../waiting.ts"
import { OtherWaits } from "./other-waits.ts"
import { mayEndWaits, Readiness } from "./readiness.ts"
import { Deadlines } from "./wait-deadlines.ts"

/** One connection's wait. */
export interface Waiter {
  readonly connection: ConnectionPort
  readonly row: Row
  /** The request, its words copied. */
  readonly request: QueuedRequest
  readonly db: number
  readonly type: number
  /** Names of the keys, each once. */
  readonly names: ReadonlyArray<string>
  readonly lost: ReplyError | undefined
  readonly alike: string | undefined
  /** Whether deliveries to others may end the wait. */
  readonly claims: boolean
  /** Monotonic ms at which the wait ends by itself; Infinity for never. */
  readonly until: number
  /** Monotonic ms at which the command runs again whatever happens; Infinity for never. */
  again: number
  over: boolean
}

/** What CLIENT UNBLOCK … ERROR answers to who waited. */
export const unblocked = new ReplyError("UNBLOCKED client unblocked via CLIENT UNBLOCK")
/** When a command that may not write now is looked at again. */
const heldBackMs = 20

const stateChanged = new ReplyError(
  "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
)

/** What runs a waiting command again for one of its keys; undefined when it has answered, so that the wait is over. */
export type Serve = (waiter: Waiter, key: Slice) => Wait | undefined

/** All waits of one server. */
export class Waiters {
  /** Connections that wait. */
  size = 0
  /** Connections that wait for something other than keys. */
  readonly others = new OtherWaits()
  /** Some keys that are waited for may have something to give: call `serve` when the command is over. */
  ready = false

  private readonly keyspace: Keyspace
  private readonly serveOne: Serve
  /** By database and key, in the order of arrival. */
  private readonly byDb = new Map<number, Map<string, Set<Waiter>>>()
  private readonly byConnection = new Map<ConnectionPort, Waiter>()
  private readonly deadlines = new Deadlines()
  /** Keys touched since the last service, in that order. */
  private readyKeys = new Map<string, ReadyKey>()
  /** Waits that end when a key is gone. */
  private losable = 0

  constructor(keyspace: Keyspace, serve: Serve) {
    this.keyspace = keyspace
    this.serveOne = serve
  }

  /** The connection waits from now on; requests behind this one stay where they are. `now`: monotonic ms. */
  add(connection: ConnectionPort, row: Row, argv: Argv, wait: Wait, now: number): void {
    const { db } = connection.client
    const waiter: Waiter = {
      connection,
      row,
      request: copyRequest(row, wait.argv ?? argv),
      db,
      type: wait.type,
      names: [...new Set(wait.keys.map((key) => key.latin1()))],
      lost: wait.lost,
      alike: wait.alike,
      claims: wait.claimMs !== undefined,
      until: wait.timeoutMs === 0 ? Infinity : now + wait.timeoutMs,
      again: now + (wait.claimMs ?? Infinity),
      over: false
    }
    let keys = this.byDb.get(db)
    if (keys === undefined) this.byDb.set(db, keys = new Map())
    for (const name of waiter.names) {
      const queue = keys.get(name)
      if (queue === undefined) keys.set(name, new Set([waiter]))
      else queue.add(waiter)
    }
    this.byConnection.set(connection, waiter)
    this.deadlines.add(waiter.until, waiter)
    this.deadlines.add(waiter.again, waiter)
    if (waiter.lost !== undefined) this.losable++
    this.size++
    connection.awaitAnswer()
  }

  /** The connection is gone or was answered otherwise. */
  forget(connection: ConnectionPort): void {
    const waiter = this.byConnection.get(connection)
    if (waiter !== undefined) this.remove(waiter)
    else this.others.forget(connection)
  }

  /** CLIENT UNBLOCK; false when the connection does not wait. */
  unblock(connection: ConnectionPort, how: "timeout" | "error"): boolean {
    const waiter = this.byConnection.get(connection)
    if (waiter === undefined) return this.others.unblock(connection, how)
    this.remove(waiter)
    connection.answer(how === "error" ? unblocked : nilArray)
    return true
  }

  /** This server has become a replica: nobody here writes any more, so whoever waits goes elsewhere. */
  unblockAll(): void {
    this.others.unblockAll(stateChanged)
    for (const waiter of this.byConnection.values()) {
      this.remove(waiter)
      waiter.connection.answer(stateChanged)
      waiter.connection.closeAfterReply()
    }
  }

  /**
   * Ends the waits whose time is over at `now`, monotonic ms. Runs commands again whose time for that has come; a little
   * later, where nothing may be written now.
   */
  expire(now: number, mayWrite: boolean): void {
    if (this.others.any) this.others.expire(now)
    for (let waiter = this.deadlines.due(now); waiter !== undefined; waiter = this.deadlines.due(now)) {
      if (waiter.until <= now) {
        this.remove(waiter)
        waiter.connection.answer(nilArray)
      } else if (mayWrite) this.runAgain(waiter, now)
      else this.postpone(waiter, now + heldBackMs)
    }
  }

  private runAgain(waiter: Waiter, now: number): void {
    let claimMs = Infinity
    for (const name of waiter.names) {
      const wait = this.serveOne(waiter, Slice.latin1(name))
      if (wait === undefined) {
        this.remove(waiter)
        return
      }
      claimMs = Math.min(claimMs, wait.claimMs ?? Infinity)
    }
    this.postpone(waiter, now + Math.max(1, claimMs))
  }

  private postpone(waiter: Waiter, again: number): void {
    if (waiter.again === again) return
    waiter.again = again
    this.deadlines.add(again, waiter)
  }

  /** Notes what events, which were just folded, may have made ready. */
  touched(db: number, events: ReadonlyArray<Event>, count: number): void {
    for (let i = 0; i < count; i++) {
      const event = events[i]!
      this.readiness = mayEndWaits(event)
      if (this.readiness === Readiness.none) continue
      if (!isSweeping(event)) visitTouched(db, event, this)
      else if (event._tag === "DatabasesSwapped") {
        this.allOf(event.first)
        this.allOf(event.second)
      } else if (this.losable > 0) {
        if (event._tag === "DatabaseFlushed") this.allOf(db)
        else for (const number of this.byDb.keys()) this.allOf(number)
      }
    }
  }

  /** What the event being looked at may do for waits. */
  private readiness: number = Readiness.none

  touch(db: number, key: Slice): void {
    const keys = this.byDb.get(db)
    if (keys === undefined) return
    const name = key.latin1()
    if (keys.has(name)) this.markReady(db, name)
  }

  private allOf(db: number): void {
    for (const name of this.byDb.get(db)?.keys() ?? []) this.markReady(db, name)
  }

  private markReady(db: number, name: string): void {
    const id = `${db} ${name}`
    const before = this.readyKeys.get(id)
    const forClaims = this.readiness === Readiness.claims
    if (before === undefined) this.readyKeys.set(id, { db, name, forClaims })
    else if (!forClaims) before.forClaims = false
    this.ready = true
  }

  /** Runs waiting commands again, as long as there is something for them. `now`: monotonic ms. */
  serve(now: number): void {
    while (this.ready) {
      const keys = this.readyKeys
      this.readyKeys = new Map()
      this.ready = false
      for (const key of keys.values()) this.serveKey(key, now)
    }
  }

  private serveKey({ db, forClaims, name }: ReadyKey, now: number): void {
    const key = Slice.latin1(name)
    /** Those who have nothing to gain any more. */
    const idle = new Set<string>()
    for (const waiter of this.byDb.get(db)?.get(name) ?? []) {
      const type = this.typeAt(db, key)
      if (waiter.type !== type) {
        if (waiter.lost !== undefined) this.lose(waiter, waiter.lost)
        else if (type < 0 && this.losable === 0) return
        continue
      }
      if (forClaims && !waiter.claims) continue
      if (waiter.alike !== undefined && idle.has(waiter.alike)) continue
      const wait = this.serveOne(waiter, key)
      if (wait === undefined) this.remove(waiter)
      else {
        if (waiter.alike !== undefined) idle.add(waiter.alike)
        if (wait.claimMs !== undefined) this.postpone(waiter, Math.min(waiter.again, now + wait.claimMs))
      }
    }
  }

  private lose(waiter: Waiter, error: ReplyError): void {
    this.remove(waiter)
    waiter.connection.answer(error)
  }

  private typeAt(db: number, key: Slice): number {
    const database = this.keyspace.database(db)
    const p = database.locate(key)
    return p === 0 ? -1 : Entry.typeOf(database.arena, p)
  }

  private remove(waiter: Waiter): void {
    if (waiter.over) return
    waiter.over = true
    this.byConnection.delete(waiter.connection)
    const keys = this.byDb.get(waiter.db)!
    for (const name of waiter.names) {
      const queue = keys.get(name)!
      queue.delete(waiter)
      if (queue.size === 0) keys.delete(name)
    }
    if (waiter.lost !== undefined) this.losable--
    this.size--
    this.deadlines.prune(this.size)
  }
}

/** A key that is waited for and was touched. */
interface ReadyKey {
  readonly db: number
  readonly name: string
  /** Only waits that deliveries to others may end have something to look at. */
  forClaims: boolean
}
