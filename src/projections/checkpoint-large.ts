/**
 * The large collections of one database in a checkpoint. When the walk meets one, or a write is about to touch it, it is
 * taken down under the name and deadline it has then; from there on its elements are saved one by one, told apart by
 * their own marks: by the walk, a slice at a time, or before a write changes them. So a write to a collection of
 * millions saves one element. A collection that loses its key meanwhile is kept until it is saved.
 */
import { StreamSaver, type UnsavedStream } from "./checkpoint-streams.ts"
import type { CheckpointSink } from "./checkpoint.ts"
import * as Entry from "./entry.ts"
import { ElementBatch, elementEvents } from "./large-events.ts"
import { elementMark, setElementMark, type Structures } from "./large.ts"
import { type Arena, type Pointer } from "./memory/arena.ts"
import { Slice } from "./memory/slice.ts"

/** A large collection with elements that are not saved. */
interface Unsaved {
  readonly root: Pointer
  readonly type: number
  /** As they were when it was taken down. */
  readonly key: Slice
  readonly deadline: number
  readonly clock: number
  /** Up to here the table was walked. */
  position: number
  /** The next node of a list to look at. */
  node: Pointer
  /** No key has it any more. */
  released: boolean
  /** Of a stream: what is left of it. */
  readonly stream: UnsavedStream | undefined
}

/** About so many elements are saved between two looks at the budget. */
const stepElements = 256

/** What is left to save of a database's large collections. */
export class LargeSaver {
  private readonly structures: Structures
  private readonly number: number
  private readonly mark: number
  private readonly unsaved = new Map<Pointer, Unsaved>()
  private readonly batch = new ElementBatch()
  private at!: Unsaved
  private sink: CheckpointSink | undefined
  private bytes = 0
  readonly streams: StreamSaver

  /**
   * @param mark that of saved elements
   * @param walk knows where events go
   */
  constructor(
    structures: Structures,
    number: number,
    mark: number,
    walk: { readonly sink: CheckpointSink | undefined }
  ) {
    this.structures = structures
    this.number = number
    this.mark = mark
    this.streams = new StreamSaver(structures, number, mark, walk)
  }

  /** Takes down the large collection of an entry, none of which is saved. */
  take(arena: Arena, p: Pointer, root: Pointer): void {
    const type = Entry.typeOf(arena, p)
    const list = type === Entry.Type.list
    const key = Entry.keyOf(arena, p, new Slice()).copy()
    const clock = Entry.clockOf(arena, p)
    if (list) this.structures.deque.open(root).numberNodes()
    this.unsaved.set(root, {
      root,
      type,
      key,
      deadline: Entry.deadlineOf(arena, p),
      clock,
      position: 0,
      node: list ? this.structures.deque.firstNode() : 0,
      released: false,
      stream: type === Entry.Type.stream ? this.streams.take(root, key, clock) : undefined
    })
  }

  /** The collection at `root` lost its key. Whether it is kept here until it is saved. */
  keep(root: Pointer): boolean {
    const collection = this.unsaved.get(root)
    if (collection === undefined) return false
    collection.released = true
    return true
  }

  /** Saves an element, or a node of a list, that is about to change or go, unless that was done. */
  saveElement(sink: CheckpointSink | undefined, root: Pointer, p: Pointer): void {
    const collection = this.unsaved.get(root)
    if (collection === undefined) return
    const { arena, deque } = this.structures
    if (collection.type === Entry.Type.list) {
      if (collection.node === p) collection.node = deque.nextNode(p)
      if (deque.markOf(p) === this.mark) return
      if (sink !== undefined) this.putNode(sink, collection, p)
      deque.setMark(p, this.mark)
      return
    }
    if (elementMark(arena, p) === this.mark) return
    if (sink !== undefined) {
      this.batch.clear()
      this.batch.add(arena, collection.type, p)
      this.flush(sink, collection)
    }
    setElementMark(arena, p, this.mark)
  }

  /**
   * Saves elements until about `bytes` are used up; returns what is left of them, zero or less when there is more to do.
   * Without a sink marks are brought in order and nothing is saved.
   */
  slice(sink: CheckpointSink | undefined, bytes: number): number {
    this.sink = sink
    this.bytes = bytes
    for (const collection of this.unsaved.values()) {
      while (!this.step(collection)) if (this.bytes <= 0) return 0
      this.unsaved.delete(collection.root)
      if (collection.deadline !== 0 && sink !== undefined) {
        const { clock, deadline, key } = collection
        sink.add(this.number, clock, { _tag: "KeyExpirySet", key, expireAt: deadline })
      }
      if (collection.released) this.structures.release(collection.type, collection.root)
    }
    return this.bytes
  }

  /** Saves some elements of one collection; true when all of it is saved. */
  private step(collection: Unsaved): boolean {
    const { sink } = this
    if (collection.stream !== undefined) {
      const bytes = this.streams.step(collection.stream)
      this.bytes -= bytes
      return bytes < 0
    }
    if (collection.type === Entry.Type.list) return this.nodeStep(collection)
    this.at = collection
    this.batch.clear()
    const table = this.structures.tableOf(collection.type, collection.root)
    collection.position = table.walk(collection.position, this.visit)
    if (sink !== undefined) this.flush(sink, collection)
    this.bytes -= stepElements
    return collection.position < 0
  }

  private readonly visit = (p: Pointer): void => {
    const { arena } = this.structures
    if (elementMark(arena, p) === this.mark) return
    if (this.sink !== undefined) {
      this.bytes -= this.batch.add(arena, this.at.type, p)
      if (this.batch.count >= stepElements) {
        this.flush(this.sink, this.at)
        this.batch.clear()
      }
    }
    setElementMark(arena, p, this.mark)
  }

  private nodeStep(collection: Unsaved): boolean {
    const { node } = collection
    if (node === 0) return true
    const deque = this.structures.deque.open(collection.root)
    if (deque.markOf(node) !== this.mark) {
      if (this.sink !== undefined) this.putNode(this.sink, collection, node)
      deque.setMark(node, this.mark)
      this.bytes -= deque.endOf(node) - deque.startOf(node)
    }
    this.bytes -= stepElements
    collection.node = deque.nextNode(node)
    return collection.node === 0
  }

  private putNode(sink: CheckpointSink, { clock, key }: Unsaved, node: Pointer): void {
    const { deque } = this.structures
    const start = deque.startOf(node)
    pack.set(deque.bytesOf(node), start, deque.endOf(node) - start)
    const ordinal = deque.ordinalOf(node)
    sink.add(this.number, clock, { _tag: "ListNodeRestored", key, ordinal, count: deque.countOf(node), pack })
  }

  private flush(sink: CheckpointSink, { clock, key, type }: Unsaved): void {
    if (this.batch.count > 0) elementEvents(this.batch, type, key, (event) => sink.add(this.number, clock, event))
  }
}

const pack = new Slice()
