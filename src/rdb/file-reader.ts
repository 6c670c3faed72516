/**
 * Reads RDB files of Redis up to 8 from beginning to end, a window of the file at a time:
 *
 * ```
 * "REDIS" · version in four digits · records · ff · CRC-64 of all before it (u64 little endian; 0: not computed)
 * record  fa name value          something about the file        f5 text   a library of functions
 *         fe number              the database from here on       f7 …      what a module keeps beside its keys
 *         fb keys deadlines      how many there are in it        f4 … … …  keys of a slot
 *         fc ms (u64) or fd s (u32), f8 idle seconds, f9 frequency (u8): of the key that follows
 *         type (u8) · key · value (see ../projections/dump.ts)
 * ```
 */
import { type DumpedValue, readPieces } from "../projections/dump-read.ts"
import { Slice } from "../projections/memory/slice.ts"
import { BadData, RdbReader } from "../projections/rdb-reader.ts"
import { type Crc64, crc64 } from "../projections/structures/crc64.ts"

/** Read at a time. */
const windowBytes = 256 << 10
/** Magic and version. */
const headBytes = 9
/** The checksum came with version 5. */
const firstWithChecksum = 5
/** The newest version that is known. */
export const newestFileVersion = 13

const Opcode = {
  slotInfo: 0xf4,
  functions: 0xf5,
  functionsOfCandidate: 0xf6,
  moduleData: 0xf7,
  idle: 0xf8,
  frequency: 0xf9,
  info: 0xfa,
  sizes: 0xfb,
  deadlineMs: 0xfc,
  deadlineSeconds: 0xfd,
  database: 0xfe,
  end: 0xff
} as const

/** Types of values are below. */
const leastOpcode = 0xf0

/** A file, or a part of one, that is read from some place on. */
export interface ByteSource {
  /** Fills part of `into` from a position of the file; answers how many bytes, 0 at the end. */
  read(into: Uint8Array, start: number, length: number, position: number): number
  /** Bytes of the file. */
  size(): number
}

/** The file cannot be used: the text says what is wrong, and at which byte. */
export class BadFile extends Error {
  override readonly name = "BadFile"
  readonly position: number

  constructor(problem: string, position: number) {
    super(`${problem} (at byte ${position})`)
    this.position = position
  }
}

/** What stands before a key. */
export interface KeyFacts {
  /** Unix milliseconds, 0 for none. */
  readonly expireAt: number
  /** -1 where the file does not say. */
  readonly idleSeconds: number
  readonly frequency: number
}

/** Is told what a file holds, in its order. */
export interface RdbVisitor {
  /** A fact about the file as a whole: "redis-ver", "ctime", … */
  info(name: string, value: string): void
  /** So many keys of a database follow, so many of them with deadlines. */
  sizes(db: number, keys: number, deadlines: number): void
  /** A value, or a piece of a large one. The slices stay valid. */
  value(db: number, key: Slice, piece: DumpedValue, facts: KeyFacts, first: boolean, last: boolean): void
  /** Something is left out. */
  warn(text: string): void
}

/** Moves a window over a file, and sums up what was passed. */
class FileReader extends RdbReader {
  private readonly source: ByteSource
  /** Position of `bytes[0]`. */
  private base: number
  private summedTo = 0
  private sum: Crc64 = [0, 0]

  constructor(source: ByteSource, position: number) {
    super(new Slice(Buffer.alloc(0)))
    this.source = source
    this.base = position
  }

  get position(): number {
    return this.base + this.at
  }

  protected override get left(): number {
    return this.source.size() - this.position
  }

  /** The checksum of what was passed. */
  get checksum(): Crc64 {
    if (this.at > this.summedTo) this.sum = crc64(this.bytes, this.summedTo, this.at - this.summedTo, this.sum)
    this.summedTo = this.at
    return this.sum
  }

  /** A new window each time: slices of those before it stay what they are. */
  protected override fill(n: number): void {
    if (n > this.left) throw new BadData("the file ends early")
    void this.checksum
    const rest = this.bytes.length - this.at
    const next = Buffer.allocUnsafe(Math.min(Math.max(n, windowBytes), this.left))
    this.bytes.copy(next, 0, this.at)
    for (let length = rest; length < next.length;) {
      const read = this.source.read(next, length, next.length - length, this.position + length)
      if (read === 0) throw new BadData("the file ends early")
      length += read
    }
    this.base += this.at
    this.bytes = next
    this.at = this.summedTo = 0
  }
}

