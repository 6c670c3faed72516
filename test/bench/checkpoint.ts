/**
 * A snapshot while clients write, and loading it. Annals: its checkpoint, made in slices by the one thread that serves.
 * Redis and Valkey: the RDB file, written by a child process (which here has to share the server's core), and loaded by
 * a server that is started without its log, because with one it would load that instead.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { removeTemporaryDir, type ServerProcess, temporaryDir } from "../support/processes.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { fill, infoFields, infoNumber, integerReply, loadThread, probe, probeDuring } from "./load.ts"
import type { PacedLoad, PacedReport } from "./paced-load.ts"
import { label, type Turn, withServer } from "./parts.ts"
import { quantile } from "./report.ts"
import { residentBytes } from "./servers.ts"

/** SETs per second while the snapshot is made. */
const rate = 100_000
/** Nothing rewrites the log in the background: only the snapshot asked for is at work. */
const args = ["--auto-aof-rewrite-percentage", "0", "--enable-debug-command", "yes"]
const pollMs = 20
/** DEBUG DIGEST and SAVE of millions of keys take their time. */
const timeoutMs = 600_000

const textReply = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<string> => {
  const reply = await client.command(...words)
  if (reply.type === "error") throw new Error(`${words.join(" ")} answered ${reply.value}`)
  return String(plain(reply))
}

/** BGSAVE from the request until INFO says that it is over; seconds, and the bytes of resident memory it took more. */
const backgroundSave = async (server: ServerProcess, client: RespClient) => {
  const before = residentBytes(server.pid)
  let peak = before
  const startedAt = performance.now()
  await textReply(client, "BGSAVE")
  for (;;) {
    const fields = await infoFields(client, "persistence")
    peak = Math.max(peak, residentBytes(server.pid))
    if (infoNumber(fields, "rdb_bgsave_in_progress") === 0) {
      const seconds = (performance.now() - startedAt) / 1000
      if (fields.get("rdb_last_bgsave_status") !== "ok" || infoNumber(fields, "rdb_last_bgsave_time_sec") < 0) {
        throw new Error("BGSAVE failed")
      }
      // Pages that the child process had for itself, because one of the two wrote; none where there is no child.
      return { seconds, extraBytes: peak - before + infoNumber(fields, "rdb_last_cow_size") }
    }
    await sleep(pollMs)
  }
}

/** The save under load, then one of the final state; leaves the directory with a snapshot of all data and gives its digest. */
const save = async (turn: Turn, server: ServerProcess, keys: number): Promise<string> => {
  const name = label(keys)
  turn.note(`filling ${name}`)
  await fill(server.port, keys)
  const prober = await server.client()
  const client = await server.client({ timeoutMs })
  const plan: PacedLoad = { port: server.port, keys, rate }
  const load = loadThread<PacedReport>("paced-load.ts", plan)
  try {
    turn.note(`${rate} writes a second`)
    await probe(prober, keys, turn.scale.calmSeconds / 3)
    const calm = await probe(prober, keys, turn.scale.calmSeconds)
    turn.note("BGSAVE meanwhile")
    const { latencies, result } = await probeDuring(prober, keys, backgroundSave(server, client))
    load.stop()
    const { seconds, writes } = await load.result
    const meanwhile = `BGSAVE of ${name}, ${rate / 1000} k writes/s`
    turn.record("checkpoint", `${meanwhile}: duration`, "s", "lower", result.seconds)
    turn.record("checkpoint", `${meanwhile}: p99 of a probing client`, "ms", "lower", quantile(latencies, 0.99))
    turn.record("checkpoint", `${meanwhile}: longest stall of a probing client`, "ms", "lower", quantile(latencies, 1))
    turn.record("checkpoint", `${meanwhile}: longest stall just before`, "ms", "lower", quantile(calm, 1))
    turn.record("checkpoint", `${meanwhile}: memory above that before`, "MB", "lower", result.extraBytes / 1e6)
    turn.record("checkpoint", `${meanwhile}: writes done`, "req/s", "higher", writes / seconds)
    turn.note("SAVE and DEBUG DIGEST")
    const digest = await textReply(client, "DEBUG", "DIGEST")
    await textReply(client, "SAVE")
    return digest
  } finally {
    load.stop()
    await prober.close()
    await client.close()
  }
}

/** BGSAVE under a steady load, then a restart from its like; DEBUG DIGEST must be the same before and after. */
export const checkpoint = async (turn: Turn, keys: number): Promise<void> => {
  const dir = temporaryDir("bench")
  try {
    const before = await withServer(turn.start("everysec", { dir, args }), (server) => save(turn, server, keys))
    turn.note("loading")
    await withServer(turn.start("everysec", { dir, args, fromSnapshot: true }), async (server) => {
      const client = await server.client({ timeoutMs })
      try {
        const present = await integerReply(client, "DBSIZE")
        if (present !== keys) throw new Error(`started with ${present} of ${keys} keys`)
        turn.note("DEBUG DIGEST")
        const after = await textReply(client, "DEBUG", "DIGEST")
        if (after !== before) throw new Error(`DEBUG DIGEST was ${before} and is ${after} after the restart`)
      } finally {
        await client.close()
      }
      const seconds = server.startedInMs / 1000
      turn.record("checkpoint", `load of ${label(keys)} (Redis: RDB, no log): until ready`, "s", "lower", seconds)
      turn.record("checkpoint", `load of ${label(keys)} (Redis: RDB, no log): keys`, "keys/s", "higher", keys / seconds)
    })
  } finally {
    removeTemporaryDir(dir)
  }
}
