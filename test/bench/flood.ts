/** Many connections: one after the other in a storm, and all at once; what an established client notices of them. */
import * as Fs from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import type { ServerProcess } from "../support/processes.ts"
import type { ConnectionLoad, ConnectionReport } from "./connection-load.ts"
import { fill, infoFields, infoNumber, loadThread, probe, probeDuring } from "./load.ts"
import { type Turn, withServer } from "./parts.ts"
import { quantile } from "./report.ts"

/** Connections that are being opened at the same time. */
const atOnce = 50
/** Keys the established client asks for. */
const keys = 10_000
/** Descriptors that server and load need for other things. */
const reserve = 500

/** Open files a process may have; the limits are taken as they are. */
const openFileLimit = (): number => {
  const line = /^Max open files\s+(\d+|unlimited)/m.exec(Fs.readFileSync("/proc/self/limits", "utf8"))
  return line === null || line[1] === "unlimited" ? Infinity : Number(line[1])
}

/** Until the server has noticed that the connections are gone. */
const settled = async (server: ServerProcess): Promise<void> => {
  const client = await server.client()
  try {
    const until = performance.now() + 30_000
    while (infoNumber(await infoFields(client, "clients"), "connected_clients") > 2) {
      if (performance.now() > until) throw new Error("closed connections are still counted after 30 s")
      await sleep(20)
    }
  } finally {
    await client.close()
  }
}

/** Connections that come and go, then as many that stay; a client of before asks one request at a time meanwhile. */
export const flood = (turn: Turn): Promise<void> => {
  const connections = Math.min(turn.scale.connections, openFileLimit() - reserve)
  const args = ["--maxclients", `${connections + 100}`]
  return withServer(turn.start("everysec", { args }), async (server) => {
    await fill(server.port, keys)
    const prober = await server.client()
    try {
      await probe(prober, keys, 0.5)
      for (const [hold, name] of [[false, "opened and closed"], [true, "held together"]] as const) {
        turn.note(`${connections} connections ${name}`)
        const plan: ConnectionLoad = { port: server.port, connections, atOnce, hold }
        const load = loadThread<ConnectionReport>("connection-load.ts", plan)
        const whole = load.result.then(async (report) => {
          await settled(server)
          return report
        })
        const { latencies, result } = await probeDuring(prober, keys, whole)
        const metric = `${connections} connections ${name}`
        turn.record("flood", metric, "conn/s", "higher", connections / result.seconds)
        turn.record("flood", `${metric}: p99 of a client meanwhile`, "ms", "lower", quantile(latencies, 0.99))
        turn.record("flood", `${metric}: worst of a client meanwhile`, "ms", "lower", quantile(latencies, 1))
      }
    } finally {
      await prober.close()
    }
  })
}
