/** The threads that help the one that serves have a lower priority, on Linux, where a thread has one of its own. */
import * as Fs from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"

/** Field 19 of /proc/…/stat, counted from behind the name, which may hold blanks. */
const nicenessOf = (task: string): number => {
  const stat = Fs.readFileSync(`${task}/stat`, "latin1")
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16])
}

const tasksOf = (pid: number): ReadonlyArray<{ readonly name: string; readonly niceness: number }> =>
  Fs.readdirSync(`/proc/${pid}/task`).map((thread) => {
    const task = `/proc/${pid}/task/${thread}`
    return { name: Fs.readFileSync(`${task}/comm`, "latin1").trim(), niceness: nicenessOf(task) }
  })

describe.skipIf(process.platform !== "linux")("the threads of a server", () => {
  let server: ServerProcess | undefined
  afterAll(() => server?.kill())

  it("that compile, collect, sync and compress yield to the one that serves", async () => {
    server = await startAnnals()
    const own = nicenessOf("/proc/self")
    const lowered = Math.min(19, own + 10)
    let tasks = tasksOf(server.pid)
    const of = (name: string): ReadonlyArray<number> =>
      tasks.filter((task) => task.name.includes(name)).map(({ niceness }) => niceness)
    const helpers = (): ReadonlySet<number> => new Set([...of("V8Worker"), ...of("libuv-worker")])
    for (let left = 200; left > 0 && (of("libuv-worker").length === 0 || helpers().has(own)); left--) {
      await sleep(50)
      tasks = tasksOf(server.pid)
    }
    expect(of("V8Worker").length).toBeGreaterThan(0)
    expect(of("libuv-worker").length).toBeGreaterThan(0)
    expect(helpers()).toEqual(new Set([lowered]))
    expect(of("MainThread")).toEqual([own])
  })
})
