/** How the consumer groups of a stream change; their parts: stream-group-parts.ts. */
import type { Pointer } from "./arena.ts"
import type { Ranked } from "./ranked.ts"
import { Slice } from "./slice.ts"
import { Root } from "./stream-entries.ts"
import {
  consumerNameAt,
  ConsumerWord,
  groupNameAt,
  GroupParts,
  GroupWord,
  pendingBytes,
  PendingWord
} from "./stream-group-parts.ts"
import { StreamId } from "./stream-id.ts"
import { putIdMember, setIdAt } from "./stream-node.ts"

const allOnes = 0xffff_ffff
const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)

/** See the head of this file. One per arena; methods take the root of a stream. */
export class StreamGroups extends GroupParts {
  /** A group at 0-0 under a name that no group has. */
  createGroup(root: Pointer, name: Slice): Pointer {
    let table = this.get(root, Root.groups)
    if (table === 0) this.set(root, Root.groups, table = this.groups.create())
    const group = this.named(name, groupNameAt)
    this.groups.open(table).insert(this.groups.hash(name.bytes, name.start, name.length), group)
    return group
  }

  setPosition(group: Pointer, id: StreamId, read: number | bigint | null): void {
    setIdAt(this.arena, group, GroupWord.lastDelivered, id)
    this.setInt64At(group, GroupWord.read, read ?? -1)
  }

  /** A consumer under a name that none of the group has; `active` is -1 for never. */
  createConsumer(group: Pointer, name: Slice, seen: number, active: number): Pointer {
    let table = this.get(group, GroupWord.consumers)
    if (table === 0) this.set(group, GroupWord.consumers, table = this.consumers.create())
    const consumer = this.named(name, consumerNameAt)
    this.setNumberAt(consumer, ConsumerWord.seen, seen)
    this.setNumberAt(consumer, ConsumerWord.active, active)
    this.consumers.open(table).insert(this.consumers.hash(name.bytes, name.start, name.length), consumer)
    return consumer
  }

  /** The consumer was seen, or active, at these times; `active` is -1 for never. */
  date(root: Pointer, group: Pointer, consumer: Pointer, seen: number, active: number): void {
    if (this.watcher !== undefined) this.watcher.consumerChanging(root, group, consumer)
    this.setNumberAt(consumer, ConsumerWord.seen, seen)
    this.setNumberAt(consumer, ConsumerWord.active, active)
  }

  /** Removes a consumer; its pending entries are gone. */
  deleteConsumer(root: Pointer, group: Pointer, consumer: Pointer): void {
    const own = this.get(consumer, ConsumerWord.byId)
    this.forgetFound()
    this.forgetConsumer()
    if (own !== 0) {
      const order = this.byId.open(own)
      order.takeRange(0, order.size, (p) => {
        if (this.watcher !== undefined) this.watcher.pendingChanging(root, group, p)
        this.byId.open(this.get(group, GroupWord.byId)).take(p)
        this.byTime.open(this.get(group, GroupWord.byTime)).take(p)
        this.arena.free(p)
      })
      this.byId.release(own)
    }
    if (this.watcher !== undefined) this.watcher.consumerChanging(root, group, consumer)
    const table = this.consumers.open(this.get(group, GroupWord.consumers))
    table.remove(table.hashAt(consumer), consumer)
    this.arena.free(consumer)
  }

