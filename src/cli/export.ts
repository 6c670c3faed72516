/** `annals export`: all data of a moment, as JSON lines or as the commands that make it. */
import { ConfigInvalid } from "../config/errors.ts"
import { dumpValue } from "../projections/dump.ts"
import type { Database } from "../projections/keyspace.ts"
import type { Pointer } from "../projections/memory/arena.ts"
import { Slice } from "../projections/memory/slice.ts"
import { StreamId } from "../projections/memory/stream-id.ts"
import * as Streams from "../projections/stream-read.ts"
import { matchGlob } from "../projections/structures/glob.ts"
import { type Context, exitCodes, Failed, UsageError } from "./context.ts"
import { literalOf } from "./parse.ts"
import { jsonOfBytes, toJson } from "./printing.ts"
import { Progress } from "./progress.ts"
import { viewOf } from "./source.ts"
import type { Input } from "./spec.ts"
import type { exportSpec } from "./specs.ts"
import { stateOf } from "./state.ts"
import { deadlineOf, eachEntry, eachKey, eachPart, scoreText, stringOf, typeOf } from "./values.ts"

/** Elements that one command brings, as many as Redis puts into one when it rewrites its log. */
const perCommand = 64

export const run = (
  context: Context,
  { options }: Input<typeof exportSpec.options>
): number | Promise<number> => {
  if (options.rdb !== undefined) return toRdb(context, options, options.rdb)
  if (options["rdb-version"] !== undefined) throw new UsageError("--rdb-version goes with --rdb")
  const format = options.format ?? "jsonl"
  if (options.json && format === "resp") throw new UsageError("--json is --format jsonl; RESP is another format")
  const view = viewOf(context, options.dir)
  const past = stateOf(context, view, options.at)
  const pattern = options.match === undefined ? undefined : new Slice(literalOf(options.match))
  const keys = past.keyspace.databases.reduce((sum, { size }) => sum + size, 0)
  const progress = new Progress(context, "writing", keys)
  const commands = new Commands(context)
  let done = 0
  eachKey(past.keyspace, past.time, (number, db, p, key) => {
    progress.at(done++)
    if (options.db !== undefined && options.db !== number) return
    if (pattern !== undefined && !matchGlob(pattern, key)) return
    if (format === "resp") commands.key(number, db, p, key, past.time)
    else context.write(`${toJson(line(number, db, p, key, past.time))}\n`)
  })
  progress.end()
  past.dispose()
  return exitCodes.ok
}

/** An RDB file, which is written by tools/. */
const toRdb = async (
  context: Context,
  options: Input<typeof exportSpec.options>["options"],
  file: string
): Promise<number> => {
  const { at, db, dir = "./data", format, json, match } = options
  if (db !== undefined || format !== undefined || match !== undefined) {
    throw new UsageError("--rdb writes all data, in a format of its own: it takes no --db, --format or --match")
  }
  const { exportRdb } = await import("../tools/export-rdb.ts")
  const { NotForRedis } = await import("../rdb/file-writer.ts")
  const version = options["rdb-version"] === "12" ? 12 : 10
  const progress = new Progress(context, "writing", 1)
  try {
    const keys = exportRdb({ dir, file, at, version, now: context.now() }, {
      out: context.write,
      err: context.warn,
      progress: (part) => progress.at(part)
    })
    progress.end()
    context.write(json ? `${toJson({ file, keys, "rdb-version": version })}\n` : `Wrote ${keys} keys to ${file}.\n`)
    return exitCodes.ok
  } catch (error) {
    progress.end()
    if (error instanceof ConfigInvalid) throw new UsageError(error.problem)
    if (error instanceof NotForRedis) throw new Failed(error.message)
    throw error
  }
}

const line = (number: number, db: Database, p: Pointer, key: Slice, now: number): unknown => {
  const deadline = deadlineOf(db, p)
  const expiry = deadline === 0 ? {} : { "expire-at": deadline }
  return { db: number, key: jsonOfBytes(key), type: typeOf(db, p), ...expiry, ...valueJson(db, p, now) }
}

