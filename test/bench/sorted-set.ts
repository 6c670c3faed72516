/** One sorted set of millions of members: commands on it, its memory, and whom its deletion holds up. */
import { setTimeout as sleep } from "node:timers/promises"
import { encodeRequest } from "../support/resp-client.ts"
import { fillWith, integerReply, probeWhile, redisBenchmark, writeDigits } from "./load.ts"
import { label, type Turn, withServer } from "./parts.ts"
import { residentBytes } from "./servers.ts"

const key = "sorted"

/** Spreads numbers below a power of two over each other, each coming up once. */
const scattered = (number: number): number => Math.imul(number, 0x9e3779b1) >>> 8

/** Adds members member:000000000000 to member:…(count - 1), each once, with scores all over. */
const fillSortedSet = (port: number, count: number): Promise<void> => {
  const request = encodeRequest(["ZADD", key, "0".repeat(12), `member:${"0".repeat(12)}`])
  const scoreAt = request.indexOf("0".repeat(12))
  const memberAt = request.indexOf("member:") + 7
  return fillWith(port, count, request, ":1\r\n", (bytes, at, number) => {
    writeDigits(bytes, at + scoreAt, scattered(number) % count)
    writeDigits(bytes, at + memberAt, number)
  })
}

const member = "member:__rand_int__"
const requests: ReadonlyArray<readonly [title: string, cost: number, words: ReadonlyArray<string>]> = [
  ["ZADD of other scores", 4, ["ZADD", key, "__rand_int__", member]],
  ["ZRANK", 2, ["ZRANK", key, member]],
  ["ZRANGEBYSCORE of 10", 4, ["ZRANGEBYSCORE", key, "__rand_int__", "+inf", "LIMIT", "0", "10"]],
  ["ZPOPMIN", 2, ["ZPOPMIN", key]]
]

/** One turn of one server. */
export const sortedSet = (turn: Turn, members: number): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const size = label(members).replace("keys", "members")
    const empty = residentBytes(server.pid)
    turn.note(`filling a sorted set of ${size}`)
    const began = performance.now()
    await fillSortedSet(server.port, members)
    turn.record(
      "sortedset",
      `ZADD of new members, ${size}`,
      "req/s",
      "higher",
      members / (performance.now() - began) * 1000
    )
    const client = await server.client()
    const present = await integerReply(client, "ZCARD", key)
    if (present !== members) throw new Error(`${members} members were added, ZCARD says ${present}`)
    await sleep(1500)
    const full = residentBytes(server.pid)
    turn.record("sortedset", `RSS per member, ${size}`, "B", "lower", (full - empty) / members)
    for (const [title, cost, words] of requests) {
      for (const pipeline of [1, 16] as const) {
        await turn.attempt("sortedset", async () => {
          const count = Math.ceil(turn.scale.requests[pipeline] / cost)
          const args = ["-r", `${members}`, "-c", "50", "-P", `${pipeline}`]
          turn.note(`${title} P=${pipeline}`)
          await redisBenchmark(server.port, [...args, "-n", `${Math.ceil(count / 4)}`, ...words])
          const run = await redisBenchmark(server.port, [...args, "-n", `${count}`, ...words])
          turn.record("sortedset", `${title} P=${pipeline}, ${size}`, "req/s", "higher", run.requestsPerSecond)
        })
      }
    }
    turn.note("deleting it")
    await client.command("SET", "key:000000000000", "x")
    const deleter = await server.client()
    let deleted = 0
    const deletion = sleep(200).then(() => deleter.command("UNLINK", key)).then(() => {
      deleted = performance.now()
    })
    // The probe goes on for a while: what was let go is freed in the background.
    const latencies = await probeWhile(client, 1, () => deleted === 0 || performance.now() < deleted + 2000)
    await deletion
    turn.record("sortedset", `worst latency while it is deleted, ${size}`, "ms", "lower", latencies.at(-1)!)
    await Promise.all([client.close(), deleter.close()])
  })
