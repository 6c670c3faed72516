/**
 * kill -9 under a consumer group at work, with appendfsync always: no entry is lost, none that was acknowledged comes
 * back, and what is pending for whom, delivered how often, is exactly what the answers said.
 */
import { afterAll, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { Random } from "../support/random.ts"
import { consumerCount, GroupOracle } from "./group-oracle.ts"
import { foldCopy, randomDelay, removeScratch, scratchDir, serverDigest, sleep } from "./oracle.ts"

const kills = 50

let server: ServerProcess | undefined
afterAll(async () => {
  await server?.kill()
  removeScratch()
})

it("a consumer group loses nothing and gets nothing back", async () => {
  const seed = 1 + Math.floor(Math.random() * 1_000_000)
  const random = new Random(seed)
  const dir = scratchDir("kill-groups")
  const oracle = new GroupOracle()
  let digest: string | undefined
  let at = 0
  try {
    for (; at <= kills; at++) {
      const segment = random.pick([4096, 65_536, 1 << 20])
      server = await startAnnals({ dir, args: ["--appendfsync", "always", "--log-segment-bytes", `${segment}`] })
      const inspector = await server.client()
      if (digest === undefined) await oracle.begin(inspector)
      else {
        expect(await serverDigest(inspector)).toBe(digest)
        await oracle.check(inspector)
      }
      if (at === kills) {
        await inspector.close()
        break
      }
      const clients = await Promise.all(Array.from({ length: consumerCount + 1 }, () => server!.client()))
      const running = oracle.run(random, clients[0]!, clients.slice(1))
      // A failure shows when it is waited for, after the kill.
      running.catch(() => {})
      if (random.chance(0.3)) await inspector.command("BGSAVE")
      await sleep(20 + randomDelay(random, 300))
      await server.kill()
      server = undefined
      inspector.end()
      await running
      digest = foldCopy(dir).digest
    }
  } catch (cause) {
    throw new Error(`seed ${seed}, kill ${at}: ${(cause as Error).message}`, { cause })
  }
  console.log(`${kills} kills; answered: ${JSON.stringify(oracle.answered)}`)
  for (const what of ["add", "read", "again", "claim", "acknowledge", "delete", "trim"]) {
    expect(oracle.answered[what] ?? 0, what).toBeGreaterThan(kills / 5)
  }
}, 180_000)
