/** A primary and a replica: the first copy, what following costs the primary, how far behind the replica is under load. */
import { setTimeout as sleep } from "node:timers/promises"
import type { ServerProcess } from "../support/processes.ts"
import { fill, infoFields, infoNumber, integerReply, loadThread, redisBenchmark } from "./load.ts"
import type { PacedLoad, PacedReport } from "./paced-load.ts"
import { label, type Turn, withServer } from "./parts.ts"
import { loadLauncher } from "./servers.ts"

/** SETs per second while it is seen how far behind the replica is. */
const rate = 200_000
const pollMs = 5
const longestMs = 120_000

/** Waits until something is so; returns the milliseconds that took. */
const untilSo = async (what: string, so: () => Promise<boolean>): Promise<number> => {
  const began = performance.now()
  while (!(await so())) {
    if (performance.now() - began > longestMs) throw new Error(`it took too long until ${what}`)
    await sleep(pollMs)
  }
  return performance.now() - began
}

/** Milliseconds until the replica has what the primary has now. */
const behind = async (primary: ServerProcess, replica: ServerProcess): Promise<number> => {
  const [one, other] = [await primary.client(), await replica.client()]
  const offset = infoNumber(await infoFields(one, "replication"), "master_repl_offset")
  const ms = await untilSo("the replica has everything", async () => {
    const fields = await infoFields(other, "replication")
    return fields.get("master_link_status") === "up" && infoNumber(fields, "slave_repl_offset") >= offset
  })
  await Promise.all([one.close(), other.close()])
  return ms
}

/** One turn of one server. The replica shares the core of the load. */
export const replication = (turn: Turn, keys: number): Promise<void> =>
  withServer(turn.start("everysec"), async (primary) => {
    const args = ["-t", "set", "-r", `${keys}`, "-d", "3", "-c", "50", "-P", "16", "-n", `${turn.scale.requests[16]}`]
    turn.note("filling")
    await fill(primary.port, keys)
    turn.note("SET without a replica")
    await redisBenchmark(primary.port, args)
    turn.record(
      "replication",
      `SET P=16, ${label(keys)}, no replica`,
      "req/s",
      "higher",
      (await redisBenchmark(primary.port, args)).requestsPerSecond
    )
    const client = await primary.client({ timeoutMs: longestMs })
    if (turn.server !== "annals") await client.command("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    await withServer(turn.start("everysec", { launcher: loadLauncher }), async (replica) => {
      const other = await replica.client({ timeoutMs: longestMs })
      turn.note("the first copy")
      const present = await integerReply(client, "DBSIZE")
      await other.command("REPLICAOF", "127.0.0.1", `${primary.port}`)
      const seconds = (await untilSo("the replica has a copy", async () => {
        const up = (await infoFields(other, "replication")).get("master_link_status") === "up"
        return up && await integerReply(other, "DBSIZE") === present
      })) / 1000
      turn.record("replication", `first copy of ${label(keys)}`, "keys/s", "higher", present / seconds)
      turn.note("SET with a replica")
      await redisBenchmark(primary.port, args)
      turn.record(
        "replication",
        `SET P=16, ${label(keys)}, one replica`,
        "req/s",
        "higher",
        (await redisBenchmark(primary.port, args)).requestsPerSecond
      )
      await behind(primary, replica)
      turn.note(`${rate} SETs a second`)
      const load = loadThread<PacedReport>("paced-load.ts", { port: primary.port, keys, rate } satisfies PacedLoad)
      await sleep(turn.scale.latencySeconds * 1000)
      load.stop()
      const { seconds: took, writes } = await load.result
      turn.record("replication", "SETs taken, of 200,000 a second", "req/s", "higher", writes / took)
      turn.record("replication", "replica behind after that", "ms", "lower", await behind(primary, replica))
      await other.close()
    })
    await client.close()
  })
