/**
 * One database: its entries by key, their deadlines in order, the structures of its large collections, all in an arena of
 * its own.
 */
import * as Entry from "./entry.ts"
import { earliestFieldDeadline } from "./hash-fields.ts"
import { copyLarge } from "./large-copy.ts"
import { Structures } from "./large.ts"
import type { Limits } from "./limits.ts"
import { Arena, byteOf, type Pointer, slabOf } from "./memory/arena.ts"
import { Compactor } from "./memory/compaction.ts"
import { Dict } from "./memory/dict.ts"
import type { HashSeed } from "./memory/hash.ts"
import { Order } from "./memory/order.ts"
import { copyBytes, Slice } from "./memory/slice.ts"
import type { StreamWatcher } from "./memory/streams.ts"
import type { Turn } from "./turn.ts"

/** What a running checkpoint wants of a database; see checkpoint.ts. */
export interface EntrySaver {
  /** The entry is about to change or go: save it now unless that was done. */
  save(p: Pointer): void
  /** The entry at `p` lies at `next` from now on, unchanged. */
  moved(p: Pointer, next: Pointer): void
  /** The database was emptied. True: the checkpoint keeps the old arena and gives it back when it has saved it. */
  takeOver(): boolean
  /** The element or list node `p` of the large collection at `root` is about to change or go: save it unless that was done. */
  saveElement(root: Pointer, p: Pointer): void
  /** Nobody names the large collection at `root` any more. True: the checkpoint gives it back when it has saved it. */
  keep(root: Pointer): boolean
  /** What is to be told of changes to streams. */
  readonly streams: StreamWatcher
  /** The stream at `root` lost this group. True: the checkpoint gives it back when it has saved it. */
  keepGroup(root: Pointer, group: Pointer): boolean
}

/** One numbered database: an index of entries by key and one of the deadlines in their order. */
export class Database {
  arena: Arena
  dict: Dict
  /** Those of the large collections. */
  structures: Structures
  /** (deadline high, deadline low, key hash) of every entry that has a deadline. */
  deadlines: Order
  /** (earliest deadline of its fields, high and low, key hash) of every hash that has fields with deadlines. */
  fieldDeadlines: Order
  readonly turn: Turn
  /** The mark of entries that a running checkpoint has or need not have: of all entries when none is running. */
  mark: number
  /** Set while a checkpoint has yet to save entries of this database. */
  saver: EntrySaver | undefined = undefined
  /** Up to what size collections are small; shared by the databases of a keyspace. */
  readonly limits: Limits
  private readonly seed: HashSeed
  private compactor: Compactor
  /** Bytes in use by all databases of the keyspace. */
  private readonly meter: Float64Array

  // The key looked up last. A command's decide and the fold of its events ask for the same slice: one hash, one probe.
  // And commands on one collection mostly follow each other: its entry is known by the key in it.
  private memoKey: Slice | undefined = undefined
  private memoHash = 0
  private memoPointer: Pointer = 0
  private memoTurn = -1

  constructor(
    seed: HashSeed,
    turn: Turn,
    mark: number,
    limits: Limits,
    meter: Float64Array = new Float64Array(1)
  ) {
    this.limits = limits
    this.seed = seed
    this.mark = mark
    this.turn = turn
    this.meter = meter
    this.arena = new Arena(meter)
    this.dict = new Dict(this.arena, seed, Entry.keyLengthWord, Entry.headerBytes)
    this.structures = new Structures(this.arena, seed, mark)
    this.deadlines = new Order(this.arena)
    this.fieldDeadlines = new Order(this.arena)
    this.compactor = new Compactor(this.arena, (p) => this.relocate(p))
  }

  get size(): number {
    return this.dict.size
  }

  private remember(key: Slice, hash: number, p: Pointer): void {
    this.memoKey = key
    this.memoHash = hash
    this.memoPointer = p
    this.memoTurn = this.turn.number
  }

  /** The entry of a key, dead or alive; 0 when absent. */
  locate(key: Slice): Pointer {
    const { turn } = this
    if (key === this.memoKey && this.memoTurn === turn.number) return this.memoPointer
    const known = key === turn.knownKey
    if ((!known || turn.knownHash === this.memoHash) && this.isRemembered(key)) {
      this.memoKey = key
      this.memoTurn = turn.number
      return this.memoPointer
    }
    const hash = known ? turn.knownHash : this.dict.hash(key.bytes, key.start, key.length) | 0
    const p = this.dict.find(hash, key.bytes, key.start, key.length)
    this.remember(key, hash, p)
    return p
  }

  /** The entry located last, 0 when there was none. */
  get lastLocated(): Pointer {
    return this.memoPointer
  }

