/**
 * Which key to evict. As in Redis: a few keys are looked at for each eviction, and the best of all looked at lately
 * stand in a pool, so that the choice is much better than that of the few. Unlike Redis's, the pool holds access clocks,
 * not scores: a key that was accessed since loses its place before it can be evicted.
 */
import * as Access from "../../projections/access.ts"
import * as Entry from "../../projections/entry.ts"
import type { Database, Keyspace } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { MemorySettings } from "../memory-policy.ts"

const poolSize = 16
/** Most keys looked at per eviction, whatever `maxmemory-samples` says: with as many, the choice is all but exact. */
const mostSamples = 64
/** Draws until a database is taken for having nothing to evict. */
const attempts = 4

/** The pool, and the sampling that fills it. */
export class Candidates {
  /** Where the key last chosen is. */
  db = 0
  pointer: Pointer = 0

  private readonly keyspace: Keyspace
  private readonly settings: MemorySettings
  private readonly draw: () => number
  private policy: string = ""
  private volatile = false
  private byFrequency = false

  private count = 0
  private readonly databases = new Uint32Array(poolSize)
  private readonly pointers = new Uint32Array(poolSize)
  private readonly hashes = new Uint32Array(poolSize)
  private readonly clocks = new Uint32Array(poolSize)
  private readonly scores = new Float64Array(poolSize)

  // What a sampling is about, for its visitor.
  private database!: Database
  private number = 0
  private drawn = 0
  private readonly drawnPointers = new Uint32Array(2 * mostSamples)
  private readonly drawnHashes = new Uint32Array(2 * mostSamples)
  private readonly drawnClocks = new Uint32Array(2 * mostSamples)
  private readonly visit = (p: Pointer, hash: number): void => {
    this.drawnPointers[this.drawn] = p
    this.drawnHashes[this.drawn++] = hash
  }

  constructor(keyspace: Keyspace, settings: MemorySettings, draw: () => number) {
    this.keyspace = keyspace
    this.settings = settings
    this.draw = draw
  }

  /** Chooses a key to evict under the policy in force: `db` and `pointer`. False when there is none. */
  choose(): boolean {
    const { policy } = this.settings
    if (policy !== this.policy) {
      this.policy = policy
      this.volatile = policy.startsWith("volatile-")
      this.byFrequency = policy.endsWith("-lfu")
      this.count = 0
    }
    if (policy === "noeviction") return false
    if (policy === "volatile-ttl") return this.chooseNearest()
    if (policy === "allkeys-random" || policy === "volatile-random") return this.chooseRandom()
    return this.chooseColdest()
  }

  private eligible(database: Database): number {
    return this.volatile ? database.deadlines.size : database.size
  }

  /** A database, each as likely as it has eligible keys, into `database` and `number`; false when no key is eligible. */
  private pickDatabase(): boolean {
    const { databases } = this.keyspace
    let total = 0
    for (let i = 0; i < databases.length; i++) total += this.eligible(databases[i]!)
    if (total === 0) return false
    let left = Math.floor(this.draw() / 0x1_0000_0000 * total)
    for (let i = 0; i < databases.length; i++) {
      const eligible = this.eligible(databases[i]!)
      if (left < eligible) {
        this.database = databases[i]!
        this.number = i
        return true
      }
      left -= eligible
    }
    return false
  }

  private chosen(p: Pointer): boolean {
    this.db = this.number
    this.pointer = p
    return p !== 0
  }

  private chooseRandom(): boolean {
    if (!this.pickDatabase()) return false
    return this.chosen(this.volatile ? this.randomVolatile() : this.database.dict.random(this.draw))
  }

  /** Each key with a deadline is equally likely. */
  private randomVolatile(): Pointer {
    const { arena, deadlines, dict } = this.database
    if (!deadlines.at(Math.floor(this.draw() / 0x1_0000_0000 * deadlines.size))) return 0
    const deadline = deadlines.a * 0x1_0000_0000 + deadlines.b
    return dict.eachWithHash(deadlines.c, (p) => Entry.deadlineOf(arena, p) === deadline)
  }

