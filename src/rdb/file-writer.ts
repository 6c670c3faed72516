/** Writes RDB files of version 10, as redis-server 7.0 does and reads them; see file-reader.ts for what is in them. */
import type { Database } from "../projections/database.ts"
import { putValue } from "../projections/dump.ts"
import * as Entry from "../projections/entry.ts"
import { isGone } from "../projections/hash-read.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import type { Pointer } from "../projections/memory/arena.ts"
import { Slice } from "../projections/memory/slice.ts"
import { type Drain, NotInRdb, RdbWriter, version, versionWithDeadlines } from "../projections/rdb-writer.ts"
import { type Crc64, crc64 } from "../projections/structures/crc64.ts"
import { printable } from "./file-reader.ts"

/** What stands at the head of a file. */
export interface RdbHead {
  /** Unix ms. */
  readonly created: number
  /** 12 for Redis 7.4 and later, which know deadlines of single fields of hashes; 10 for 7.0 too. */
  readonly version?: typeof version | typeof versionWithDeadlines
  /** What becomes of such deadlines where the version does not have them. */
  readonly fieldDeadlines?: "refused" | "left out"
  /** More facts for the head. */
  readonly info?: Readonly<Record<string, string>>
}

/** The file could not be written: a value is not for it. */
export class NotForRedis extends Error {
  override readonly name = "NotForRedis"
}

/** Puts one file together; what is ready goes to `drain`, whose bytes are valid only during the call. */
export class RdbFileWriter {
  keys = 0
  private readonly out: RdbWriter
  private sum: Crc64 = [0, 0]
  private summing = true
  private db = -1
  private readonly key = new Slice()

  constructor(drain: Drain, head: RdbHead) {
    this.out = new RdbWriter((bytes) => {
      if (this.summing) this.sum = crc64(bytes, 0, bytes.length, this.sum)
      drain(bytes)
    })
    const fileVersion = head.version ?? version
    this.out.fieldDeadlines = fileVersion >= versionWithDeadlines ? "kept" : head.fieldDeadlines ?? "refused"
    const magic = Buffer.from(`REDIS${String(fileVersion).padStart(4, "0")}`)
    this.out.raw(magic, 0, magic.length)
    this.info("redis-ver", "7.0.15")
    this.info("redis-bits", "64")
    this.info("ctime", String(Math.floor(head.created / 1000)))
    for (const [name, value] of Object.entries(head.info ?? {})) this.info(name, value)
  }

  private info(name: string, value: string): void {
    this.out.u8(0xfa)
    this.out.string(Slice.latin1(name))
    this.out.string(Slice.latin1(value))
  }

  /** What follows is of this database, of so many keys where that is known. */
  database(number: number, keys?: number, deadlines = 0): void {
    if (number !== this.db) {
      this.out.u8(0xfe)
      this.out.length(number)
      this.db = number
    }
    if (keys === undefined) return
    this.out.u8(0xfb)
    this.out.length(keys)
    this.out.length(deadlines)
  }

  /** Adds an entry as it is at `now`, unless it is dead. @throws NotForRedis */
  entry(db: Database, p: Pointer, now: number): void {
    if (isGone(db, p, now)) return
    const { key, out } = this
    const deadline = Entry.deadlineOf(db.arena, p)
    if (deadline !== 0) {
      out.u8(0xfc)
      out.u64(deadline)
    }
    out.key = Entry.keyOf(db.arena, p, key)
    try {
      putValue(out, db, p, now)
    } catch (error) {
      if (!(error instanceof NotInRdb)) throw error
      throw new NotForRedis(
        `key "${printable(key)}" of database ${this.db}: ${error.message}, which Redis before 7.4 does not know`
      )
    }
    this.keys++
  }

  /** Ends the file. */
  end(): void {
    const { out } = this
    out.u8(0xff)
    out.flush()
    this.summing = false
    const [high, low] = this.sum
    out.u32(low)
    out.u32(high)
    out.flush()
  }
}

/** Segments of a table that are gone through per step. */
const segmentsPerStep = 4

/** Writes all of a keyspace that is alive at `now` (Unix ms), in steps. @throws NotForRedis */
export function* writeKeyspace(writer: RdbFileWriter, keyspace: Keyspace, now: number): Generator<void, void> {
  for (let number = 0; number < keyspace.databases.length; number++) {
    const db = keyspace.databases[number]!
    if (db.size === 0) continue
    writer.database(number, db.size, db.deadlines.size)
    let position = 0
    for (let segments = 1; position >= 0; segments++) {
      position = db.dict.walk(position, (p) => writer.entry(db, p, now))
      if (segments % segmentsPerStep === 0) yield
    }
  }
}
