/**
 * What the servers say about their commands: COMMAND INFO, COMMAND DOCS and COMMAND GETKEYS, for every command both
 * have. Summaries and complexities are Annals' own; tips (hints to proxies of a cluster) are compared where Annals gives any.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ServerProcess } from "../support/processes.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { canCompare, redisTitle, startReference, startSubject } from "./subject.ts"

type Info = readonly [
  name: string,
  arity: number,
  flags: ReadonlyArray<string>,
  first: number,
  last: number,
  step: number,
  categories: ReadonlyArray<string>,
  tips: ReadonlyArray<string>,
  keySpecs: ReadonlyArray<ReadonlyArray<unknown>>,
  subcommands: ReadonlyArray<Info>
]

/** A RESP2 list of fields and values as an object, and the same within it. */
const fields = (list: unknown): unknown => {
  if (!Array.isArray(list)) return list
  const pairs = list.length > 0 && list.length % 2 === 0 &&
    list.every((item, i) => i % 2 === 1 || typeof item === "string")
  return pairs
    ? Object.fromEntries(list.map((item, i) => [item, fields(list[i + 1])]).filter((_, i) => i % 2 === 0))
    : list
}

const keySpec = (spec: ReadonlyArray<unknown>): unknown =>
  Object.fromEntries(
    spec.flatMap((name, i) => {
      if (i % 2 === 1) return []
      const value = spec[i + 1]
      return [[name, name === "flags" ? (value as Array<string>).toSorted() : fields(value)]]
    })
  )

const comparable = (info: Info, other: Info) => ({
  name: info[0],
  arity: info[1],
  flags: info[2].toSorted(),
  first: info[3],
  last: info[4],
  step: info[5],
  categories: info[6].toSorted(),
  tips: info[7].length === 0 || other[7].length === 0 ? [] : info[7].toSorted(),
  keySpecs: info[8].map(keySpec)
})

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
  })
  afterAll(async () => {
    await Promise.all(servers?.map((server) => server.stop()) ?? [])
  })

  const infos = async (client: RespClient): Promise<ReadonlyMap<string, Info>> => {
    const all = plain(await client.command("COMMAND")) as ReadonlyArray<Info>
    return new Map(all.flatMap((info) => [info, ...info[9]]).map((info) => [info[0], info]))
  }

  it("gives the same arity, flags, categories and key specifications", async () => {
    const [theirs, ours] = [await infos(redis), await infos(annals)]
    const shared = [...ours.keys()].filter((name) => theirs.has(name)).toSorted()
    expect(shared).toEqual(expect.arrayContaining(["get", "set", "del", "object|encoding"]))
    expect(shared.map((name) => comparable(ours.get(name)!, theirs.get(name)!)))
      .toEqual(shared.map((name) => comparable(theirs.get(name)!, ours.get(name)!)))
  })

  it("answers COMMAND INFO alike for what it does not know, and counts what it lists", async () => {
    expect(plain(await annals.command("COMMAND", "INFO", "nosuch"))).toEqual([null])
    const count = plain(await annals.command("COMMAND", "COUNT"))
    // LIST names subcommands too, COUNT does not count them.
    const listed = plain(await annals.command("COMMAND", "LIST")) as ReadonlyArray<string>
    expect(listed.filter((name) => !name.includes("|")).length).toBe(count)
    expect(listed.toSorted()).toEqual([...(await infos(annals)).keys()].toSorted())
    expect((plain(await annals.command("COMMAND")) as Array<unknown>).length).toBe(count)
  })

  it("documents since, group and deprecation the same", async () => {
    const docs = async (client: RespClient): Promise<Record<string, Record<string, unknown>>> => {
      const all = fields(plain(await client.command("COMMAND", "DOCS"))) as Record<string, Record<string, unknown>>
      const subcommands = Object.values(all).map((doc) => doc["subcommands"] as typeof all | undefined)
      return Object.assign({}, all, ...subcommands.filter((docsOf) => docsOf !== undefined))
    }
    const [theirs, ours] = [await docs(redis), await docs(annals)]
    const shared = Object.keys(ours).filter((name) => theirs[name] !== undefined).toSorted()
    expect(shared).toEqual(expect.arrayContaining(["get", "set", "object|encoding"]))
    const facts = (doc: Record<string, unknown>) =>
      ["since", "group", "deprecated_since", "replaced_by"].map((field) => doc[field])
    expect(Object.fromEntries(shared.map((name) => [name, facts(ours[name]!)])))
      .toEqual(Object.fromEntries(shared.map((name) => [name, facts(theirs[name]!)])))
    for (const field of ["summary", "complexity"]) {
      expect(shared.filter((name) => typeof ours[name]![field] !== "string" || ours[name]![field] === "")).toEqual([])
    }
  })

  it.each(getKeys.map((words) => [words.join(" "), words] as const))("COMMAND GETKEYS %s", async (_, words) => {
    const request = ["COMMAND", "GETKEYS", ...words]
    expect(await annals.command(...request)).toEqual(await redis.command(...request))
  })
})
