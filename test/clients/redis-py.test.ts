/** redis-py, the client of most Python programs, as Debian has it: connections, every type, transactions, messages, crashes. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { afterAll, describe, expect, it } from "vitest"
import { removeScratch, scratchDir } from "../process/oracle.ts"
import { dyingWithUs, startAnnals } from "../support/processes.ts"

/** Debian's interpreter; another one in front of it in PATH need not have the package. */
const python = ["/usr/bin/python3", "python3"].find(
  (program) => spawnSync(program, ["-c", "import redis"], { stdio: "ignore" }).status === 0
)

afterAll(removeScratch)

describe.skipIf(python === undefined)("redis-py", () => {
  it("does what applications do, and goes on after kill -9", async () => {
    const dir = scratchDir("redis-py")
    let server = await startAnnals({ dir })
    const { port } = server
    const words = dyingWithUs([python!, new URL("redis_py.py", import.meta.url).pathname, `${port}`])
    const child: ChildProcess = spawn(words[0]!, words.slice(1), { stdio: ["pipe", "pipe", "pipe"] })
    const ended = once(child, "close") as Promise<[number | null]>
    try {
      let complaints = ""
      child.stderr!.on("data", (bytes: Buffer) => complaints += bytes.toString())
      const parts: Array<string> = []
      for await (const line of createInterface(child.stdout!)) {
        if (line !== "kill the server") {
          parts.push(line)
          continue
        }
        await server.kill()
        server = await startAnnals({ dir, port })
        child.stdin!.end("go on\n")
      }
      const [code] = await ended
      expect({ code, complaints, parts }).toEqual({
        code: 0,
        complaints: "",
        parts: [
          "connects",
          "strings",
          "collections",
          "streams",
          "pipelines and iterators",
          "transactions",
          "messages",
          "comes back"
        ]
      })
    } finally {
      child.kill("SIGKILL")
      await server.kill()
    }
  }, 60_000)
})
