/**
 * The data as it is now: sixteen (or as many as configured) databases, each with its own arena, so that emptying one is
 * dropping its arena, however many keys it held. A keyspace is a value: as many as wanted live side by side.
 */
import { Database } from "./database.ts"
import { defaultLimits, type Limits } from "./limits.ts"
import type { Arena } from "./memory/arena.ts"
import type { HashSeed } from "./memory/hash.ts"
import { Turn } from "./turn.ts"

export { Database, type EntrySaver, highWordAt, integerBytes, wordAt } from "./database.ts"
export { Turn } from "./turn.ts"

/** One slab: unmapping it takes a fraction of a millisecond. */
const smallArenaBytes = 4 << 20

/** Elements freed at a time: a millisecond or two of work, four where none of them is in the processor's caches. */
const sweepElements = 4000

/** All databases of one server, one moment in history or one test. */
export class Keyspace {
  readonly databases: Array<Database>
  seed: HashSeed
  readonly turn: Turn
  /** See `Database.mark`. */
  mark = 0
  private readonly dropped: Array<Arena> = []
  private meter: Float64Array = new Float64Array(1)
  /** Up to what size collections are small. */
  readonly limits: Limits
  constructor(count: number, seed: HashSeed, turn = new Turn(), limits = defaultLimits()) {
    this.limits = limits
    this.seed = seed
    this.turn = turn
    this.databases = Array.from({ length: count }, () => this.standIn())
  }

  /** The database of that number; one beyond the configured count comes to be when a log speaks of it. */
  database(index: number): Database {
    while (index >= this.databases.length) this.databases.push(this.standIn())
    return this.databases[index]!
  }

  /** An empty database that may be put in the place of one of these. */
  standIn(): Database {
    return new Database(this.seed, this.turn, this.mark, this.limits, this.meter)
  }

  swap(first: number, second: number): void {
    const database = this.database(first)
    this.databases[first] = this.database(second)
    this.databases[second] = database
  }

  clear(): void {
    for (let i = 0; i < this.databases.length; i++) this.clearDatabase(i)
  }

  /**
   * Empties one database in no time. A small one gives its memory back at once, lest a client that empties it again and
   * again hold a region for each time; that of a large one is left to `reclaim`.
   */
  clearDatabase(index: number): void {
    if (this.database(index).size === 0) return
    const { saver } = this.databases[index]!
    const old = this.databases[index]!.clear()
    if (saver === undefined || !saver.takeOver()) this.dispose(old)
  }

  /** Gives the memory of an arena that nobody uses any more back, at once or, when it is large, by `reclaim`. */
  dispose(old: Arena): void {
    if (old.reservedBytes > smallArenaBytes) this.dropped.push(old)
    else while (old.dismantle());
  }

  /**
   * Frees some elements of large collections that are gone, and gives up to 64 MiB of what was emptied back to the
   * system: either at once would stop everything. To be called every now and then; false when nothing is left to give.
   */
  reclaim(): boolean {
    const more = this.sweep()
    while (this.dropped.length > 0) {
      if (this.dropped.at(-1)!.dismantle()) return true
      this.dropped.pop()
    }
    for (const database of this.databases) if (database.arena.giveBack()) return true
    return more
  }

  /** Frees some elements of large collections that are gone; false when none is left. */
  sweep(): boolean {
    let more = false
    for (const database of this.databases) if (database.structures.sweep(sweepElements)) more = true
    return more
  }

  /** Whether elements of collections that are gone still take memory. */
  get hasGarbage(): boolean {
    for (const database of this.databases) if (database.structures.hasGarbage) return true
    return false
  }

  /**
   * Makes memory denser where it has become sparse, for at most about `budgetMs`. To be called every now and then,
   * outside of any command. Returns whether there is more to do.
   */
  compact(monotonic: () => number, budgetMs: number): boolean {
    const until = monotonic() + budgetMs
    for (const database of this.databases) {
      while (database.compact()) if (monotonic() >= until) return true
    }
    return false
  }

  /** An empty keyspace of the same shape, with another key of its hash if one is given, whose databases `adopt` may take over. */
  blank(seed = this.seed): Keyspace {
    return new Keyspace(this.databases.length, seed, this.turn, this.limits)
  }

  /** Takes the databases of a keyspace made by `blank`, dropping its own. No checkpoint may be running. */
  adopt(other: Keyspace): void {
    this.clear()
    this.mark = other.mark
    this.seed = other.seed
    this.databases.splice(0, this.databases.length, ...other.databases)
    this.meter = other.meter
  }

  /** Bytes of live blocks: keys, values, tables and deadlines. */
  get usedBytes(): number {
    return this.meter[0]!
  }

  /** Bytes of the runs and large blocks that the used bytes are spread over. */
  get activeBytes(): number {
    let sum = 0
    for (const database of this.databases) sum += database.arena.activeBytes
    return sum
  }

  /** Bytes written to and not given back to the system. */
  get residentBytes(): number {
    let sum = 0
    for (const database of this.databases) sum += database.arena.residentBytes
    return sum
  }

  /** Bytes of the slabs that are held. */
  get reservedBytes(): number {
    let sum = 0
    for (const database of this.databases) sum += database.arena.reservedBytes
    return sum
  }
}
