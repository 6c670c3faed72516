/**
 * The one place where commands meet the log: admit, decide, reply, append, evolve. Replies are encoded before the events
 * are folded, because they may point at the data the fold is about to change; they leave the process only when the log
 * has released them. Nothing here waits, and nothing but the reply to a failure allocates.
 */
import type { Author, Origin } from "../../log/event-log.ts"
import type { Event } from "../../log/events/catalog.ts"
import type { ReplyBuffer } from "../../net/resp/encoder.ts"
import { noReply, ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { evolve } from "../../projections/evolve.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import type { ClientState } from "../client.ts"
import type { Argv } from "../define.ts"
import { errors, unknownSubcommand, wrongArity } from "../errors.ts"
import { type MemorySettings, trackingOf } from "../memory-policy.ts"
import { Observer } from "../observation/observer.ts"
import type { ConnectionPort, Control } from "../ports.ts"
import { Subscriptions } from "../pubsub/subscriptions.ts"
import { CommandTable, type Row } from "../table.ts"
import { Tracking } from "../tracking/tracking.ts"
import type { Wait } from "../waiting.ts"
import { misconf, monitorOnly, notForSubscribers, unknownCommand } from "./admission.ts"
import { Anticipation } from "./anticipation.ts"
import { Burial } from "./burial.ts"
import { Relief } from "./eviction.ts"
import type { ControlPorts, ExecutorPorts, Pause } from "./executor-ports.ts"
import { expireDue } from "./expiry.ts"
import { gateRefusal, openGate, readOnly } from "./gate.ts"
import { beforeAllDeadlines, SeededRandom, View } from "./lookup.ts"
import { MemoryLimit } from "./memory-limit.ts"
import { Notifications, silent } from "./notifications.ts"
import { Statistics } from "./statistics.ts"
import { Stopwatch } from "./stopwatch.ts"
import { Transactions } from "./transactions.ts"
import { type Waiter, Waiters } from "./waiters.ts"

/** Runs commands. One per server: everything that changes the data goes through it, in one thread. */
export class CommandExecutor {
  readonly table: CommandTable
  readonly statistics: Statistics
  readonly observer = new Observer()
  readonly keyspace: Keyspace
  readonly view: View
  readonly transactions: Transactions
  readonly waiters: Waiters
  readonly subscriptions: Subscriptions
  readonly tracking: Tracking
  readonly notifications: Notifications
  readonly anticipation: Anticipation
  pause: Pause = "none"
  activeExpire = true
  /** The data is not there yet: only commands that do not need it run, and nothing happens by itself. */
  loading = false
  /** Writes are refused because a checkpoint failed (stop-writes-on-bgsave-error). */
  saveFailed = false
  /** What replication allows. */
  readonly gate = openGate()

  private readonly ports: ExecutorPorts
  private controlPorts: ControlPorts | undefined
  private control: { -readonly [Name in keyof Control]: Control[Name] } | undefined
  private readonly burial: Burial
  private readonly memory: MemoryLimit
  private readonly stopwatch: Stopwatch

  constructor(ports: ExecutorPorts) {
    this.ports = ports
    this.keyspace = ports.keyspace
    this.anticipation = new Anticipation(ports.keyspace)
    this.table = ports.table ?? new CommandTable()
    this.statistics = new Statistics(this.table, ports.monotonic)
    this.stopwatch = new Stopwatch(this.observer, ports.monotonic, () => this.view.now)
    const random = new SeededRandom(ports.seed)
    this.memory = new MemoryLimit({
      keyspace: ports.keyspace,
      statistics: this.statistics,
      random: () => random.next(),
      monotonic: ports.monotonic,
      now: () => this.view.now,
      mayWrite: () => this.mayWriteUnasked(),
      buryDead: (db, key) => void this.burial.key(db, key),
      evict: (db, events, key, hash) => {
        const { turn } = this.keyspace
        turn.next(this.view.time)
        turn.knownKey = key
        turn.knownHash = hash | 0
        this.apply(db, "evict", 0, undefined, events, 1)
        this.statistics.evictedKeys++
      }
    })
    this.view = new View(ports.keyspace, {
      statistics: this.statistics,
      random,
      memory: this.memory.settings,
      buryDead: (db, key) => this.burial.meetKey(db, key),
      buryFields: (db, key) => this.burial.meetFields(db, key),
      mayRecord: () => this.mayBury(),
      missed: (key) => this.notifications.missed(key),
      mayNotWait: () => this.transactions.running
    })
    this.burial = new Burial({
      keyspace: ports.keyspace,
      view: () => this.view,
      mayBury: () => this.mayBury(),
      namesFields: () => this.notifications.namesFields,
      apply: (db, events) => this.apply(db, "expire", 0, undefined, events, 1),
      expired: (fields) => this.statistics.countDeath(fields)
    })
    const seed = { k0: ports.seed ^ 0x5bd1_e995, k1: Math.imul(ports.seed, 0x9e37_79b1) }
    this.subscriptions = new Subscriptions(seed)
    this.tracking = new Tracking(seed, this.table, this.subscriptions, () => random.next())
    this.notifications = new Notifications(ports.keyspace, this.subscriptions, () => this.view)
    this.waiters = new Waiters(ports.keyspace, (waiter, key) => this.serve(waiter, key))
    this.transactions = new Transactions({
      notifications: this.notifications,
      keyspace: ports.keyspace,
      view: this.view,
      statistics: this.statistics,
      tracking: this.tracking,
      paused: () => this.pause !== "none",
      failure: () => this.writesRefused() ?? gateRefusal(this.gate),
      start: (row, client) => this.start(row, client),
      run: (row, connection, argv, out) => this.run(row, connection, argv, out),
      refuse: (error, row, client, out) => this.refuse(error, row, client, out),
      append: (db, row, client, events, dbs) =>
        ports.log.append(this.view.time, db, "client", row.number, client, events, events.length, dbs)
    })
  }

  /** Joins the ports of control commands; until then they are refused. */
  attach(ports: ControlPorts): void {
    this.controlPorts = ports
    this.tracking.attach(ports.clients)
  }

  /** Reads the clock: once per chunk of requests, so that all commands of a chunk share their `now`. */
  beginChunk(): void {
    const now = this.ports.now()
    this.view.setTime(now, this.ports.keepDead === true ? beforeAllDeadlines : now)
  }

  /** Ends the measuring of what the chunk's last command took. */
  endChunk(): void {
    this.stopwatch.endChunk()
  }

  /** Runs one request and encodes its reply. False: clients are paused, run it again later; nothing happened. */
  execute(connection: ConnectionPort, argv: Argv, out: ReplyBuffer): boolean {
    const client = connection.client
    let row = this.table.find(argv.at(0))
    if (row === undefined) {
      return connection.unmasks(argv) || this.refuse(unknownCommand(argv), undefined, client, out)
    }
    if (row.subcommands !== undefined && argv.length > 1) {
      const sub = row.subcommands.find(argv.at(1))
      if (sub === undefined) {
        return this.refuse(unknownSubcommand(row.name, argv.at(1).latin1()), undefined, client, out)
      }
      row = sub
    }
    const arity = row.arity
    if (arity > 0 ? argv.length !== arity : argv.length < -arity) {
      return this.refuse(wrongArity(row.name), row, client, out)
    }
    if (!client.authenticated && !row.noAuth) return this.refuse(errors.noAuth, row, client, out)
    if (this.loading && !row.whileLoading) return this.refuse(errors.loading, row, client, out)
    if (
      this.memory.active && this.keyspace.usedBytes > this.memory.settings.limit && !this.memory.makeRoom() &&
      (row.denyOom || this.transactions.deniesOom(row, client))
    ) return this.refuse(errors.outOfMemory, row, client, out)
    if (row.write || row.name === "ping") {
      const refusal = this.writesRefused() ?? (row.write ? gateRefusal(this.gate) : undefined)
      if (refusal !== undefined) return this.refuse(refusal, row, client, out)
    }
    if (client.protocol === 2 && client.subscribed && !row.forSubscribers) {
      return this.refuse(notForSubscribers(row.name), row, client, out)
    }
    if (this.gate.hidden !== undefined && !row.stale) return this.refuse(this.gate.hidden, row, client, out)
    if (client.monitoring && row.touchesKeys) return this.refuse(monitorOnly, row, client, out)
    // Last, as in Redis: what would be refused is refused at once, pause or not.
    if (this.pause !== "none" && (this.pause === "all" || row.mayReplicate) && client.role === "client") return false
    if (client.transaction !== undefined && !row.immediate) {
      if (!this.transact(row, connection, argv, out)) return false
    } else this.run(row, connection, argv, out)
    if (client.tracking !== undefined && !connection.blocked) this.tracking.answered(client, row)
    this.settle()
    return true
  }

  /** What a command or event has caused in others happens: those who waited are served, messages go out. */
  private settle(): void {
    if (this.waiters.ready) this.serveWaiters()
    if (this.subscriptions.deferred) this.subscriptions.flush()
    this.subscriptions.running = undefined
  }

  private writesRefused(): ReplyError | undefined {
    if (this.saveFailed) return errors.saveFailed
    const failure = this.ports.log.failure()
    return failure === undefined ? undefined : misconf(failure)
  }

  private refuse(refusal: ReplyError, row: Row | undefined, client: ClientState, out: ReplyBuffer): boolean {
    if (row !== undefined) row.rejected++
    const error = this.transactions.refused(refusal, row, client)
    if (client.tracking !== undefined) this.tracking.answered(client, row)
    this.statistics.countError(error.code)
    out.write(error, client.protocol)
    return true
  }

  /** Queues a request inside MULTI, or runs EXEC, which is timed as a whole besides the commands in it. */
  private transact(row: Row, connection: ConnectionPort, argv: Argv, out: ReplyBuffer): boolean {
    if (row.name !== "exec") return this.transactions.take(row, connection, argv, out)
    this.stopwatch.interrupt()
    const began = this.ports.monotonic()
    const { calls } = row
    if (!this.transactions.take(row, connection, argv, out)) return false
    this.stopwatch.resume()
    if (row.calls === calls) return true
    this.observer.record(row, connection.client, argv, this.ports.monotonic() - began, 1, this.view.now)
    if (this.observer.attentive) this.observer.show(row, connection.client, argv)
    return true
  }

  /** Counts a command that runs. */
  private start(row: Row, client: ClientState): void {
    row.calls++
    this.statistics.commandsProcessed++
    client.lastCommand = row.name
    client.lastActiveAt = this.view.now
  }

  /** Runs a command that is admitted; returns its reply when that is an error. */
  private run(row: Row, connection: ConnectionPort, argv: Argv, out: ReplyBuffer): ReplyError | undefined {
    const client = connection.client
    const view = this.view
    const db = client.db
    this.stopwatch.begin(row, this.transactions.running)
    const full = out.fullBytes
    this.start(row, client)
    this.subscriptions.running = connection
    view.begin(client, row.name, argv)
    const reply = this.decide(row, connection, argv)
    if (reply !== noReply) out.write(reply, client.protocol)
    else if (view.wanted !== undefined) {
      this.waiters.add(connection, row, argv, view.wanted, this.ports.monotonic())
    }
    if (view.eventCount > 0) {
      this.apply(db, "client", row.number, client, view.events, view.eventCount)
      client.wrote = true
      if (view.restored !== undefined) view.settleAccess()
    } else if (this.notifications.active && !(reply instanceof ReplyError)) {
      this.notifications.unchanged(row.name, reply)
    }
    // Who flushes wants caches to be empty too, whether or not there was anything.
    if (row.flushes && view.eventCount === 0 && this.tracking.active && reply === ok) this.tracking.flushed()
    if (client.tracking !== undefined && row.reads) this.tracking.remember(client, row, argv)
    this.stopwatch.finish(row, client, argv, out.fullBytes !== full)
    return reply instanceof ReplyError ? reply : undefined
  }

  /** What a command answers; a refusal leaves none of its events. */
  private decide(row: Row, connection: ConnectionPort, argv: Argv): Reply {
    const { view } = this
    let reply: Reply
    try {
      reply = row.decide !== undefined ? row.decide(view, argv) : this.runControl(row, connection, argv)
    } catch (refusal) {
      if (!(refusal instanceof ReplyError)) throw refusal
      view.eventCount = 0
      reply = refusal
    }
    if (view.eventCount > 0 && this.gate.replica) { // what a reading command notes for later, or DEBUG
      view.eventCount = 0
      if (row.decide === undefined) reply = readOnly
    }
    if (reply instanceof ReplyError) {
      row.failed++
      this.statistics.countError(reply.code)
    }
    return reply
  }

  /** Runs a command that waits again, because `key` may have something for it; what it still waits for, unless it has answered. */
  private serve(waiter: Waiter, key: Slice): Wait | undefined {
    // Who has just been answered hears of its own doings before those of the one that comes now.
    if (this.subscriptions.deferred) this.subscriptions.flush()
    if (waiter.over) return undefined // that was more than its connection may leave unread
    const { connection, request, row } = waiter
    const { client } = connection
    const { view } = this
    this.subscriptions.running = connection
    view.begin(client, row.name, request)
    view.served = key
    const reply = this.decide(row, connection, request)
    view.served = undefined
    if (view.wanted !== undefined) return view.wanted
    if (client.tracking !== undefined && row.reads) this.tracking.remember(client, row, request)
    connection.answer(reply)
    if (view.eventCount > 0) {
      this.apply(client.db, "client", row.number, client, view.events, view.eventCount)
      client.wrote = true
    } else if (this.notifications.active && !(reply instanceof ReplyError)) {
      this.notifications.unchanged(row.name, reply)
    }
    return undefined
  }

  /** Runs the commands again that wait for keys which were just changed. */
  private serveWaiters(): void {
    this.waiters.serve(this.ports.monotonic())
  }

  /** Ends the waits of blocking commands whose time is over. To be called every few milliseconds. */
  endWaits(): void {
    if (this.waiters.size === 0 && !this.waiters.others.any) return
    this.beginChunk()
    this.waiters.expire(this.ports.monotonic(), this.mayWriteUnasked())
    this.settle()
  }

  /** The clock of waits, ms. */
  monotonic(): number {
    return this.ports.monotonic()
  }

  private runControl(row: Row, connection: ConnectionPort, argv: Argv): Reply {
    if (row.run === undefined || this.controlPorts === undefined) throw wrongArity(row.name)
    const { client } = connection
    this.control ??= {
      ...this.controlPorts,
      d: this.view,
      client,
      connection,
      statistics: this.statistics,
      observer: this.observer,
      subscriptions: this.subscriptions,
      tracking: this.tracking,
      table: this.table,
      transactions: this.transactions
    }
    this.control.client = client
    this.control.connection = connection
    return row.run(this.control, argv)
  }

  /** Appends one batch and folds it: from here on it has happened. */
  private apply(
    db: number,
    origin: Origin,
    command: number,
    author: Author | undefined,
    events: ReadonlyArray<Event>,
    count: number
  ): void {
    if (!this.transactions.running) this.ports.log.append(this.view.time, db, origin, command, author, events, count)
    const { argv, commandName, quiet } = this.view
    if (origin !== "client") this.evolve(db, events, count, undefined, "", undefined)
    else this.evolve(db, events, count, this.subscriptions.running, quiet ? silent : commandName, argv)
  }

  /**
   * Folds events of one database that the log has from a primary; `time` is that of their batch, `command` the name of the
   * command that made them, "" if none did.
   */
  fold(time: number, db: number, events: ReadonlyArray<Event>, count: number, command: string): void {
    this.keyspace.turn.next(time)
    this.view.setTime(time)
    this.evolve(db, events, count, undefined, command, undefined)
  }

  /** What no command of this server decided is folded: those who waited for it are served. */
  folded(): void {
    if (!this.waiters.ready) return
    this.beginChunk()
    this.settle()
  }

  /** `by`: whose command made the events; its words are `argv`, where they are known. */
  private evolve(
    db: number,
    events: ReadonlyArray<Event>,
    count: number,
    by: ConnectionPort | undefined,
    command: string,
    argv: Argv | undefined
  ): void {
    const told = this.notifications.active && this.notifications.beforeFold(db, events, count)
    if (this.transactions.attentive) this.transactions.apply(db, events, count)
    else for (let i = 0; i < count; i++) evolve(this.keyspace, db, events[i]!)
    if (this.waiters.size > 0) this.waiters.touched(db, events, count)
    if (this.tracking.active) this.tracking.changed(db, events, count, by)
    if (told) this.notifications.afterFold(db, events, count, command, argv)
  }

  /** Whether events that nobody asked for may happen now. */
  private mayBury(): boolean {
    return this.transactions.running ? this.transactions.mayBury : this.mayWriteUnasked()
  }

  /** Whether the server may write of its own accord. */
  private mayWriteUnasked(): boolean {
    return !this.gate.replica && !this.loading && this.pause === "none" && this.ports.log.failure() === undefined
  }

  /** Changes the memory limit and its policy; data over a new limit goes with the next commands, or in the background. */
  limitMemory(settings: Readonly<MemorySettings>): void {
    this.memory.change(settings)
    this.view.usualTracking = trackingOf(settings.policy)
  }

  /**
   * Evicts in the background what the limit leaves no room for, for at most about `budgetMs`. Returns whether more must
   * go.
   */
  relieveMemory(budgetMs: number): boolean {
    if (this.loading || this.gate.replica || !this.memory.isOver()) return false
    this.beginChunk()
    const more = this.memory.relieve(budgetMs) === Relief.running
    this.settle()
    return more
  }

  /** Makes memory denser where it has become sparse, for at most about `budgetMs`. Returns whether there is more to do. */
  compact(budgetMs: number): boolean {
    return this.keyspace.compact(this.ports.monotonic, budgetMs)
  }

  /**
   * Buries keys whose deadline has passed, in the order of their deadlines, for at most about `budgetMs`.
   * Returns whether more are due.
   */
  expire(budgetMs: number): boolean {
    if (!this.activeExpire || !this.mayWriteUnasked()) return false
    this.beginChunk()
    const began = this.ports.monotonic()
    const more = expireDue(this.keyspace, this.view.now, this.ports.monotonic, budgetMs, this.burial)
    this.settle()
    const elapsed = this.ports.monotonic() - began
    this.statistics.expireCycleMs += elapsed
    if (more) this.statistics.expireCapReached++
    this.observer.latency.sample("expire-cycle", elapsed, this.view.now)
    return more
  }
}
