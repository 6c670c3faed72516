/** Connections to one server that track, write and listen; and random requests for them. */
import type { ServerProcess } from "../support/processes.ts"
import type { Random } from "../support/random.ts"
import { encodeRequest, plain, type RespClient, type TypedReply } from "../support/resp-client.ts"

export type Words = ReadonlyArray<string>

/**
 * Protocols of the connections. The last two listen to what is redirected to them, and ask for nothing: redis-server puts
 * what others redirect to a connection before, or even into, the reply to its own command.
 */
export const protocols = [3, 3, 2, 3, 3, 2] as const
/** How many of them ask. */
export const authors = 4
export const listener = protocols.length - 1
const channel = "__redis__:invalidate"

const latin1 = (words: Words): Buffer => encodeRequest(words.map((word) => Buffer.from(word, "latin1")))

const marked = (reply: TypedReply, marker: string): boolean =>
  reply.type === "bulk"
    ? reply.value.toString() === marker
    : reply.type === "array" && reply.items.length === 2 && String(plain(reply.items[1]!)) === marker

/** A reply as text, its type in front; of a null, not which. */
const textOf = (reply: TypedReply): string => {
  switch (reply.type) {
    case "bulk":
    case "verbatim":
      return `"${reply.value.toString("latin1")}"`
    case "null":
      return "null"
    case "array":
    case "set":
    case "push":
      return `${reply.type} [${reply.items.map(textOf).join(" ")}]`
    case "map":
      return `map [${reply.entries.map((pair) => pair.map(textOf).join(": ")).join(" ")}]`
    default:
      return `${reply.type} ${String(plain(reply))}`
  }
}

/** What came to each connection. */
export type Heard = ReadonlyArray<ReadonlyArray<TypedReply>>

/** All connections of one server. */
export class Party {
  readonly clients: ReadonlyArray<RespClient>
  /** Their ids, as text. */
  readonly ids: ReadonlyArray<string>
  private markers = 0

  private constructor(clients: ReadonlyArray<RespClient>, ids: ReadonlyArray<string>) {
    this.clients = clients
    this.ids = ids
  }

  static async join(server: ServerProcess): Promise<Party> {
    const clients: Array<RespClient> = []
    const ids: Array<string> = []
    for (const protocol of protocols) {
      const client = await server.client({ pushesAreReplies: true })
      await client.command("HELLO", `${protocol}`)
      ids.push(String(plain(await client.command("CLIENT", "ID"))))
      clients.push(client)
    }
    await clients[listener]!.command("SUBSCRIBE", channel)
    // There is always somebody who tracks: Annals forgets what was read when there is nobody.
    await clients[listener - 1]!.command("CLIENT", "TRACKING", "ON")
    return new Party(clients, ids)
  }

  async leave(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()))
  }

  /** Sends requests on one connection and gathers what comes to all; "@2" in them is the id of connection 2. */
  async step(author: number, requests: ReadonlyArray<Words>): Promise<Heard> {
    const words = requests.map((request) => request.map((word) => word.replace(/^@(\d)$/, (_, i) => this.ids[i]!)))
    this.clients[author]!.send(Buffer.concat(words.map(latin1)))
    const own = await this.untilMarker(author)
    // A turn later what is told at the end of a turn is there too.
    const all = await Promise.all(this.clients.map((_, i) => this.untilMarker(i)))
    return all.map((replies, i) => i === author ? [...own, ...replies] : replies)
  }

  /** What has come to all of them. */
  async pause(ms: number): Promise<Heard> {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return Promise.all(this.clients.map((_, i) => this.untilMarker(i)))
  }

  private async untilMarker(i: number): Promise<ReadonlyArray<TypedReply>> {
    const client = this.clients[i]!
    const marker = `marker ${this.markers++}`
    client.send(encodeRequest(["ECHO", marker].with(0, i === listener ? "PING" : "ECHO")))
    const got: Array<TypedReply> = []
    for (let reply = await client.next(); !marked(reply, marker); reply = await client.next()) got.push(reply)
    return got
  }
}

