/**
 * Publish and subscribe against redis-server: several connections of both protocols, random requests, and all bytes that
 * come to each. Where Redis follows the order of its own tables (patterns that fit one channel, the names of an
 * UNSUBSCRIBE without arguments) the order is not compared, and a message that a client sends to itself comes after the
 * reply, as in Redis since 7.2.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ServerProcess } from "../support/processes.ts"
import { Random } from "../support/random.ts"
import { encodeRequest, plain, type RespClient, type TypedReply } from "../support/resp-client.ts"
import { bothServers, canCompare, redisTitle, startReference, startSubject } from "./subject.ts"

const protocols = [2, 2, 3, 3]
const rounds = 60
const steps = 60

const names = ["a", "b", "ab", "news.1", "news.2", "", "\xff\0\r\n", "{t}x"]
const patterns = ["*", "a*", "?", "news.*", "[ab]", "\\a", "", "{t}*", "*1"]

const request = (random: Random): ReadonlyArray<string> => {
  const some = (of: ReadonlyArray<string>, least: number) =>
    Array.from({ length: least + random.below(3) }, () => random.pick(of))
  const kind = random.below(24)
  if (kind < 4) return ["SUBSCRIBE", ...some(names, 1)]
  if (kind < 7) return ["PSUBSCRIBE", ...some(patterns, 1)]
  if (kind < 9) return ["SSUBSCRIBE", ...some(names, 1)]
  if (kind < 11) return ["UNSUBSCRIBE", ...some(names, 0)]
  if (kind < 13) return ["PUNSUBSCRIBE", ...some(patterns, 0)]
  if (kind < 14) return ["SUNSUBSCRIBE", ...some(names, 0)]
  if (kind < 17) return ["PUBLISH", random.pick(names), random.pick(["", "hello", "\0\r\n", "x".repeat(20_000)])]
  if (kind < 18) return ["SPUBLISH", random.pick(names), "sharded"]
  if (kind < 19) return random.pick([["RESET"], ["HELLO", "2"], ["HELLO", "3"], ["PING"]])
  if (kind < 20) return ["PUBSUB", random.pick(["CHANNELS", "SHARDCHANNELS"]), ...some(patterns, 0)]
  if (kind < 21) return ["PUBSUB", random.pick(["NUMSUB", "SHARDNUMSUB"]), ...some(names, 0)]
  if (kind < 22) return ["PUBSUB", "NUMPAT"]
  return random.pick([["GET", "k"], ["CLIENT", "GETNAME"], ["PING", "x"], ["PING", "x", "y"], ["PUBSUB"], [
    "PUBSUB",
    "X"
  ]])
}

const text = (reply: TypedReply): string =>
  JSON.stringify(reply, (_key, value: unknown) => typeof value === "bigint" ? `${value}` : value)

const firstWord = (reply: TypedReply): unknown =>
  (reply.type === "array" || reply.type === "push") && reply.items.length > 0 ? plain(reply.items[0]!) : undefined

/** What came to one connection in one step, without the order that is each server's own. */
const comparable = (replies: ReadonlyArray<TypedReply>, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const isMessage = (reply: TypedReply): boolean => /^[ps]?message$/.test(String(firstWord(reply)))
  const messages = replies.filter(isMessage).map(text).toSorted()
  const others = replies.filter((reply) => !isMessage(reply))
  if (/^[PS]?UNSUBSCRIBE$/.test(words[0]!) && words.length === 1) {
    const parts = others.flatMap((reply) =>
      reply.type === "array" || reply.type === "push" ? reply.items.map(text) : [text(reply)]
    )
    return [...parts.toSorted(), ...messages]
  }
  const unordered = words[0] === "PUBSUB" && words[1]?.endsWith("CHANNELS") === true
  return [
    ...others.map((reply) =>
      unordered && reply.type === "array" ? JSON.stringify(reply.items.map(text).toSorted()) : text(reply)
    ),
    ...messages
  ]
}

/** Sends a request on one connection and gathers what comes to all of them, until each has answered a PING. */
const step = async (
  clients: ReadonlyArray<RespClient>,
  author: number,
  words: ReadonlyArray<string>,
  marker: string
): Promise<ReadonlyArray<ReadonlyArray<TypedReply>>> => {
  const latin1 = (list: ReadonlyArray<string>) => encodeRequest(list.map((word) => Buffer.from(word, "latin1")))
  const isMarker = (reply: TypedReply): boolean =>
    reply.type === "bulk" ? reply.value.toString() === marker : firstWord(reply) === "pong" && text(reply).length > 0 &&
      (plain(reply) as ReadonlyArray<unknown>)[1] === marker
  const until = async (client: RespClient): Promise<ReadonlyArray<TypedReply>> => {
    client.send(encodeRequest(["PING", marker]))
    const got: Array<TypedReply> = []
    for (let reply = await client.next(); !isMarker(reply); reply = await client.next()) got.push(reply)
    return got
  }
  clients[author]!.send(latin1(words))
  // The author's answer first: by then what it caused has gone out to everybody.
  const own = await until(clients[author]!)
  const all = await Promise.all(clients.map((client, i) => i === author ? own : until(client)))
  return all
}

