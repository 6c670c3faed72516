/**
 * Connections that wait in blocking commands (BLPOP and its like). Each waits under every key that may end its wait; what
 * an event does to a key makes it ready; after the command or transaction that did it, the commands waiting there run
 * again in the order in which they came, until the key has nothing more to give. A command that serves itself may make
 * other keys ready (BLMOVE), whose waiters then have their turn. Nothing here costs anything while nobody waits.
 */
import type { Event } from "../../log/events/catalog.ts"
import { nilArray, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { visitTouched } from "../../projections/touched.ts"
import type { Argv } from "../define.ts"
import type { ConnectionPort } from "../ports.ts"
import type { Row } from "../table.ts"
import { copyRequest, type QueuedRequest } from "../transaction/queue.ts"
import type { Wait } from "../waiting.ts"
import { OtherWaits } from "./other-waits.ts"

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
  /** Monotonic ms at which the wait ends by itself; Infinity for never. */
  readonly until: number
  over: boolean
}

/** What CLIENT UNBLOCK … ERROR answers to who waited. */
export const unblocked = new ReplyError("UNBLOCKED client unblocked via CLIENT UNBLOCK")

/** What runs a waiting command again: true when it has answered, so that the wait is over. */
export type Serve = (waiter: Waiter, key: Slice) => boolean

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
  /** A heap by the end of the wait; waits that are over leave it when they come to its top. */
  private readonly timeouts: Array<Waiter> = []
  /** Keys touched since the last service, in that order: database and name. */
  private readyKeys = new Map<string, { readonly db: number; readonly name: string }>()

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
      request: copyRequest(row, argv),
      db,
      type: wait.type,
      names: [...new Set(wait.keys.map((key) => key.latin1()))],
      until: wait.timeoutMs === 0 ? Infinity : now + wait.timeoutMs,
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
    if (waiter.until !== Infinity) this.pushTimeout(waiter)
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

  /** Ends the waits whose time is over at `now`, monotonic ms. */
  expire(now: number): void {
    if (this.others.any) this.others.expire(now)
    for (let first = this.timeouts[0]; first !== undefined; first = this.timeouts[0]) {
      if (!first.over && first.until > now) return
      this.popTimeout()
      if (first.over) continue
      this.remove(first)
      first.connection.answer(nilArray)
    }
  }

  /** Notes what events, which were just folded, may have made ready. */
  touched(db: number, events: ReadonlyArray<Event>, count: number): void {
    for (let i = 0; i < count; i++) {
      const event = events[i]!
      if (event._tag === "DatabasesSwapped") {
        this.allOf(event.first)
        this.allOf(event.second)
      } else visitTouched(db, event, this)
    }
  }

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
    if (!this.readyKeys.has(id)) this.readyKeys.set(id, { db, name })
    this.ready = true
  }

  /** Runs waiting commands again, as long as there is something for them. */
  serve(): void {
    while (this.ready) {
      const keys = this.readyKeys
      this.readyKeys = new Map()
      this.ready = false
      for (const { db, name } of keys.values()) this.serveKey(db, name)
    }
  }

  private serveKey(db: number, name: string): void {
    const key = Slice.latin1(name)
    for (const waiter of this.byDb.get(db)?.get(name) ?? []) {
      const type = this.typeAt(db, key)
      if (type < 0) return
      if (waiter.type !== type || !this.serveOne(waiter, key)) continue
      this.remove(waiter)
    }
  }

  private typeAt(db: number, key: Slice): number {
    const database = this.keyspace.database(db)
    const p = database.locate(key)
    return p === 0 ? -1 : Entry.typeOf(database.arena, p)
  }

  private remove(waiter: Waiter): void {
    waiter.over = true
    this.byConnection.delete(waiter.connection)
    const keys = this.byDb.get(waiter.db)!
    for (const name of waiter.names) {
      const queue = keys.get(name)!
      queue.delete(waiter)
      if (queue.size === 0) keys.delete(name)
    }
    this.size--
    // What is over must not outweigh what waits: most waits end long before their time.
    if (this.timeouts.length > 64 && this.timeouts.length > 4 * this.size) this.rebuildTimeouts()
  }

  // ——— the heap ———

  private pushTimeout(waiter: Waiter): void {
    const heap = this.timeouts
    let at = heap.length
    heap.push(waiter)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (heap[parent]!.until <= waiter.until) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = waiter
  }

  private popTimeout(): void {
    const heap = this.timeouts
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.until < heap[child]!.until) child++
      if (heap[child]!.until >= last.until) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }

  private rebuildTimeouts(): void {
    const live = this.timeouts.filter((waiter) => !waiter.over)
    this.timeouts.length = 0
    for (const waiter of live) this.pushTimeout(waiter)
  }
}