/** The version a file's first bytes name; undefined when they are not those of an RDB file. */
export const rdbVersion = (head: Uint8Array): number | undefined => {
  const text = Buffer.from(head.subarray(0, headBytes)).toString("latin1")
  return /^REDIS\d{4}$/.test(text) ? Number(text.slice(5)) : undefined
}

/** One pass over a file; `steps` does the work, `position` says how far it is. */
export class RdbWalk {
  private readonly from: FileReader
  private readonly visitor: RdbVisitor
  private db = 0
  private expireAt = 0
  private idleSeconds = -1
  private frequency = -1
  private key = new Slice()

  constructor(source: ByteSource, visitor: RdbVisitor, position = 0) {
    this.from = new FileReader(source, position)
    this.visitor = visitor
  }

  /** How far the file was read; when all was, the position after its last byte. */
  get position(): number {
    return this.from.position
  }

  /** Goes through the file; each step is a record, or a piece of a large value. @throws BadFile */
  *steps(): Generator<void, void> {
    const { from } = this
    let began = from.position
    try {
      const version = rdbVersion(from.raw(headBytes).toBytes())
      if (version === undefined) throw new BadData("this is no RDB file: it does not begin with REDIS and a version")
      if (version < 1 || version > newestFileVersion) {
        throw new BadData(`RDB files of version ${version} are not read; up to ${newestFileVersion} they are`)
      }
      for (;;) {
        began = from.position
        this.key = new Slice()
        const opcode = from.u8()
        if (opcode === Opcode.end) break
        if (opcode >= leastOpcode) this.record(opcode)
        else yield* this.value(opcode)
        yield
      }
      if (version >= firstWithChecksum) this.checkSum()
    } catch (error) {
      if (!(error instanceof BadData)) throw error
      const what = this.key.length > 0 ? `key "${printable(this.key)}" of database ${this.db}: ` : ""
      throw new BadFile(`${what}${error.message}`, began)
    }
  }

  private checkSum(): void {
    const { from } = this
    const [high, low] = from.checksum
    const stored = [from.u32(), from.u32()]
    if (stored[0] === 0 && stored[1] === 0) return
    if (stored[0] !== low || stored[1] !== high) throw new BadData("the checksum does not fit: the file is damaged")
  }

  private record(opcode: number): void {
    const { from, visitor } = this
    switch (opcode) {
      case Opcode.info: {
        const name = from.string().latin1()
        visitor.info(name, from.string().latin1())
        return
      }
      case Opcode.database:
        this.db = from.length()
        if (this.db > mostDatabases) throw new BadData(`there is no database ${this.db}`)
        return
      case Opcode.sizes: {
        const keys = from.length()
        visitor.sizes(this.db, keys, from.length())
        return
      }
      case Opcode.deadlineMs:
        // Redis takes deadlines further off than an event can state, some 280 000 years: they are as good as that one.
        this.expireAt = Math.min(from.i64(), Number.MAX_SAFE_INTEGER)
        return
      case Opcode.deadlineSeconds:
        this.expireAt = from.u32() * 1000
        return
      case Opcode.idle:
        this.idleSeconds = from.length()
        return
      case Opcode.frequency:
        this.frequency = from.u8()
        return
      case Opcode.slotInfo:
        for (let i = 0; i < 3; i++) from.length()
        return
      case Opcode.functions: {
        const name = /name\s*=\s*(\S+)/.exec(from.string().latin1())?.[1] ?? "without a name"
        visitor.warn(`the library of functions ${name} is left out: there is no scripting here`)
        return
      }
      case Opcode.functionsOfCandidate:
        throw new BadData("functions as a release candidate of Redis 7.0 wrote them are not read")
      case Opcode.moduleData:
        throw new BadData("the file holds data of a module, whose format only the module knows; unload it there first")
      default:
        throw new BadData(`records of kind ${opcode} are not read: the file is of a newer Redis, or damaged`)
    }
  }

  private *value(type: number): Generator<void, void> {
    const { from, visitor } = this
    this.key = from.string()
    const { expireAt, frequency, idleSeconds, key } = this
    const facts: KeyFacts = { expireAt, frequency, idleSeconds }
    this.expireAt = 0
    this.idleSeconds = this.frequency = -1
    const pieces = readPieces(from, type)
    let piece = pieces.next()
    for (let first = true; piece.done !== true; first = false) {
      const next = pieces.next()
      visitor.value(this.db, key, piece.value, facts, first, next.done === true)
      if (next.done !== true) yield
      piece = next
    }
  }
}

/** More than any server is configured with. */
const mostDatabases = 0xffff

/** A key as text for people, not too long. */
export const printable = (key: Slice): string => {
  const text = key.latin1().replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