describe.skipIf(!canCompare)(`publish and subscribe against ${redisTitle}`, () => {
  let servers: ReadonlyArray<ServerProcess>
  beforeAll(async () => {
    servers = [await startReference(), await startSubject()]
  })
  afterAll(async () => {
    await Promise.all(servers?.map((server) => server.stop()) ?? [])
  })

  it("brings the same to every connection", async () => {
    const seed = Number(process.env["ANNALS_CONFORMANCE_SEED"] ?? (Math.random() * 0x7fff_ffff) | 0)
    const random = new Random(seed)
    let messages = 0
    for (let round = 0; round < rounds; round++) {
      const connections = await Promise.all(servers.map((server) =>
        Promise.all(protocols.map(async (protocol) => {
          const client = await server.client({ pushesAreReplies: true })
          await client.command("HELLO", `${protocol}`)
          return client
        }))
      ))
      const history: Array<string> = []
      for (let i = 0; i < steps; i++) {
        const author = random.below(protocols.length)
        const words = request(random)
        history.push(`${author}: ${JSON.stringify(words).slice(0, 100)}`)
        const [theirs, ours] = await Promise.all(
          connections.map((clients) => step(clients, author, words, `marker ${i}`))
        )
        if (words[0] === "HELLO") continue // versions and ids are each server's own
        for (let client = 0; client < protocols.length; client++) {
          const expected = comparable(theirs![client]!, words)
          if (words[0]!.endsWith("PUBLISH")) messages += expected.length
          expect(comparable(ours![client]!, words), `seed ${seed}, to ${client}:\n${history.join("\n")}`).toEqual(
            expected
          )
        }
      }
      await Promise.all(connections.flat().map((client) => client.close()))
    }
    expect(messages).toBeGreaterThan(rounds)
  })
})

describe.skipIf(!canCompare)(`figures of subscriptions against ${redisTitle}`, () => {
  const { clients, servers } = bothServers()

  const both = async <A>(ask: (client: RespClient) => Promise<A>): Promise<readonly [redis: A, annals: A]> => {
    const [redis, annals] = await Promise.all(clients.map(ask))
    return [redis!, annals!]
  }
  const fields = async (client: RespClient): Promise<ReadonlyArray<string>> =>
    [...String(plain(await client.command("INFO", "stats"))).matchAll(/^pubsub.*$/gm)].map(([line]) => line.trim())
  const listed = async (client: RespClient, type: string): Promise<ReadonlyArray<string>> =>
    String(plain(await client.command("CLIENT", "LIST", "TYPE", type))).split("\n").filter((line) => line !== "")
      .map((line) => [...line.matchAll(/ (name|flags|sub|psub|ssub)=\S*/g)].map(([pair]) => pair).join(""))

  it("agree in INFO, CLIENT LIST and CLIENT KILL", async () => {
    const readers = await Promise.all(servers.map((server) => server.client({ pushesAreReplies: true })))
    for (const reader of readers) {
      await reader.raw(
        Buffer.concat([
          encodeRequest(["CLIENT", "SETNAME", "reader"]),
          encodeRequest(["SUBSCRIBE", "a", "b"]),
          encodeRequest(["PSUBSCRIBE", "*"]),
          encodeRequest(["SSUBSCRIBE", "s"])
        ]),
        5
      )
    }
    const [theirs, ours] = await both(fields)
    expect(ours).toEqual(theirs)
    expect(ours).toContain("pubsub_channels:2")
    for (const type of ["pubsub", "normal", "replica", "master"]) {
      const [redis, annals] = await both((client) => listed(client, type))
      expect([type, annals]).toEqual([type, redis])
    }
    const [redis, annals] = await both((client) => client.command("CLIENT", "KILL", "TYPE", "pubsub"))
    expect(annals).toEqual(redis)
    expect(plain(annals)).toBe(1)
    await Promise.all(readers.map((reader) => reader.whenClosed()))
    const [after, ourAfter] = await both(fields)
    expect(ourAfter).toEqual(after)
  })

  it("agree while replies are silenced, and inside MULTI where nobody writes to himself", async () => {
    const streams = await Promise.all(servers.map(async (server) => {
      const [reader, writer] = [await server.client({ pushesAreReplies: true }), await server.client()]
      await reader.command("HELLO", "3")
      const lines = [
        ["CLIENT", "REPLY", "OFF"],
        ["SUBSCRIBE", "a"],
        ["GET", "k"],
        ["CLIENT", "REPLY", "ON"],
        ["MULTI"],
        ["PSUBSCRIBE", "p*"],
        ["UNSUBSCRIBE"],
        ["SSUBSCRIBE", "s"],
        ["EXEC"],
        ["PING", "done"]
      ]
      reader.send(Buffer.concat(lines.map(encodeRequest)))
      const replies: Array<TypedReply> = []
      for (;;) {
        const reply = await reader.next()
        if (reply.type === "bulk") break
        replies.push(reply)
      }
      const exec = await writer.pipeline([["MULTI"], ["PUBLISH", "pq", "1"], ["SPUBLISH", "s", "2"], ["EXEC"]])
      replies.push(...exec, await reader.next())
      await Promise.all([reader.close(), writer.close()])
      return replies
    }))
    expect(streams[1]).toEqual(streams[0])
  })
})