  /** The entry is pending for this consumer, 0 for nobody, whoever had it. */
  assign(
    root: Pointer,
    group: Pointer,
    id: StreamId,
    consumer: Pointer,
    time: number,
    count: number | bigint
  ): void {
    let p = this.findPending(group, id)
    if (p === 0) {
      p = this.arena.allocate(pendingBytes)
      putIdMember(this.arena, p, id, this.mark, PendingWord.score, PendingWord.id)
      this.setTime(p, time)
      this.set(p, PendingWord.consumer, consumer)
      this.setInt64At(p, PendingWord.count, count)
      this.order(this.byId, group, GroupWord.byId).add(p)
      this.order(this.byTime, group, GroupWord.byTime).add(p)
      this.give(group, p, consumer)
    } else {
      if (this.watcher !== undefined) this.watcher.pendingChanging(root, group, p)
      const owner = this.get(p, PendingWord.consumer)
      if (owner !== consumer) {
        this.takeBack(group, p, owner)
        this.set(p, PendingWord.consumer, consumer)
        this.give(group, p, consumer)
      }
      this.byTime.open(this.get(group, GroupWord.byTime)).move(p, time)
      this.setInt64At(p, PendingWord.count, count)
    }
    if (consumer === 0 && time > this.get(group, GroupWord.releasedAt)) {
      this.set(group, GroupWord.releasedAt, Math.min(time, allOnes))
    }
  }

  private setTime(p: Pointer, time: number): void {
    floats[0] = time
    this.set(p, PendingWord.time, floatWords[0]!)
    this.set(p, PendingWord.time + 1, floatWords[1]!)
  }

  private give(group: Pointer, p: Pointer, consumer: Pointer): void {
    if (consumer !== 0) this.order(this.byId, consumer, ConsumerWord.byId).add(p)
    else this.set(group, GroupWord.released, this.get(group, GroupWord.released) + 1)
  }

  private takeBack(group: Pointer, p: Pointer, consumer: Pointer): void {
    if (consumer !== 0) {
      this.byId.open(this.get(consumer, ConsumerWord.byId)).take(p)
      return
    }
    const left = this.get(group, GroupWord.released) - 1
    this.set(group, GroupWord.released, left)
    if (left === 0) this.set(group, GroupWord.releasedAt, 0)
  }

  /** The entry is pending no longer; false when it was not. */
  acknowledge(root: Pointer, group: Pointer, id: StreamId): boolean {
    const p = this.findPending(group, id)
    if (p === 0) return false
    if (this.watcher !== undefined) this.watcher.pendingChanging(root, group, p)
    this.byId.open(this.get(group, GroupWord.byId)).take(p)
    this.byTime.open(this.get(group, GroupWord.byTime)).take(p)
    this.takeBack(group, p, this.get(p, PendingWord.consumer))
    this.forgetFound()
    this.arena.free(p)
    return true
  }

  /** Copies all groups of a stream of `source`, which may be this. */
  copyGroups(source: StreamGroups, from: Pointer, to: Pointer): void {
    for (const group of source.listGroups(from)) {
      const copy = this.createGroup(to, source.groupName(group, nameSlice))
      for (let word = GroupWord.lastDelivered; word < GroupWord.byId; word++) {
        this.set(copy, word, source.get(group, word))
      }
      const copies = new Map<Pointer, Pointer>([[0, 0]])
      for (const consumer of source.listConsumers(group)) {
        const seen = source.numberAt(consumer, ConsumerWord.seen)
        const active = source.numberAt(consumer, ConsumerWord.active)
        copies.set(consumer, this.createConsumer(copy, source.consumerName(consumer, nameSlice), seen, active))
      }
      const pending: Array<Pointer> = []
      const order = source.byId.open(source.get(group, GroupWord.byId))
      for (let p = order.seek(0); p !== 0; p = order.next()) pending.push(p)
      for (const p of pending) {
        const owner = copies.get(source.get(p, PendingWord.consumer))!
        this.assign(
          to,
          copy,
          source.pendingId(p, scratchId),
          owner,
          source.pendingTime(p),
          source.int64At(p, PendingWord.count)
        )
      }
    }
  }

  private order(ranked: Ranked, owner: Pointer, word: number): Ranked {
    const handle = this.get(owner, word)
    if (handle !== 0) return ranked.open(handle)
    this.set(owner, word, ranked.create())
    return ranked
  }
}

const nameSlice = new Slice()
const scratchId = new StreamId()
