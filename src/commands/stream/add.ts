/** XADD. */
import { createHash } from "node:crypto"
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { compareSlices, Slice } from "../../projections/memory/slice.ts"
import { advance, compareIds, greatestId, SequenceForm, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { isWord, rest } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { wrongArity } from "../errors.ts"
import { entryAdded } from "../reused-events.ts"
import { writableStream } from "./access.ts"
import { idText, invalidId, isCharacter, parseAnyId } from "./ids.ts"
import { trim, Trimming, trimSyntax } from "./trim.ts"

const zeroId = new ReplyError("ERR The ID specified in XADD must be greater than 0-0")
const exhausted = new ReplyError("ERR The stream has exhausted the last possible ID, unable to add more items")
const tooSmall = new ReplyError("ERR The ID specified in XADD is equal or smaller than the target stream top item")
const tooLarge = new ReplyError("ERR Elements are too large to be stored")
const severalProducers = new ReplyError("ERR IDMP/IDMPAUTO specified multiple times")
const noProducer = new ReplyError("ERR IDMP requires a non-empty producer ID")
const noIid = new ReplyError("ERR IDMP requires a non-empty idempotent ID")
const noAutoProducer = new ReplyError("ERR IDMPAUTO requires a non-empty producer ID")
const givenId = new ReplyError("ERR IDMP/IDMPAUTO can be used only with auto-generated IDs")

const star = 0x2a
/** How long, and how many of each producer, names are remembered unless XCFGSET has said otherwise. */
export const usualIdempotency = { durationSeconds: 100, maxSize: 100 } as const
/** Most bytes of an entry's fields and values together. */
const mostEntryBytes = 1 << 30

/** What XADD is asked, apart from the fields. One instance, filled anew for each request. */
class Addition {
  readonly trimming = new Trimming()
  makesStream = true
  /** The id as given; without a sequence number when `form` says so. */
  readonly id = new StreamId()
  /** One of `SequenceForm`; -1 for an id made from the time. */
  form = -1
  producer: Slice | undefined = undefined
  /** The name of the entry for its producer; undefined when it is made of what the entry holds. */
  iid: Slice | undefined = undefined

  /** Reads the words from the options up to the id; returns where the fields begin. */
  read(argv: Argv, nodeEntries: number): number {
    this.makesStream = true
    this.form = -1
    this.producer = this.iid = undefined
    this.trimming.reset()
    let at = 2
    while (at < argv.length && !isCharacter(argv.at(at), star)) {
      const words = this.option(argv, at)
      if (words === 0) {
        this.form = parseAnyId(argv.at(at), this.id)
        if (this.form < 0) throw invalidId
        break
      }
      at += words
    }
    this.trimming.check(nodeEntries)
    if (this.producer !== undefined && this.form >= 0) throw givenId
    return at + 1
  }

  private option(argv: Argv, at: number): number {
    const words = this.trimming.read(argv, at)
    if (words > 0) return words
    const word = argv.at(at)
    if (isWord(word, "NOMKSTREAM")) {
      this.makesStream = false
      return 1
    }
    const more = argv.length - 1 - at
    const named = more > 1 && isWord(word, "IDMP")
    if (!named && !(more > 0 && isWord(word, "IDMPAUTO"))) return 0
    if (this.producer !== undefined) throw severalProducers
    this.producer = argv.at(at + 1)
    if (this.producer.length === 0) throw named ? noProducer : noAutoProducer
    if (!named) return 2
    this.iid = argv.at(at + 2)
    if (this.iid.length === 0) throw noIid
    return 3
  }
}

const addition = new Addition()
const newId = new StreamId()
const last = new StreamId()

/** The id of the new entry, given the greatest one so far. */
const chooseId = (d: Decision, { form, id }: Addition): StreamId => {
  if (form < 0) {
    newId.fromNumbers(d.time, 0)
    if (d.time > last.ms) return newId
    advance(newId.from(last))
    return newId
  }
  newId.from(id)
  if (form !== SequenceForm.star || id.msHigh !== last.msHigh || id.msLow !== last.msLow) return newId
  newId.from(last)
  // The next one would have another time: there is no sequence number left in this one.
  return advance(newId) && newId.msLow === id.msLow ? newId : newId.from(last)
}

/** Used again by each request that has no more than one. */
const onePair = [new Slice(), new Slice()]

/** The fields and values from word `at` on. */
const pairsFrom = (argv: Argv, at: number): ReadonlyArray<Slice> => {
  let bytes = 0
  for (let i = at; i < argv.length; i++) bytes += argv.at(i).length
  if (bytes > mostEntryBytes) throw tooLarge
  if (argv.length - at > 2) return rest(argv, at)
  onePair[0] = argv.at(at)
  onePair[1] = argv.at(at + 1)
  return onePair
}

const iidBytes = 16

/** A name made of an entry's fields and values, whatever their order. */
const contentIid = (pairs: ReadonlyArray<Slice>): Slice => {
  const order = Array.from({ length: pairs.length / 2 }, (_, i) => 2 * i)
    .sort((a, b) => compareSlices(pairs[a]!, pairs[b]!) || compareSlices(pairs[a + 1]!, pairs[b + 1]!))
  const hash = createHash("sha256")
  for (const i of order) {
    for (const word of [pairs[i]!, pairs[i + 1]!]) hash.update(`${word.length} `).update(word.toBytes())
  }
  return new Slice(hash.digest(), 0, iidBytes)
}

const found = new StreamId()

/** Whether a producer has added this entry before; its id is in `found` then. */
const isDuplicate = (d: Decision, key: Slice, p: Pointer, producer: Slice, iid: Slice): boolean => {
  if (p === 0 || !Stream.findNoted(d.db, p, producer, iid, d.time, found)) return false
  d.emit({ _tag: "StreamDuplicateRefused", key })
  return true
}

/** The entry is what the producer added under this name. */
export const noteProducer = (d: Decision, key: Slice, p: Pointer, producer: Slice, iid: Slice, id: StreamId): void => {
  if (p === 0 || Stream.producers(d.db, p) === undefined) d.emit({ _tag: "StreamConfigured", key, ...usualIdempotency })
  d.emit({ _tag: "StreamProducerNoted", key, producer, iid, id, time: d.time })
}

const add = (d: Decision, argv: Argv): Reply => {
  const from = addition.read(argv, d.db.limits.streamNodeEntries)
  const words = argv.length - from
  if (words < 2 || words % 2 === 1) throw wrongArity("xadd")
  if (addition.form >= 0 && addition.form !== SequenceForm.star && addition.id.isZero) throw zeroId
  const key = argv.at(1)
  const p = writableStream(d, key)
  if (p === 0 && !addition.makesStream) return null
  const pairs = pairsFrom(argv, from)
  const { producer } = addition
  const iid = producer === undefined ? undefined : addition.iid ?? contentIid(pairs)
  if (iid !== undefined && isDuplicate(d, key, p, producer!, iid)) return idText(found)
  if (p === 0) last.set(0, 0, 0, 0)
  else if (compareIds(Stream.lastId(d.db, p, last), greatestId) === 0) throw exhausted
  const id = chooseId(d, addition)
  if (compareIds(id, last) <= 0) throw tooSmall
  d.emit(entryAdded(key, id, pairs))
  if (iid !== undefined) noteProducer(d, key, p, producer!, iid, id)
  if (addition.trimming.strategy !== "none") trim(d, key, p, addition.trimming, { id, pairs })
  return idText(id)
}

export const xadd = defineCommand({
  name: "XADD",
  since: "5.0.0",
  group: "stream",
  summary: "Adds an entry at the end of a stream, makes the stream if there is none, and answers the entry's id.",
  complexity: "O(1); O(N) more where the stream is trimmed, N being the number of entries that leave.",
  syntax: "key [NOMKSTREAM@6.2.0] [condition: KEEPREF | DELREF | ACKED]@8.2.0 " +
    "[idempotency: IDMPAUTO producer-id | IDMP <producer-id idempotent-id>]@8.6.0 " +
    `[trim: ${trimSyntax}] <id_or_auto: auto_id=* | id> <field value> ...`,
  history: [
    ["6.2.0", "The option `NOMKSTREAM`, the strategy `MINID` and the option `LIMIT`."],
    ["7.0.0", "Ids of the form `<ms>-*`."],
    ["8.2.0", "The options `KEEPREF`, `DELREF` and `ACKED`."],
    ["8.6.0", "The options `IDMP` and `IDMPAUTO`."]
  ],
  arity: -5,
  flags: ["write", "denyoom", "fast"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RW", "update").map((spec) => ({
    ...spec,
    notes: "It may also trim, so that it is no mere insertion."
  })),
  decide: add
})
