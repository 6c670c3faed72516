/**
 * Client-side caching against redis-server: what every connection hears, in its order, while several of them track in
 * all ways there are.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ServerProcess } from "../support/processes.ts"
import { Random } from "../support/random.ts"
import { encodeRequest, plain } from "../support/resp-client.ts"
import { canCompare, redisTitle, startReference, startSubject } from "./subject.ts"
import { authors, beginnings, joinBoth, listener, type Party, requests, show, type Words } from "./tracking-parties.ts"

const rounds = 14
const steps = 120

describe.skipIf(!canCompare)(`client-side caching against ${redisTitle}`, () => {
  let servers: ReadonlyArray<ServerProcess>
  beforeAll(async () => {
    servers = [await startReference(), await startSubject()]
  })
  afterAll(async () => {
    await Promise.all(servers?.map((server) => server.stop()) ?? [])
  })

  /** Runs a script with new connections on both servers; each must have heard the same. Returns what that was. */
  const same = async (script: (party: Party, server: ServerProcess) => Promise<unknown>): Promise<unknown> => {
    const parties = await joinBoth(servers)
    const [theirs, ours] = await Promise.all(parties.map((party, i) => script(party, servers[i]!)))
    await Promise.all(parties.map((party) => party.leave()))
    expect(ours).toEqual(theirs)
    return ours
  }

  /** Steps: the connection that asks, and what it asks. */
  const run = async (party: Party, script: ReadonlyArray<readonly [number, ...Words]>) => {
    const heard: Array<readonly [string, ...ReadonlyArray<unknown>]> = []
    for (const [author, ...words] of script) {
      heard.push([`${author}: ${words.join(" ")}`, ...show(await party.step(author, [words]))])
    }
    return heard
  }

  it("tells every connection the same in random runs", async () => {
    const seed = Number(process.env["ANNALS_CONFORMANCE_SEED"] ?? (Math.random() * 0x7fff_ffff) | 0)
    const random = new Random(seed)
    let told = 0
    for (let round = 0; round < rounds; round++) {
      const parties = await joinBoth(servers)
      const history: Array<string> = []
      let counter = 0
      const first = beginnings(random)
      for (let i = 0; i < steps; i++) {
        const author = i < authors ? i : random.below(authors)
        const words = first[i] ?? requests(random, author, () => ++counter)
        history.push(`${author}: ${JSON.stringify(words)}`)
        const [theirs, ours] = await Promise.all(
          parties.map(async (party) => show(await party.step(author, words)))
        )
        const why = `seed ${seed}, round ${round}:\n${history.join("\n")}`
        if (words[0]![0] !== "RESET") expect(ours, why).toEqual(theirs)
        told += theirs!.flat().filter((text) => text.includes("invalidate")).length
      }
      await Promise.all(parties.map((party) => party.leave()))
    }
    expect(told).toBeGreaterThan(rounds * 10)
  })

  it("refuses the same in the same words", async () => {
    await same((party) =>
      run(party, [
        [0, "CLIENT", "CACHING", "YES"],
        [0, "CLIENT", "CACHING", "maybe"],
        [0, "CLIENT", "CACHING"],
        [0, "CLIENT", "TRACKING"],
        [0, "CLIENT", "TRACKING", "maybe"],
        [0, "CLIENT", "TRACKING", "maybe", "what"],
        [0, "CLIENT", "TRACKING", "ON", "what"],
        [0, "CLIENT", "TRACKING", "ON", "PREFIX"],
        [0, "CLIENT", "TRACKING", "ON", "PREFIX", "a"],
        [0, "CLIENT", "TRACKING", "ON", "REDIRECT"],
        [0, "CLIENT", "TRACKING", "ON", "REDIRECT", "abc"],
        [0, "CLIENT", "TRACKING", "ON", "REDIRECT", "0"],
        [0, "CLIENT", "TRACKING", "ON", "REDIRECT", "-1"],
        [0, "CLIENT", "TRACKING", "ON", "REDIRECT", "9223372036854775807"],
        [0, "CLIENT", "TRACKING", "ON", "REDIRECT", "@4", "REDIRECT", "abc"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "OPTIN", "OPTOUT"],
        [0, "CLIENT", "TRACKING", "ON", "OPTIN", "OPTOUT"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b", "PREFIX", "ab"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a\0b", "PREFIX", "a\0"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "", "PREFIX", "x"],
        [0, "CLIENT", "TRACKINGINFO"],
        [0, "CLIENT", "TRACKING", "ON", "bcast", "prefix", "ab", "prefix", "b"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "ab"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "c", "PREFIX", "cd"],
        [0, "CLIENT", "TRACKING", "ON"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "c", "NOLOOP"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "d"],
        [0, "CLIENT", "TRACKINGINFO"],
        [0, "CLIENT", "TRACKING", "OFF", "BCAST", "OPTIN"],
        [0, "CLIENT", "TRACKINGINFO"],
        [0, "CLIENT", "TRACKING", "ON", "OPTIN"],
        [0, "CLIENT", "CACHING", "NO"],
        [0, "CLIENT", "CACHING", "maybe"],
        [0, "CLIENT", "TRACKING", "ON", "OPTOUT"],
        [0, "CLIENT", "TRACKING", "ON", "BCAST"],
        [0, "CLIENT", "TRACKING", "ON"],
        [0, "CLIENT", "CACHING", "YES"],
        [0, "CLIENT", "TRACKING", "ON", "OPTOUT"],
        [0, "CLIENT", "CACHING", "YES"],
        [0, "CLIENT", "GETREDIR"],
        [0, "CLIENT", "GETREDIR", "x"],
        [0, "CLIENT", "TRACKINGINFO", "x"]
      ])
    )
  })

  it("tells of keys that die, found by time or by a command", async () => {
    const heard = await same(async (party) => {
      const before = await run(party, [
        [0, "CLIENT", "TRACKING", "ON"],
        [1, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "d"],
        [3, "DEBUG", "SET-ACTIVE-EXPIRE", "0"],
        [3, "PSETEX", "dies", "150", "v"],
        [3, "PSETEX", "died", "150", "v"],
        [3, "PSETEX", "dying", "150", "v"],
        [0, "MGET", "dies", "died", "dying"]
      ])
      const met = [
        ...show(await party.pause(170)),
        ...await run(party, [[3, "GET", "dies"], [0, "GET", "died"], [0, "GET", "died"], [0, "SET", "died", "x"]])
      ]
      // What is found at once may be heard together with the reply.
      const found = show(await party.step(3, [["DEBUG", "SET-ACTIVE-EXPIRE", "1"]])).flat()
        .filter((text) => text.includes("invalidate"))
      for (let i = 0; found.length < 2 && i < 100; i++) found.push(...show(await party.pause(20)).flat())
      return { before, met, found: found.toSorted() }
    })
    expect(heard).toMatchObject({ found: Array.from({ length: 2 }, () => "push [\"invalidate\" array [\"dying\"]]") })
  })

  it("tells who redirects to a connection that is gone", async () => {
    await same(async (party, server) => {
      const other = await server.client()
      const id = String(plain(await other.command("CLIENT", "ID")))
      const lines = async (): Promise<ReadonlyArray<string>> =>
        [
          ...String(plain(await party.clients[3]!.command("CLIENT", "LIST", "ID", ...party.ids))).matchAll(
            / (flags|redir|resp)=\S*/g
          )
        ]
          .map(([text]) => text.replace(`redir=${id}`, "redir=gone"))
      await run(party, [[0, "CLIENT", "TRACKING", "ON", "REDIRECT", id], [
        2,
        "CLIENT",
        "TRACKING",
        "ON",
        "REDIRECT",
        id
      ]])
      const before = [...await run(party, [[0, "GET", "a"], [2, "GET", "a"]]), await lines()]
      await other.close()
      while (plain(await party.clients[3]!.command("CLIENT", "KILL", "ID", id)) !== 0);
      const after = await run(party, [
        [3, "SET", "a", "1"],
        [0, "CLIENT", "TRACKINGINFO"],
        [2, "CLIENT", "TRACKINGINFO"],
        [0, "GET", "a"],
        [0, "SET", "a", "2"],
        [3, "FLUSHALL"]
      ])
      const broken = await lines()
      const again = await run(party, [[0, "CLIENT", "TRACKING", "ON"], [0, "CLIENT", "TRACKINGINFO"]])
      return JSON.parse(JSON.stringify([before, after, broken, again, await lines()]).replaceAll(id, "gone")) as unknown
    })
  })

  it("remembers no more keys than tracking-table-max-keys", async () => {
    const counts = await same(async (party) => {
      await party.step(3, [["CONFIG", "SET", "tracking-table-max-keys", "3"]])
      await party.step(0, [["CLIENT", "TRACKING", "ON"]])
      const told: Array<number> = []
      const totals: Array<string> = []
      for (let i = 0; i < 8; i++) {
        const heard = show(await party.step(0, [["MGET", `k${i}`, `m${i}`]]))
        told.push(heard.flat().filter((text) => /^push \["invalidate" array \["[km]\d"\]\]$/.test(text)).length)
      }
      const [[info]] = [show(await party.step(3, [["INFO", "stats"]]))[3]!]
      totals.push(...info!.match(/tracking_total_\w+:\d+/g)!)
      await party.step(3, [["CONFIG", "SET", "tracking-table-max-keys", "1000000"]])
      return { told, totals }
    })
    expect(counts).toEqual({
      told: [0, 1, 2, 2, 2, 2, 2, 2],
      totals: ["tracking_total_keys:3", "tracking_total_items:3", "tracking_total_prefixes:0"]
    })
  })

  it("shows the same figures, also after RESET, QUIT and CLIENT KILL", async () => {
    await same(async (party, server) => {
      const figures = async () => {
        const text = (await Promise.all(["clients", "stats"].map((section) =>
          party.clients[3]!.command("INFO", section)
        ))).map((reply) =>
          String(plain(reply))
        ).join("")
        const flags = String(plain(await party.clients[3]!.command("CLIENT", "LIST", "ID", ...party.ids))).match(
          / (flags|redir)=\S*/g
        )
        return [text.match(/tracking_\w+:\d+/g), flags]
      }
      const all: Array<unknown> = []
      const [leaving, killed] = [await server.client(), await server.client()]
      await Promise.all(
        [leaving, killed].map((client) => client.pipeline([["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "q"]]))
      )
      for (
        const [author, ...words] of [
          [3, "FLUSHALL"],
          [0, "CLIENT", "TRACKING", "ON"],
          [1, "CLIENT", "TRACKING", "ON", "OPTIN"],
          [2, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b", "REDIRECT", `@${listener}`],
          [0, "MGET", "a", "b", "c", "a"],
          [1, "GET", "a"],
          [1, "CLIENT", "CACHING", "YES"],
          [1, "MGET", "a", "d"],
          [3, "SET", "b", "1"],
          [3, "DEL", "b", "c"],
          [1, "CLIENT", "TRACKING", "OFF"],
          [2, "RESET"],
          [2, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a"]
        ] as ReadonlyArray<readonly [number, ...Words]>
      ) {
        all.push([words, ...show(await party.step(author, [words])), await figures()])
      }
      await leaving.command("QUIT")
      await leaving.whenClosed()
      const id = String(plain(await killed.command("CLIENT", "ID")))
      await party.clients[3]!.command("CLIENT", "KILL", "ID", id)
      await killed.whenClosed()
      return [...all, await figures()]
    })
  })

  it("tells while replies are silenced, and after a transaction", async () => {
    await same(async (party) => {
      const [silent] = party.clients
      const asks = (...words: Words): void => silent!.send(encodeRequest(words))
      const heard = await run(party, [[0, "CLIENT", "TRACKING", "ON"], [0, "GET", "a"]])
      asks("CLIENT", "REPLY", "OFF")
      await party.clients[3]!.command("SET", "a", "1")
      asks("GET", "a")
      asks("CLIENT", "REPLY", "ON")
      const replies = [await silent!.next(), await silent!.next()]
      asks("CLIENT", "REPLY", "SKIP")
      await party.clients[3]!.command("SET", "a", "2")
      asks("GET", "a")
      replies.push(await silent!.next())
      const steps = await run(party, [[0, "GET", "a"], [0, "GET", "a"]])
      const transactions = [
        await party.step(0, [["MULTI"], ["GET", "a"], ["SET", "a", "3"], ["GET", "a"], ["SET", "a", "4"], ["FLUSHDB"], [
          "EXEC"
        ]]),
        await party.step(0, [["GET", "a"], ["GET", "b"]]),
        await party.step(3, [["MULTI"], ["SET", "a", "5"], ["SET", "b", "6"], ["SET", "a", "6"], ["EXEC"]])
      ]
      return [heard, replies, steps, transactions.map(show)]
    })
  })
})
