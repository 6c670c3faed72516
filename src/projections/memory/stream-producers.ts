/**
 * What the producers of a stream have added under names of their own, so that nothing is added twice; in the arena:
 *
 * ```
 * settings  0 seconds that a name is remembered · 1 most names of a producer · 2–3 names noted · 4–5 refused (high, low) ·
 *           6 table of producers · 7 their order by the time of the last name · 8 table of names · 9 names remembered
 * producer  0 name length << 2 | mark · 1–2 time of its last name as a score · 3 oldest name · 4 newest name · 5 names · name
 * name      0 length of the key << 2 · 1 older · 2 newer · 3–6 id · 7–8 time (high, low) · producer and name, the key
 * ```
 *
 * A producer is forgotten with its last name, at the latest when another one notes a name after that. The mark of a
 * producer counts for its names.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import type { HashSeed } from "./hash.ts"
import { fromWords, highWord, lowWord } from "./integer.ts"
import { Ranked } from "./ranked.ts"
import { copyBytes, Slice } from "./slice.ts"
import { Root } from "./stream-entries.ts"
import { compareIds, StreamId } from "./stream-id.ts"
import { idAt, setIdAt } from "./stream-node.ts"
import { Table } from "./table.ts"

const settingsBytes = 40
const producerNameAt = 24
const nameKeyAt = 36
const pointerBytes = 4

const Settings = {
  seconds: 0,
  most: 1,
  noted: 2,
  refused: 4,
  producers: 6,
  order: 7,
  names: 8,
  remembered: 9
} as const
const Producer = { name: 0, time: 1, oldest: 3, newest: 4, count: 5 } as const
const Name = { key: 0, older: 1, newer: 2, id: 3, time: 7 } as const

const span = 0x1_0000_0000
const greatestWord = 0xffff_ffff
const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)

/** What a stream knows of its producers on the whole. */
export interface ProducerFigures {
  readonly durationSeconds: number
  readonly maxSize: number
  /** Producers and names remembered now. */
  readonly producers: number
  readonly tracked: number
  /** Names ever noted, and how often one was refused. */
  readonly added: number | bigint
  readonly duplicates: number | bigint
}

/** See the head of this file. One per arena; methods take the root of a stream. */
export class StreamProducers {
  /** The mark that new producers get. */
  mark = 0
  /** Called with a producer before its names change or it goes, if there is anybody to be told. */
  changing: ((root: Pointer, producer: Pointer) => void) | undefined = undefined
  readonly arena: Arena
  readonly producers: Table
  private readonly names: Table
  private readonly order: Ranked
  private key = new Uint8Array(64)
  private keyLength = 0
  private readonly id = new StreamId()
  private readonly free: (p: Pointer) => void

  constructor(arena: Arena, seed: HashSeed) {
    this.arena = arena
    this.producers = new Table(arena, seed, producerNameAt)
    this.names = new Table(arena, seed, nameKeyAt)
    this.order = new Ranked(arena, producerNameAt)
    this.free = (p) => arena.free(p)
  }

  private get(p: Pointer, word: number): number {
    return this.arena.words[slabOf(p)]![wordOf(p) + word]!
  }

  private set(p: Pointer, word: number, value: number): void {
    this.arena.words[slabOf(p)]![wordOf(p) + word] = value
  }

  private add(p: Pointer, word: number, by: number): void {
    this.set(p, word, this.get(p, word) + by)
  }

  private timeAt(p: Pointer): number {
    return this.get(p, Name.time) * span + this.get(p, Name.time + 1)
  }

  /** The settings of a stream, made if there are none. */
  private settings(root: Pointer): Pointer {
    let settings = this.get(root, Root.producers)
    if (settings !== 0) return settings
    settings = this.arena.allocate(settingsBytes)
    this.arena.words[slabOf(settings)]!.fill(0, wordOf(settings), wordOf(settings) + settingsBytes / 4)
    this.set(root, Root.producers, settings)
    this.set(settings, Settings.producers, this.producers.create())
    this.set(settings, Settings.order, this.order.create())
    this.set(settings, Settings.names, this.names.create())
    return settings
  }

  /** The table of producers, 0 when the stream never had settings. */
  tableOf(root: Pointer): Pointer {
    const settings = this.get(root, Root.producers)
    return settings === 0 ? 0 : this.get(settings, Settings.producers)
  }

