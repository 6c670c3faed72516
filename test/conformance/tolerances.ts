/**
 * Where two correct servers may answer differently. Bytes are compared first; only when they differ is a row asked, and
 * every row says why. Anything not listed must be equal to the byte.
 */
import { formatDouble } from "../../src/net/resp/encoder.ts"
import { parseReply, plain, type TypedReply } from "../support/resp-client.ts"
import { replyEnd } from "../support/resp.ts"
import { distancesKey } from "./geo.ts"
import type { Line } from "./grammar.ts"
import { streamTolerances } from "./tolerances-streams.ts"
import { absoluteMillis, absoluteSeconds } from "./words.ts"

/** The replies to one request, and to the request after it on the same connection, if there was one. */
export interface Exchange {
  readonly line: Line
  readonly redis: Buffer
  readonly annals: Buffer
  readonly next: { readonly redis: Buffer; readonly annals: Buffer } | undefined
  /** Of EXEC: the requests that were queued. */
  readonly queued?: ReadonlyArray<Line> | undefined
  /** These are replies inside that of EXEC. */
  readonly inside?: boolean
}

/** Requests about which replies may differ, and how. */
export interface Tolerance {
  /** The request, as words in upper case: "OBJECT IDLETIME". */
  readonly requests: ReadonlyArray<string>
  readonly reason: string
  /** Whether these two replies mean the same all the same. */
  readonly same: (redis: TypedReply, annals: TypedReply, exchange: Exchange) => boolean
}

const texts = (reply: TypedReply): ReadonlyArray<string> | undefined =>
  reply.type === "array" && reply.items.every((item) => item.type === "bulk")
    ? reply.items.map((item) => item.type === "bulk" ? item.value.toString("latin1") : "")
    : undefined

const sameElements = (redis: TypedReply, annals: TypedReply): boolean => {
  const left = texts(redis)?.toSorted()
  const right = texts(annals)?.toSorted()
  return left !== undefined && right !== undefined && left.length === right.length &&
    left.every((text, i) => text === right[i])
}

const exact = new Set<bigint>([
  ...absoluteMillis.map(BigInt),
  ...absoluteSeconds.flatMap((text) => [BigInt(text), BigInt(text) * 1000n]),
  ...absoluteMillis.map((text) => BigInt(text) / 1000n),
  ...absoluteMillis.map((text) => (BigInt(text) + 500n) / 1000n)
])

/** Integers no further apart than `by`; those that name a moment given in the request must be equal. */
const near = (by: bigint) => (redis: TypedReply, annals: TypedReply): boolean => {
  if (redis.type !== "integer" || annals.type !== "integer") return false
  if (redis.value < 0n || annals.value < 0n || exact.has(redis.value)) return false
  const distance = redis.value - annals.value
  return distance <= by && -distance <= by
}

const isKeyPresent = (reply: TypedReply, keys: Buffer | undefined): boolean => {
  if (keys === undefined) return false
  const present = texts(parseReply(keys))
  if (present === undefined) return false
  return reply.type === "null"
    ? present.length === 0
    : reply.type === "bulk" && present.includes(reply.value.toString("latin1"))
}

/** Names of the fields of a CLIENT LIST line; newer servers add some at places of their own. */
const clientFields = (reply: TypedReply): string | undefined => {
  if (reply.type !== "bulk" && reply.type !== "verbatim") return undefined
  const newer = new Set(["lib-name", "lib-ver", "io-thread", "tot-net-in", "tot-net-out", "tot-cmds", "watch", "rbp"])
  const first = reply.value.toString("latin1").split("\n")[0]!
  return `${reply.type} ` +
    first.split(/ (?=[a-z-]+=)/).map((field) => field.split("=")[0]!).filter((name) => !newer.has(name)).join(" ")
}

const helloWithout = (reply: TypedReply): string | undefined => {
  const flat = reply.type === "map" ? reply.entries.flat() : reply.type === "array" ? reply.items : undefined
  if (flat === undefined) return undefined
  return JSON.stringify([
    reply.type,
    flat.map((item, i) => {
      const field = i % 2 === 1 ? plain(flat[i - 1]!) : undefined
      const value = plain(item)
      return field === "version" || field === "id" ? typeof value : [item.type, value]
    })
  ])
}

