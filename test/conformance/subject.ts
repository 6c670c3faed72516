/** The two servers of a comparison: a real Redis, and Annals (or, to test the suite itself, another Redis). */
import { afterAll, beforeAll, expect } from "vitest"
import { isInstalled, type ServerProcess, startAnnals } from "../support/processes.ts"
import { serverVersion, startRedis } from "../support/redis-server.ts"
import { encodeRequest, type RespClient } from "../support/resp-client.ts"

/** ANNALS_CONFORMANCE_SUBJECT=redis-server puts a second Redis in the place of Annals. */
export const subjectIsRedis = process.env["ANNALS_CONFORMANCE_SUBJECT"] === "redis-server"

/** Annals in tests has DEBUG as well; the end of a comparison asks for digests. */
const debug = ["--enable-debug-command", "local"]

/** Whether there is a Redis to compare with. */
export const canCompare = isInstalled("redis-server")

/** "redis-server 7.0.15", for titles. */
export const redisTitle = `redis-server ${serverVersion("redis-server") ?? ""}`.trim()

export const startSubject = async (): Promise<ServerProcess> => {
  if (!subjectIsRedis) return startAnnals()
  const second = await startRedis({ args: debug })
  if (second === undefined) throw new Error("redis-server is not installed")
  return second
}

/** Redis itself; only where `canCompare`. */
export const startReference = async (): Promise<ServerProcess> => {
  const redis = await startRedis({ args: debug })
  if (redis === undefined) throw new Error("redis-server is not installed")
  return redis
}

/** Both servers, Redis first, for the tests of a `describe`. */
export const bothServers = () => {
  const servers: Array<ServerProcess> = []
  const clients: Array<RespClient> = []
  beforeAll(async () => {
    servers.push(...await Promise.all([startReference(), startSubject()]))
    clients.push(...await Promise.all(servers.map((server) => server.client())))
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await Promise.all(servers.map((server) => server.stop()))
  })
  return {
    servers: servers as ReadonlyArray<ServerProcess>,
    clients: clients as ReadonlyArray<RespClient>,
    /** Expects the same replies to these requests, byte for byte. */
    same: async (requests: ReadonlyArray<ReadonlyArray<string>>): Promise<void> => {
      for (const words of requests) {
        const [redis, annals] = await Promise.all(clients.map((client) => client.raw(encodeRequest(words), 1)))
        expect(annals![0]!.toString("latin1"), words.join(" ").slice(0, 200)).toBe(redis![0]!.toString("latin1"))
      }
    }
  }
}
