/**
 * MULTI and EXEC. Between the two a connection's requests are queued; EXEC runs them one after the other, each seeing
 * what those before it did, and appends what all of them did as one batch: on disk, in replays and in history it is
 * there whole or not at all. Keys that die meanwhile are part of it, in their place. The clock stands still.
 *
 * With `multi-on-error abort` one failing command takes back what the others did (projections/undo.ts); nothing reaches
 * the log, and one error that names the command is the answer.
 */
import type { Event } from "../../log/events/catalog.ts"
import { ReplyBuffer } from "../../net/resp/encoder.ts"
import { nilArray, queued, ReplyError } from "../../net/resp/reply.ts"
import { evolve } from "../../projections/evolve.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { StreamId } from "../../projections/memory/stream-id.ts"
import { Undo } from "../../projections/undo.ts"
import type { ClientState } from "../client.ts"
import type { Argv } from "../define.ts"
import type { ConnectionPort, TransactionsPort } from "../ports.ts"
import type { Row } from "../table.ts"
import type { Tracking } from "../tracking/tracking.ts"
import { type QueuedRequest, Transaction } from "../transaction/queue.ts"
import { isUndoable } from "../transaction/undoable.ts"
import type { View } from "./lookup.ts"
import type { Notifications } from "./notifications.ts"
import { RecentWrites } from "./recent-writes.ts"
import type { Statistics } from "./statistics.ts"
import { Watches } from "./watches.ts"

/** What transactions need of the executor. */
export interface TransactionHost {
  readonly keyspace: Keyspace
  readonly view: View
  readonly statistics: Statistics
  readonly tracking: Tracking
  readonly notifications: Notifications
  /** Whether writes of any kind are held back (CLIENT PAUSE). */
  readonly paused: () => boolean
  /** Why writes are refused, or undefined. */
  readonly failure: () => ReplyError | undefined
  /** Counts a command that runs. */
  readonly start: (row: Row, client: ClientState) => void
  /** Runs one command and encodes its reply; returns that when it is an error. */
  readonly run: (row: Row, connection: ConnectionPort, argv: Argv, out: ReplyBuffer) => ReplyError | undefined
  /** Answers a command that does not run, and counts that. */
  readonly refuse: (error: ReplyError, row: Row, client: ClientState, out: ReplyBuffer) => boolean
  /** Appends a batch to the log; `dbs` when its events are of several databases. */
  readonly append: (
    db: number,
    row: Row,
    client: ClientState,
    events: ReadonlyArray<Event>,
    dbs: ReadonlyArray<number> | undefined
  ) => void
}

const abortedBefore = new ReplyError("EXECABORT Transaction discarded because of previous errors.")
const queueTooLong = new ReplyError("ERR the transaction's requests exceed client-query-buffer-limit")
const notInside = new ReplyError("ERR Command not allowed inside a transaction")

/** All transactions of one server; at most one runs at a time. */
export class Transactions implements TransactionsPort {
  readonly watches: Watches
  /** What `multi-on-error abort` makes the default of connections that did not choose. */
  abortByDefault = false
  /** client-query-buffer-limit: what the words of one transaction may take, bytes. */
  queueBytes = Number.POSITIVE_INFINITY
  /** An EXEC is at work: what happens belongs to its batch. */
  running = false
  /** Somebody has to be told of events before they are folded: an EXEC is at work, or keys or all writes are watched. */
  attentive = false

  private readonly host: TransactionHost
  private readonly recent = new Set<RecentWrites>()
  private readonly events: Array<Event> = []
  /** Database of each event. */
  private readonly dbs: Array<number> = []
  private mixed = false
  /** Whether keys met past their deadline may be buried; not while writes are held back. */
  private buries = false
  /** The buffer of the running request's words: slices into it stay valid. */
  private owned: Uint8Array | undefined = undefined
  private readonly undo: Undo
  /** The running EXEC may be taken back. */
  private undoable = false
  /** Its replies, until that is decided. */
  private readonly replies = new ReplyBuffer()

  constructor(host: TransactionHost) {
    this.host = host
    this.undo = new Undo(host.keyspace)
    this.watches = new Watches(host.keyspace)
  }

  // ——— what the commands ask for ———

  begin(client: ClientState): void {
    client.transaction = new Transaction(
      client.multiOnError === "default" ? this.abortByDefault : client.multiOnError === "abort"
    )
  }

  discard(client: ClientState): void {
    client.transaction?.release()
    client.transaction = undefined
    this.unwatch(client)
  }

  watch(client: ClientState, key: Slice): void {
    this.watches.add(client, key, this.host.view.now)
    this.heed()
  }

  unwatch(client: ClientState): void {
    this.release(client)
    client.watchDirty = false
  }

