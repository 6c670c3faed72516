/** A server that loads: it listens, refuses with -LOADING, shows how far it is, and then serves everything. */
import { afterAll, describe, expect, it } from "vitest"
import { freePort, removeTemporaryDir, startAnnals, temporaryDir } from "../support/processes.ts"
import { plain, RespClient } from "../support/resp-client.ts"

const dir = temporaryDir("loading")
afterAll(() => removeTemporaryDir(dir))

const keys = 120_000
const args = ["--save", ""]

/** Connects as soon as the server listens. */
const connectEarly = async (port: number): Promise<RespClient> => {
  const until = performance.now() + 60_000
  for (;;) {
    try {
      return await RespClient.connect({ port })
    } catch (cause) {
      if (performance.now() > until) throw cause
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

const ask = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<unknown> => {
  const reply = plain(await client.command(...words))
  return reply instanceof Error ? reply.message : reply
}

describe("while it loads", () => {
  for (const [what, form] of [["its log", ["DBSIZE"]], ["a checkpoint", ["SAVE"]]] as const) {
    it(`${what}, a server answers -LOADING, and how far it is`, async () => {
      const first = await startAnnals({ dir, args })
      const filler = await first.client()
      if (what === "its log") {
        for (let i = 0; i < 4; i++) {
          expect(await ask(filler, "DEBUG", "POPULATE", `${keys / 4}`, `part${i}`, "20")).toBe("OK")
        }
      }
      expect(await ask(filler, "DBSIZE")).toBe(keys)
      await ask(filler, ...form)
      const digest = await ask(filler, "DEBUG", "DIGEST")
      await filler.close()
      await first.stop()

      const port = await freePort()
      const starting = startAnnals({ dir, args, port })
      const client = await connectEarly(port)
      const refusal = "LOADING Redis is loading the dataset in memory"
      const seen: Array<ReadonlyArray<unknown>> = []
      let before = -1
      for (;;) {
        const replies =
          (await client.pipeline([["INFO", "persistence"], ["PING"], ["GET", "part0:1"], ["SET", "x", "y"]]))
            .map(plain)
        const text = String(replies[0])
        const field = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1])
        if (field("loading") === 0) break
        seen.push(replies.slice(1).map((reply) => (reply as Error).message))
        const [total, loaded] = [field("loading_total_bytes"), field("loading_loaded_bytes")]
        expect(total).toBeGreaterThan(keys * 20)
        expect(loaded).toBeGreaterThanOrEqual(before)
        expect(loaded).toBeLessThanOrEqual(total)
        expect(field("loading_loaded_perc")).toBeCloseTo(100 * loaded / total, 1)
        expect(field("loading_start_time")).toBeGreaterThan(1_600_000_000)
        before = loaded
      }
      expect(seen.length).toBeGreaterThan(0)
      expect(new Set(seen.flat())).toEqual(new Set([refusal]))
      expect(await ask(client, "PING")).toBe("PONG")
      const server = await starting
      // The last look was answered in one go with what followed it: the write among it was done.
      expect(await ask(client, "DEL", "x")).toBe(1)
      expect(await ask(client, "DBSIZE")).toBe(keys)
      expect(await ask(client, "DEBUG", "DIGEST")).toBe(digest)
      await client.close()
      await server.stop()
    })
  }
})
