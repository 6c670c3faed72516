/** INFO against redis-server 7.0.15: the same sections and fields, in the same order, ours besides. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { serverVersion, startRedis } from "../support/redis-server.ts"
import type { RespClient } from "../support/resp-client.ts"
import { plain } from "../support/resp-client.ts"

/** Fields only this server has. */
/** Fields of this server, and expired_subkeys, which Redis has since 7.4. */
const ours =
  /^(replication_\w+|annals_version|runtime|expired_subkeys|databases|pubsub_clients|monitor_clients|heap_used|heap_total|external_memory|checkpoints|checkpoint_.*|log_.*)$/

type Sections = ReadonlyArray<readonly [title: string, fields: ReadonlyArray<string>]>

const sectionsOf = (text: string): Sections =>
  text.split(/^# /m).slice(1).map((section) => {
    const [title, ...lines] = section.split("\r\n")
    return [title!, lines.filter((line) => line !== "").map((line) => line.slice(0, line.indexOf(":")))]
  })

describe.skipIf(serverVersion("redis-server") !== "7.0.15")("INFO", () => {
  let redis: ServerProcess
  let annals: ServerProcess
  let clients: readonly [RespClient, RespClient]

  beforeAll(async () => {
    redis = await startRedis({ args: ["--appendonly", "yes"] }) as ServerProcess
    annals = await startAnnals()
    clients = [await redis.client(), await annals.client()]
    for (const client of clients) {
      // What was asked while the server started is not of the test.
      await client.command("CONFIG", "RESETSTAT")
      await client.command("SET", "a", "1", "EX", "100")
      await client.command("SET", "b")
      await client.command("GET", "nokey")
    }
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await Promise.all([redis.stop(), annals.stop()])
  })

  const both = async (...words: ReadonlyArray<string>): Promise<readonly [Sections, Sections]> => {
    const texts = await Promise.all(clients.map((client) => client.command("INFO", ...words)))
    const [left, right] = texts.map((text) => sectionsOf(String(plain(text))))
    return [left!, right!]
  }

  const requests = ["", "all", "everything", "default", "server KEYSPACE stats", "nosuch", "commandstats default"]

  it.each(requests)("%s", async (request) => {
    const [theirs, mine] = await both(...request.split(" ").filter((word) => word !== ""))
    expect(mine.map(([title]) => title).filter((title) => title !== "Eventlog")).toEqual(theirs.map(([title]) => title))
    // What each server was asked while it started is its own.
    const counters = ["Commandstats", "Latencystats"]
    for (const [title, fields] of theirs.filter(([name]) => !counters.includes(name))) {
      const own = mine.find(([name]) => name === title)![1]
      expect(own.filter((name) => !ours.test(name)), title).toEqual(fields)
    }
    for (const [title, fields] of theirs.filter(([name]) => counters.includes(name))) {
      expect(mine.find(([name]) => name === title)![1], title).toEqual(
        expect.arrayContaining(fields.filter((name) => /_(get|info)$/.test(name)))
      )
    }
  })
})