  /** The connection is gone, or begins anew. */
  forget(client: ClientState): void {
    if (client.transaction !== undefined || client.watchedKeys > 0 || client.watchDirty) this.discard(client)
  }

  private release(client: ClientState): void {
    if (client.watchedKeys === 0) return
    this.watches.release(client)
    this.heed()
  }

  /** Notes every write from now on, until the function that comes with it is called. */
  watchWrites(): { readonly writes: RecentWrites; readonly stop: () => void } {
    const writes = new RecentWrites()
    this.recent.add(writes)
    this.heed()
    const stop = (): void => {
      if (this.recent.delete(writes)) this.heed()
    }
    return { writes, stop }
  }

  private heed(): void {
    this.attentive = this.running || this.watches.size > 0 || this.recent.size > 0
  }

  // ——— what the executor asks ———

  /**
   * A request was refused before it ran. Inside MULTI that spoils the transaction; a refused EXEC ends it. Returns the
   * error to answer.
   */
  refused(error: ReplyError, row: Row | undefined, client: ClientState): ReplyError {
    const { transaction } = client
    if (row?.name !== "exec") {
      if (transaction !== undefined) transaction.refused = true
      return error
    }
    this.discard(client)
    return new ReplyError(`EXECABORT Transaction discarded because of: ${error.text.replace(/^ERR /, "")}`)
  }

  /**
   * Whether lack of memory forbids a command that does not ask for memory itself: between MULTI and EXEC the queue would
   * grow, and EXEC runs what is in it. Giving up is always allowed.
   */
  deniesOom(row: Row, { transaction }: ClientState): boolean {
    if (transaction === undefined) return false
    return row.name === "exec" ? transaction.deniesOom : !leaving.has(row.name)
  }

  /** Takes a request inside MULTI: queues it, or runs the transaction. False: paused, run it again later. */
  take(row: Row, connection: ConnectionPort, argv: Argv, out: ReplyBuffer): boolean {
    const { client } = connection
    const { host } = this
    const transaction = client.transaction!
    if (row.name === "exec") return this.exec(row, connection, transaction, out)
    if (row.noMulti) return host.refuse(notInside, row, client, out)
    if (transaction.rollsBack && !isUndoable(row)) return host.refuse(notUndoable(row), row, client, out)
    // What cannot run any more is not worth its memory.
    if (!transaction.refused && !client.watchDirty) transaction.add(row, argv)
    client.lastCommand = row.name
    client.lastActiveAt = host.view.now
    if (transaction.bytes > this.queueBytes) {
      this.discard(client)
      connection.closeAfterReply()
      return host.refuse(queueTooLong, row, client, out)
    }
    out.write(queued, client.protocol)
    return true
  }

  /** Whether a key met past its deadline may be buried now; asked only while an EXEC is at work. */
  get mayBury(): boolean {
    return this.buries
  }

  /** While `running`: gathers events for the batch and folds them. Otherwise: tells whoever watches, before the fold. */
  apply(db: number, events: ReadonlyArray<Event>, count: number): void {
    const { keyspace, view } = this.host
    const watched = this.watches.size > 0
    for (let i = 0; i < count; i++) {
      const event = events[i]!
      if (this.running) {
        if (this.dbs.length > 0 && this.dbs[0] !== db) this.mixed = true
        this.events.push(keepEvent(event, this.owned))
        this.dbs.push(db)
      }
      if (watched) this.watches.before(db, event, view.now)
      if (this.recent.size > 0) { for (const writes of this.recent) writes.event(db, event) }
      if (this.undoable) this.undo.before(db, event) // last: it may put an empty database in place of a full one
      evolve(keyspace, db, event)
    }
    if (watched) this.heed()
  }

  // ——— EXEC ———

  private exec(row: Row, connection: ConnectionPort, transaction: Transaction, out: ReplyBuffer): boolean {
    const { client } = connection
    const { host } = this
    const paused = host.paused()
    if (paused && transaction.mayReplicate) return false
    const failure = host.failure()
    if (failure !== undefined && transaction.writes) return host.refuse(failure, row, client, out)
    host.start(row, client)
    const changed = client.watchDirty || this.watches.hasDied(client, host.view.now)
    if (transaction.refused) this.fail(abortedBefore, row, client, out)
    else if (changed) out.write(nilArray, client.protocol)
    else {
      this.release(client)
      this.buries = failure === undefined && !paused
      if (transaction.rollsBack) this.runAllOrNothing(row, connection, transaction, out)
      else this.runAll(row, connection, transaction, out)
      client.lastCommand = row.name
    }
    this.discard(client)
    return true
  }

