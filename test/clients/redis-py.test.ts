/** redis-py, the client of most Python programs, as Debian has it: connections, every type, transactions, messages, crashes. */
import { afterAll, describe, expect, it } from "vitest"
import { removeScratch } from "../process/oracle.ts"
import { pythonWith, runPython } from "./python.ts"

const python = pythonWith("redis")

afterAll(removeScratch)

describe.skipIf(python === undefined)("redis-py", () => {
  it("does what applications do, and goes on after kill -9", async () => {
    expect(await runPython(python!, "redis_py.py")).toEqual({
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
  }, 60_000)
})
