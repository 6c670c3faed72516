/** The executor's view of the data for one command: see `Decision`, which it implements but for the events. */
import type { Event } from "../../log/events/catalog.ts"
import type { Int64 } from "../../log/events/fields.ts"
import { noReply, type Reply } from "../../net/resp/reply.ts"
import * as Access from "../../projections/access.ts"
import * as Entry from "../../projections/entry.ts"
import { earliestFieldDeadline } from "../../projections/hash-fields.ts"
import { liveCount } from "../../projections/hash-read.ts"
import type { Database, Keyspace } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { integerOf, readString } from "../../projections/string.ts"
import type { ClientState } from "../client.ts"
import type { Decision } from "../decision.ts"
import type { Argv } from "../define.ts"
import { errors } from "../errors.ts"
import { type MemorySettings, Tracking, trackingOf } from "../memory-policy.ts"
import { maximumStringBytes } from "../string/range.ts"
import type { Wait } from "../waiting.ts"
import type { Statistics } from "./statistics.ts"

/** Room for the text of one integer. */
const digitsBytes = 24
const digitsTotal = 64 * 1024
const pooledSlices = 1024

// Read once. Objects elsewhere whose first property is called `time`, too, and comes to hold fractions, make V8 give up the
// shape they share with `Tracking`; code that reads it each time is then compiled and thrown away again for ever.
const { frequency: byFrequency, none: untracked, time: byTime } = Tracking

/** A `now` at which nothing is dead yet, Unix milliseconds. */
export const beforeAllDeadlines = 1

/** A small fast generator (xorshift128) with a seed, so that decisions can be repeated in tests. */
export class SeededRandom {
  private a: number
  private b: number
  private c: number
  private d: number
  constructor(seed: number) {
    this.a = (seed ^ 0x9e37_79b9) | 1
    this.b = Math.imul(seed, 0x85eb_ca6b) | 1
    this.c = (seed << 7) ^ 0x27d4_eb2f
    this.d = 0x1656_67b1
    for (let i = 0; i < 16; i++) this.next()
  }
  /** A uniform integer below 2^32. */
  next(): number {
    const t = this.a ^ (this.a << 11)
    this.a = this.b
    this.b = this.c
    this.c = this.d
    this.d = this.d ^ (this.d >>> 19) ^ t ^ (t >>> 8)
    return this.d >>> 0
  }
}

/** What a `View` needs from the executor. */
export interface ViewPorts {
  readonly statistics: Statistics
  readonly random: SeededRandom
  readonly memory: MemorySettings
  /** Records and folds the death of a key met past its deadline; false when the log takes nothing now. */
  readonly buryDead: (db: number, key: Slice) => boolean
  /** Records and folds the deaths of fields, some if they are very many, of the hash at `key`; see `buryDead`. */
  readonly buryFields: (db: number, key: Slice) => boolean
  /** See `Decision.mayRecord`. */
  readonly mayRecord: () => boolean
  /** A reading command has not found this key. */
  readonly missed: (key: Slice) => void
  /** Whether the running command must answer at once, because others run in the same transaction. */
  readonly mayNotWait: () => boolean
}

/**
 * What a field holds at first that is to keep its numbers as objects. V8 keeps a field that never held anything but
 * numbers as a bare double, and makes an object of it whenever it is passed to a function that is not inlined: for the
 * time that was three a command.
 */
const boxed = undefined as unknown as number

/** See `Decision`. One instance, pointed at each command in turn by `begin`. */
export class View implements Decision {
  now: number = boxed
  time: number = boxed
  client!: ClientState
  db!: Database
  commandName = ""
  /** The words of the running command. */
  argv!: Argv
  readonly keyspace: Keyspace
  /** Events of the running command; the first `eventCount` count. */
  readonly events: Array<Event> = []
  eventCount = 0
  /** Nothing is told of its events but that keys are new. */
  quiet = false
  /** What the running command wants to wait for, once it has asked to. */
  wanted: Wait | undefined = undefined
  /** What RESTORE says of when and how often the key was accessed. */
  restored: { readonly key: Slice; readonly idleSeconds: number; readonly frequency: number } | undefined = undefined
  /** The command waited and runs again because of this key. */
  served: Slice | undefined = undefined
  readonly memory: MemorySettings
  stringLimit = maximumStringBytes
  /** How accesses count while clients do not say otherwise: a `Tracking`. */
  usualTracking: number = byTime

  /** Whether somebody is to be told of keys that are read and not there. */
  tellsMisses = false
  private tracking: number = byTime
  private readonly ports: ViewPorts
  private readonly slices: Array<Slice> = Array.from({ length: 64 }, () => new Slice())
  private slicesUsed = 0
  private readonly digits = new Uint8Array(digitsTotal)
  private digitsUsed = 0

  constructor(keyspace: Keyspace, ports: ViewPorts) {
    this.setTime(0)
    this.keyspace = keyspace
    this.ports = ports
    this.memory = ports.memory
  }

