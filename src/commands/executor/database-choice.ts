import type { Database, Keyspace } from "../../projections/keyspace.ts"

/** Chooses databases at random, each as likely as it has keys that may be evicted. */
export class DatabaseChoice {
  /** The database chosen last. */
  number = 0

  private readonly keyspace: Keyspace
  private readonly draw: () => number
  private volatile = false
  private counts = new Float64Array(0)

  /** @param draw a uniform u32 */
  constructor(keyspace: Keyspace, draw: () => number) {
    this.keyspace = keyspace
    this.draw = draw
  }

  /** From now on only keys with a deadline count, or all. */
  follow(volatile: boolean): void {
    this.volatile = volatile
  }

  /** Chooses: `number` is a database that has such keys. False when none has. */
  pick(): boolean {
    const total = this.count()
    if (total === 0) return false
    const { counts } = this
    let place = Math.floor(this.draw() / 0x1_0000_0000 * total)
    let i = 0
    while (place >= counts[i]!) place -= counts[i++]!
    this.number = i
    return true
  }

  private eligible(database: Database): number {
    return this.volatile ? database.deadlines.size : database.size
  }

  private count(): number {
    const { databases } = this.keyspace
    if (this.counts.length !== databases.length) this.counts = new Float64Array(databases.length)
    let total = 0
    for (let i = 0; i < databases.length; i++) total += this.counts[i] = this.eligible(databases[i]!)
    return total
  }
}
