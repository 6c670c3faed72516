import type { Slice } from "../../projections/memory/slice.ts"

/**
 * What a command answers, as a plain value; the encoder turns it into RESP2 or RESP3.
 *
 * - `null` the null bulk string (RESP3: null) · `nilArray` the null array of RESP2
 * - number, bigint: an integer · `Double`: RESP3 double, RESP2 bulk · `true`/`false`: RESP3 boolean, RESP2 1/0
 * - `Slice`, `Uint8Array`, string (UTF-8): a bulk string; slices are encoded before the data they point at can move
 * - array: an array · `MapReply`: RESP3 map, RESP2 flat array · `SetReply`: RESP3 set, RESP2 array
 * - `Status`, `ReplyError`, `Verbatim`, `Push`, `Encoded`
 * - `noReply`: nothing is sent now (the connection answers later, or not at all)
 */
export type Reply =
  | null
  | number
  | bigint
  | boolean
  | string
  | Slice
  | Uint8Array
  | Status
  | ReplyError
  | Double
  | Verbatim
  | MapReply
  | SetReply
  | Push
  | Elements
  | Encoded
  | NilArray
  | NoReply
  | ReadonlyArray<Reply>

/** A simple string such as +OK. */
export class Status {
  readonly text: string
  readonly encoded: Uint8Array
  constructor(text: string) {
    this.text = text
    this.encoded = Buffer.from(`+${text}\r\n`, "latin1")
  }
}

/**
 * A refusal. The text begins with its code ("ERR", "WRONGTYPE", …). Thrown by `decide` and answered to the client; not
 * an `Error`, because it is a reply and needs no stack. Line breaks at the end are cut, those inside become spaces, as in Redis. What a client
 * sent is quoted as Latin-1 text, one character per byte.
 */
export class ReplyError {
  readonly text: string
  readonly encoded: Uint8Array
  constructor(text: string) {
    this.text = text.replace(/[\r\n]+$/, "").replace(/[\r\n]/g, " ")
    // Bytes that a client sent come back as they were; only text of our own can have characters beyond Latin-1.
    this.encoded = Buffer.from(`-${this.text}\r\n`, isLatin1(this.text) ? "latin1" : "utf8")
  }
  /** The first word: what INFO errorstats counts by. */
  get code(): string {
    const space = this.text.indexOf(" ")
    return space < 0 ? this.text : this.text.slice(0, space)
  }
}

const isLatin1 = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false
  return true
}

/** A floating-point number; `text` overrides how RESP2 and RESP3 print it. */
export class Double {
  readonly value: number
  readonly text: string | undefined
  constructor(value: number, text?: string) {
    this.value = value
    this.text = text
  }
}

/** Text that RESP3 clients show as it is; `format` has three characters (txt, mkd). */
export class Verbatim {
  readonly text: string
  readonly format: string
  constructor(text: string, format = "txt") {
    this.text = text
    this.format = format
  }
}

/** Pairs: a map in RESP3, a flat array in RESP2. */
export class MapReply {
  readonly pairs: ReadonlyArray<readonly [Reply, Reply]>
  constructor(pairs: ReadonlyArray<readonly [Reply, Reply]>) {
    this.pairs = pairs
  }
}

/** A set in RESP3, an array in RESP2. */
export class SetReply {
  readonly members: ReadonlyArray<Reply>
  constructor(members: ReadonlyArray<Reply>) {
    this.members = members
  }
}

/** An out-of-band message: a push in RESP3, an array in RESP2. */
export class Push {
  readonly items: ReadonlyArray<Reply>
  constructor(items: ReadonlyArray<Reply>) {
    this.items = items
  }
}

/** Where `Elements` are written. */
export interface ElementSink {
  bulk(bytes: Uint8Array, start: number, length: number): void
  /** So many elements of a pack, from the place `at` on. */
  pack(bytes: Uint8Array, at: number, count: number): void
  double(value: number): void
  /** A double whose text is given. */
  doubleBytes(bytes: Uint8Array, start: number, length: number): void
  integer(value: number): void
  /** The head of an array inside the reply. */
  array(length: number): void
  /** Another reply inside this one. */
  reply(reply: Reply): void
}

/**
 * Many bulk strings (or doubles), written one after the other by `write`: no object is made for each. Of a map, `count`
 * pairs. In RESP2 all kinds are arrays.
 */
export class Elements {
  readonly kind: "array" | "set" | "map"
  readonly count: number
  readonly write: (out: ElementSink, protocol: number) => void
  constructor(kind: "array" | "set" | "map", count: number, write: (out: ElementSink, protocol: number) => void) {
    this.kind = kind
    this.count = count
    this.write = write
  }
}

/** A reply that somebody has encoded already, for the protocol of the connection. Nobody writes to the bytes any more. */
export class Encoded {
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

class NilArray {
  readonly kind = "nilArray"
}
class NoReply {
  readonly kind = "noReply"
}
export type { NilArray, NoReply }

/** The null array (`*-1`) of RESP2; null in RESP3. */
export const nilArray = new NilArray()
/** Nothing is sent now. */
export const noReply = new NoReply()

export const ok = new Status("OK")
export const pong = new Status("PONG")
export const queued = new Status("QUEUED")
