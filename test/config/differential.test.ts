/**
 * CONFIG against redis-server 7.0.15: the same parameters with the same defaults, the same replies to good and bad
 * values, all or nothing. Where the two must differ, the parameter is named here with the reason.
 *
 *   ANNALS_CONFIG_SEED   repeats the random part of one run
 */
import * as Fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Parameter, parameterNamed } from "../../src/config/parameters.ts"
import { canCompare, redisTitle, startReference } from "../conformance/subject.ts"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"

const seed = Number(process.env["ANNALS_CONFIG_SEED"] ?? (Math.random() * 0x7fff_ffff) | 0)

/** Defaults that differ, and why. */
const otherDefaults: Readonly<Record<string, string>> = {
  "appendonly": "the log is always on",
  "dir": "each server has its own directory",
  "port": "each server has its own port",
  "bind": "Redis listens on all addresses unless a file says otherwise; Annals on those of the file that Redis ships",
  "auto-aof-rewrite-min-size": "what grows is the log, with every write in it, not a compacted file"
}

/** Not set in the test: changing them ends the connection, the server, or (maxclients) takes gigabytes in Redis. */
const untouched = ["port", "bind", "tls-port", "requirepass", "maxclients"]

/** Values tried on every parameter. */
const probes = [
  "",
  " ",
  "abc",
  "yes",
  "NO",
  "0",
  "1",
  "-1",
  "+1",
  "007",
  "-0",
  "1.5",
  "10",
  "100",
  "101",
  "1000",
  "65535",
  "65536",
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "18446744073709551615",
  "18446744073709551616",
  "99999999999999999999999",
  "1k",
  "1kb",
  "3MB",
  "2g",
  "1tb",
  "kb",
  "b",
  "-1kb",
  "1 kb",
  " 1",
  "1 ",
  "0x10",
  "5%",
  "101%",
  "0%",
  "-5%",
  "%",
  "a b",
  "1 2",
  "1 2 3",
  "60 1 30 2",
  "60 1  30 2",
  "60 0",
  "0 1",
  "-1 1",
  "-2000 0 2000",
  "-2001 0 0",
  "50 99.9 100",
  "50 100.1",
  "1e1",
  "nan",
  "inf",
  "KEA",
  "AKExg",
  "Q",
  "lKE$",
  "pubsub 1 2 3",
  "pubsub 1mb 2kb 3 Replica 1 1 1",
  "master 0 0 0",
  "pubsub -1 0 0",
  "pubsub 0 0 x",
  "save",
  "save nosave",
  "NOW force",
  "default save",
  "everysec",
  "Always",
  "debug",
  "notice",
  "allkeys-lru",
  "volatile-lrm",
  "local5",
  "disabled",
  "swapdb",
  "hostname",
  "resetchannels",
  "clients",
  "panic",
  "relative",
  "optional",
  "{title}",
  "{title} {nosuch}",
  "{title",
  "example.org",
  "exa_mple",
  "\r\n",
  "a\0b",
  "é"
]

type Row = Parameter<unknown>

