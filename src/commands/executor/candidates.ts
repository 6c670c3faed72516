/**
 * Which key to evict. As in Redis: a few keys are looked at for each eviction, and the best of all looked at lately
 * stand in a pool, so that the choice is much better than that of the few. Unlike Redis's, the pool holds access clocks,
 * not scores: a key that was accessed since loses its place before it can be evicted.
 *
 * What eviction costs is waits for memory, for the table and for the entries looked at. So keys are drawn for several
 * evictions at once and from one place of the table, and their entries are read before the first is judged: then the
 * waits overlap. Nothing here allocates.
 */
import * as Access from "../../projections/access.ts"
import * as Entry from "../../projections/entry.ts"
import type { Database, Keyspace } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { MemorySettings } from "../memory-policy.ts"
import { DatabaseChoice } from "./database-choice.ts"

const poolSize = 16
/** Most keys looked at per eviction, whatever `maxmemory-samples` says: with as many, the choice is all but exact. */
const mostSamples = 64
/** Evictions that keys are looked at for at a time. */
const round = 4
/** Keys drawn at a time where chance alone decides. */
const randomDraw = 16
/** Draws until there is taken to be nothing to evict. */
const attempts = 4

/** How a policy chooses. */
const Choice = { none: 0, coldest: 1, random: 2, nearest: 3 } as const

const choiceOf = (policy: string): number => {
  if (policy === "noeviction") return Choice.none
  if (policy === "volatile-ttl") return Choice.nearest
  return policy.endsWith("-random") ? Choice.random : Choice.coldest
}

/** The pool, and the drawing that fills it. */
export class Candidates {
  /** Where the key last chosen is, and its hash. */
  db = 0
  pointer: Pointer = 0
  hash = 0

  private readonly keyspace: Keyspace
  private readonly settings: MemorySettings
  private readonly draw: () => number
  private readonly where: DatabaseChoice
  private policy: string = ""
  private choice: number = Choice.none
  private volatile = false
  private byFrequency = false

  private count = 0
  private readonly databases = new Uint32Array(poolSize)
  private readonly pointers = new Uint32Array(poolSize)
  private readonly hashes = new Uint32Array(poolSize)
  private readonly clocks = new Uint32Array(poolSize)
  /** How cold each is: an int32, as of the time `judgedAt`. */
  private readonly scores = new Int32Array(poolSize)
  private judgedAt = -1
  /** Evictions until keys are drawn again. */
  private left = 0

  // What was drawn last, from one database.
  private drawnDb = 0
  private drawn = 0
  private readonly drawnPointers = new Uint32Array(2 * round * mostSamples)
  private readonly drawnHashes = new Uint32Array(2 * round * mostSamples)
  private readonly drawnClocks = new Uint32Array(2 * round * mostSamples)

  private arena!: Database["arena"]
  private deadline = 0
  private readonly hasThatDeadline = (p: Pointer): boolean => Entry.deadlineOf(this.arena, p) === this.deadline

  constructor(keyspace: Keyspace, settings: MemorySettings, draw: () => number) {
    this.keyspace = keyspace
    this.settings = settings
    this.draw = draw
    this.where = new DatabaseChoice(keyspace, draw)
  }

  /** Chooses a key to evict under the policy in force: `db`, `pointer` and `hash`. False when there is none. */
  choose(): boolean {
    const { policy } = this.settings
    if (policy !== this.policy) this.follow(policy)
    if (this.choice === Choice.coldest) return this.chooseColdest()
    if (this.choice === Choice.random) return this.chooseRandom()
    return this.choice === Choice.nearest && this.chooseNearest()
  }

  private follow(policy: string): void {
    this.policy = policy
    this.choice = choiceOf(policy)
    this.volatile = policy.startsWith("volatile-")
    this.byFrequency = policy.endsWith("-lfu")
    this.where.follow(this.volatile)
    this.count = this.drawn = this.left = 0
  }

  private chosen(db: number, p: Pointer, hash: number): true {
    this.db = db
    this.pointer = p
    this.hash = hash
    return true
  }

  /** Whether the key is still there and may be evicted. */
  private isEligible(database: Database, p: Pointer, hash: number): boolean {
    return database.dict.holds(hash, p) && !(this.volatile && !Entry.hasDeadline(database.arena, p))
  }

  private chooseRandom(): boolean {
    for (let attempt = 0; attempt < attempts;) {
      while (this.drawn > 0) {
        const i = --this.drawn
        const p = this.drawnPointers[i]!
        const hash = this.drawnHashes[i]!
        if (this.isEligible(this.keyspace.database(this.drawnDb), p, hash)) return this.chosen(this.drawnDb, p, hash)
      }
      if (!this.where.pick()) return false
      this.drawFrom(this.where.number, randomDraw)
      attempt++
    }
    return false
  }

  /** The key whose deadline comes first: exactly, for deadlines are kept in order. */
  private chooseNearest(): boolean {
    const { databases } = this.keyspace
    let nearest = Infinity
    let db = 0
    for (let i = 0; i < databases.length; i++) {
      const { deadlines } = databases[i]!
      if (!deadlines.first()) continue
      const deadline = deadlines.a * 0x1_0000_0000 + deadlines.b
      if (deadline >= nearest) continue
      nearest = deadline
      db = i
    }
    if (nearest === Infinity) return false
    const { deadlines } = databases[db]!
    deadlines.first()
    const p = this.withDeadline(databases[db]!, nearest, deadlines.c)
    return p !== 0 && this.chosen(db, p, deadlines.c)
  }

