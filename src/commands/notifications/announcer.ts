/**
 * Publishes what happened to a key as messages on up to six channels, in the order in which Redis does. They take the path
 * of PUBLISH, so they leave with the replies of the turn, and cost next to nothing while nobody listens.
 *
 * | letter | channel | message |
 * |---|---|---|
 * | K | `__keyspace@<db>__:<key>` | `<event>` |
 * | E | `__keyevent@<db>__:<event>` | `<key>` |
 * | S | `__subkeyspace@<db>__:<key>` | `<event>|<fields>` |
 * | T | `__subkeyevent@<db>__:<event>` | `<length of key>:<key>|<fields>` |
 * | I | `__subkeyspaceitem@<db>__:<key>\n<field>` | `<event>` |
 * | V | `__subkeyspaceevent@<db>__:<event>|<key>` | `<fields>` |
 *
 * The last four are for fields of hashes; `<fields>` is `<length>:<field>`, several of them separated by commas.
 */
import { Slice } from "../../projections/memory/slice.ts"
import type { Subscriptions } from "../pubsub/subscriptions.ts"
import {
  classBits,
  classOfEvent,
  keyeventBit,
  keyspaceBit,
  subkeyBits,
  subkeyeventBit,
  subkeyspaceBit,
  subkeyspaceeventBit,
  subkeyspaceitemBit
} from "./classes.ts"
import { Line } from "./line.ts"

/** Names of fields in a list where something else may stand between them. */
export interface Fields {
  readonly list: ReadonlyArray<Slice>
  /** 1 for names only, 2 for names and values in turn. */
  readonly step: 1 | 2
}

/** A name, its bytes, and the bit of its class. */
interface Told {
  readonly text: Slice
  readonly bit: number
}

const told: ReadonlyMap<string, Told> = new Map(
  [...classOfEvent].map(([name, bit]) => [name, { text: Slice.latin1(name), bit }] as const)
)

/** What waits until it is certain that a transaction is not taken back. */
interface Held {
  readonly db: number
  readonly name: string
  readonly key: Slice
  readonly fields: Fields | undefined
}

const newline = 10

const mayBeInItemChannel = ({ bytes, length, start }: Slice): boolean => {
  for (let i = 0; i < length; i++) if (bytes[start + i] === newline) return false
  return true
}

/** See the head of this file. */
export class Announcer {
  private classes = 0
  private readonly subscriptions: Subscriptions
  private readonly channel = new Line()
  private readonly message = new Line()
  private held: Array<Held> | undefined = undefined

  constructor(subscriptions: Subscriptions) {
    this.subscriptions = subscriptions
  }

  /** Follows notify-keyspace-events. */
  configure(letters: string): void {
    this.classes = classBits(letters)
  }

  /** Whether anything would be told of an event of any of these classes. */
  wants(classes: number): boolean {
    return (this.classes & classes) !== 0
  }

  /** Whether anybody might hear anything. */
  get audible(): boolean {
    return this.subscriptions.audible
  }

  /** From now on nothing is told, until `release` tells it or `drop` forgets it. */
  hold(): void {
    this.held = []
  }

  release(): void {
    const { held } = this
    this.held = undefined
    for (const { db, fields, key, name } of held ?? []) this.tell(db, name, key, fields)
  }

  drop(): void {
    this.held = undefined
  }

  /** Tells of one event of a key, on the channels that are wanted; `fields` are those of a hash that it concerns. */
  tell(db: number, name: string, key: Slice, fields?: Fields): void {
    const { bit, text } = told.get(name)!
    const { classes, subscriptions } = this
    if ((classes & bit) === 0 || !subscriptions.audible) return
    if (this.held !== undefined) {
      this.held.push({ db, name, key: key.copy(), fields: fields === undefined ? undefined : copyOf(fields) })
      return
    }
    if ((classes & keyspaceBit) !== 0) subscriptions.publish(this.channel.begin("keyspace", db).add(key).slice, text)
    if ((classes & keyeventBit) !== 0) subscriptions.publish(this.channel.begin("keyevent", db).add(text).slice, key)
    if ((classes & subkeyBits) !== 0 && fields !== undefined && fields.list.length > 0) {
      this.tellFields(db, text, key, fields)
    }
  }

  private tellFields(db: number, event: Slice, key: Slice, fields: Fields): void {
    const { channel, classes, message, subscriptions } = this
    if ((classes & subkeyspaceBit) !== 0) {
      message.clear().add(event).text("|")
      subscriptions.publish(channel.begin("subkeyspace", db).add(key).slice, list(message, fields))
    }
    if ((classes & subkeyeventBit) !== 0) {
      message.clear().measured(key).text("|")
      subscriptions.publish(channel.begin("subkeyevent", db).add(event).slice, list(message, fields))
    }
    if ((classes & subkeyspaceitemBit) !== 0 && mayBeInItemChannel(key)) {
      for (let i = 0; i < fields.list.length; i += fields.step) {
        channel.begin("subkeyspaceitem", db).add(key).text("\n").add(fields.list[i]!)
        subscriptions.publish(channel.slice, event)
      }
    }
    if ((classes & subkeyspaceeventBit) !== 0) {
      channel.begin("subkeyspaceevent", db).add(event).text("|").add(key)
      subscriptions.publish(channel.slice, list(message.clear(), fields))
    }
  }
}

const list = (line: Line, { list: names, step }: Fields): Slice => {
  for (let i = 0; i < names.length; i += step) {
    if (i > 0) line.text(",")
    line.measured(names[i]!)
  }
  return line.slice
}

const copyOf = ({ list: names, step }: Fields): Fields => {
  const copies: Array<Slice> = []
  for (let i = 0; i < names.length; i += step) copies.push(names[i]!.copy())
  return { list: copies, step: 1 }
}