  /** The hash of its key, as a signed number. */
  get lastHash(): number {
    return this.memoHash
  }

  /** Whether the entry located last is there and has this key. */
  isRemembered({ bytes, length, start }: Slice): boolean {
    const p = this.memoPointer
    if (p === 0 || Entry.keyLengthOf(this.arena, p) !== length) return false
    const entry = this.arena.bytes[slabOf(p)]!
    const at = byteOf(p) + Entry.headerBytes
    // Keys of one kind begin alike: from the end another one is told at once.
    for (let i = length - 1; i >= 0; i--) if (entry[at + i] !== bytes[start + i]) return false
    return true
  }

  /** Ends the memory of the key looked up last. */
  private forget(): void {
    this.memoKey = undefined
    this.memoPointer = 0
  }

  /** The hash of a key that was just located. */
  private hashOf(key: Slice): number {
    return key === this.memoKey && this.memoTurn === this.turn.number
      ? this.memoHash >>> 0
      : this.dict.hash(key.bytes, key.start, key.length)
  }

  /** A new entry for an absent key: header and key written, `valueBytes` of room after it. */
  create(key: Slice, type: number, encoding: number, deadline: number, valueBytes: number): Pointer {
    const hash = this.hashOf(key)
    const p = this.build(key, type, encoding, deadline, this.turn.clock, valueBytes)
    this.dict.insert(hash | 0, p)
    if (deadline !== 0) this.deadlines.insert(Math.floor(deadline / 0x1_0000_0000), deadline >>> 0, hash)
    this.remember(key, hash | 0, p)
    return p
  }

  /** To be called before an entry changes in place, other than in its access clock. */
  changing(p: Pointer): void {
    if (this.saver !== undefined) this.saver.save(p)
  }

  private build(
    key: Slice,
    type: number,
    encoding: number,
    deadline: number,
    clock: number,
    valueBytes: number
  ): Pointer {
    const p = this.arena.allocate(Entry.headerBytes + key.length + valueBytes)
    Entry.writeHeader(this.arena, p, type, encoding, deadline, clock, key.length, this.mark)
    copyBytes(this.arena.bytes[slabOf(p)]!, byteOf(p) + Entry.headerBytes, key.bytes, key.start, key.length)
    return p
  }

  /**
   * Makes room for `valueBytes` after the key of a located entry, keeping header, key and the first `keep` bytes of the
   * value; the entry stays where it is when its block fits and is not more than twice too large.
   */
  resize(key: Slice, p: Pointer, valueBytes: number, keep: number): Pointer {
    if (this.saver !== undefined) this.saver.save(p)
    const need = Entry.headerBytes + key.length + valueBytes
    const capacity = this.arena.capacity(p)
    if (need <= capacity && (need > capacity >>> 1 || capacity <= 64)) return p
    const next = this.arena.allocate(need)
    copyBytes(
      this.arena.bytes[slabOf(next)]!,
      byteOf(next),
      this.arena.bytes[slabOf(p)]!,
      byteOf(p),
      Entry.headerBytes + key.length + keep
    )
    const hash = this.hashOf(key)
    this.dict.replace(hash, p, next)
    this.arena.free(p)
    this.remember(key, hash | 0, next)
    return next
  }

  /** Moves what lies at `p` to another block, if it is an entry or a table; only these are named in but one place. */
  private relocate(p: Pointer): void {
    const { arena, dict } = this
    const capacity = arena.capacity(p)
    const length = Entry.keyLengthOf(arena, p)
    if (Entry.headerBytes + length <= capacity) {
      const key = Entry.keyOf(arena, p, scratch)
      const hash = dict.hash(key.bytes, key.start, key.length)
      if (dict.find(hash, key.bytes, key.start, key.length) === p) {
        const next = arena.allocate(capacity)
        copyBytes(arena.bytes[slabOf(next)]!, byteOf(next), arena.bytes[slabOf(p)]!, byteOf(p), capacity)
        dict.replace(hash, p, next)
        arena.free(p)
        this.saver?.moved(p, next)
        return
      }
    }
    dict.moveSegment(p)
  }

  /** Makes the arena a little denser if it has become sparse; pointers into it end. False when there is nothing to do. */
  compact(): boolean {
    this.forget()
    return this.compactor.step()
  }

