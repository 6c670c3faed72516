/** RQ, a queue of jobs for Python programs, as Debian has it, with its own worker. */
import { afterAll, describe, expect, it } from "vitest"
import { removeScratch } from "../process/oracle.ts"
import { pythonWith, runPython } from "./python.ts"

const python = pythonWith("rq")

afterAll(removeScratch)

describe.skipIf(python === undefined)("RQ", () => {
  it("works off what was queued before kill -9: dependent, failing, scheduled jobs too", async () => {
    expect(await runPython(python!, "rq_jobs.py")).toEqual({
      code: 0,
      complaints: "",
      parts: ["queued", "worked", "failed and tried again", "scheduled", "finished"]
    })
  }, 60_000)
})
