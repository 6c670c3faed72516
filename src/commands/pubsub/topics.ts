/** Subscriptions of one kind (channels, patterns, shard channels): who has subscribed to what. */
import type { HashSeed } from "../../projections/memory/hash.ts"
import { Slice } from "../../projections/memory/slice.ts"
import type { ConnectionPort } from "../ports.ts"
import { Named, NameTable } from "./names.ts"

/** One channel or pattern that somebody has subscribed to. */
export class Topic extends Named<Topic> {
  /** In the order of their subscriptions. */
  readonly subscribers: Array<ConnectionPort> = []
  /** Its place among all of its kind. */
  place = 0
  private bytes: Slice | undefined = undefined

  /** The name as bytes; made when it is first asked for. */
  get slice(): Slice {
    return this.bytes ??= Slice.latin1(this.name)
  }
}

/** Where a connection keeps count of its subscriptions of one kind. */
export type Counter = "channels" | "patterns" | "shardChannels"

/** See the head of this file. */
export class Topics {
  private readonly counter: Counter
  private readonly table: NameTable<Topic>
  private readonly list: Array<Topic> = []
  private readonly byConnection = new Map<ConnectionPort, Set<Topic>>()

  constructor(counter: Counter, seed: HashSeed) {
    this.counter = counter
    this.table = new NameTable(seed)
  }

  /** How many names somebody has subscribed to. */
  get size(): number {
    return this.table.size
  }

  find(name: Slice): Topic | undefined {
    return this.table.find(name)
  }

  /** All that somebody has subscribed to, in no particular order. */
  get all(): ReadonlyArray<Topic> {
    return this.list
  }

  /** False when the connection has subscribed to it before. */
  subscribe(connection: ConnectionPort, name: Slice): boolean {
    let topic = this.table.find(name)
    let own = this.byConnection.get(connection)
    if (topic === undefined) topic = this.add(name)
    else if (own?.has(topic) === true) return false
    if (own === undefined) this.byConnection.set(connection, own = new Set())
    own.add(topic)
    topic.subscribers.push(connection)
    connection.client[this.counter]++
    return true
  }

  /** False when the connection has no such subscription. */
  unsubscribe(connection: ConnectionPort, name: Slice): boolean {
    const topic = this.table.find(name)
    const own = this.byConnection.get(connection)
    if (topic === undefined || own === undefined || !own.delete(topic)) return false
    if (own.size === 0) this.byConnection.delete(connection)
    this.leave(connection, topic)
    return true
  }

  /** Ends one subscription of the connection, the oldest, and names it; undefined when it has none. */
  unsubscribeNext(connection: ConnectionPort): Topic | undefined {
    const own = this.byConnection.get(connection)
    if (own === undefined) return undefined
    const [topic] = own
    own.delete(topic!)
    if (own.size === 0) this.byConnection.delete(connection)
    this.leave(connection, topic!)
    return topic
  }

  /** Ends all subscriptions of the connection. */
  forget(connection: ConnectionPort): void {
    const own = this.byConnection.get(connection)
    if (own === undefined) return
    this.byConnection.delete(connection)
    for (const topic of own) this.leave(connection, topic)
  }

  private add(name: Slice): Topic {
    const topic = new Topic(name.latin1())
    topic.place = this.list.length
    this.list.push(topic)
    this.table.add(name, topic)
    return topic
  }

  private remove(topic: Topic): void {
    this.table.remove(topic)
    const last = this.list.pop()!
    if (last === topic) return
    last.place = topic.place
    this.list[last.place] = last
  }

  private leave(connection: ConnectionPort, topic: Topic): void {
    const { subscribers } = topic
    subscribers.splice(subscribers.indexOf(connection), 1)
    if (subscribers.length === 0) this.remove(topic)
    connection.client[this.counter]--
  }
}
