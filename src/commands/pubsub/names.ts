/** Things by name, where names are bytes a client sent: found without making a string of them. */
import { hashBytes, type HashSeed } from "../../projections/memory/hash.ts"
import type { Slice } from "../../projections/memory/slice.ts"

/** What a `NameTable` holds; the table owns these fields. */
export abstract class Named<Self> {
  /** One character per byte. */
  readonly name: string
  hash = 0
  next: Self | undefined = undefined
  constructor(name: string) {
    this.name = name
  }
}

const firstSize = 16

const isNamed = ({ name }: { readonly name: string }, bytes: Slice): boolean => {
  const { length, start } = bytes
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) if (name.charCodeAt(i) !== bytes.bytes[start + i]) return false
  return true
}

/** A chained hash table that doubles; its hash has a secret seed, so that names cannot be chosen to collide. */
export class NameTable<A extends Named<A>> {
  size = 0
  private readonly seed: HashSeed
  private heads: Array<A | undefined> = empty(firstSize)

  constructor(seed: HashSeed) {
    this.seed = seed
  }

  private hashOf(name: Slice): number {
    return hashBytes(this.seed.k0, this.seed.k1, name.bytes, name.start, name.length)
  }

  find(name: Slice): A | undefined {
    if (this.size === 0) return undefined
    const hash = this.hashOf(name)
    let node = this.heads[hash & (this.heads.length - 1)]
    while (node !== undefined && !(node.hash === hash && isNamed(node, name))) node = node.next
    return node
  }

  /** Adds what was just made of `name`, which is not in the table yet. */
  add(name: Slice, node: A): void {
    node.hash = this.hashOf(name)
    if (this.size++ === this.heads.length) this.grow()
    this.link(node)
  }

  private link(node: A): void {
    const place = node.hash & (this.heads.length - 1)
    node.next = this.heads[place]
    this.heads[place] = node
  }

  private grow(): void {
    const before = this.heads
    this.heads = empty(before.length * 2)
    for (let node of before) {
      while (node !== undefined) {
        const { next }: A = node
        this.link(node)
        node = next
      }
    }
  }

  /** Takes out what is in the table. */
  remove(node: A): void {
    const place = node.hash & (this.heads.length - 1)
    let at = this.heads[place]
    if (at === node) this.heads[place] = node.next
    else {
      while (at!.next !== node) at = at!.next
      at!.next = node.next
    }
    node.next = undefined
    if (--this.size === 0) this.heads = empty(firstSize)
  }
}

const empty = <A>(size: number): Array<A | undefined> => Array.from({ length: size }, () => undefined)
