/** More connections than there is room for: who is inside is served, who is outside is told, and the server lives. */
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import { describe, expect, it } from "vitest"
import { isInstalled } from "../support/processes.ts"
import { RespClient } from "../support/resp-client.ts"
import { ask, busy, connected, deaf, eventually, gone, info, start, startWith, stopAfterEach } from "./live.ts"

stopAfterEach()

const refusal = "-ERR max number of clients reached\r\n"

/** Connects, and gives all that comes until the connection ends; a refused or reset one gives what had come. */
const knock = (port: number): Promise<string> =>
  new Promise((resolve) => {
    let text = ""
    const socket = Net.connect({ port, host: "127.0.0.1" })
    socket.on("data", (chunk: Buffer) => text += chunk.toString("latin1"))
    socket.on("error", () => {})
    socket.on("close", () => resolve(text))
  })

const knockAll = (port: number, count: number): Promise<Array<string>> =>
  Promise.all(Array.from({ length: count }, () => knock(port)))

describe("a flood of connections", () => {
  it("beyond maxclients is turned away 500 times while those inside work, half requests and all", async () => {
    const { port } = await start("--maxclients", "100")
    const first = await RespClient.connect({ port })
    await eventually("the probe of the start is gone", async () => await connected(first) === 1)
    const half = await Promise.all(Array.from({ length: 97 }, () => deaf(port)))
    for (const [i, socket] of half.entries()) socket.write("*2\r\n$4\r\nECHO\r\n$5\r\nhello".slice(0, 1 + i % 24))
    const worker = await RespClient.connect({ port })
    await eventually("all are inside", async () => await connected(first) === 99)
    const last = await RespClient.connect({ port })
    const stop = busy(worker, "n")
    expect(new Set(await knockAll(port, 500))).toEqual(new Set([refusal]))
    expect(await info(first, "rejected_connections")).toBe(500)
    expect(await ask(last, "PING")).toBe("PONG")
    for (const socket of half) socket.destroy()
    await eventually("there is room again", async () => await connected(first) === 3)
    expect(await ask(await RespClient.connect({ port }), "PING")).toBe("PONG")
    expect(await stop()).toBeGreaterThan(0)
  })

  it("of half requests ends with timeout, piece by piece or not at all", async () => {
    const { port } = await start("--timeout", "1")
    const first = await RespClient.connect({ port })
    const half = await Promise.all(Array.from({ length: 100 }, () => deaf(port)))
    const ends = half.map(gone)
    for (const [i, socket] of half.entries()) {
      socket.resume()
      if (i % 2 === 0) socket.write("*2\r\n$4\r\nECHO\r\n$100\r\nabc")
    }
    const stop = busy(first, "n")
    await Promise.all(ends)
    expect(await stop()).toBeGreaterThan(0)
    await eventually("one is left", async () => await connected(first) === 1)
  })
})

/** How many descriptors a process has open. */
const descriptors = (pid: number): number => Fs.readdirSync(`/proc/${pid}/fd`).length

describe("a storm of connections that come and go", () => {
  it("by every kind of end leaves nothing, and nobody who stays notices", async () => {
    const server = await start()
    const { pid, port } = server
    const first = await RespClient.connect({ port })
    await eventually("the probe of the start is gone", async () => await connected(first) === 1)
    expect(await ask(first, "SET", "big", "v".repeat(1024 * 1024))).toBe("OK")
    const before = descriptors(pid)
    const stop = busy(await RespClient.connect({ port }), "n")
    const requests = [
      "",
      "PING\r\n",
      "*2\r\n$4\r\nEC",
      "GET big\r\nGET big\r\n",
      "MULTI\r\nSET k v\r\n",
      "BLPOP l 0\r\n",
      "nonsense \"\r\n"
    ]
    const ends = [
      (socket: Net.Socket) => socket.end(),
      (socket: Net.Socket) => socket.destroy(),
      (socket: Net.Socket) => socket.resetAndDestroy()
    ]
    let done = 0
    const visit = async (i: number): Promise<void> => {
      const socket = Net.connect({ port, host: "127.0.0.1" })
      socket.on("error", () => {})
      const closed = gone(socket)
      await new Promise<void>((resolve) => socket.once("connect", resolve).once("close", () => resolve()))
      const request = requests[i % requests.length]!
      if (request !== "") socket.write(request)
      if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
      socket.resume()
      ends[i % ends.length]!(socket)
      await closed
      done++
    }
    const visits = 1500
    for (let i = 0; i < visits; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => visit(i + j)))
    expect(done).toBe(visits)
    await eventually("all are gone", async () => await connected(first) === 2)
    expect(await stop()).toBeGreaterThan(0)
    expect(await info(first, "total_connections_received")).toBeGreaterThan(visits / 3) // some were gone before they were let in
    expect([await info(first, "blocked_clients"), await ask(first, "EXISTS", "k")]).toEqual([0, 0])
    await eventually("their descriptors are closed", () => descriptors(pid) <= before + 1)
    expect(await info(first, "mem_clients_normal")).toBeLessThan(1024 * 1024)
  })

  it("follows maxclients as it is set, up and down, and cuts nobody who is inside", async () => {
    const { port } = await start("--maxclients", "2")
    const first = await RespClient.connect({ port })
    await eventually("the probe of the start is gone", async () => await connected(first) === 1)
    const inside = [first, await RespClient.connect({ port })]
    for (const [limit, room] of [[2, 0], [5, 3], [1, 0], [6, 1], [5, 0]] as const) {
      expect(await ask(first, "CONFIG", "SET", "maxclients", `${limit}`)).toBe("OK")
      for (let i = 0; i < room; i++) inside.push(await RespClient.connect({ port }))
      expect(await knock(port)).toBe(refusal)
      for (const client of inside) expect(await ask(client, "PING")).toBe("PONG")
    }
    expect(inside.length).toBe(6)
  })
})