const equalDefined = <A>(left: A | undefined, right: A | undefined): boolean => left !== undefined && left === right

/** Pairs of a flat array or a map, or members of a set or an array, whatever their order. */
const sameCollection = (redis: TypedReply, annals: TypedReply): boolean => {
  const parts = (reply: TypedReply): ReadonlyArray<string> | undefined => {
    if (reply.type === "map") return reply.entries.map((entry) => JSON.stringify(entry.map(plain)))
    if (reply.type !== "array" && reply.type !== "set") return undefined
    return reply.items.map((item) => JSON.stringify(plain(item)))
  }
  const left = parts(redis)?.toSorted()
  const right = parts(annals)?.toSorted()
  return redis.type === annals.type && left !== undefined && right !== undefined && left.length === right.length &&
    left.every((text, i) => text === right[i])
}

/** Fields and values in turn, compared as pairs whatever their order. */
const samePairs = (redis: TypedReply, annals: TypedReply): boolean => {
  if (redis.type !== "array" || annals.type !== "array") return sameCollection(redis, annals)
  const pairs = (items: ReadonlyArray<TypedReply>): ReadonlyArray<string> =>
    items.flatMap((item, i) => i % 2 === 0 ? [JSON.stringify([plain(item), plain(items[i + 1]!)])] : []).toSorted()
  return JSON.stringify(pairs(redis.items)) === JSON.stringify(pairs(annals.items))
}

/** Cursor and page: pages differ where a table has more than one of them. */
const samePage =
  (same: (redis: TypedReply, annals: TypedReply) => boolean) => (redis: TypedReply, annals: TypedReply): boolean => {
    if (redis.type !== "array" || annals.type !== "array" || redis.items.length !== 2 || annals.items.length !== 2) {
      return false
    }
    const whole = [redis, annals].every(({ items: [cursor] }) =>
      cursor!.type === "bulk" && cursor!.value.toString() === "0"
    )
    return whole ? same(redis.items[1]!, annals.items[1]!) : true
  }

const bulkText = (reply: TypedReply): string => reply.type === "bulk" ? reply.value.toString("latin1") : ""

/** The text of a number as Redis 7.2 prints it, given the 17 digits that 7.0 prints. */
const shortest = (text: string): string => /^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text) ? formatDouble(Number(text)) : text

/** A reply as text. */
const printed = (reply: TypedReply): string =>
  reply.type === "bulk"
    ? reply.value.toString("latin1")
    : reply.type === "double"
    ? reply.text
    : JSON.stringify(plain(reply), (_key, value: unknown) => typeof value === "bigint" ? `${value}` : value)

/** Equal but for numbers of 17 digits. */
const sameScores = (redis: TypedReply, annals: TypedReply): boolean => {
  if (redis.type === "array" && annals.type === "array") {
    return redis.items.length === annals.items.length &&
      redis.items.every((item, i) => sameScores(item, annals.items[i]!))
  }
  return redis.type === annals.type &&
    (printed(redis) === printed(annals) || shortest(printed(redis)) === printed(annals))
}

/** Members and scores in turn, compared as pairs whatever their order. */
const sameScoredPairs = (redis: TypedReply, annals: TypedReply): boolean => {
  if (redis.type !== "array" || annals.type !== "array") return false
  const pairs = (items: ReadonlyArray<TypedReply>): string =>
    JSON.stringify(
      items.flatMap((item, i) => i % 2 === 0 ? [[printed(item), shortest(printed(items[i + 1]!))]] : []).toSorted()
    )
  return pairs(redis.items) === pairs(annals.items)
}

/**
 * Members and distances: the same but for the last bits of a distance, in which C libraries differ, too. Sines, cosines and
 * the arc sine may each be off by one in their last place: of the sum under the root that makes up to six halves of a
 * place, of its root half as much, and with arc sine, radius and unit four and a half places between two libraries at the
 * most, where no arc is near half the globe. As many were seen; twice as many are allowed for.
 */
const sameDistances = (redis: TypedReply, annals: TypedReply): boolean => {
  if (redis.type !== "array" || annals.type !== "array") return false
  const distances = (items: ReadonlyArray<TypedReply>): ReadonlyMap<string, number> => {
    const flat = items.flatMap((item) => item.type === "array" ? item.items : [item])
    return new Map(flat.flatMap((item, i) => i % 2 === 0 ? [[printed(item), Number(printed(flat[i + 1]!))]] : []))
  }
  const ours = distances(annals.items)
  return redis.items.length === annals.items.length &&
    [...distances(redis.items)].every(([member, distance]) =>
      Math.abs((ours.get(member) ?? NaN) - distance) <= 8 * Number.EPSILON * distance
    )
}

