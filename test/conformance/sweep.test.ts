/**
 * Every command that both servers have, with no to six words of different kinds, right and wrong: whenever one of the
 * two refuses, both must, in the same words. Values are compared by the differential test; here it is errors.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ServerProcess } from "../support/processes.ts"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"
import { printWord } from "./grammar.ts"
import { infoRows } from "./introspection.ts"
import { canCompare, redisTitle, startReference, startSubject, subjectIsRedis } from "./subject.ts"

/** Words of one kind, as many as a request takes. */
const kinds: ReadonlyArray<ReadonlyArray<string>> = [
  ["a", "b", "c", "d", "e", "f"],
  ["0", "-1", "1.5", "9223372036854775808", "", "nan"],
  ["GET", "NX", "EX", "10", "XX", "LIMIT"],
  ["1", "1", "1", "1", "1", "1"],
  ["\xff\xfe", "a\r\nb", "\0x", "help", "*", "--"],
  ["HELP", "HELP", "RESET", "COUNT", "LIST", "ON"],
  ["ON", "TYPE", "ID", "ALL", "NO", "YES"]
]

/** Commands that end or change the connection or the server: only with a number of words that they refuse. */
const unsafe = new Set(
  ("auth bgrewriteaof bgsave client|kill client|pause client|reply client|tracking config|rewrite config|set debug failover hello info " +
    "latency|reset monitor multi psubscribe psync punsubscribe quit replicaof reset save shutdown slaveof ssubscribe subscribe sunsubscribe sync unsubscribe")
    .split(" ")
)

/** Numbers that blocking commands would take for seconds to wait. */
const waits = new Set(["1", "1.5", "10"])

/** Refusals that differ. */
const different: ReadonlyArray<{ readonly request: RegExp; readonly annals: RegExp; readonly reason: string }> = [
  {
    request: /^(blpop|brpop|brpoplpush|blmove|blmpop|bzpopmin|bzpopmax|bzmpop) /,
    annals: /^-ERR timeout is out of range/,
    reason: "7.0 takes a time-out beyond 64 bits for a negative one, newer versions for what it is"
  },
  {
    request: /^z(rev)?rank \S+ \S+ \S+$/,
    annals: /^-ERR syntax error/,
    reason: "WITHSCORE, since 7.2"
  }
]
const excused = (line: string, annals: string): boolean =>
  different.some((row) => row.request.test(line) && row.annals.test(annals))

describe.skipIf(!canCompare)(`errors against ${redisTitle}`, () => {
  let servers: ReadonlyArray<ServerProcess>

  beforeAll(async () => {
    servers = [await startReference(), await startSubject()]
  })
  afterAll(async () => {
    await Promise.all(servers?.map((server) => server.stop()) ?? [])
  })

  /** Names that both have, with their arity and whether they may wait. */
  const shared = async (
    clients: ReadonlyArray<RespClient>
  ): Promise<ReadonlyArray<readonly [string, number, boolean]>> => {
    const [theirs, ours] = await Promise.all(clients.map(async (client) => infoRows(await client.command("COMMAND"))))
    return [...ours!].filter(([name]) => theirs!.has(name)).map(([name, fields]) =>
      [name, Number(fields[0]), JSON.stringify(fields[1]).includes("blocking")] as const
    )
  }

  const requestsOf = (name: string, arity: number, waiting: boolean): ReadonlyArray<ReadonlyArray<string>> => {
    const words = name.split("|")
    const kindsOf = waiting ? kinds.map((kind) => kind.map((word) => waits.has(word) ? "0.01" : word)) : kinds
    const all = kindsOf.flatMap((kind) => Array.from({ length: 7 }, (_, count) => [...words, ...kind.slice(0, count)]))
    const fits = (length: number): boolean => arity > 0 ? length === arity : length >= -arity
    return unsafe.has(name) ? all.filter((request) => !fits(request.length)) : all
  }

  it.each([2, 3])("are the same in RESP%i", async (protocol) => {
    const clients = await Promise.all(servers.map((server) => server.client()))
    await Promise.all(clients.map((client) => client.command("HELLO", protocol)))
    const names = await shared(clients)
    expect(names.length).toBeGreaterThan(100)
    const differences: Array<string> = []
    let refused = 0
    for (const [name, arity, waiting] of names) {
      const requests = requestsOf(name, arity, waiting)
      if (requests.length === 0) continue
      const bytes = Buffer.concat(
        requests.map((request) => encodeRequest(request.map((word) => Buffer.from(word, "latin1"))))
      )
      await Promise.all(clients.map((client) => client.command("FLUSHALL")))
      const [theirs, ours] = await Promise.all(clients.map((client) => client.raw(bytes, requests.length)))
      for (const [i, request] of requests.entries()) {
        const [redis, annals] = [theirs![i]!.toString("latin1"), ours![i]!.toString("latin1")]
        if (!redis.startsWith("-") && !annals.startsWith("-")) continue
        refused++
        const line = request.map(printWord).join(" ")
        if (redis === annals || excused(line, annals)) continue
        const shown = [redis, annals].map((reply) => printWord(reply.slice(0, 200)))
        differences.push(`${line}\n  redis   ${shown[0]}\n  annals  ${shown[1]}`)
      }
    }
    expect(differences).toEqual([])
    expect(refused).toBeGreaterThan(subjectIsRedis ? 0 : 2000)
    await Promise.all(clients.map((client) => client.close()))
  })

  it("are the same for LOLWUT, whatever version draws", async () => {
    const [redis, annals] = await Promise.all(servers.map((server) => server.client()))
    const versions = ["x", "", "5", "6", "5.0", "7", "99", "-1", "99999999999999999999"]
    const parameters = [[], ["x"], ["1"], ["-1", "x"], ["1", "1", "x"], ["1", "1", "1", "x"]]
    for (const request of versions.flatMap((version) => parameters.map((more) => ["VERSION", version, ...more]))) {
      const [theirs, ours] = await Promise.all([redis!, annals!].map((client) => client.command("LOLWUT", ...request)))
      expect([request, ours!.type]).toEqual([request, theirs!.type])
      if (theirs!.type === "error") expect([request, ours]).toEqual([request, theirs])
    }
    await Promise.all([redis!, annals!].map((client) => client.close()))
  })

  it("are the same for what is no command, and no subcommand", async () => {
    const [redis, annals] = await Promise.all(servers.map((server) => server.client()))
    const all = plain(await annals!.command("COMMAND", "LIST")) as ReadonlyArray<string>
    const known = new Set(plain(await redis!.command("COMMAND", "LIST")) as ReadonlyArray<string>)
    const containers = [...new Set(all.filter((name) => name.includes("|")).map((name) => name.split("|")[0]!))]
      .filter((name) => known.has(name))
    const words = ["", "x", "NoSuch", "a b", "a'b", "\xff\0", "new\r\nline", "get|set", "X".repeat(150)]
    const requests = [...containers.map((name) => [name]), []].flatMap((prefix) =>
      words.flatMap((word) => [[...prefix, word], [...prefix, word, "y"], [...prefix, word, "a\rb", "z".repeat(200)]])
    )
    for (const request of requests) {
      const bytes = encodeRequest(request.map((word) => Buffer.from(word, "latin1")))
      const [theirs, ours] = await Promise.all([redis!, annals!].map((client) => client.raw(bytes, 1)))
      expect([request, ours![0]!.toString("latin1")]).toEqual([request, theirs![0]!.toString("latin1")])
    }
    await Promise.all([redis!, annals!].map((client) => client.close()))
  })
})