  figures(root: Pointer): ProducerFigures | undefined {
    const settings = this.get(root, Root.producers)
    if (settings === 0) return undefined
    return {
      durationSeconds: this.get(settings, Settings.seconds),
      maxSize: this.get(settings, Settings.most),
      producers: this.producers.open(this.get(settings, Settings.producers)).size,
      tracked: this.get(settings, Settings.remembered),
      added: fromWords(this.get(settings, Settings.noted), this.get(settings, Settings.noted + 1)),
      duplicates: fromWords(this.get(settings, Settings.refused), this.get(settings, Settings.refused + 1))
    }
  }

  /** New settings; everything remembered is forgotten. */
  configure(root: Pointer, seconds: number, most: number): void {
    const settings = this.settings(root)
    const table = this.get(settings, Settings.producers)
    for (let producer = this.oldestProducer(settings); producer !== 0; producer = this.oldestProducer(settings)) {
      if (this.changing !== undefined) this.changing(root, producer)
      this.forgetProducer(settings, table, producer)
    }
    this.set(settings, Settings.seconds, Math.min(seconds, greatestWord))
    this.set(settings, Settings.most, Math.min(most, greatestWord))
  }

  /** Settings and figures as they were; nothing is forgotten. */
  restoreFigures(root: Pointer, seconds: number, most: number, noted: number | bigint, refused: number | bigint): void {
    const settings = this.settings(root)
    this.set(settings, Settings.seconds, Math.min(seconds, greatestWord))
    this.set(settings, Settings.most, Math.min(most, greatestWord))
    this.setInt64(settings, Settings.noted, noted)
    this.setInt64(settings, Settings.refused, refused)
  }

  private setInt64(p: Pointer, word: number, value: number | bigint): void {
    this.set(p, word, highWord(value))
    this.set(p, word + 1, lowWord(value))
  }

  private countOne(settings: Pointer, word: number): void {
    const low = this.get(settings, word + 1)
    this.set(settings, word + 1, low + 1)
    if (low === greatestWord) this.set(settings, word, this.get(settings, word) + 1)
  }

  /** Counts a name that was sent again. */
  refuse(root: Pointer): void {
    const settings = this.get(root, Root.producers)
    if (settings !== 0) this.countOne(settings, Settings.refused)
  }

  // ——— names ———

  private findProducer(settings: Pointer, name: Slice): Pointer {
    return this.producers.open(this.get(settings, Settings.producers)).get(name.bytes, name.start, name.length)
  }

  private setKey(producer: Pointer, name: Slice): void {
    const length = pointerBytes + name.length
    if (length > this.key.length) this.key = new Uint8Array(2 * length)
    else if (this.key.length > 1 << 20 && length < 1 << 16) this.key = new Uint8Array(1 << 16)
    for (let i = 0; i < pointerBytes; i++) this.key[i] = producer >>> 8 * i
    copyBytes(this.key, pointerBytes, name.bytes, name.start, name.length)
    this.keyLength = length
  }

  /** The entry that a producer has added under a name, into `into`; false when none is remembered at `now` (Unix ms). */
  find(root: Pointer, producer: Slice, name: Slice, now: number, into: StreamId): boolean {
    const settings = this.get(root, Root.producers)
    const owner = settings === 0 ? 0 : this.findProducer(settings, producer)
    if (owner === 0) return false
    this.setKey(owner, name)
    const found = this.names.open(this.get(settings, Settings.names)).get(this.key, 0, this.keyLength)
    if (found === 0 || now - this.timeAt(found) >= 1000 * this.get(settings, Settings.seconds)) return false
    idAt(this.arena, found, Name.id, into)
    return true
  }

  /** The producer has added this entry under this name, at this time. Nothing happens in a stream without settings. */
  note(root: Pointer, producer: Slice, name: Slice, id: StreamId, time: number): void {
    const settings = this.get(root, Root.producers)
    if (settings === 0) return
    this.countOne(settings, Settings.noted)
    this.expire(root, settings, time)
    const owner = this.producerFor(root, settings, producer, time)
    this.insert(settings, owner, name, id, time)
    const lifetime = 1000 * this.get(settings, Settings.seconds)
    for (;;) {
      const oldest = this.get(owner, Producer.oldest)
      if (oldest === 0) break
      const passed = this.get(owner, Producer.count) > this.get(settings, Settings.most)
      if (!passed && time - this.timeAt(oldest) < lifetime) break
      this.forgetName(settings, owner, oldest)
    }
    if (this.get(owner, Producer.oldest) === 0) {
      this.forgetProducer(settings, this.get(settings, Settings.producers), owner)
    } else this.redate(settings, owner)
  }

