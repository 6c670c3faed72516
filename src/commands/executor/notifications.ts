/**
 * Keyspace notifications: what happens to keys, told as messages (notify-keyspace-events). What is told follows from the
 * events of a batch and from the command that made them; it is told in the order in which Redis tells it: what is new
 * first, then what the command did, then what is gone because of it. A transaction's commands are told one by one, as they
 * run. While notifications are off, one look per batch is all they cost.
 */
import type { Event } from "../../log/events/catalog.ts"
import type { Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import * as Stream from "../../projections/stream-read.ts"
import type { Argv } from "../define.ts"
import { Announcer } from "../notifications/announcer.ts"
import { channelBits, classBits, subkeyBits } from "../notifications/classes.ts"
import {
  fieldsOf,
  fieldsOfHsetex,
  isToldBackwards,
  keepsDeadline,
  mayEmpty,
  nameOf,
  overwrites,
  tellsEach
} from "../notifications/table.ts"
import { changeless } from "../notifications/unchanged.ts"
import type { Subscriptions } from "../pubsub/subscriptions.ts"
import { sameWord } from "../words.ts"
import type { View } from "./lookup.ts"

/** The name of a command that is told of only where it makes a key. */
export const silent = "silent"

const absent = -1
const missBit = classBits("m")
const hashBit = classBits("h")
/** What is told of by comparing what was at a key with what is there now. */
const comparedBits = classBits("noc")

/** Where an event's change shows: the key that is there afterwards, and its database. */
const targetOf = (event: Event): Slice | undefined =>
  event._tag === "KeyRenamed" || event._tag === "KeyCopied" ? event.to : "key" in event ? event.key : undefined

const databaseOf = (db: number, event: Event): number =>
  event._tag === "KeyCopied" || event._tag === "KeyMoved" ? event.toDb : db

/** See the head of this file. */
export class Notifications {
  /** Whether anything is told at all, if somebody listens. */
  active = false
  private readonly keyspace: Keyspace
  private readonly announcer: Announcer
  private readonly view: () => View
  /** Whether what was at a key before matters. */
  private compares = false
  /** Type of what was at each event's target before the batch, or `absent`. */
  private readonly before: Array<number> = []
  /** Whether each event makes a consumer of a group by giving it entries. */
  private readonly consumerMade: Array<boolean> = []
  /** Whether each event buries a hash because all of its fields are dead. */
  private readonly fieldsDied: Array<boolean> = []
  /** Of the keys of a long batch: where each was last so far, and where it is last at all, by name. */
  private readonly places = new Map<string, number>()
  private readonly lastPlaces = new Map<string, number>()
  /** The words of the command that made the batch; undefined where they are not known. */
  private argv: Argv | undefined = undefined

  constructor(keyspace: Keyspace, subscriptions: Subscriptions, view: () => View) {
    this.keyspace = keyspace
    this.announcer = new Announcer(subscriptions)
    this.view = view
  }

  /** Follows notify-keyspace-events. */
  configure(letters: string): void {
    const classes = classBits(letters)
    this.announcer.configure(letters)
    this.compares = (classes & comparedBits) !== 0
    this.active = (classes & channelBits) !== 0 && (classes & ~channelBits) !== 0
    this.view().tellsMisses = this.active && (classes & missBit) !== 0
  }

  /** Whether somebody may hear which fields of a hash an event concerns. */
  get namesFields(): boolean {
    return this.active && this.announcer.wants(hashBit) && this.announcer.wants(subkeyBits) && this.announcer.audible
  }

  // ——— what the executor tells ———

  /** To be called before the events of one batch are folded. False when nobody listens: `afterFold` is not needed then. */
  beforeFold(db: number, events: ReadonlyArray<Event>, count: number): boolean {
    if (!this.announcer.audible) return false
    for (let i = 0; i < count; i++) {
      const event = events[i]!
      this.before[i] = this.compares ? this.typeAt(db, event) : absent
      this.consumerMade[i] = this.makesConsumer(db, event)
      this.fieldsDied[i] = event._tag === "KeyExpired" && this.isHashWithin(db, event.key)
    }
    return true
  }

  /**
   * To be called when they are folded. `command` is the name of the one that made them, "" if none did; `argv` its words,
   * where they are known: without them some changes have the name of what is most like them.
   */
  afterFold(db: number, events: ReadonlyArray<Event>, count: number, command: string, argv: Argv | undefined): void {
    this.argv = argv
    if (count === 2 && isToldBackwards(command, events[0]!)) {
      this.tellEvent(db, events, 1, count, command)
      this.tellEvent(db, events, 0, count, command)
    } else for (let i = 0; i < count; i++) this.tellEvent(db, events, i, count, command)
    if (count <= shortBatch) return
    this.places.clear()
    this.lastPlaces.clear()
    this.before.length = this.consumerMade.length = this.fieldsDied.length = 0
  }

  /** A command that reads has not found a key. */
  missed(key: Slice): void {
    const { client, commandName } = this.view()
    // OBJECT counts a miss, and says nothing.
    if (!commandName.startsWith("object|")) this.announcer.tell(client.db, "keymiss", key)
  }

  /** A command has answered and had nothing to change; Redis tells of some of these as if they had. */
  unchanged(command: string, reply: Reply): void {
    const view = this.view()
    changeless.get(command)?.(view, view.argv, (name, key, fields) => {
      this.announcer.tell(view.client.db, name, key, fields)
    }, reply)
  }

  /** From now on nothing is told, until `release` tells it or `drop` forgets it. */
  hold(): void {
    this.announcer.hold()
  }

  release(): void {
    this.announcer.release()
  }

  drop(): void {
    this.announcer.drop()
  }

  // ——— what is told ———

  private typeAt(db: number, event: Event): number {
    const key = targetOf(event)
    if (key === undefined) return absent
    const database = this.keyspace.database(databaseOf(db, event))
    const p = database.locate(key)
    return p === 0 ? absent : Entry.typeOf(database.arena, p)
  }

  /** Whether there is a hash whose fields may have died, while its own deadline, if it has any, is not past. */
  private isHashWithin(db: number, key: Slice): boolean {
    const database = this.keyspace.database(db)
    const p = database.locate(key)
    if (p === 0 || !Entry.mayHaveTimedFields(database.arena, p)) return false
    return !Entry.hasDeadline(database.arena, p) || Entry.deadlineOf(database.arena, p) > this.view().now
  }

  private makesConsumer(db: number, event: Event): boolean {
    if (event._tag !== "StreamEntriesDelivered" && event._tag !== "StreamEntriesClaimed") return false
    const database = this.keyspace.database(db)
    const p = database.locate(event.key)
    const group = p === 0 ? 0 : Stream.findGroup(database, p, event.group)
    return group !== 0 && Stream.findConsumer(database, group, event.consumer) === 0
  }

  private tellEvent(db: number, events: ReadonlyArray<Event>, i: number, count: number, command: string): void {
    const event = events[i]!
    const key = targetOf(event)
    if (key === undefined) return // of whole databases nothing is told
    const { announcer } = this
    switch (event._tag) {
      case "KeyDeleted":
        if (this.typeAt(db, event) !== absent) return // it made room for what comes next
        if (command === "ltrim") announcer.tell(db, "ltrim", key)
        announcer.tell(db, "del", key)
        return
      case "KeyExpired":
        if (!this.fieldsDied[i]!) announcer.tell(db, "expired", key)
        else {
          announcer.tell(db, "hexpired", key)
          announcer.tell(db, "del", key)
        }
        return
      case "KeyEvicted":
        announcer.tell(db, "evicted", key)
        return
      case "KeyRenamed":
        announcer.tell(db, "new", key)
        announcer.tell(db, "rename_from", event.key)
        announcer.tell(db, "rename_to", key)
        this.tellOverwritten(db, i, event, key)
        return
      case "KeyCopied":
        announcer.tell(event.toDb, "new", key)
        announcer.tell(event.toDb, "copy_to", key)
        this.tellOverwritten(event.toDb, i, event, key)
        return
      case "KeyMoved":
        announcer.tell(event.toDb, "new", key)
        announcer.tell(db, "move_from", key)
        announcer.tell(event.toDb, "move_to", key)
        return
      default:
        this.tellChange(db, events, i, count, command, key)
    }
  }

  private tellChange(
    db: number,
    events: ReadonlyArray<Event>,
    i: number,
    count: number,
    command: string,
    key: Slice
  ): void {
    const { announcer, argv } = this
    const event = events[i]!
    const each = tellsEach(command)
    const earlier = count === 1 || (each && !this.compares) ? -1 : this.earlierOf(events, i, count, key)
    const name = nameOf(event, command, argv)
    if (command === "restore") {
      if (earlier >= 0 && events[earlier]!._tag !== "KeyDeleted") return // one value may take several events
      announcer.tell(db, "new", key)
      announcer.tell(db, name, key)
      this.tellOverwritten(db, i, event, key)
      return
    }
    // What an earlier event put there is not new, and overwritten by this one.
    if (earlier >= 0 && this.before[i] === absent && this.compares) this.before[i] = this.typeAt(db, event)
    if (this.compares && this.before[i] === absent && this.typeAt(db, event) !== absent) announcer.tell(db, "new", key)
    if (overwrites(command)) this.tellOverwritten(db, i, event, key)
    if (command === "hsetex" && event._tag === "HashFieldsDeleted" && argv !== undefined) {
      const fields = fieldsOfHsetex(argv)
      announcer.tell(db, "hset", key, fields)
      announcer.tell(db, "hdel", key, fields)
      if (this.typeAt(db, event) === absent) announcer.tell(db, "del", key)
      return
    }
    // HSETEX, PFADD and the like state one change in several events.
    const again = earlier >= 0 && !each && nameOf(events[earlier]!, command, argv) === name
    if (name !== "" && !again) announcer.tell(db, name, key, fieldsOf(event, command, argv))
    if (this.consumerMade[i]!) announcer.tell(db, "xgroup-createconsumer", key)
    if (event._tag === "StringSet" && event.expireAt !== null && !keepsDeadline(command, argv)) {
      announcer.tell(db, "expire", key)
    }
    if (mayEmpty(event) && this.typeAt(db, event) === absent && !this.isTouchedLater(events, i, count, key)) {
      announcer.tell(db, "del", key)
    }
  }

  private tellOverwritten(db: number, i: number, event: Event, key: Slice): void {
    const before = this.before[i]!
    if (!this.compares || before === absent) return
    const after = this.typeAt(db, event)
    if (after === absent) return
    this.announcer.tell(db, "overwritten", key)
    if (before !== after) this.announcer.tell(db, "type_changed", key)
  }

  /** The last event before this one at the same key, or -1. Of a long batch, keys are remembered by name. */
  private earlierOf(events: ReadonlyArray<Event>, i: number, count: number, key: Slice): number {
    if (count > shortBatch) {
      const name = key.latin1()
      const place = this.places.get(name) ?? -1
      this.places.set(name, i)
      return place
    }
    for (let j = i - 1; j >= 0; j--) {
      const other = targetOf(events[j]!)
      if (other !== undefined && sameWord(other, key)) return j
    }
    return -1
  }

  private isTouchedLater(events: ReadonlyArray<Event>, i: number, count: number, key: Slice): boolean {
    if (count > shortBatch) {
      const { lastPlaces } = this
      if (lastPlaces.size === 0) {
        for (let j = 0; j < count; j++) {
          const other = targetOf(events[j]!)
          if (other !== undefined) lastPlaces.set(other.latin1(), j)
        }
      }
      return lastPlaces.get(key.latin1())! > i
    }
    for (let j = i + 1; j < count; j++) {
      const other = targetOf(events[j]!)
      if (other !== undefined && sameWord(other, key)) return true
    }
    return false
  }
}

/** Batches up to this long are compared event by event. */
const shortBatch = 16
