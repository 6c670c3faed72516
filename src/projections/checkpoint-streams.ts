/**
 * Streams in a checkpoint. When one is taken down, what it knows besides its entries, and where its groups are, is saved
 * at once. Nodes, consumers, pending entries and producers follow by and by, each told apart by its mark: by the walk, or
 * before a write changes them. The walk keeps its place among nodes and pending entries by ids, so that nothing disturbs
 * it. A group that is destroyed meanwhile is kept until it is saved.
 */
import type { Event } from "../log/events/catalog.ts"
import type { CheckpointSink } from "./checkpoint.ts"
import { elementMark, setElementMark, type Structures } from "./large.ts"
import type { Pointer } from "./memory/arena.ts"
import { Slice } from "./memory/slice.ts"
import { Root } from "./memory/stream-entries.ts"
import { ConsumerWord, GroupWord, PendingWord } from "./memory/stream-group-parts.ts"
import { StreamId } from "./memory/stream-id.ts"
import type { StreamWatcher } from "./memory/streams.ts"

/** A group with parts that are not saved. */
interface UnsavedGroup {
  readonly group: Pointer
  /** Up to here its consumers were walked; negative when all were. */
  consumers: number
  /** The pending entry looked at last. */
  readonly pending: StreamId
  begun: boolean
  /** No stream has it any more. */
  detached: boolean
}

/** A stream with parts that are not saved. */
export interface UnsavedStream {
  readonly root: Pointer
  /** As they were when it was taken down. */
  readonly key: Slice
  readonly clock: number
  readonly groups: Array<UnsavedGroup>
  /** The node looked at last, and whether there was one. */
  readonly node: StreamId
  begun: boolean
  nodesDone: boolean
  /** Up to here its producers were walked; negative when all were. */
  producers: number
}

/** So many pending entries are looked at, and at most put into one event, at a time. */
const stepEntries = 256
/** About how many bytes a part takes besides its names. */
const partBytes = 24

/** What is left to save of a database's streams. */
export class StreamSaver implements StreamWatcher {
  private readonly structures: Structures
  private readonly number: number
  private readonly mark: number
  private readonly walk: { readonly sink: CheckpointSink | undefined }
  private readonly unsaved = new Map<Pointer, UnsavedStream>()
  private readonly pack = new Slice()
  private readonly id = new StreamId()

  /**
   * @param number of the database
   * @param mark that of saved parts
   * @param walk knows where events go, if anybody wants them
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
    this.walk = walk
  }

  /** Takes a stream down, none of which is saved. */
  take(root: Pointer, key: Slice, clock: number): UnsavedStream {
    const { groups } = this.structures.streams
    const stream: UnsavedStream = {
      root,
      key,
      clock,
      groups: groups.listGroups(root).map((group) => ({
        group,
        consumers: 0,
        pending: new StreamId(),
        begun: false,
        detached: false
      })),
      node: new StreamId(),
      begun: false,
      nodesDone: false,
      producers: 0
    }
    this.unsaved.set(root, stream)
    if (this.walk.sink !== undefined) this.putHead(stream)
    return stream
  }

  private put(stream: UnsavedStream, event: Event): void {
    this.walk.sink?.add(this.number, stream.clock, event)
  }

  private putHead(stream: UnsavedStream): void {
    const { key, root } = stream
    const { entries, groups, producers } = this.structures.streams
    this.put(stream, {
      _tag: "StreamIdSet",
      key,
      lastId: entries.idAt(root, Root.lastId, new StreamId()),
      entriesAdded: groups.int64At(root, Root.added),
      maxDeletedId: entries.idAt(root, Root.maxDeleted, new StreamId())
    })
    const figures = producers.figures(root)
    if (figures !== undefined) {
      const { added: noted, duplicates, durationSeconds, maxSize } = figures
      this.put(stream, { _tag: "StreamProducersRestored", key, durationSeconds, maxSize, noted, duplicates })
    }
    for (const { group } of stream.groups) {
      this.put(stream, {
        _tag: "StreamGroupCreated",
        key,
        group: groups.groupName(group, new Slice()),
        lastDelivered: groups.lastDelivered(group, new StreamId()),
        entriesRead: groups.entriesRead(group)
      })
    }
  }

  /** Whether a destroyed group is kept here until it is saved. */
  keepGroup(root: Pointer, group: Pointer): boolean {
    const found = this.unsaved.get(root)?.groups.find((one) => one.group === group)
    if (found === undefined) return false
    found.detached = true
    return true
  }

  // ——— before a change ———

  nodeChanging(root: Pointer, node: Pointer): void {
    const stream = this.unsaved.get(root)
    if (stream !== undefined) this.saveNode(stream, node)
  }

  consumerChanging(root: Pointer, group: Pointer, consumer: Pointer): void {
    const stream = this.unsaved.get(root)
    if (stream !== undefined) this.saveConsumer(stream, group, consumer)
  }

  pendingChanging(root: Pointer, group: Pointer, pending: Pointer): void {
    const stream = this.unsaved.get(root)
    if (stream === undefined || elementMark(this.structures.arena, pending) === this.mark) return
    this.savePending(stream, group, [pending])
  }

  producerChanging(root: Pointer, producer: Pointer): void {
    const stream = this.unsaved.get(root)
    if (stream !== undefined) this.saveProducer(stream, producer)
  }

  // ——— the walk ———

  /** Saves some parts of a stream; returns about how many bytes they took, -1 when all is saved. */
  step(stream: UnsavedStream): number {
    if (!stream.nodesDone) return this.nodeStep(stream)
    if (stream.producers >= 0) return this.producerStep(stream)
    const group = stream.groups.at(-1)
    if (group === undefined) {
      this.unsaved.delete(stream.root)
      return -1
    }
    const bytes = group.consumers >= 0 ? this.consumerStep(stream, group) : this.pendingStep(stream, group)
    if (bytes >= 0) return bytes
    stream.groups.pop()
    if (group.detached) this.structures.releaseGroup(group.group)
    return 0
  }