  private redate(settings: Pointer, owner: Pointer): void {
    this.order.open(this.get(settings, Settings.order)).move(owner, this.timeAt(this.get(owner, Producer.newest)))
  }

  private producerFor(root: Pointer, settings: Pointer, name: Slice, time: number): Pointer {
    let owner = this.findProducer(settings, name)
    if (owner !== 0) {
      if (this.changing !== undefined) this.changing(root, owner)
      return owner
    }
    owner = this.arena.allocate(producerNameAt + name.length)
    this.set(owner, Producer.name, (name.length << 2 | this.mark) >>> 0)
    floats[0] = time
    this.set(owner, Producer.time, floatWords[0]!)
    this.set(owner, Producer.time + 1, floatWords[1]!)
    this.set(owner, Producer.oldest, 0)
    this.set(owner, Producer.newest, 0)
    this.set(owner, Producer.count, 0)
    copyBytes(this.arena.bytes[slabOf(owner)]!, byteOf(owner) + producerNameAt, name.bytes, name.start, name.length)
    const table = this.producers.open(this.get(settings, Settings.producers))
    table.insert(table.hash(name.bytes, name.start, name.length), owner)
    this.order.open(this.get(settings, Settings.order)).add(owner)
    return owner
  }

  /** Puts a name at its place among those of its producer, which are in the order of the entries' ids. */
  private insert(settings: Pointer, owner: Pointer, name: Slice, id: StreamId, time: number): void {
    this.setKey(owner, name)
    const table = this.names.open(this.get(settings, Settings.names))
    const before = table.get(this.key, 0, this.keyLength)
    if (before !== 0) this.forgetName(settings, owner, before)
    const p = this.arena.allocate(nameKeyAt + this.keyLength)
    this.set(p, Name.key, this.keyLength << 2)
    setIdAt(this.arena, p, Name.id, id)
    this.set(p, Name.time, Math.floor(time / span))
    this.set(p, Name.time + 1, time >>> 0)
    copyBytes(this.arena.bytes[slabOf(p)]!, byteOf(p) + nameKeyAt, this.key, 0, this.keyLength)
    let older = this.get(owner, Producer.newest)
    while (older !== 0 && compareIds(idAt(this.arena, older, Name.id, this.id), id) > 0) {
      older = this.get(older, Name.older)
    }
    const newer = older === 0 ? this.get(owner, Producer.oldest) : this.get(older, Name.newer)
    this.join(owner, older, p)
    this.join(owner, p, newer)
    table.open(this.get(settings, Settings.names)).insert(table.hash(this.key, 0, this.keyLength), p)
    this.add(owner, Producer.count, 1)
    this.add(settings, Settings.remembered, 1)
  }

  private join(owner: Pointer, older: Pointer, newer: Pointer): void {
    if (older === 0) this.set(owner, Producer.oldest, newer)
    else this.set(older, Name.newer, newer)
    if (newer === 0) this.set(owner, Producer.newest, older)
    else this.set(newer, Name.older, older)
  }

  private forgetName(settings: Pointer, owner: Pointer, p: Pointer): void {
    this.join(owner, this.get(p, Name.older), this.get(p, Name.newer))
    const table = this.names.open(this.get(settings, Settings.names))
    table.remove(table.hashAt(p), p)
    this.arena.free(p)
    this.add(owner, Producer.count, -1)
    this.add(settings, Settings.remembered, -1)
  }

  private oldestProducer(settings: Pointer): Pointer {
    return this.order.open(this.get(settings, Settings.order)).first()
  }

  /** Forgets the producers all of whose names are too old at `time`. */
  private expire(root: Pointer, settings: Pointer, time: number): void {
    const lifetime = 1000 * this.get(settings, Settings.seconds)
    const table = this.get(settings, Settings.producers)
    for (;;) {
      const producer = this.oldestProducer(settings)
      if (producer === 0 || time - this.order.scoreAt(producer) < lifetime) return
      if (this.changing !== undefined) this.changing(root, producer)
      this.forgetProducer(settings, table, producer)
    }
  }