/** Whether SDIFFSTORE has been asked for since everything was flushed, as it is before every sequence. */
let differenceKept = false

export const tolerances: ReadonlyArray<Tolerance> = [
  {
    requests: [
      "ZADD",
      "ZINCRBY",
      "ZSCORE",
      "ZMSCORE",
      "ZRANGE",
      "ZREVRANGE",
      "ZRANGEBYSCORE",
      "ZREVRANGEBYSCORE",
      "ZPOPMIN",
      "ZPOPMAX",
      "ZMPOP",
      "BZPOPMIN",
      "BZPOPMAX",
      "BZMPOP",
      "ZUNION",
      "ZINTER",
      "ZDIFF"
    ],
    reason: "since 7.2 Redis prints the shortest text that reads back as the same double, 7.0 prints 17 digits; " +
      "sines and arc sines, and so distances, are rounded to the nearest double here, nearly always so in C's library",
    same: (redis, annals, { line }) =>
      sameScores(redis, annals) || line[1] === distancesKey && sameDistances(redis, annals)
  },
  {
    requests: ["ZSCAN"],
    reason: "cursors, pages and their order follow each server's own table; 7.0 prints scores with 17 digits",
    same: samePage(sameScoredPairs)
  },
  {
    requests: ["SMEMBERS", "SINTER", "SUNION", "SDIFF", "SPOP", "HKEYS", "HVALS"],
    reason: "the order of members and fields follows each server's own table (SPOP: of sets that go whole)",
    same: sameCollection
  },
  {
    requests: ["HGETALL"],
    reason: "the order of fields follows each server's own table",
    same: samePairs
  },
  {
    requests: ["SORT", "SORT_RO"],
    reason: "what is not sorted, or weighs the same, comes in the order of each server's own table or sorting",
    same: (redis, annals, { line }) => {
      const options = new Set(line.map((word) => word.toUpperCase()))
      if (!options.has("BY") && !options.has("ALPHA")) return false
      const sizes = [redis, annals].map((reply) => reply.type === "array" ? reply.items.length : -1)
      return options.has("LIMIT") ? sizes[0]! >= 0 && sizes[0] === sizes[1] : sameCollection(redis, annals)
    }
  },
  {
    requests: ["SSCAN"],
    reason:
      "cursors, pages and their order follow each server's own table; one page with everything is compared as a set",
    same: samePage(sameCollection)
  },
  {
    requests: ["HSCAN"],
    reason:
      "cursors, pages and their order follow each server's own table; one page with everything is compared as pairs",
    same: samePage(samePairs)
  },
  {
    requests: ["OBJECT ENCODING"],
    reason:
      "small lists are listpacks since Redis 7.2, and so are small sets of other things than integers; 7.0 has a " +
      "quicklist and a hashtable for them. Where SDIFFSTORE of 7.0 takes the other sets' members out of a copy of the " +
      "first, what is left stays a hashtable although it is integers only; here it is as if it had just been added",
    same: (redis, annals) =>
      bulkText(annals) === "listpack" && (bulkText(redis) === "quicklist" || bulkText(redis) === "hashtable") ||
      differenceKept && bulkText(annals) === "intset" && bulkText(redis) === "hashtable"
  },
  {
    requests: ["KEYS"],
    reason: "the order of keys follows each server's own hash table",
    same: sameElements
  },
  {
    requests: ["SCAN"],
    reason: "cursors and pages follow each server's own hash table; full iterations are compared as sets",
    same: (redis, annals) =>
      [redis, annals].every((reply) =>
        reply.type === "array" && reply.items.length === 2 && reply.items[0]!.type === "bulk" &&
        texts(reply.items[1]!) !== undefined
      )
  },
  {
    requests: ["RANDOMKEY"],
    reason: "random; the key must be among those that KEYS shows next",
    same: (redis, annals, { next }) => isKeyPresent(redis, next?.redis) && isKeyPresent(annals, next?.annals)
  },
  {
    requests: ["TTL", "EXPIRETIME"],
    reason: "relative deadlines count from the moment each server read the request",
    same: near(5n)
  },
  {
    requests: ["PTTL", "PEXPIRETIME"],
    reason: "relative deadlines count from the moment each server read the request",
    same: near(5_000n)
  },
  {
    requests: ["OBJECT IDLETIME"],
    reason:
      "seconds since the last access, by each server's own clock; Redis's small integers are shared objects whose " +
      "clock runs on, while no key is idle longer than a sequence lasts",
    same: (redis, annals) =>
      redis.type === "integer" && redis.value >= 0n && annals.type === "integer" && annals.value >= 0n &&
      annals.value <= 30n
  },
  {
    requests: ["OBJECT REFCOUNT"],
    reason:
      "Annals shares no objects and says of every small integer what Redis says of a shared one, but Redis's COPY " +
      "makes an unshared one; inside EXEC, Redis counts the queued request's hold on what it has stored",
    same: (redis, annals, { inside }) =>
      redis.type === "integer" && annals.type === "integer" &&
      (redis.value === 1n && annals.value === 2147483647n ||
        inside === true && redis.value > 1n && redis.value < 20n && annals.value === 1n)
  },
  {
    requests: ["CLIENT ID"],
    reason: "each server numbers its own connections",
    same: (redis, annals) => redis.type === "integer" && annals.type === "integer"
  },
  {
    requests: ["CLIENT INFO", "CLIENT LIST"],
    reason:
      "addresses, ages and buffers are each server's own, newer fields are allowed; field names and order are not",
    same: (redis, annals) => equalDefined(clientFields(redis), clientFields(annals))
  },
  {
    requests: ["HELLO"],
    reason: "version and connection id are each server's own",
    same: (redis, annals) => equalDefined(helloWithout(redis), helloWithout(annals))
  },
  {
    requests: ["TIME"],
    reason: "the time of reading",
    same: (redis, annals) => {
      const [left, right] = [texts(redis), texts(annals)]
      return left?.length === 2 && right?.length === 2 && Math.abs(Number(left[0]) - Number(right[0])) <= 5 &&
        /^\d{1,6}$/.test(right[1]!)
    }
  }
]

