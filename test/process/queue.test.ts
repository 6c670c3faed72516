/**
 * A queue as people build it: consumers wait in BLMOVE, work, and take the job off their own list; the server is killed in
 * the middle. With `always` no job is lost and none is there twice.
 */
import { afterAll, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { removeScratch, scratchDir, sleep } from "./oracle.ts"

const consumers = 50
const jobs = 3000

const servers = new Set<ServerProcess>()
afterAll(async () => {
  for (const server of servers) await server.kill()
  removeScratch()
})

/** Moves jobs until the server is gone; counts what it has finished. */
const consume = async (client: RespClient, own: string, finished: Array<string>): Promise<void> => {
  for (;;) {
    const job = plain(await client.command("BLMOVE", "queue", own, "LEFT", "RIGHT", "0"))
    if (typeof job !== "string") continue
    const [done] = await client.pipeline([["MULTI"], ["LREM", own, "1", job], ["RPUSH", "done", job], ["EXEC"]])
      .then((replies) => replies.slice(-1))
    if (done!.type === "array") finished.push(job)
  }
}

it("keeps every job exactly once through kill -9", async () => {
  const dir = scratchDir("queue")
  const args = ["--appendfsync", "always"]
  const server = await startAnnals({ dir, args })
  servers.add(server)
  const finished: Array<string> = []
  const pushed: Array<string> = []
  const clients = await Promise.all(Array.from({ length: consumers }, () => server.client({ timeoutMs: 60_000 })))
  const ends = clients.map((client, i) => consume(client, `worker:${i}`, finished).catch(() => undefined))
  const producer = await server.client()
  const killed = sleep(900).then(() => server.kill())
  for (let i = 0; i < jobs; i++) {
    const reply = await producer.command("RPUSH", "queue", `job:${i}`).catch(() => undefined)
    if (reply?.type !== "integer") break
    pushed.push(`job:${i}`)
  }
  await killed
  await Promise.all(ends)
  servers.delete(server)

  const again = await startAnnals({ dir, args })
  servers.add(again)
  const client = await again.client()
  const lists = ["queue", "done", ...Array.from({ length: consumers }, (_, i) => `worker:${i}`)]
  const replies = await client.pipeline(lists.map((key) => ["LRANGE", key, "0", "-1"]))
  const found = replies.flatMap((reply) => plain(reply) as ReadonlyArray<string>)
  expect(new Set(found).size, "no job is there twice").toBe(found.length)
  // The last push may have happened without its answer.
  for (const job of pushed) expect(found).toContain(job)
  expect(found.length).toBeLessThanOrEqual(pushed.length + 1)
  const done = new Set(plain(replies[1]!) as ReadonlyArray<string>)
  for (const job of finished) expect(done.has(job), `${job} was finished`).toBe(true)
  expect(pushed.length).toBeGreaterThan(50)
  console.log(`${pushed.length} jobs pushed, ${finished.length} finished before the kill`)
}, 60_000)
