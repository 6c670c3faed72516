/**
 * Clients that are told of every changed key with certain prefixes (BCAST). Keys are gathered while a turn runs; at its
 * end each prefix's clients get one message with those that fit it, each once, in the order of their bytes.
 */
import { type Invalidation, invalidation } from "../../net/resp/message.ts"
import type { HashSeed } from "../../projections/memory/hash.ts"
import { compareSlices, copyBytes, equalBytes, Slice } from "../../projections/memory/slice.ts"
import type { ConnectionPort } from "../ports.ts"
import { Named, NameTable } from "../pubsub/names.ts"

/** A prefix that somebody wants to hear of. */
class Prefix extends Named<Prefix> {
  readonly bytes: Slice
  readonly clients = new Set<ConnectionPort>()
  /** Of the keys gathered in this turn, those before this one changed before anybody wanted to hear of them. */
  since: number
  constructor(name: string, since: number) {
    super(name)
    this.bytes = Slice.latin1(name)
    this.since = since
  }
}

/** Whoever changed a key by a command. */
type Maker = ConnectionPort | undefined

/** A key gathered in this turn: when (its number), and by whom, it was changed last. */
interface Changed {
  readonly key: Slice
  readonly last: number
  readonly by: Maker
}

const firstRoom = 1024
/** Room kept from turn to turn. */
const keptRoom = 1 << 20

const beginsWith = (key: Slice, prefix: Slice): boolean =>
  key.length >= prefix.length && equalBytes(key.bytes, key.start, prefix.bytes, prefix.start, prefix.length)

/** See the head of this file. */
export class Broadcasts {
  private readonly table: NameTable<Prefix>
  /** All prefixes, in the order of their bytes. */
  private prefixes: Array<Prefix> = []
  /** Lengths that prefixes have, ascending. */
  private lengths: ReadonlyArray<number> = []
  private readonly probe = new Slice()

  // What was gathered: bytes of the keys one after the other, where each ends, who changed it.
  private bytes = new Uint8Array(firstRoom)
  private readonly ends: Array<number> = []
  private readonly makers: Array<Maker> = []

  constructor(seed: HashSeed) {
    this.table = new NameTable(seed)
  }

  /** How many prefixes somebody wants to hear of. */
  get size(): number {
    return this.prefixes.length
  }

  /** Whether keys were gathered. */
  get pending(): boolean {
    return this.ends.length > 0
  }

  /** The connection wants to hear of keys with this prefix, a character per byte. */
  add(connection: ConnectionPort, name: string): void {
    const bytes = Slice.latin1(name)
    let prefix = this.table.find(bytes)
    if (prefix === undefined) {
      prefix = new Prefix(name, this.ends.length)
      this.table.add(bytes, prefix)
      this.prefixes.push(prefix)
      this.prefixes.sort((a, b) => compareSlices(a.bytes, b.bytes))
      this.measure()
    }
    prefix.clients.add(connection)
  }

  /** The connection wants to hear of none of these prefixes any more. */
  remove(connection: ConnectionPort, names: ReadonlyArray<string>): void {
    let gone = false
    for (const name of names) {
      const prefix = this.table.find(Slice.latin1(name))
      if (prefix === undefined || !prefix.clients.delete(connection) || prefix.clients.size > 0) continue
      this.table.remove(prefix)
      gone = true
    }
    if (!gone) return
    this.prefixes = this.prefixes.filter(({ clients }) => clients.size > 0)
    this.measure()
  }

  private measure(): void {
    this.lengths = [...new Set(this.prefixes.map(({ bytes }) => bytes.length))].toSorted((a, b) => a - b)
  }

  /** A key has changed: gathers it if anybody wants to hear of it. */
  changed(key: Slice, by: Maker): void {
    const { lengths, probe } = this
    for (let i = 0; i < lengths.length && lengths[i]! <= key.length; i++) {
      if (this.table.find(probe.set(key.bytes, key.start, lengths[i]!)) === undefined) continue
      this.gather(key, by)
      return
    }
  }

  private gather({ bytes, length, start }: Slice, by: Maker): void {
    const { ends } = this
    const at = ends.length === 0 ? 0 : ends[ends.length - 1]!
    if (at + length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(at + length, 2 * this.bytes.length))
      larger.set(this.bytes.subarray(0, at))
      this.bytes = larger
    }
    copyBytes(this.bytes, at, bytes, start, length)
    ends.push(at + length)
    this.makers.push(by)
  }

  /** The turn is over: `tell` is given each connection and what it is to be told. */
  send(tell: (connection: ConnectionPort, message: Invalidation) => void): void {
    const changed = this.take()
    for (const prefix of this.prefixes) {
      const { bytes, clients, since } = prefix
      prefix.since = 0
      const fitting: Array<Changed> = []
      for (let i = firstFrom(changed, bytes); i < changed.length && beginsWith(changed[i]!.key, bytes); i++) {
        if (changed[i]!.last >= since) fitting.push(changed[i]!)
      }
      if (fitting.length === 0) continue
      const toAll = invalidation(fitting.map(({ key }) => key))
      for (const connection of clients) {
        if (!connection.client.tracking!.noLoop) tell(connection, toAll)
        else {
          const others = fitting.filter(({ by }) => by !== connection)
          if (others.length === fitting.length) tell(connection, toAll)
          else if (others.length > 0) tell(connection, invalidation(others.map(({ key }) => key)))
        }
      }
    }
  }

  /** What was gathered, each key once and in order; nothing is gathered any more. */
  private take(): ReadonlyArray<Changed> {
    const { bytes, ends, makers } = this
    const all = ends.map((end, i): Changed => {
      const start = i === 0 ? 0 : ends[i - 1]!
      return { key: new Slice(bytes, start, end - start), last: i, by: makers[i] }
    })
    ends.length = makers.length = 0
    if (bytes.length > keptRoom) this.bytes = new Uint8Array(firstRoom)
    all.sort((a, b) => compareSlices(a.key, b.key) || a.last - b.last)
    return all.filter(({ key }, i) => i + 1 === all.length || compareSlices(key, all[i + 1]!.key) !== 0)
  }
}

/** Where the first key is that is not before `prefix`. */
const firstFrom = (changed: ReadonlyArray<Changed>, prefix: Slice): number => {
  let low = 0
  let high = changed.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareSlices(changed[middle]!.key, prefix) < 0) low = middle + 1
    else high = middle
  }
  return low
}