const byRequest = new Map(
  [...tolerances, ...streamTolerances].flatMap((row) => row.requests.map((request) => [request, row] as const))
)

/** How often each row was needed, by request. */
export const used = new Map<string, number>()

/** The replies in an array, each with its bytes; undefined when it is something else. */
const elements = (reply: Buffer): ReadonlyArray<Buffer> | undefined => {
  if (reply[0] !== 0x2a || reply[1] === 0x2d) return undefined
  const found: Array<Buffer> = []
  for (let at = reply.indexOf("\n") + 1; at < reply.length;) {
    const end = replyEnd(reply, at)
    found.push(reply.subarray(at, end))
    at = end
  }
  return found
}

/** What EXEC answers is compared reply by reply, as if each request had come on its own. */
const agreeInside = (queued: ReadonlyArray<Line>, redis: Buffer, annals: Buffer): boolean => {
  const left = elements(redis)
  const right = elements(annals)
  return left !== undefined && right !== undefined && left.length === right.length && left.length === queued.length &&
    queued.every((line, i) => {
      const next = i + 1 < queued.length ? { redis: left[i + 1]!, annals: right[i + 1]! } : undefined
      return agree({ line, redis: left[i]!, annals: right[i]!, next, inside: true })
    })
}

/** True when the replies are equal, or differ in a way a row allows. */
export const agree = (exchange: Exchange): boolean => {
  const command = (exchange.line[0] ?? "").toUpperCase()
  if (command === "FLUSHALL") differenceKept = false
  if (command === "SDIFFSTORE") differenceKept = true
  if (exchange.redis.equals(exchange.annals)) return true
  if (command === "EXEC" && exchange.queued !== undefined) {
    return agreeInside(exchange.queued, exchange.redis, exchange.annals)
  }
  const request = byRequest.has(command) ? command : `${command} ${(exchange.line[1] ?? "").toUpperCase()}`
  const row = byRequest.get(request)
  if (row === undefined || !row.same(parseReply(exchange.redis), parseReply(exchange.annals), exchange)) return false
  used.set(request, (used.get(request) ?? 0) + 1)
  return true
}