describe.skipIf(!isInstalled("ss"))("tcp-keepalive", () => {
  for (const [seconds, seen] of [[300, true], [0, false]] as const) {
    it(`${seconds} ${seen ? "is" : "is not"} set on the sockets of clients, whether from the start or by CONFIG SET`, async () => {
      const timers = (port: number): Array<boolean> => {
        const { stdout } = spawnSync("ss", ["-tnoH", "state", "established", `( sport = :${port} )`], {
          encoding: "utf8"
        })
        return stdout.trim().split("\n").map((line) => /timer:\(keepalive,([\d.]+)(min|sec)/.test(line))
      }
      const { port } = await start("--tcp-keepalive", `${seconds}`)
      const client = await RespClient.connect({ port })
      await eventually("the probe of the start is gone", async () => await connected(client) === 1)
      // For a moment another timer stands there, that of the reply under way.
      await eventually("the timer is as it should be", () => timers(port).join() === `${seen}`)
      expect(await ask(client, "CONFIG", "SET", "tcp-keepalive", seen ? "0" : "120")).toBe("OK")
      const later = await RespClient.connect({ port })
      expect(await ask(later, "PING")).toBe("PONG")
      await eventually("it is on one of the two", () => timers(port).toSorted().join() === "false,true")
      await client.close()
      await later.close()
    })
  }
})

const hasLimits = isInstalled("prlimit") && Fs.existsSync("/proc/self/limits")

describe.skipIf(!hasLimits)("the limit on open files", () => {
  it("lowers maxclients at the start, so that nobody takes the files the log needs", async () => {
    const server = await startWith({
      launcher: ["prlimit", "--nofile=128:128"],
      args: ["--log-segment-bytes", "65536"]
    })
    const { port } = server
    const first = await RespClient.connect({ port })
    expect(await ask(first, "CONFIG", "GET", "maxclients")).toEqual(["maxclients", "64"])
    expect(server.output()).toMatch(/maxclients 10000 takes 10064 open files, and the limit is 128: it is 64 now/)
    expect(await ask(first, "CONFIG", "SET", "maxclients", "65")).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'maxclients') - "
        + "The operating system is not able to handle the specified number of clients, try with 64"
    )
    await eventually("the probe of the start is gone", async () => await connected(first) === 1)
    const inside = await Promise.all(Array.from({ length: 63 }, () => RespClient.connect({ port })))
    for (const client of inside) expect(await ask(client, "PING")).toBe("PONG")
    expect(new Set(await knockAll(port, 100))).toEqual(new Set([refusal]))
    // The log goes on from segment to segment, and a checkpoint is made.
    for (let i = 0; i < 50; i++) expect(await ask(first, "SET", `k${i}`, "v".repeat(10_000))).toBe("OK")
    expect(await info(first, "log_segments")).toBeGreaterThan(3)
    expect(await ask(first, "SAVE")).toBe("OK")
    expect(await ask(inside[62]!, "DBSIZE")).toBe(50)
  })

  it("reached while connections come: they are lost, those inside and the log go on, and later ones are served", async () => {
    const server = await startWith({ args: ["--log-segment-bytes", "1048576"] })
    const { pid, port } = server
    const first = await RespClient.connect({ port })
    await eventually("the probe of the start is gone", async () => await connected(first) === 1)
    const stop = busy(await RespClient.connect({ port }), "n")
    const limit = (count: number | string): void => {
      expect(spawnSync("prlimit", [`--pid=${pid}`, `--nofile=${count}:`]).status).toBe(0)
    }
    const usual = /Max open files\s+(\d+)/.exec(Fs.readFileSync(`/proc/${pid}/limits`, "utf8"))![1]!
    for (let round = 0; round < 3; round++) {
      // As if somebody else had taken the rest of them; a few connections still fit.
      const taken = new Set(Fs.readdirSync(`/proc/${pid}/fd`).map(Number))
      const free = Array.from({ length: 1000 }, (_, fd) => fd).filter((fd) => !taken.has(fd))
      limit(free[4]!)
      const before = await info(first, "total_connections_received")
      const knocking = Array.from({ length: 40 }, () => Net.connect({ port, host: "127.0.0.1" }))
      const ends = knocking.map((socket) => {
        socket.on("error", () => {})
        socket.resume()
        return gone(socket)
      })
      let lost = 0
      for (const end of ends) void end.then(() => lost++)
      await eventually("most are lost", () => lost > 20)
      expect(await info(first, "total_connections_received") - before).toBeLessThan(20)
      // INFO, for one, asks the system through a file.
      expect(await info(first, "used_memory_rss")).toBeGreaterThan(0)
      for (let i = 0; i < 20; i++) expect(await ask(first, "SET", `k${i}`, "v".repeat(1000))).toBe("OK")
      limit(usual)
      const later = await RespClient.connect({ port })
      expect(await ask(later, "DBSIZE")).toBe(21)
      for (const socket of knocking) socket.destroy()
      await Promise.all(ends)
      await later.close()
      await eventually("all are gone", async () => await connected(first) === 2)
    }
    expect(await stop()).toBeGreaterThan(0)
    const digest = await ask(first, "DEBUG", "DIGEST")
    expect(await ask(first, "DEBUG", "RELOAD")).toBe("OK")
    expect(await ask(first, "DEBUG", "DIGEST")).toBe(digest)
  })

  it("refuses a start without room for a client, saying so", async () => {
    await expect(startWith({ launcher: ["prlimit", "--nofile=64:64"] })).rejects.toThrow(
      /the limit of 64 open files leaves no room for clients/
    )
  })
})