/** What each has heard, as text. */
export const show = (heard: Heard): ReadonlyArray<ReadonlyArray<string>> => heard.map((replies) => replies.map(textOf))

/** Parties on two servers, whose connections have the same ids. */
export const joinBoth = async (servers: ReadonlyArray<ServerProcess>): Promise<ReadonlyArray<Party>> => {
  const ids = await Promise.all(servers.map(nextId))
  const highest = Math.max(...ids)
  for (const [i, server] of servers.entries()) while (ids[i]! < highest) ids[i] = await nextId(server)
  return Promise.all(servers.map((server) => Party.join(server)))
}

const nextId = async (server: ServerProcess): Promise<number> => {
  const client = await server.client()
  const id = Number(plain(await client.command("CLIENT", "ID")))
  await client.close()
  return id
}

const strings = ["a", "ab", "abc", "b", "", "\xff\0\r\n"]
const prefixes = ["a", "ab", "b", "", "\xff", "l", "nothing"]
const lists = ["l", "l2"]
const sets = ["s", "s2"]
const sorted = ["z", "z2"]
const hashes = ["h", "h2"]
const streams = ["x"]
const all = [...strings, ...lists, ...sets, ...sorted, ...hashes, ...streams]

const reading = (random: Random): Words => {
  const [key, any] = [random.pick(strings), random.pick(all)]
  return random.pick<Words>([
    ["GET", key],
    ["GET", any],
    ["GET", key],
    ["MGET", key, any, random.pick(all)],
    ["EXISTS", any, key],
    ["STRLEN", key],
    ["TYPE", any],
    ["GETRANGE", key, "0", "2"],
    ["LRANGE", random.pick(lists), "0", "-1"],
    ["LLEN", any],
    ["SCARD", random.pick(sets)],
    ["SINTERCARD", "2", "s", "s2"],
    ["ZSCORE", random.pick(sorted), "m1"],
    ["ZRANGE", random.pick(sorted), "0", "-1"],
    ["ZDIFF", "2", "z", "z2"],
    ["HGET", random.pick(hashes), "f"],
    ["XRANGE", "x", "-", "+"],
    ["XREAD", "COUNT", "1", "STREAMS", "x", "0"],
    ["TTL", any],
    ["OBJECT", "FREQ", any],
    ["DBSIZE"],
    ["SORT_RO", "l", "ALPHA"],
    ["LCS", "a", "b", "LEN"],
    ["PFCOUNT", "p"],
    ["GET"],
    ["MGET", key, key]
  ])
}

const writing = (random: Random, next: () => number): Words => {
  const [key, any, other] = [random.pick(strings), random.pick(all), random.pick(all)]
  const [list, set, zset, hash] = [random.pick(lists), random.pick(sets), random.pick(sorted), random.pick(hashes)]
  const member = `m${random.below(3)}`
  return random.pick<Words>([
    ["SET", key, "1"],
    ["SET", key, "2"],
    ["SET", key, "x", "NX"],
    ["SET", key, "x", "XX", "GET"],
    ["SETEX", key, "1000", "v"],
    ["APPEND", key, "y"],
    ["INCR", key],
    ["MSET", key, "1", random.pick(strings), "2"],
    ["MSETNX", "b", "1", "abc", "2"],
    ["GETDEL", key],
    ["GETSET", key, "g"],
    ["GETEX", key, "EX", "100"],
    ["SETRANGE", key, "1", "zz"],
    ["DEL", any, other],
    ["DEL", any],
    ["UNLINK", any],
    ["RENAME", any, other],
    ["RENAMENX", any, other],
    ["COPY", any, other, "REPLACE"],
    ["EXPIRE", any, "1000"],
    ["EXPIRE", any, "-1"],
    ["PERSIST", any],
    ["LPUSH", list, member, "q"],
    ["RPUSHX", list, member],
    ["LPOP", list],
    ["LMOVE", list, random.pick(lists), "LEFT", "RIGHT"],
    ["LSET", list, "0", member],
    ["LREM", list, "0", member],
    ["SADD", set, member],
    ["SREM", set, member],
    ["SMOVE", set, random.pick(sets), member],
    ["SUNIONSTORE", set, "s", "s2"],
    ["ZADD", zset, `${random.below(3)}`, member],
    ["ZREM", zset, member],
    ["ZRANGESTORE", zset, "z", "0", "1"],
    ["ZPOPMIN", zset],
    ["HSET", hash, "f", `${next()}`],
    ["HDEL", hash, "f"],
    ["HINCRBY", hash, "n", "1"],
    ["XADD", "x", `${next()}`, "f", "v"],
    ["XTRIM", "x", "MAXLEN", "1"],
    ["XDEL", "x", "1"],
    ["PFADD", "p", `${next()}`],
    ["SORT", "l", "ALPHA", "STORE", "l2"],
    ["BITOP", "OR", "abc", "a", "b"],
    ["SWAPDB", "0", "1"],
    random.chance(0.3) ? [random.pick(["FLUSHDB", "FLUSHALL"])] : ["DEL", key]
  ])
}