  /** The key whose deadline comes first: exactly, for deadlines are kept in order. */
  private chooseNearest(): boolean {
    const { databases } = this.keyspace
    let nearest = Infinity
    for (let i = 0; i < databases.length; i++) {
      const { deadlines } = databases[i]!
      if (!deadlines.first()) continue
      const deadline = deadlines.a * 0x1_0000_0000 + deadlines.b
      if (deadline >= nearest) continue
      nearest = deadline
      this.number = i
    }
    if (nearest === Infinity) return false
    const { arena, deadlines, dict } = databases[this.number]!
    deadlines.first()
    return this.chosen(dict.eachWithHash(deadlines.c, (p) => Entry.deadlineOf(arena, p) === nearest))
  }

  private chooseColdest(): boolean {
    for (let i = 0; i < this.count; i++) this.scores[i] = this.score(this.clocks[i]!)
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (!this.pickDatabase()) return false
      this.sample()
      if (this.takeBest()) return true
    }
    return false
  }

  /** Offers some keys of the picked database to the pool. */
  private sample(): void {
    const { database } = this
    const { deadlines, dict } = database
    const wanted = Math.min(this.settings.samples, mostSamples)
    this.drawn = 0
    // Where most keys are eligible, neighbours in the table are the cheapest sample.
    if (!this.volatile) dict.sample(this.draw(), wanted, this.visit)
    else if (2 * deadlines.size >= dict.size) dict.sample(this.draw(), 2 * wanted, this.visit)
    let found = this.offerDrawn()
    for (; this.volatile && found < wanted; found++) {
      const p = this.randomVolatile()
      if (p === 0) return
      this.offer(p, deadlines.c, Entry.clockOf(this.database.arena, p))
    }
  }

  /** Offers what was drawn; returns how many of them are eligible. */
  private offerDrawn(): number {
    const { drawn } = this
    const { arena } = this.database
    // All clocks are read before the first is judged: so the waits for memory overlap.
    for (let i = 0; i < drawn; i++) this.drawnClocks[i] = Entry.clockOf(arena, this.drawnPointers[i]!)
    let found = 0
    for (let i = 0; i < drawn; i++) {
      const p = this.drawnPointers[i]!
      if (this.volatile && !Entry.hasDeadline(arena, p)) continue
      found++
      this.offer(p, this.drawnHashes[i]!, this.drawnClocks[i]!)
    }
    return found
  }

  /** Greater is colder. */
  private score(clock: number): number {
    const now = this.keyspace.turn.clock
    const idle = Access.idleSeconds(clock, now)
    if (!this.byFrequency) return idle
    // Among keys of one frequency the one that was not used for longest goes first.
    return (255 - Access.frequency(clock, now, this.settings.lfuDecayMinutes)) * 0x100_0000 + idle
  }

  private offer(p: Pointer, hash: number, clock: number): void {
    const score = this.score(clock)
    let worst = 0
    for (let i = 0; i < this.count; i++) {
      if (this.pointers[i] === p && this.databases[i] === this.number) {
        this.clocks[i] = clock
        this.scores[i] = score
        return
      }
      if (this.scores[i]! < this.scores[worst]!) worst = i
    }
    if (this.count < poolSize) worst = this.count++
    else if (score <= this.scores[worst]!) return
    this.databases[worst] = this.number
    this.pointers[worst] = p
    this.hashes[worst] = hash
    this.clocks[worst] = clock
    this.scores[worst] = score
  }

  /** Takes the coldest key out of the pool. Those that are gone leave it too, those accessed since are judged anew. */
  private takeBest(): boolean {
    while (this.count > 0) {
      let best = 0
      for (let i = 1; i < this.count; i++) if (this.scores[i]! > this.scores[best]!) best = i
      const p = this.pointers[best]!
      const database = this.keyspace.database(this.databases[best]!)
      const there = database.dict.eachWithHash(this.hashes[best]!, (q) => q === p) !== 0
      if (there && !(this.volatile && !Entry.hasDeadline(database.arena, p))) {
        const clock = Entry.clockOf(database.arena, p)
        if (clock !== this.clocks[best]) {
          this.clocks[best] = clock
          this.scores[best] = this.score(clock)
          continue
        }
        this.number = this.databases[best]!
        this.drop(best)
        return this.chosen(p)
      }
      this.drop(best)
    }
    return false
  }

  private drop(i: number): void {
    const last = --this.count
    this.databases[i] = this.databases[last]!
    this.pointers[i] = this.pointers[last]!
    this.hashes[i] = this.hashes[last]!
    this.clocks[i] = this.clocks[last]!
    this.scores[i] = this.scores[last]!
  }
}
