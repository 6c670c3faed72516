/** MONITOR, SLOWLOG and CLIENT TRACKING against redis-server 7.0.15. */
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { serverVersion, startRedis } from "../support/redis-server.ts"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"

/** A raw connection that gathers what it is sent. */
class Wire {
  text = ""
  readonly socket: Socket
  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1")
    this.socket.on("data", (bytes) => {
      this.text += bytes.toString("latin1")
    })
  }
  send(...requests: ReadonlyArray<string>): void {
    for (const request of requests) this.socket.write(encodeRequest(request.split(" ")))
  }
  /** Waits until something arrives that matches. */
  async until(pattern: RegExp): Promise<void> {
    for (let i = 0; !pattern.test(this.text) && i < 500; i++) await sleep(10)
    expect(this.text).toMatch(pattern)
  }
  close(): void {
    this.socket.destroy()
  }
}

/** Lines without what differs between any two runs: time and port. */
const comparable = (text: string): string =>
  text.replace(/^\+\d{10}\.\d{6} /gm, "+TIME ").replace(/127\.0\.0\.1:\d+/g, "ADDRESS")

describe.skipIf(serverVersion("redis-server") !== "7.0.15")("against redis-server 7.0.15", () => {
  let servers: ReadonlyArray<ServerProcess>
  beforeAll(async () => {
    servers = [
      await startRedis({ args: ["--enable-debug-command", "yes"] }) as ServerProcess,
      await startAnnals({ args: ["--enable-debug-command", "yes"] })
    ]
  })
  afterAll(() => Promise.all(servers.map((server) => server.stop())))

  /** What each server's monitors see of these requests. */
  const monitored = (requests: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
    Promise.all(servers.map(async ({ port }) => {
      const [watcher, other] = [new Wire(port), new Wire(port)]
      watcher.send("MONITOR")
      await watcher.until(/\+OK\r\n/)
      other.send(...requests, "ECHO end-of-script")
      await watcher.until(/"ECHO" "end-of-script"/)
      other.close()
      watcher.close()
      return comparable(watcher.text)
    }))

  it("MONITOR shows the same lines", async () => {
    const [theirs, ours] = await monitored([
      "SET a 1",
      "get a",
      "SELECT 3",
      "GET z",
      "BADCMD x",
      "GET",
      "AUTH secret",
      "AUTH default secret",
      "HELLO 3 AUTH default secret SETNAME x",
      "HELLO 2",
      "CONFIG SET requirepass abc",
      "CONFIG SET requirepass ",
      "CLIENT ID",
      "CLIENT LIST",
      "COMMAND COUNT",
      "INFO server",
      "SLOWLOG LEN",
      "LATENCY LATEST",
      "DEBUG SLEEP 0",
      "OBJECT ENCODING a",
      "MULTI",
      "INCR a",
      "SETRANGE a -1 x",
      "GET a b",
      "EXEC",
      "MULTI",
      "SET b 1",
      "GET b",
      "EXEC",
      "MULTI",
      "SET b 2",
      "DISCARD",
      "SET k a\"b\\c\n\r\t\x07\b\x00\x7f\xe9",
      "PING"
    ])
    expect(ours).toBe(theirs)
    expect(ours!.split("\r\n").length).toBeGreaterThan(20)
  })

  it("a connection that monitors may not touch keys, and leaves by RESET", async () => {
    const texts = await Promise.all(servers.map(async ({ port }) => {
      const wire = new Wire(port)
      wire.send(
        "MONITOR",
        "GET a",
        "PING",
        "SET a b",
        "MONITOR",
        "RESET",
        "GET nosuch",
        "MONITOR x",
        "MULTI",
        "MONITOR",
        "EXEC",
        "ECHO done"
      )
      await wire.until(/done/)
      wire.close()
      return comparable(wire.text)
    }))
    expect(texts[1]).toBe(texts[0])
  })

  it("refuses and answers CLIENT TRACKING and its like", async () => {
    const requests = [
      "GETREDIR",
      "GETREDIR x",
      "TRACKINGINFO",
      "CACHING yes",
      "CACHING foo",
      "TRACKING",
      "TRACKING foo",
      "TRACKING off",
      "TRACKING off bcast",
      "TRACKING on foo",
      "TRACKING on redirect 99999",
      "TRACKING on redirect",
      "TRACKING on redirect abc",
      "TRACKING on optin optout",
      "TRACKING on prefix a",
      "TRACKING on bcast optin",
      "TRACKING on",
      "TRACKING on bcast",
      "GETREDIR",
      "TRACKINGINFO",
      "CACHING yes",
      "TRACKING off",
      "LIST TYPE foo",
      "LIST TYPE",
      "LIST ID x",
      "LIST foo"
    ]
    for (const protocol of ["2", "3"]) {
      const clients = await Promise.all(servers.map((server) => server.client())) as ReadonlyArray<RespClient>
      for (const client of clients) await client.command("HELLO", protocol)
      for (const request of requests) {
        const bytes = encodeRequest(["CLIENT", ...request.split(" ")])
        const [theirs, ours] = await Promise.all(clients.map(async (client) => (await client.raw(bytes, 1))[0]!))
        expect([request, ours!.toString("latin1")]).toEqual([request, theirs!.toString("latin1")])
      }
      await Promise.all(clients.map((client) => client.close()))
    }
  })

  it("SLOWLOG keeps the same words", async () => {
    const words = await Promise.all(servers.map(async (server) => {
      const client = await server.client()
      await client.command("CONFIG", "SET", "slowlog-log-slower-than", "0")
      await client.command("SLOWLOG", "RESET")
      await client.command("SET", "big", "x".repeat(300))
      await client.command("DEL", ...Array.from({ length: 40 }, (_, i) => `key${i}`))
      await client.command("AUTH", "default", "secret")
      await client.command("CONFIG", "SET", "masterauth", "secret", "timeout", "0")
      await client.command("MULTI")
      await client.command("GET", "x")
      await client.command("EXEC")
      const entries = plain(await client.command("SLOWLOG", "GET", "-1")) as ReadonlyArray<ReadonlyArray<unknown>>
      await client.command("CONFIG", "SET", "slowlog-log-slower-than", "10000")
      await client.close()
      return entries.map((entry) => [entry.length, entry[3]])
    }))
    expect(words[1]).toEqual(words[0])
  })

  it("DEBUG answers what Redis's tests and its clients' ask", async () => {
    const requests = [
      "POPULATE -1",
      "POPULATE abc",
      "POPULATE 2 p x",
      "POPULATE 3",
      "POPULATE 2 pre",
      "POPULATE 5 pre 10",
      "ERROR ABC",
      ...["string", "integer", "double", "null", "array", "set", "map", "verbatim", "true", "false"].map((type) =>
        `PROTOCOL ${type}`
      ),
      "QUICKLIST-PACKED-THRESHOLD 100b",
      "SET-DISABLE-DENY-SCRIPTS 1",
      "REPLYBUFFER RESIZING 1",
      "PAUSE-CRON 0"
    ]
    for (const protocol of ["2", "3"]) {
      const clients = await Promise.all(servers.map((server) => server.client()))
      for (const client of clients) {
        await client.command("FLUSHALL")
        await client.command("HELLO", protocol)
      }
      for (
        const request of [
          ...requests.map((text) => `DEBUG ${text}`),
          "GET pre:4",
          "STRLEN pre:4",
          "GET pre:1",
          "GET key:2",
          "DBSIZE"
        ]
      ) {
        const bytes = encodeRequest(request.split(" "))
        const [theirs, ours] = await Promise.all(clients.map(async (client) => (await client.raw(bytes, 1))[0]!))
        expect([request, ours!.toString("latin1")]).toEqual([request, theirs!.toString("latin1")])
      }
      await Promise.all(clients.map((client) => client.close()))
    }
  })
})
