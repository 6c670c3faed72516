/** The server as a process: how it ends, what it leaves behind, and how it refuses to start. */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import {
  freePort,
  nodePath,
  removeTemporaryDir,
  repository,
  type ServerProcess,
  startAnnals,
  type StartOptions,
  temporaryDir
} from "../support/processes.ts"
import { plain, RespClient } from "../support/resp-client.ts"

let servers: Array<ServerProcess> = []
const dirs: Array<string> = []
const start = async (options: StartOptions = {}): Promise<ServerProcess> => {
  const server = await startAnnals(options)
  servers.push(server)
  return server
}
const freshDir = (): string => {
  const dir = temporaryDir("process")
  dirs.push(dir)
  return dir
}
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
})
afterAll(() => dirs.forEach(removeTemporaryDir))

/** Runs the program to its end; one that goes on running is killed and has no exit code. */
const run = (...args: ReadonlyArray<string>): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve) => {
    const child = spawn(nodePath, [Path.join(repository, "src", "main.ts"), ...args], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    const collect = (chunk: Buffer) => void (output += chunk.toString())
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    const force = setTimeout(() => child.kill("SIGKILL"), 20_000)
    child.on("close", (code) => {
      clearTimeout(force)
      resolve({ code, output })
    })
  })

const fill = async (server: ServerProcess): Promise<void> => {
  const client = await server.client()
  const replies = await client.pipeline(Array.from({ length: 1000 }, (_, i) => ["SET", `k${i}`, `v${i}`]))
  expect(replies.every((reply) => plain(reply) === "OK")).toBe(true)
  await client.close()
}

/** The next start finds everything, and nothing to repair. */
const expectClean = async (dir: string): Promise<void> => {
  const server = await start({ dir })
  const client = await server.client()
  expect(plain(await client.command("DBSIZE"))).toBe(1000)
  expect(plain(await client.command("GET", "k999"))).toBe("v999")
  expect(String(plain(await client.command("INFO", "everything")))).toMatch(/^log_torn_bytes:0\r?$/m)
  expect(server.output()).not.toMatch(/cut short|quarantine|corrupt/i)
  expect(server.output()).toMatch(/recovered to sequence 1000: .*, 1000 keys/)
  await client.close()
}

describe("the end", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`by ${signal} is clean: exit code 0, everything there at the next start`, async () => {
      const dir = freshDir()
      const server = await start({ dir })
      await fill(server)
      const idle = await server.client()
      process.kill(server.pid, signal)
      expect(await server.ended).toEqual({ code: 0, signal: null })
      await idle.whenClosed()
      await expectClean(dir)
    })
  }

  const forms = ["", "NOSAVE", "SAVE", "NOW", "FORCE", "NOW FORCE SAVE"]
  it.each(forms.map((form) => [`SHUTDOWN ${form}`.trim()]))(
    "by %s is clean, and closes without a reply",
    async (form) => {
      const dir = freshDir()
      const server = await start({ dir })
      await fill(server)
      const client = await server.client()
      client.send(`${form}\r\n`)
      expect((await client.untilClosed()).toString()).toBe("")
      expect(await server.ended).toEqual({ code: 0, signal: null })
      await expectClean(dir)
    }
  )

  it("refuses forms of SHUTDOWN that contradict themselves", async () => {
    const server = await start()
    const client = await server.client()
    for (const form of [["SAVE", "NOSAVE"], ["WHATEVER"], ["ABORT", "NOW"]]) {
      expect(plain(await client.command("SHUTDOWN", ...form))).toEqual(new Error("ERR syntax error"))
    }
    expect(plain(await client.command("SHUTDOWN", "ABORT"))).toEqual(new Error("ERR No shutdown in progress."))
    expect(plain(await client.command("PING"))).toBe("PONG")
    await client.close()
  })

  it("keeps what was acknowledged in the same pipeline as SHUTDOWN", async () => {
    const dir = freshDir()
    const server = await start({ dir })
    const client = await server.client()
    client.send("SET k v\r\nSHUTDOWN\r\n")
    await client.untilClosed()
    await server.ended
    const next = await start({ dir })
    const again = await next.client()
    expect(plain(await again.command("GET", "k"))).toBe("v")
    await again.close()
  })
})

describe("the start", () => {
  it("is refused by exit code 5 while another server has the directory", async () => {
    const server = await start()
    const before = Fs.readdirSync(server.dir, { recursive: true }).length
    const { code, output } = await run("server", "--port", `${await freePort()}`, "--dir", server.dir)
    expect([code, output]).toEqual([5, expect.stringContaining(`process ${server.pid}`)])
    expect(Fs.readdirSync(server.dir, { recursive: true }).length).toBe(before)
    const client = await server.client()
    expect(plain(await client.command("SET", "k", "v"))).toBe("OK")
    await client.close()
  })

  it("is refused where the port is taken, saying which", async () => {
    const server = await start()
    const { code, output } = await run("server", "--port", `${server.port}`, "--dir", freshDir())
    expect(code).toBe(1)
    expect(output).toMatch(new RegExp(`cannot listen on 127\\.0\\.0\\.1:${server.port}: .*EADDRINUSE`))
    expect(output).not.toMatch(/^\s+at /m)
  })

  it("leaves another server's Unix socket, and files that are none, alone", async () => {
    const path = Path.join(freshDir(), "annals.sock")
    await start({ args: ["--unixsocket", path] })
    const stolen = await run("server", "--port", `${await freePort()}`, "--dir", freshDir(), "--unixsocket", path)
    expect([stolen.code, stolen.output]).toEqual([1, expect.stringContaining("another server listens there")])
    const client = await RespClient.connect({ path })
    expect(plain(await client.command("PING"))).toBe("PONG")
    await client.close()
    const file = Path.join(freshDir(), "precious")
    Fs.writeFileSync(file, "data")
    const refused = await run("server", "--port", `${await freePort()}`, "--dir", freshDir(), "--unixsocket", file)
    expect([refused.code, Fs.readFileSync(file, "utf8")]).toEqual([1, "data"])
  })

  it.each([
    ["--no-such-option", "1", /no-such-option/],
    ["--port", "70000", /port/],
    ["--port", "abc", /port/],
    ["--appendfsync", "sometimes", /appendfsync/],
    ["--maxclients", "", /maxclients/]
  ])("is refused by exit code 2 and a message for %s %s", async (option, value, message) => {
    const { code, output } = await run("server", "--dir", freshDir(), option, value)
    expect([code, output]).toEqual([2, expect.stringMatching(message)])
    expect(output).not.toMatch(/^\s+at /m)
  })

  it("tolerates an address with a dash that this machine does not have, and no other", async () => {
    const server = await start({ args: ["--bind", "127.0.0.1", "-203.0.113.77"] })
    const client = await server.client()
    expect(plain(await client.command("PING"))).toBe("PONG")
    await client.close()
    const place = ["--port", `${await freePort()}`, "--dir", freshDir()]
    const { code, output } = await run("server", ...place, "--bind", "127.0.0.1", "203.0.113.77")
    expect([code, output]).toEqual([1, expect.stringContaining("203.0.113.77")])
  })
})