  /** Changes the deadline of an entry, 0 for none, in the header and in the order. */
  expireAt(p: Pointer, deadline: number): void {
    if (deadline === 0 && !Entry.hasDeadline(this.arena, p)) return
    const before = Entry.deadlineOf(this.arena, p)
    if (before === deadline) return
    if (this.saver !== undefined) this.saver.save(p)
    const key = Entry.keyOf(this.arena, p, scratch)
    const hash = this.dict.hash(key.bytes, key.start, key.length)
    if (before !== 0) this.deadlines.remove(Math.floor(before / 0x1_0000_0000), before >>> 0, hash)
    if (deadline !== 0) this.deadlines.insert(Math.floor(deadline / 0x1_0000_0000), deadline >>> 0, hash)
    Entry.setDeadline(this.arena, p, deadline)
    Entry.setWritten(this.arena, p, this.turn.clock)
  }

  /** Takes a key and its value away. False when it was absent. */
  delete(key: Slice): boolean {
    const p = this.locate(key)
    if (p === 0) return false
    if (this.saver !== undefined) this.saver.save(p)
    const hash = this.hashOf(key)
    const deadline = Entry.deadlineOf(this.arena, p)
    if (deadline !== 0) this.deadlines.remove(Math.floor(deadline / 0x1_0000_0000), deadline >>> 0, hash)
    this.dict.remove(hash, p)
    this.forgetFields(p, hash)
    this.releaseLarge(p)
    this.arena.free(p)
    this.remember(key, hash, 0)
    return true
  }

  /**
   * Lets go of the structures of a large collection; nothing happens to other entries. The entry is about to be freed or
   * to get another value, and whoever wants it saved first has been told (`changing`).
   */
  releaseLarge(p: Pointer): void {
    if (!Entry.isLarge(Entry.encodingOf(this.arena, p))) return
    const words = this.arena.words[slabOf(p)]!
    const root = words[wordAt(p, 4)]!
    words[wordAt(p, 4)] = 0
    if (root === 0 || this.saver?.keep(root) === true) return
    this.structures.release(Entry.typeOf(this.arena, p), root)
  }

  /** The hash at entry `p` goes: its fields' deadlines with it. */
  private forgetFields(p: Pointer, hash: number): void {
    if (Entry.typeOf(this.arena, p) !== Entry.Type.hash) return
    const earliest = earliestFieldDeadline(this.structures, p)
    if (earliest !== 0) this.fieldDeadlines.remove(Math.floor(earliest / 0x1_0000_0000), earliest >>> 0, hash)
  }

  /** The value of an entry goes, to make place for another: lets go of what it has besides its bytes. */
  endValue(p: Pointer): void {
    if (Entry.typeOf(this.arena, p) === Entry.Type.hash) {
      const key = Entry.keyOf(this.arena, p, scratch)
      this.forgetFields(p, this.dict.hash(key.bytes, key.start, key.length))
    }
    this.releaseLarge(p)
  }

  /** The earliest deadline of the fields of the hash at `key` changed; 0 stands for none. */
  indexFields(key: Slice, before: number, after: number): void {
    if (before === after) return
    const hash = this.dict.hash(key.bytes, key.start, key.length)
    if (before !== 0) this.fieldDeadlines.remove(Math.floor(before / 0x1_0000_0000), before >>> 0, hash)
    if (after !== 0) this.fieldDeadlines.insert(Math.floor(after / 0x1_0000_0000), after >>> 0, hash)
  }

  /** To be called before an element or list node of a large collection changes or goes. */
  elementChanging(root: Pointer, p: Pointer): void {
    if (this.saver !== undefined) this.saver.saveElement(root, p)
  }

  /** Told when a checkpoint begins to want entries of this database, and when it has them all (undefined). */
  setSaver(saver: EntrySaver | undefined, mark: number): void {
    const { deque } = this.structures
    this.saver = saver
    this.mark = mark
    deque.mark = mark
    this.structures.streams.watch(saver?.streams, mark)
    deque.changing = saver === undefined ? undefined : (node) => saver.saveElement(deque.root, node)
  }