  private nodeStep(stream: UnsavedStream): number {
    const { entries } = this.structures.streams
    const { node: place, root } = stream
    const node = stream.begun ? entries.nodeBeyond(root, place) : entries.get(root, Root.first)
    stream.begun = true
    if (node === 0) {
      stream.nodesDone = true
      return 0
    }
    entries.nodeId(node, place)
    return this.saveNode(stream, node)
  }

  private saveNode(stream: UnsavedStream, node: Pointer): number {
    const { arena, streams } = this.structures
    if (elementMark(arena, node) === this.mark) return partBytes
    setElementMark(arena, node, this.mark)
    if (this.walk.sink === undefined) return partBytes
    const pack = streams.entries.packOf(node, this.pack)
    const id = streams.entries.nodeId(node, this.id)
    this.put(stream, { _tag: "StreamNodeRestored", key: stream.key, id, pack })
    return pack.length + partBytes
  }

  private producerStep(stream: UnsavedStream): number {
    const { producers } = this.structures.streams
    const table = producers.tableOf(stream.root)
    let bytes = partBytes
    const visit = (producer: Pointer): void => {
      bytes += this.saveProducer(stream, producer)
    }
    stream.producers = table === 0 ? -1 : producers.producers.open(table).walk(stream.producers, visit)
    return bytes
  }

  private saveProducer(stream: UnsavedStream, producer: Pointer): number {
    const { arena, streams } = this.structures
    if (elementMark(arena, producer) === this.mark) return 0
    setElementMark(arena, producer, this.mark)
    if (this.walk.sink === undefined) return partBytes
    const iids: Array<Slice> = []
    const ids: Array<StreamId> = []
    const times: Array<number> = []
    let bytes = partBytes
    streams.producers.eachName(producer, (name, id, time) => {
      iids.push(name.copy())
      ids.push(id.copy())
      times.push(time)
      bytes += name.length + partBytes
    })
    const name = streams.producers.producerName(producer, new Slice())
    this.put(stream, { _tag: "StreamProducerRestored", key: stream.key, producer: name, iids, ids, times })
    return bytes
  }

  private consumerStep(stream: UnsavedStream, place: UnsavedGroup): number {
    const { groups } = this.structures.streams
    const table = groups.get(place.group, GroupWord.consumers)
    let bytes = partBytes
    const visit = (consumer: Pointer): void => {
      bytes += this.saveConsumer(stream, place.group, consumer)
    }
    place.consumers = table === 0 ? -1 : groups.consumers.open(table).walk(place.consumers, visit)
    return bytes
  }

  private saveConsumer(stream: UnsavedStream, group: Pointer, consumer: Pointer): number {
    const { arena, streams: { groups } } = this.structures
    if (elementMark(arena, consumer) === this.mark) return 0
    setElementMark(arena, consumer, this.mark)
    if (this.walk.sink === undefined) return partBytes
    const name = groups.consumerName(consumer, new Slice())
    const active = groups.numberAt(consumer, ConsumerWord.active)
    this.put(stream, {
      _tag: "StreamConsumerRestored",
      key: stream.key,
      group: groups.groupName(group, new Slice()),
      consumer: name,
      seen: groups.numberAt(consumer, ConsumerWord.seen),
      active: active < 0 ? null : active
    })
    return name.length + partBytes
  }

  private pendingStep(stream: UnsavedStream, place: UnsavedGroup): number {
    const { arena, streams: { groups } } = this.structures
    const handle = groups.get(place.group, GroupWord.byId)
    if (handle === 0) return -1
    const order = groups.byId.open(handle)
    let p = place.begun ? order.seekFloor(place.pending) : order.seek(0)
    // The one looked at last, or one before it, unless all of those are gone.
    if (place.begun) p = p === 0 ? order.seek(0) : order.next()
    place.begun = true
    if (p === 0) return -1
    const unsaved: Array<Pointer> = []
    let last = p
    for (let left = stepEntries; p !== 0 && left > 0; left--) {
      if (elementMark(arena, p) !== this.mark) unsaved.push(p)
      last = p
      p = order.next()
    }
    groups.pendingId(last, place.pending)
    return this.savePending(stream, place.group, unsaved)
  }

  private savePending(stream: UnsavedStream, group: Pointer, pending: ReadonlyArray<Pointer>): number {
    const { arena, streams: { groups } } = this.structures
    for (let i = 0; i < pending.length; i++) setElementMark(arena, pending[i]!, this.mark)
    if (this.walk.sink === undefined || pending.length === 0) return partBytes
    const numbers = new Map<Pointer, number>([[0, 0]])
    const consumers: Array<Slice> = []
    const owners: Array<number> = []
    for (const p of pending) {
      const consumer = groups.get(p, PendingWord.consumer)
      let number = numbers.get(consumer)
      if (number === undefined) {
        numbers.set(consumer, number = consumers.length + 1)
        consumers.push(groups.consumerName(consumer, new Slice()))
      }
      owners.push(number)
    }
    this.put(stream, {
      _tag: "StreamPendingRestored",
      key: stream.key,
      group: groups.groupName(group, new Slice()),
      consumers,
      owners,
      ids: pending.map((p) => groups.pendingId(p, new StreamId())),
      times: pending.map((p) => groups.pendingTime(p)),
      counts: pending.map((p) => groups.int64At(p, PendingWord.count))
    })
    return pending.length * partBytes
  }
}