/** A way to track; on the whole one that is possible. */
const trackingOn = (random: Random): Words => {
  const bcast = random.chance(0.35)
  return [
    "CLIENT",
    "TRACKING",
    "ON",
    ...random.chance(0.3) ? ["NOLOOP"] : [],
    ...random.chance(bcast ? 0.05 : 0.3) ? [random.pick(["OPTIN", "OPTOUT", "OPTOUT"])] : [],
    ...random.chance(0.3) ? ["REDIRECT", `@${random.pick([listener, listener - 1])}`] : [],
    ...bcast ? ["BCAST"] : [],
    ...random.chance(bcast ? 0.7 : 0.05) ? ["PREFIX", random.pick(prefixes)] : [],
    ...random.chance(bcast ? 0.3 : 0.05) ? ["PREFIX", random.pick(prefixes)] : []
  ]
}

const tracking = (random: Random): Words => {
  return random.pick<Words>([
    trackingOn(random),
    trackingOn(random),
    trackingOn(random),
    ["CLIENT", "TRACKING", "OFF"],
    random.chance(0.3) ? ["CLIENT", "TRACKING", "maybe"] : ["CLIENT", "TRACKINGINFO"],
    ["CLIENT", "TRACKINGINFO"],
    ["CLIENT", "GETREDIR"],
    ["CLIENT", "CACHING", random.pick(["YES", "NO", "YES", "NO", "maybe"])]
  ])
}

/** How the connections begin. */
export const beginnings = (random: Random): ReadonlyArray<ReadonlyArray<Words>> =>
  Array.from({ length: authors }, (_, i) => i === 0 ? [["FLUSHALL"]] : [trackingOn(random)])

/** What the connection `author` asks in one step. */
export const requests = (random: Random, author: number, next: () => number): ReadonlyArray<Words> => {
  const kind = random.below(20)
  if (kind < 3) return [tracking(random)]
  if (kind < 9) return [reading(random)]
  if (kind < 14) return [writing(random, next)]
  if (kind < 15) return [["CLIENT", "CACHING", random.pick(["YES", "NO"])], reading(random), reading(random)]
  if (kind < 16) return [random.pick<Words>([["SELECT", "1"], ["SELECT", "0"], ["NOSUCH"]])]
  if (kind < 17 && author !== 0 && random.chance(0.2)) return [["RESET"], ["HELLO", `${protocols[author]}`]]
  // Of what waits for the end of EXEC, redis-server looks only then at how the connection tracks: so that does not change.
  const inside = Array.from({ length: 1 + random.below(4) }, () =>
    random.chance(0.1)
      ? ["CLIENT", random.pick(["TRACKINGINFO", "GETREDIR"])]
      : random.chance(0.5)
      ? reading(random)
      : writing(random, next))
  const caching = random.chance(0.3) ? [["CLIENT", "CACHING", random.pick(["YES", "NO"])]] : []
  return [...caching, ["MULTI"], ...inside, ["EXEC"]]
}