  /**
   * Copies the entry at `p` of `source` (which may be this database) under the name `key`, replacing what is there.
   * @param moving the entry at `p`, of this database, will be deleted next: a large collection is handed over, not copied
   */
  copyFrom(source: Database, p: Pointer, key: Slice, moving = false): void {
    if (moving) source.changing(p)
    const fields = Entry.typeOf(source.arena, p) === Entry.Type.hash ? earliestFieldDeadline(source.structures, p) : 0
    // A large hash that is handed over is no longer there to be asked when its old entry is deleted.
    if (moving && fields !== 0 && Entry.isLarge(Entry.encodingOf(source.arena, p))) {
      source.indexFields(Entry.keyOf(source.arena, p), fields, 0)
    }
    const words = source.arena
    const length = Entry.keyLengthOf(words, p)
    const valueBytes = source.valueBytesOf(p)
    // Only after the copy may the old entry of `key` go: `key` may point into it.
    const hash = this.dict.hash(key.bytes, key.start, key.length)
    const old = this.dict.find(hash, key.bytes, key.start, key.length)
    const deadline = Entry.deadlineOf(words, p)
    const next = this.build(
      key,
      Entry.typeOf(words, p),
      Entry.encodingOf(words, p),
      deadline,
      // How often it was accessed goes with the value; it is written now.
      (Entry.clockOf(words, p) & ~0xff_ffff) | (this.turn.clock & 0xff_ffff),
      valueBytes
    )
    source.copyValue(p, length, this, next, key.length, moving)
    if (old !== 0) {
      if (this.saver !== undefined) this.saver.save(old)
      const oldDeadline = Entry.deadlineOf(this.arena, old)
      if (oldDeadline !== 0) this.deadlines.remove(Math.floor(oldDeadline / 0x1_0000_0000), oldDeadline >>> 0, hash)
      this.dict.replace(hash, old, next)
      this.forgetFields(old, hash)
      this.releaseLarge(old)
      this.arena.free(old)
    } else this.dict.insert(hash, next)
    if (deadline !== 0) this.deadlines.insert(Math.floor(deadline / 0x1_0000_0000), deadline >>> 0, hash)
    if (fields !== 0) this.indexFields(key, 0, fields)
    this.forget()
  }

  /** Bytes the value of an entry takes after its key, alignment included. */
  private valueBytesOf(p: Pointer): number {
    const encoding = Entry.encodingOf(this.arena, p)
    if (Entry.isLarge(encoding)) return 0
    return encoding === Entry.Encoding.int ? integerBytes : this.arena.words[slabOf(p)]![wordAt(p, 4)]!
  }

  private copyValue(
    p: Pointer,
    keyLength: number,
    into: Database,
    q: Pointer,
    newKeyLength: number,
    moving: boolean
  ): void {
    const from = this.arena.words[slabOf(p)]!
    const to = into.arena.words[slabOf(q)]!
    const encoding = Entry.encodingOf(this.arena, p)
    if (Entry.isLarge(encoding)) {
      const root = from[wordAt(p, 4)]!
      if (moving) from[wordAt(p, 4)] = 0
      const type = Entry.typeOf(this.arena, p)
      to[wordAt(q, 4)] = moving
        ? root
        : copyLarge(this.structures, type, root, into.structures, this.limits.listFill)
      return
    }
    to[wordAt(q, 4)] = from[wordAt(p, 4)]!
    if (encoding === Entry.Encoding.int) {
      to[highWordAt(q, newKeyLength)] = from[highWordAt(p, keyLength)]!
      return
    }
    copyBytes(
      into.arena.bytes[slabOf(q)]!,
      byteOf(q) + Entry.headerBytes + newKeyLength,
      this.arena.bytes[slabOf(p)]!,
      byteOf(p) + Entry.headerBytes + keyLength,
      from[wordAt(p, 4)]!
    )
  }

  /** Drops everything at once. The old arena is returned, for whoever gives its memory back. */
  clear(): Arena {
    const old = this.arena
    old.unmeter()
    this.arena = new Arena(this.meter)
    this.dict = new Dict(this.arena, this.seed, Entry.keyLengthWord, Entry.headerBytes)
    this.structures = new Structures(this.arena, this.seed, this.mark)
    this.deadlines = new Order(this.arena)
    this.fieldDeadlines = new Order(this.arena)
    this.compactor = new Compactor(this.arena, (p) => this.relocate(p))
    this.forget()
    this.saver = undefined
    return old
  }

  /** Becomes what `other`, of the same keyspace, is; what this one held must be gone already, `other` is not used again. */
  takeOver(other: Database): void {
    const blank = this.arena
    this.arena = other.arena
    this.dict = other.dict
    this.structures = other.structures
    this.deadlines = other.deadlines
    this.fieldDeadlines = other.fieldDeadlines
    this.compactor = new Compactor(this.arena, (p) => this.relocate(p))
    this.forget()
    blank.unmeter()
    while (blank.dismantle());
  }
}

const scratch = new Slice()

/** Room an integer's high word may need after the key: up to 3 bytes of alignment and the word. */
export const integerBytes = 7

/** Index of a header word in the slab's words. */
export const wordAt = (p: Pointer, word: number): number => (byteOf(p) >>> 2) + word

/** Index of an integer's high word, after a key of `keyLength` bytes. */
export const highWordAt = (p: Pointer, keyLength: number): number =>
  (byteOf(p) + Entry.headerBytes + keyLength + 3) >>> 2
