/** Streams as a whole: their entries, groups and producers, each in a file of its own. */
import type { Arena, Pointer } from "./arena.ts"
import type { HashSeed } from "./hash.ts"
import { Root, StreamEntries } from "./stream-entries.ts"
import type { GroupWatcher } from "./stream-group-parts.ts"
import { StreamGroups } from "./stream-groups.ts"
import { StreamId } from "./stream-id.ts"
import { StreamProducers } from "./stream-producers.ts"

/** Who is told before a part of a stream changes or goes. */
export interface StreamWatcher extends GroupWatcher {
  nodeChanging(root: Pointer, node: Pointer): void
  producerChanging(root: Pointer, producer: Pointer): void
}

/** See the head of this file. One per arena; methods take the root of a stream. */
export class Streams {
  readonly entries: StreamEntries
  readonly groups: StreamGroups
  readonly producers: StreamProducers
  private readonly arena: Arena

  constructor(arena: Arena, seed: HashSeed, mark: number) {
    this.arena = arena
    this.entries = new StreamEntries(arena)
    this.groups = new StreamGroups(arena, seed)
    this.producers = new StreamProducers(arena, seed)
    this.watch(undefined, mark)
  }

  /** Sets the mark of new parts, and who is told of changes. */
  watch(watcher: StreamWatcher | undefined, mark: number): void {
    const { entries, groups, producers } = this
    entries.mark = groups.mark = producers.mark = mark
    groups.watcher = watcher
    entries.changing = watcher === undefined ? undefined : (root, node) => watcher.nodeChanging(root, node)
    producers.changing = watcher === undefined ? undefined : (root, p) => watcher.producerChanging(root, p)
  }

  /** Makes an empty stream. */
  create(): Pointer {
    return this.entries.create()
  }

  /** Copies a stream of `source`, which may be this; returns the copy's root. */
  copy(source: Streams, root: Pointer): Pointer {
    const copy = this.create()
    const { entries } = this
    const from = source.entries
    for (let node = from.get(root, Root.first); node !== 0; node = from.nodeAfter(node)) {
      entries.copyNode(from, node, copy)
    }
    for (const word of [Root.lastId, Root.maxDeleted]) entries.setIdAt(copy, word, from.idAt(root, word, id))
    for (let i = 0; i < 2; i++) entries.set(copy, Root.added + i, from.get(root, Root.added + i))
    this.groups.copyGroups(source.groups, root, copy)
    this.producers.copyProducers(source.producers, root, copy)
    return copy
  }

  /** How much there is to release, about; counted no further than `enough`. */
  size(root: Pointer, enough: number): number {
    const { entries, groups } = this
    let size = entries.length(root) + groups.groupCount(root) + (this.producers.figures(root)?.tracked ?? 0)
    if (size <= enough) { for (const group of groups.listGroups(root)) size += groups.partCount(group) }
    return size
  }

  /** Bytes of the stream; pending entries and nodes are counted exactly. */
  memory(root: Pointer): number {
    return this.entries.memory(root) + this.groups.memory(root) + this.producers.memory(root)
  }

  /** Frees about `budget` parts; true when all of it, the root included, is gone. */
  releaseStep(root: Pointer, budget: number): boolean {
    if (!this.groups.releaseStep(root, budget)) return false
    if (!this.producers.releaseStep(root, budget)) return false
    if (!this.entries.releaseStep(root, budget)) return false
    this.arena.free(root)
    return true
  }
}

const id = new StreamId()