  begin(client: ClientState, commandName: string, argv: Argv): void {
    this.client = client
    this.db = this.keyspace.database(client.db)
    this.commandName = commandName
    this.argv = argv
    this.tracking = client.noTouch ? untracked : this.usualTracking
    this.eventCount = 0
    this.quiet = false
    this.wanted = undefined
    this.slicesUsed = 0
    this.digitsUsed = 0
    const { turn } = this.keyspace
    turn.next(this.time)
    if (argv.isHashed === true) {
      turn.knownKey = argv.at(1)
      turn.knownHash = argv.keyHash!
    }
  }

  /** From now on it is `time`, Unix ms; and `now` for deadlines, where nothing is to be dead. */
  setTime(time: number, now: number = time): void {
    this.time = time
    this.now = now
  }

  mayRecord(): boolean {
    return this.ports.mayRecord()
  }

  emit(event: Event): void {
    this.events[this.eventCount++] = event
  }

  keepQuiet(): void {
    this.quiet = true
  }

  wait(wait: Wait): Reply {
    if (this.ports.mayNotWait()) return wait.nothing
    this.wanted = wait
    return noReply
  }

  restoreAccess(key: Slice, idleSeconds: number, frequency: number): void {
    this.restored = { key, idleSeconds, frequency }
  }

  /** To be called when the command's events are folded. */
  settleAccess(): void {
    const { frequency, idleSeconds, key } = this.restored!
    this.restored = undefined
    const p = this.db.locate(key)
    if (p === 0) return
    const { arena } = this.db
    Entry.setClock(arena, p, Access.accessedBefore(Entry.clockOf(arena, p), idleSeconds, frequency))
  }

  random(): number {
    return this.ports.random.next()
  }

  lookup(key: Slice): Pointer {
    const p = this.peek(key)
    if (p === 0) return 0
    if (this.tracking === byTime) Entry.setClock(this.db.arena, p, this.keyspace.turn.clock)
    else if (this.tracking === byFrequency) this.countAccess(p)
    return p
  }

  touch(key: Slice): Pointer {
    this.tracking = trackingOf(this.memory.policy)
    return this.lookup(key)
  }

  private countAccess(p: Pointer): void {
    const { arena } = this.db
    const { lfuDecayMinutes, lfuLogFactor } = this.memory
    const { clock } = this.keyspace.turn
    const before = Entry.clockOf(arena, p)
    Entry.setClock(arena, p, Access.accessed(before, clock, lfuDecayMinutes, lfuLogFactor, this.ports.random.next()))
  }

  peek(key: Slice): Pointer {
    const p = this.db.locate(key)
    return p === 0 ? 0 : this.living(this.client.db, this.db, key, p)
  }

  peekIn(db: number, key: Slice): Pointer {
    const database = this.keyspace.database(db)
    const p = database.locate(key)
    return p === 0 ? 0 : this.living(db, database, key, p)
  }

  /** The entry at `p`, or 0 when it is dead: its burial then comes first, and so does that of a hash's fields. */
  private living(number: number, db: Database, key: Slice, p: Pointer): Pointer {
    if (Entry.hasDeadline(db.arena, p) && Entry.deadlineOf(db.arena, p) <= this.now) {
      this.ports.buryDead(number, key)
      return 0
    }
    if (!Entry.mayHaveTimedFields(db.arena, p)) return p
    const first = earliestFieldDeadline(db.structures, p)
    if (first === 0 || first > this.now) return p
    this.ports.buryFields(number, key)
    const left = db.locate(key)
    return left === 0 || liveCount(db, left, this.now) === 0 ? 0 : left
  }

  counted(p: Pointer, key: Slice): Pointer {
    if (p === 0) {
      this.ports.statistics.keyspaceMisses++
      if (this.tellsMisses) this.ports.missed(key)
    } else this.ports.statistics.keyspaceHits++
    return p
  }

  string(key: Slice): Slice | undefined {
    const p = this.lookup(key)
    if (p === 0) return undefined
    this.expectString(p)
    return this.text(p)
  }

  text(p: Pointer): Slice {
    const into = this.slice()
    if (Entry.encodingOf(this.db.arena, p) !== Entry.Encoding.int) return readString(this.db, p, into, this.digits)
    if (this.digitsUsed + digitsBytes > digitsTotal) return readString(this.db, p, into, new Uint8Array(digitsBytes))
    const at = this.digitsUsed
    this.digitsUsed += digitsBytes
    return readString(this.db, p, into, this.digits, at)
  }

  private slice(): Slice {
    const at = this.slicesUsed++
    if (at < this.slices.length) return this.slices[at]!
    const slice = new Slice()
    if (at < pooledSlices) this.slices.push(slice)
    return slice
  }

  expectString(p: Pointer): void {
    if (Entry.typeOf(this.db.arena, p) !== Entry.Type.string) throw errors.wrongType
  }

  integer(key: Slice): Int64 | undefined {
    const p = this.lookup(key)
    if (p === 0) return undefined
    this.expectString(p)
    if (Entry.encodingOf(this.db.arena, p) === Entry.Encoding.int) return integerOf(this.db, p)
    const value = parseInt64Slice(this.text(p))
    if (value === undefined) throw errors.notInteger
    return value
  }

  deadline(p: Pointer): number {
    return Entry.deadlineOf(this.db.arena, p)
  }
}
