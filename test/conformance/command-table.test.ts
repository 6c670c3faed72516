/**
 * What the servers say about their commands: COMMAND INFO, COMMAND DOCS and COMMAND GETKEYS, for every command both
 * have. Summaries and complexities are Annals' own; tips (hints to proxies of a cluster) are compared where Annals gives any.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { allCategories } from "../../src/commands/server/categories.ts"
import type { ServerProcess } from "../support/processes.ts"
import { plain, type RespClient, type TypedReply } from "../support/resp-client.ts"
import { asOf70, docsRows, infoRows, printRows } from "./introspection.ts"
import { canCompare, redisTitle, startReference, startSubject } from "./subject.ts"

type Rows = ReadonlyMap<string, ReadonlyArray<unknown>>

/** Which subcommands there are is compared apart: newer versions have more. */
const isSubcommands = (field: unknown): boolean =>
  Array.isArray(field) && (field[0] === "subcommands" || (field[0] === "array" && String(field[1]).includes("|")))
const withoutSubcommands = (fields: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  fields.filter((field) => !isSubcommands(field))

/** Fields of the documentation that are meant to differ. What has a version after 7.0.15 is left out without a row. */
const differentDocs: ReadonlyArray<{ readonly name: string; readonly field: string; readonly reason: string }> = [
  ...["getkeys", "getkeysandflags"].map((name) => ({
    name: `command|${name}`,
    field: "arguments",
    reason: "7.0 leaves them out, later versions document the request whose keys are wanted"
  })),
  ...["replicaof", "slaveof"].map((name) => ({
    name,
    field: "arguments",
    reason: "DELAY and AT are Annals' own"
  })),
  {
    name: "bitop",
    field: "arguments",
    reason: "7.0 takes the operation for any word, later versions list them, those of 8.2 among them"
  }
]

/** Commands that take more words since a later version: their arity there. */
const newerArity: Readonly<Record<string, number>> = {
  zrank: -3, // WITHSCORE, since 7.2
  zrevrank: -3,
  replicaof: -3, // DELAY and AT, which Redis has not
  slaveof: -3
}

const isDifferent = (name: string, field: unknown): boolean =>
  Array.isArray(field) && differentDocs.some((row) => row.name === name && row.field === field[0])

/** Usage lines of HELP that differ, as Redis has them: they leave out what 7.0 added, and break the line of TRACKING. */
const differentUsages: Readonly<Record<string, ReadonlyArray<string>>> = {
  "config|help": ["GET <pattern>", "SET <directive> <value>"],
  "command|help": ["LIST"],
  "client|help": ["TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]"]
}

const getKeys: ReadonlyArray<ReadonlyArray<string>> = [
  ["GET", "a"],
  ["SET", "a", "1", "EX", "5"],
  ["MSET", "a", "1", "b", "2"],
  ["MSETNX", "a", "1", "b", "2"],
  ["MGET", "a", "b", "c"],
  ["DEL", "a", "b"],
  ["EXISTS", "a", "a"],
  ["RENAME", "a", "b"],
  ["COPY", "a", "b", "DB", "1"],
  ["LCS", "a", "b", "LEN"],
  ["OBJECT", "ENCODING", "a"],
  ["GETRANGE", "a", "0", "1"],
  ["EXPIRE", "a", "1"],
  ["GEOADD", "a", "1", "2", "b"],
  ["GEORADIUS", "a", "1", "2", "3", "km", "STORE", "b", "STOREDIST", "c"],
  ["GEORADIUSBYMEMBER", "a", "b", "3", "km", "storedist", "c"],
  ["GEOSEARCHSTORE", "a", "b", "FROMLONLAT", "1", "2", "BYRADIUS", "3", "km"],
  ["PING"],
  ["PING", "x"],
  ["SELECT", "1"],
  ["CLIENT", "ID"],
  ["NOSUCH", "a"],
  ["GET"],
  ["GET", "a", "b"],
  ["MSET", "a"],
  ["KEYS", "*"],
  ["SCAN", "0"]
]

describe.skipIf(!canCompare)(`command table against ${redisTitle}`, () => {
  let servers: ReadonlyArray<ServerProcess>
  let redis: RespClient
  let annals: RespClient

  beforeAll(async () => {
    servers = [await startReference(), await startSubject()]
    redis = await servers[0]!.client()
    annals = await servers[1]!.client()
    await Promise.all([redis, annals].map((client) => client.command("HELLO", "3")))
  })
  afterAll(async () => {
    await Promise.all(servers?.map((server) => server.stop()) ?? [])
  })

  const infos = async (client: RespClient) => infoRows(await client.command("COMMAND"))
  const docs = async (client: RespClient) => docsRows(await client.command("COMMAND", "DOCS"))

  /** Rows of the commands that both have, by what tells them apart. */
  const sharedRows = (theirs: Rows, ours: Rows): ReadonlyArray<string> => {
    const shared = [...ours.keys()].filter((name) => theirs.has(name))
    expect(shared).toEqual(expect.arrayContaining(["get", "set", "del", "object|encoding", "command|docs"]))
    return shared
  }

  it("describes commands the same: arity, flags, positions, categories, tips, key specifications", async () => {
    const [theirs, ours] = [await infos(redis), await infos(annals)]
    const shared = sharedRows(theirs, ours)
    const rows = (all: Rows, arity: Readonly<Record<string, number>> = {}) =>
      printRows(shared.map((name) => {
        const [first, ...others] = withoutSubcommands(all.get(name)!)
        return [name, [arity[name] ?? first, ...others]]
      }))
    expect(rows(ours)).toBe(rows(theirs, newerArity))
  })

  it("documents commands the same: since, group, history, deprecation, arguments", async () => {
    const [theirs, ours] = [await docs(redis), await docs(annals)]
    const shared = sharedRows(theirs, ours)
    const rows = (all: Rows, of: (fields: ReadonlyArray<unknown>) => ReadonlyArray<unknown>) =>
      printRows(
        shared.map((
          name
        ) => [name, withoutSubcommands(of(all.get(name)!)).filter((field) => !isDifferent(name, field))])
      )
    expect(rows(ours, asOf70)).toBe(rows(theirs, (fields) => fields))
  })

  it("has the subcommands of Redis in every container, and newer ones", async () => {
    const [theirs, ours] = [await docs(redis), await docs(annals)]
    const containers = new Set([...ours.keys()].map((name) => name.split("|")[0]!))
    const missing = [...theirs.keys()].filter((name) => name.includes("|") && containers.has(name.split("|")[0]!))
      .filter((name) => !ours.has(name))
    expect(missing).toEqual([])
  })

  it("answers COMMAND INFO alike for what it does not know, and counts what it lists", async () => {
    for (const words of [["nosuch"], ["get|get"], ["config|nosuch"], ["config|get|x"], ["nosuch|get"], ["GeT"], [""]]) {
      const request = ["COMMAND", "INFO", ...words]
      expect(await annals.command(...request)).toEqual(await redis.command(...request))
    }
    const count = plain(await annals.command("COMMAND", "COUNT"))
    // LIST names subcommands too, COUNT does not count them.
    const listed = plain(await annals.command("COMMAND", "LIST")) as ReadonlyArray<string>
    expect(listed.filter((name) => !name.includes("|")).length).toBe(count)
    expect(listed.toSorted()).toEqual([...(await infos(annals)).keys()].toSorted())
    expect((plain(await annals.command("COMMAND")) as Array<unknown>).length).toBe(count)
  })

  it("lists commands by category and by pattern the same, of those that both have", async () => {
    const names = async (client: RespClient, ...words: ReadonlyArray<string>) => {
      const reply = await client.command("COMMAND", "LIST", ...words)
      return { type: reply.type, names: plain(reply) as ReadonlyArray<string> }
    }
    const both = new Set((await names(redis)).names)
    const ourNames = new Set((await names(annals)).names)
    for (const name of both) if (!ourNames.has(name)) both.delete(name)
    const categories = [...allCategories.map((name) => name.slice(1)), "READ", "@read", "nosuch", ""]
    const patterns = ["*", "get*", "GET*", "[a-d]*", "c*|*", "*|h[e]lp", "\\set", "", "nosuch"]
    for (
      const words of [
        [],
        ...categories.map((category) => ["FILTERBY", "ACLCAT", category]),
        ...patterns.map((pattern) => ["filterby", "pattern", pattern]),
        ["FILTERBY", "MODULE", "nosuch"]
      ]
    ) {
      const [theirs, ours] = [await names(redis, ...words), await names(annals, ...words)]
      expect([words, ours.type]).toEqual([words, theirs.type])
      expect([words, ours.names.filter((name) => both.has(name)).toSorted()])
        .toEqual([words, theirs.names.filter((name) => both.has(name)).toSorted()])
    }
  })

  it("explains its containers in Redis's layout, with Redis's usage lines", async () => {
    const layout = (reply: TypedReply) =>
      reply.type === "array"
        ? reply.items.map((item) => item.type === "status" ? item.value : `(${item.type})`)
        : [`(${reply.type})`]
    const usages = (lines: ReadonlyArray<string>) => lines.filter((line) => !line.startsWith(" "))
    const rows = await infos(annals)
    const helps = [...(await infos(redis)).keys()].filter((name) => name.endsWith("|help") && rows.has(name))
    expect(helps).toEqual(expect.arrayContaining(["object|help", "command|help", "client|help", "config|help"]))
    for (const name of helps) {
      const container = name.split("|")[0]!
      const [theirs, ours] = (await Promise.all([redis, annals].map((client) => client.command(container, "HELP"))))
        .map(layout)
      const expected = usages(theirs!).filter((line) => differentUsages[name]?.includes(line) !== true)
      const shown = usages(ours!).filter((line) => expected.includes(line))
      expect([name, shown[0], shown.at(-1), shown.toSorted()]).toEqual([
        name,
        expected[0],
        expected.at(-1),
        expected.toSorted()
      ])
      // Every usage is explained, by lines four spaces in.
      expect(ours!.every((line, i) => i === 0 || line.startsWith("    ") || ours![i + 1]?.startsWith("    "))).toBe(
        true
      )
    }
  })

  it.each(getKeys.map((words) => [words.join(" "), words] as const))("COMMAND GETKEYS %s", async (_, words) => {
    const request = ["COMMAND", "GETKEYS", ...words]
    expect(await annals.command(...request)).toEqual(await redis.command(...request))
  })
})