  private fail(error: ReplyError, row: Row, client: ClientState, out: ReplyBuffer): void {
    row.failed++
    this.host.statistics.countError(error.code)
    out.write(error, client.protocol)
  }

  private runAll(row: Row, connection: ConnectionPort, transaction: Transaction, out: ReplyBuffer): void {
    const { requests } = transaction
    this.running = this.attentive = true
    writeCount(out, requests.length)
    for (let i = 0; i < requests.length; i++) this.runOne(connection, requests[i]!, out)
    this.finish(row, connection.client)
  }

  private runAllOrNothing(row: Row, connection: ConnectionPort, transaction: Transaction, out: ReplyBuffer): void {
    const { client } = connection
    const { statistics, tracking } = this.host
    const { requests } = transaction
    const before = { db: client.db, wrote: client.wrote, expiredKeys: statistics.expiredKeys }
    const { replies, undo } = this
    undo.begin()
    this.host.notifications.hold()
    this.undoable = true
    this.watches.begin()
    tracking.hold()
    this.running = this.attentive = true
    let failed: ReplyError | undefined
    let done = 0
    while (failed === undefined && done < requests.length) failed = this.runOne(connection, requests[done++]!, replies)
    this.undoable = false
    if (failed === undefined) {
      undo.commit()
      this.watches.commit()
      tracking.release()
      writeCount(out, requests.length)
      for (const chunk of replies.full) out.raw(chunk)
      if (replies.used > 0) out.raw(replies.chunk.subarray(0, replies.used))
      replies.clear()
      this.finish(row, client)
      this.host.notifications.release()
      return
    }
    undo.rollback()
    this.host.notifications.drop()
    this.watches.rollback()
    tracking.drop()
    this.forgetEvents()
    replies.clear()
    client.db = before.db
    client.wrote = before.wrote
    statistics.expiredKeys = before.expiredKeys
    this.fail(takenBack(requests[done - 1]!, done, failed), row, client, out)
  }

  private runOne(connection: ConnectionPort, request: QueuedRequest, out: ReplyBuffer): ReplyError | undefined {
    this.owned = request.bytes
    return this.host.run(request.row, connection, request, out)
  }

  /** What the commands did becomes one batch. */
  private finish(row: Row, client: ClientState): void {
    if (this.events.length > 0) {
      this.host.append(this.dbs[0]!, row, client, this.events, this.mixed ? this.dbs : undefined)
    }
    this.forgetEvents()
  }

  private forgetEvents(): void {
    this.events.length = 0
    this.dbs.length = 0
    this.mixed = false
    this.owned = undefined
    this.running = false
    this.heed()
  }
}

const leaving = new Set(["discard", "quit", "reset"])

const notUndoable = (row: Row): ReplyError =>
  new ReplyError(
    `ERR '${row.name}' cannot be taken back, so it is not allowed in a transaction with multi-on-error abort`
  )

const takenBack = (request: QueuedRequest, position: number, error: ReplyError): ReplyError =>
  new ReplyError(`EXECABORT Transaction rolled back, command ${position} ('${request.row.name}') failed: ${error.text}`)

const counts = Array.from({ length: 32 }, (_, count) => Buffer.from(`*${count}\r\n`))

/** The head of an array of replies. */
const writeCount = (out: ReplyBuffer, count: number): void => out.raw(counts[count] ?? Buffer.from(`*${count}\r\n`))

/** An event that stays valid until EXEC ends: slices that point anywhere but into the request's own buffer are copied. */
const keepEvent = (event: Event, owned: Uint8Array | undefined): Event => {
  if (event._tag === "StringSet") {
    const { expireAt, key, value } = event
    return { _tag: "StringSet", key: keepSlice(key, owned), value: keepSlice(value, owned), expireAt }
  }
  if (event._tag === "StringIncremented") {
    return { _tag: "StringIncremented", key: keepSlice(event.key, owned), value: event.value }
  }
  const fields = event as unknown as Record<string, unknown>
  const copy: Record<string, unknown> = {}
  for (const name in fields) copy[name] = keepValue(fields[name], owned)
  return copy as unknown as Event
}

const keepSlice = (slice: Slice, owned: Uint8Array | undefined): Slice => slice.bytes === owned ? slice : slice.copy()

const keepValue = (value: unknown, owned: Uint8Array | undefined): unknown => {
  if (value instanceof Slice) return keepSlice(value, owned)
  if (value instanceof StreamId) return value.copy()
  if (value instanceof Uint8Array) return new Slice(value).toBytes()
  if (Array.isArray(value)) return value.map((item) => keepValue(item, owned))
  if (typeof value === "object" && value !== null) {
    const copy: Record<string, unknown> = {}
    for (const [name, part] of Object.entries(value)) copy[name] = keepValue(part, owned)
    return copy
  }
  return value
}