/** The value of an entry as JSON, whole. */
export const valueJson = (db: Database, p: Pointer, now: number): Record<string, unknown> => {
  const type = typeOf(db, p)
  if (type === "string") return { value: jsonOfBytes(stringOf(db, p)) }
  if (type === "stream") return streamJson(db, p)
  const value: Array<unknown> = []
  const deadlines: Array<unknown> = []
  eachPart(db, p, (name, held, extra) => {
    if (type === "hash") {
      if (extra !== 0 && extra <= now) return
      value.push([jsonOfBytes(name), jsonOfBytes(held!)])
      if (extra !== 0) deadlines.push([jsonOfBytes(name), extra])
    } else if (type === "zset") {
      value.push([jsonOfBytes(name), Number.isFinite(extra) ? extra : scoreText(extra)])
    } else value.push(jsonOfBytes(name))
  })
  return deadlines.length === 0 ? { value } : { value, "fields-expire-at": deadlines }
}

const streamJson = (db: Database, p: Pointer): Record<string, unknown> => {
  const value: Array<unknown> = []
  eachEntry(db, p, (id, pairs) => void value.push([id, pairs.map(jsonOfBytes)]))
  const id = new StreamId()
  const groups = Streams.groups(db, p).map((g) => ({
    name: jsonOfBytes(Streams.groupName(db, g, new Slice())),
    "last-delivered-id": String(Streams.lastDelivered(db, g, id)),
    pending: Streams.pendingCount(db, g),
    consumers: Streams.consumers(db, g).map((c) => jsonOfBytes(Streams.consumerName(db, c, new Slice())))
  }))
  return { value, "last-id": String(Streams.lastId(db, p, id)), groups }
}

type Word = string | Slice | Uint8Array

/** Commands in the protocol of Redis, for `redis-cli --pipe`. */
class Commands {
  private readonly context: Context
  private db = -1
  constructor(context: Context) {
    this.context = context
  }

  key(number: number, db: Database, p: Pointer, key: Slice, now: number): void {
    if (number !== this.db) {
      this.db = number
      this.write(["SELECT", String(number)])
    }
    const deadline = deadlineOf(db, p)
    switch (typeOf(db, p)) {
      case "string":
        this.write(["SET", key, stringOf(db, p), ...deadline === 0 ? [] : ["PXAT", String(deadline)]])
        return
      case "stream":
        // Entries, groups and what is pending in them: one value says it all, exactly.
        this.write(["RESTORE", key, String(deadline), dumpValue(db, p, now), "ABSTTL", "REPLACE"])
        return
      case "hash":
        this.parts(["HSET", key], db, p, (name, value, extra) => extra !== 0 && extra <= now ? [] : [name, value!])
        eachPart(db, p, (name, _, extra) => {
          if (extra > now) this.write(["HPEXPIREAT", key, String(extra), "FIELDS", "1", name])
        })
        break
      case "zset":
        this.parts(["ZADD", key], db, p, (name, _, score) => [scoreText(score), name])
        break
      case "list":
        this.parts(["RPUSH", key], db, p, (name) => [name])
        break
      case "set":
        this.parts(["SADD", key], db, p, (name) => [name])
        break
    }
    if (deadline !== 0) this.write(["PEXPIREAT", key, String(deadline)])
  }

  private parts(
    head: ReadonlyArray<Word>,
    db: Database,
    p: Pointer,
    words: (name: Slice, value: Slice | undefined, extra: number) => ReadonlyArray<Word>
  ): void {
    let held: Array<Word> = []
    let count = 0
    eachPart(db, p, (name, value, extra) => {
      for (const word of words(name, value, extra)) held.push(word instanceof Slice ? word.copy() : word)
      if (++count % perCommand !== 0 || held.length === 0) return
      this.write([...head, ...held])
      held = []
    })
    if (held.length > 0) this.write([...head, ...held])
  }

  private write(words: ReadonlyArray<Word>): void {
    const parts: Array<Uint8Array> = [Buffer.from(`*${words.length}\r\n`, "latin1")]
    for (const word of words) {
      const bytes = typeof word === "string"
        ? Buffer.from(word, "utf8")
        : word instanceof Slice
        ? word.bytes.subarray(word.start, word.start + word.length)
        : word
      parts.push(Buffer.from(`$${bytes.length}\r\n`, "latin1"), bytes, lineBreak)
    }
    this.context.write(Buffer.concat(parts))
  }
}

const lineBreak = Buffer.from("\r\n", "latin1")