  private forgetProducer(settings: Pointer, table: Pointer, producer: Pointer): void {
    for (let p = this.get(producer, Producer.oldest); p !== 0; p = this.get(producer, Producer.oldest)) {
      this.forgetName(settings, producer, p)
    }
    this.order.open(this.get(settings, Settings.order)).take(producer)
    const producers = this.producers.open(table)
    producers.remove(producers.hashAt(producer), producer)
    this.arena.free(producer)
  }

  // ——— whole producers ———

  producerName(producer: Pointer, into: Slice): Slice {
    return into.set(
      this.arena.bytes[slabOf(producer)]!,
      byteOf(producer) + producerNameAt,
      this.get(producer, Producer.name) >>> 2
    )
  }

  /** Visits the names of a producer, the oldest first. */
  eachName(producer: Pointer, visit: (name: Slice, id: StreamId, time: number) => void): void {
    for (let p = this.get(producer, Producer.oldest); p !== 0; p = this.get(p, Name.newer)) {
      const length = (this.get(p, Name.key) >>> 2) - pointerBytes
      nameSlice.set(this.arena.bytes[slabOf(p)]!, byteOf(p) + nameKeyAt + pointerBytes, length)
      visit(nameSlice, idAt(this.arena, p, Name.id, this.id), this.timeAt(p))
    }
  }

  /** The producer has added an entry under a name; nothing is counted or forgotten. */
  restoreName(root: Pointer, producer: Slice, name: Slice, id: StreamId, time: number): void {
    const settings = this.settings(root)
    const owner = this.producerFor(root, settings, producer, time)
    this.insert(settings, owner, name, id, time)
    this.redate(settings, owner)
  }

  /** All producers of a stream, in no order. */
  list(root: Pointer): Array<Pointer> {
    const found: Array<Pointer> = []
    const table = this.tableOf(root)
    if (table !== 0) this.producers.open(table).each((p) => found.push(p))
    return found
  }

  /** Copies what `source`, which may be this, knows of a stream. */
  copyProducers(source: StreamProducers, from: Pointer, to: Pointer): void {
    const figures = source.figures(from)
    if (figures === undefined) return
    this.restoreFigures(to, figures.durationSeconds, figures.maxSize, figures.added, figures.duplicates)
    const producerName = new Slice()
    for (const producer of source.list(from)) {
      source.producerName(producer, producerName)
      source.eachName(producer, (name, id, time) => this.restoreName(to, producerName, name.copy(), id.copy(), time))
    }
  }

  /** Bytes of all that is remembered; the names are taken to be as large as the newest one of each producer. */
  memory(root: Pointer): number {
    const settings = this.get(root, Root.producers)
    if (settings === 0) return 0
    let bytes = settingsBytes + this.producers.open(this.get(settings, Settings.producers)).tableBytes
    bytes += this.names.open(this.get(settings, Settings.names)).tableBytes
    bytes += this.order.open(this.get(settings, Settings.order)).tableBytes
    for (const producer of this.list(root)) {
      const newest = this.get(producer, Producer.newest)
      bytes += this.arena.capacity(producer)
      if (newest !== 0) bytes += this.get(producer, Producer.count) * this.arena.capacity(newest)
    }
    return bytes
  }

  /** Frees about `budget` parts of what a stream that is let go remembers; true when all of it is gone. */
  releaseStep(root: Pointer, budget: number): boolean {
    const settings = this.get(root, Root.producers)
    if (settings === 0) return true
    const names = this.get(settings, Settings.names)
    const order = this.get(settings, Settings.order)
    const producers = this.get(settings, Settings.producers)
    if (names !== 0) {
      if (this.names.releaseStep(names, budget, this.free)) this.set(settings, Settings.names, 0)
    } else if (order !== 0) {
      if (this.order.releaseStep(order, budget)) this.set(settings, Settings.order, 0)
    } else if (producers !== 0) {
      if (this.producers.releaseStep(producers, budget, this.free)) this.set(settings, Settings.producers, 0)
    } else {
      this.arena.free(settings)
      this.set(root, Root.producers, 0)
    }
    return false
  }
}

const nameSlice = new Slice()