  private withDeadline(database: Database, deadline: number, hash: number): Pointer {
    this.arena = database.arena
    this.deadline = deadline
    return database.dict.eachWithHash(hash, this.hasThatDeadline)
  }

  private chooseColdest(): boolean {
    if (this.keyspace.turn.clock !== this.judgedAt) this.judgeAnew()
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (this.left <= 0) {
        if (!this.where.pick()) return false
        this.drawFrom(this.where.number, round * Math.min(this.settings.samples, mostSamples))
        this.offerDrawn()
        this.left = round
      }
      this.left--
      if (this.takeBest()) return true
      this.left = 0
    }
    return false
  }

  /** Time has passed: idle times have grown, frequencies have faded. */
  private judgeAnew(): void {
    this.judgedAt = this.keyspace.turn.clock
    for (let i = 0; i < this.count; i++) this.scores[i] = this.score(this.clocks[i]!)
  }

  /** Draws some eligible keys of a database, and reads their clocks. */
  private drawFrom(db: number, wanted: number): void {
    const database = this.keyspace.database(db)
    const { deadlines, dict } = database
    this.drawnDb = db
    this.drawn = 0
    // Where most keys are eligible, neighbours in the table are the cheapest sample.
    if (!this.volatile) {
      this.readClocks(database, dict.sample(this.draw(), wanted, this.drawnPointers, this.drawnHashes))
    }
    else if (2 * deadlines.size >= dict.size) {
      this.readClocks(database, dict.sample(this.draw(), 2 * wanted, this.drawnPointers, this.drawnHashes))
    }
    if (this.volatile) this.drawByDeadline(database, Math.min(wanted, deadlines.size))
  }

  /** Reads the clocks of what was drawn, one after another: so the waits for memory overlap. Keeps who is eligible. */
  private readClocks(database: Database, found: number): void {
    const { arena } = database
    const { drawnClocks, drawnHashes, drawnPointers } = this
    for (let i = 0; i < found; i++) drawnClocks[i] = Entry.clockOf(arena, drawnPointers[i]!)
    this.drawn = found
    if (!this.volatile) return
    let kept = 0
    for (let i = 0; i < found; i++) {
      const p = drawnPointers[i]!
      if (!Entry.hasDeadline(arena, p)) continue
      drawnPointers[kept] = p
      drawnHashes[kept] = drawnHashes[i]!
      drawnClocks[kept++] = drawnClocks[i]!
    }
    this.drawn = kept
  }

  /** Draws as many more as are wanted from the order of deadlines: each key that has one is equally likely. */
  private drawByDeadline(database: Database, wanted: number): void {
    const { arena, deadlines } = database
    while (this.drawn < wanted) {
      if (!deadlines.at(Math.floor(this.draw() / 0x1_0000_0000 * deadlines.size))) return
      const p = this.withDeadline(database, deadlines.a * 0x1_0000_0000 + deadlines.b, deadlines.c)
      if (p === 0) return
      this.drawnPointers[this.drawn] = p
      this.drawnHashes[this.drawn] = deadlines.c
      this.drawnClocks[this.drawn++] = Entry.clockOf(arena, p)
    }
  }

  /** Greater is colder. */
  private score(clock: number): number {
    return this.byFrequency
      ? Access.coldnessByUse(clock, this.judgedAt, this.settings.lfuDecayMinutes)
      : Access.coldnessByTime(clock, this.judgedAt)
  }

  /** Puts what was drawn into the pool as far as it is colder than what is there. */
  private offerDrawn(): void {
    const { drawn, drawnClocks } = this
    let worst = this.worst()
    for (let i = 0; i < drawn; i++) {
      const clock = drawnClocks[i]!
      const score = this.score(clock)
      if (this.count === poolSize && score <= this.scores[worst]!) continue
      const p = this.drawnPointers[i]!
      if (this.isPooled(p)) continue
      const place = this.count < poolSize ? this.count++ : worst
      this.databases[place] = this.drawnDb
      this.pointers[place] = p
      this.hashes[place] = this.drawnHashes[i]!
      this.clocks[place] = clock
      this.scores[place] = score
      if (this.count === poolSize) worst = this.worst()
    }
    this.drawn = 0
  }

  /** The place of the warmest in the pool. */
  private worst(): number {
    const { count, scores } = this
    let worst = 0
    for (let i = 1; i < count; i++) if (scores[i]! < scores[worst]!) worst = i
    return worst
  }

  private isPooled(p: Pointer): boolean {
    const { count, databases, drawnDb, pointers } = this
    for (let i = 0; i < count; i++) if (pointers[i] === p && databases[i] === drawnDb) return true
    return false
  }

  /** Takes the coldest key out of the pool. Those that are gone leave it too, those accessed since are judged anew. */
  private takeBest(): boolean {
    while (this.count > 0) {
      const { count, scores } = this
      let best = 0
      for (let i = 1; i < count; i++) if (scores[i]! > scores[best]!) best = i
      const db = this.databases[best]!
      const database = this.keyspace.database(db)
      const p = this.pointers[best]!
      const hash = this.hashes[best]!
      if (this.isEligible(database, p, hash)) {
        const clock = Entry.clockOf(database.arena, p)
        if (clock === this.clocks[best]) {
          this.drop(best)
          return this.chosen(db, p, hash)
        }
        this.clocks[best] = clock
        scores[best] = this.score(clock)
      } else this.drop(best)
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
