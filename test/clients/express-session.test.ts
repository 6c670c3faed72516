/** A web application that keeps its sessions here: express-session with connect-redis as its store, over HTTP. */
import { RedisStore } from "connect-redis"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { createClient } from "redis"
import { afterAll, expect, it } from "vitest"
import { removeScratch, scratchDir, sleep } from "../process/oracle.ts"
import { startAnnals } from "../support/processes.ts"

interface Session {
  visits?: number
  readonly cookie: { maxAge: number }
  destroy(done: (failure?: unknown) => void): void
}

type Visit = IncomingMessage & { session: Session }
type Middleware = (request: Visit, response: ServerResponse, next: (failure?: unknown) => void) => void

// The package comes without types; these are of the little that is used here.
const session = createRequire(import.meta.url)("express-session") as (options: {
  readonly store: RedisStore
  readonly secret: string
  readonly resave: boolean
  readonly saveUninitialized: boolean
  readonly cookie: { readonly maxAge: number }
}) => Middleware

afterAll(removeScratch)

/** What the store's methods tell their callbacks. */
const told = <T>(ask: (done: (failure: unknown, answer: T) => void) => unknown): Promise<T> =>
  new Promise((resolve, reject) =>
    void ask((failure, answer) => failure === null ? resolve(answer) : reject(failure as Error))
  )

it("keeps sessions over a restart, until they expire or are destroyed", async () => {
  const dir = scratchDir("sessions")
  let server = await startAnnals({ dir })
  const { port } = server
  const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: () => 30 } })
  client.on("error", () => {}) // While the server is down every attempt to reconnect is one.
  await client.connect()
  const store = new RedisStore({ client, prefix: "session:" })
  const sessions = session({
    store,
    secret: "of this test",
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 3_600_000 }
  })
  const web = createServer((request, response) => {
    const visit = request as Visit
    sessions(visit, response, (failure) => {
      if (failure !== undefined) return void response.writeHead(500).end(String(failure))
      if (visit.url === "/leave") return visit.session.destroy((why) => response.end(why ? String(why) : "left"))
      if (visit.url === "/soon") visit.session.cookie.maxAge = 700
      if (visit.url !== "/look") visit.session.visits = (visit.session.visits ?? 0) + 1
      response.end(`${visit.session.visits}`)
    })
  })
  await once(web.listen(0, "127.0.0.1"), "listening")

  /** A browser: it sends back the cookie it was given. */
  const browser = () => {
    let cookie = ""
    return async (path: string): Promise<string> => {
      const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}${path}`
      const response = await fetch(url, { headers: { cookie } })
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie
      return response.text()
    }
  }

  try {
    const [ann, bob, eve] = [browser(), browser(), browser()]
    expect([await ann("/visit"), await ann("/visit"), await bob("/visit"), await eve("/look")])
      .toEqual(["1", "2", "1", "undefined"])
    // Nothing is stored of somebody who did nothing, and the cookie's hour is the key's.
    const keys = await client.keys("*")
    expect(keys.length).toBe(2)
    expect(await client.ttl(keys[0]!)).toBeGreaterThan(3500)
    expect(await told<number>((done) => store.length(done))).toBe(2)

    await server.kill()
    server = await startAnnals({ dir, port })
    expect([await ann("/look"), await ann("/visit"), await bob("/visit")]).toEqual(["2", "3", "2"])

    // A visit that changes nothing puts off the deadline only.
    await client.expire(keys[0]!, 100)
    await client.expire(keys[1]!, 100)
    expect([await ann("/look"), await bob("/look")]).toEqual(["3", "2"])
    for (const key of keys) expect(await client.ttl(key)).toBeGreaterThan(3500)

    expect(await eve("/visit")).toBe("1")
    const all = await told<ReadonlyArray<Session>>((done) => store.all(done))
    expect(all.map(({ visits }) => visits).toSorted()).toEqual([1, 2, 3])

    // The store rounds times to live up to whole seconds.
    const shortened = performance.now()
    expect(await eve("/soon")).toBe("2")
    while (await client.dbSize() > 2) await sleep(20)
    expect(performance.now() - shortened).toBeGreaterThan(990)
    expect(await eve("/look")).toBe("undefined")
    expect((await client.keys("*")).toSorted()).toEqual(keys.toSorted())

    expect([await ann("/leave"), await ann("/look"), await bob("/look")]).toEqual(["left", "undefined", "2"])
    expect(await client.dbSize()).toBe(1)
    await told((done) => store.clear(done))
    expect([await bob("/look"), await client.dbSize()]).toEqual(["undefined", 0])
  } finally {
    client.destroy()
    web.closeAllConnections()
    web.close()
    await server.kill()
  }
})