describe.skipIf(!canCompare)(`CONFIG against ${redisTitle}`, () => {
  let servers: ReadonlyArray<ServerProcess>
  let redis: RespClient
  let annals: RespClient
  const all = async (client: RespClient): Promise<Map<string, string>> => {
    const flat = plain(await client.command("CONFIG", "GET", "*")) as ReadonlyArray<string>
    return new Map(flat.flatMap((name, i) => i % 2 === 0 ? [[name, flat[i + 1]!] as const] : []))
  }
  /** The replies of both servers to several requests. */
  const both = async (
    ...requests: ReadonlyArray<ReadonlyArray<string>>
  ): Promise<ReadonlyArray<readonly [redis: string, annals: string]>> => {
    const bytes = Buffer.concat(requests.map((words) => Buffer.from(encodeRequest(words))))
    const ask = async (name: string, client: RespClient): Promise<ReadonlyArray<string>> => {
      try {
        return (await client.raw(bytes, requests.length)).map((reply) => reply.toString("latin1"))
      } catch (cause) {
        throw new Error(`${name} did not answer ${JSON.stringify(requests)}`, { cause })
      }
    }
    const [theirs, ours] = await Promise.all([ask("redis", redis), ask("annals", annals)])
    return theirs.map((reply, i) => [reply, ours[i]!] as const)
  }
  let shared: ReadonlyMap<string, string>
  let initial: ReadonlyMap<string, string>

  beforeAll(async () => {
    servers = await Promise.all([startReference(), startAnnals({ args: ["--save", ""] })])
    redis = await servers[0]!.client({ timeoutMs: 5_000 })
    annals = await servers[1]!.client({ timeoutMs: 5_000 })
    // maxmemory-clients must not end the connection that sets it.
    await redis.command("CLIENT", "NO-EVICT", "on")
    await annals.command("CLIENT", "NO-EVICT", "on")
    shared = await all(redis)
    initial = await all(annals)
  })
  afterAll(async () => {
    await Promise.all([redis?.close(), annals?.close()])
    await Promise.all((servers ?? []).map((server) => server.stop()))
  })

  const reset = async (name: string): Promise<void> => {
    const row = parameterNamed(name)![1]
    if (!row.mutable || row.guarded === true) return
    await redis.command("CONFIG", "SET", name, shared.get(name)!)
    await annals.command("CONFIG", "SET", name, initial.get(name)!)
  }

  /** Whether a refusal of Annals is the one that the table states for values it cannot have. */
  const stated = (row: Row, theirs: string, ours: string): boolean =>
    row.standing === "refused" && ours.includes(row.note) ||
    row.fixedBecause !== undefined && theirs.startsWith("+OK") && ours.includes(row.fixedBecause)

  it("knows every parameter that CONFIG GET shows, with its default", () => {
    const different = [...shared].filter(([name, value]) => initial.get(name) !== value && !(name in otherDefaults))
    expect(different.map(([name, value]) => `${name}: '${value}', here '${initial.get(name)}'`)).toEqual([])
  })

  it("lists no exception in vain", () => {
    expect(Object.keys(otherDefaults).filter((name) => initial.get(name) === shared.get(name))).toEqual([])
  })

  it("answers good and bad values of every parameter alike", async () => {
    const wrong: Array<string> = []
    for (const name of shared.keys()) {
      if (untouched.includes(name)) continue
      const row = parameterNamed(name)![1]
      const replies = await both(
        ...probes.flatMap((value) => [["CONFIG", "SET", name, value], ["CONFIG", "GET", name]])
      )
      for (const [index, value] of probes.entries()) {
        const [theirs, ours] = replies[2 * index]!
        const [theirValue, ourValue] = replies[2 * index + 1]!
        const said = `${name} ${JSON.stringify(value)}: `
        if (theirs !== ours) {
          if (!stated(row, theirs, ours) && !differs(name, value)) {
            wrong.push(`${said}${theirs.trim()} | ${ours.trim()}`)
          }
        } else if (theirs.startsWith("+") && theirValue !== ourValue) wrong.push(`${said}${theirValue} | ${ourValue}`)
      }
      await reset(name)
    }
    expect(wrong).toEqual([])
  })

  it("changes all of several parameters or none, and says the same about which", async () => {
    const names = [...shared.keys()].filter((name) => {
      const row = parameterNamed(name)![1]
      return !untouched.includes(name) && !(name in otherDefaults) && row.standing !== "refused" &&
        row.fixedBecause === undefined &&
        row.refuse === undefined && !(name in unlike)
    })
    const pair = Fc.tuple(
      Fc.oneof({ weight: 12, arbitrary: Fc.constantFrom(...names) }, {
        weight: 1,
        arbitrary: Fc.constantFrom("nosuch", "")
      }),
      Fc.boolean(),
      Fc.constantFrom(...probes)
    ).map(([name, upper, value]) => [upper ? name.toUpperCase() : name, value] as const)
    const good = Fc.constantFrom(...names).map((name) => [name, initial.get(name)!] as const)
    await Fc.assert(
      Fc.asyncProperty(Fc.array(Fc.oneof(pair, good), { minLength: 1, maxLength: 5 }), async (pairs) => {
        const [[theirs, ours] = ["", ""], ...values] = await both(
          ["CONFIG", "SET", ...pairs.flat()],
          ...pairs.map(([name]) => ["CONFIG", "GET", name])
        )
        expect(ours).toBe(theirs)
        for (const [theirValue, ourValue] of values) expect(ourValue).toBe(theirValue)
        for (const [name] of pairs) if (parameterNamed(name) !== undefined) await reset(name.toLowerCase())
      }),
      { seed, numRuns: 300 }
    )
  })
})

/** Values on which the two differ by design. */
const unlike: Readonly<Record<string, { readonly values: RegExp; readonly reason: string }>> = {
  "maxmemory-policy": { values: /^[^]*$/, reason: "the policies of Redis 8 are known, and named in the complaint" },
  "proto-max-bulk-len": { values: /^(\d{10,}|2g)$/, reason: "no argument can be longer than a buffer, 1 GiB" }
}

const differs = (name: string, value: string): boolean => unlike[name]?.values.test(value) === true
