/** The server's sockets: accepts connections, ends turns, sweeps; the scope it lives in closes everything. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { chmodSync, lstatSync, unlinkSync } from "node:fs"
import { connect, type Server } from "node:net"
import { ClientState } from "../commands/client.ts"
import { Executor } from "../commands/executor/service.ts"
import { EventLog } from "../log/event-log.ts"
import { prefetchLimit } from "../projections/memory/dict.ts"
import { Clients } from "./clients.ts"
import type { NetSettings } from "./limits.ts"
import { Arguments } from "./resp/parser.ts"
import type { SessionHost } from "./session-host.ts"
import { Session } from "./session.ts"
import { createServer, type Transport } from "./transport.ts"
import { Turn } from "./turn.ts"

/** A socket could not be opened: the port is taken, the address is not ours, the path is not writable. */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  where: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `cannot listen on ${this.where}: ${(this.cause as Error).message}`
  }
}

/** Where to listen. An address beginning with "-" may be missing on this machine. */
export interface Endpoints {
  /** 0: no TCP, or, when there is no Unix socket either, any free port. */
  readonly port: number
  readonly addresses: ReadonlyArray<string>
  readonly backlog: number
  /** "" for none. */
  readonly unixSocket: string
  /** File mode of the socket, 0 to leave it. */
  readonly unixSocketMode: number
}

/** What the network is told; made from the configuration. */
export class NetOptions extends Context.Service<NetOptions, {
  readonly endpoints: Endpoints
  readonly settings: NetSettings
}>()("annals/net/NetOptions") {}

/** Bytes in and out, and rates over the last second. */
export interface Traffic {
  /** How often a socket was read and written. */
  reads: number
  writes: number
  inputBytes: number
  outputBytes: number
  instantaneousInputKbps: number
  instantaneousOutputKbps: number
  instantaneousOps: number
}

/** The network as the rest of the server sees it. */
export class Network extends Context.Service<Network, {
  readonly clients: Clients
  readonly traffic: Traffic
  /** CONFIG RESETSTAT: counters of bytes, reads, writes and connections begin anew. */
  readonly resetTraffic: () => void
  /** Commits and releases replies now rather than at the end of the turn. */
  readonly flush: () => void
  /** Calls back once what this turn has appended is committed. */
  readonly afterCommit: (action: () => void) => void
  /** Sets who is called when the log may have committed or released more; undefined: nobody. */
  readonly onProgress: (listener: (() => void) | undefined) => void
  /** Makes sure that this turn ends with a commit, when something reached the log other than by a client. */
  readonly settle: () => void
  /** Refuses new connections from now on. */
  readonly stopAccepting: () => void
  readonly port: number
}>()("annals/net/Network") {}

const deniedText =
  "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set " +
  "for the default user. In this mode connections are only accepted from the loopback interface. Either set a password " +
  "(requirepass), or start the server with --protected-mode no if every client that can reach it may be trusted, or " +
  "connect from the machine itself.\r\n"

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127."))

const formatAddress = (address: string | undefined, port: number | undefined): string =>
  address === undefined || port === undefined
    ? "?:0"
    : address.includes(":")
    ? `[${address}]:${port}`
    : `${address}:${port}`

const listen = (server: Server, where: string, options: object) =>
  Effect.callback<void, ListenFailed>((resume) => {
    const failed = (cause: Error) => resume(Effect.fail(new ListenFailed({ where, cause })))
    server.once("error", failed)
    server.listen(options, () => {
      server.removeListener("error", failed)
      // Out of descriptors and the like: the listener lives on, accepted connections are not affected.
      server.on("error", () => {})
      resume(Effect.void)
    })
  })

/** What listening on an address this machine does not have fails with. */
const missingAddress = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EPROTONOSUPPORT", "EPFNOSUPPORT"])
const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? ""

/**
 * Removes what a server that is gone left at the path. Where one still answers, listening fails, and anything that is
 * not a socket stays and makes it fail too.
 */
const removeStaleSocket = (path: string) =>
  Effect.callback<void, ListenFailed>((resume) => {
    if (!(lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false)) return resume(Effect.void)
    const probe = connect(path)
    probe.once("connect", () => {
      probe.destroy()
      const cause = new Error("another server listens there")
      resume(Effect.fail(new ListenFailed({ where: path, cause })))
    })
    probe.once("error", (cause) => {
      if (codeOf(cause) !== "ECONNREFUSED") return resume(Effect.fail(new ListenFailed({ where: path, cause })))
      try {
        unlinkSync(path)
        resume(Effect.void)
      } catch (error) {
        resume(Effect.fail(new ListenFailed({ where: path, cause: error })))
      }
    })
  })

/** Most lines the log gets about misbehaving clients. */
const clientWarningsPerSecond = 20

/** Longest time that active expiry, or eviction in the background, takes before sockets are looked at again, ms. */
const sliceMs = 1

/** Turns of the background work between two looks at what connections take. */
const ticksPerMemoryCheck = 5

const make = Effect.gen(function*() {
  const { endpoints, settings } = yield* NetOptions
  const executor = yield* Executor
  const log = yield* EventLog
  const context = yield* Effect.context<never>()
  const warn = (text: string): void => void Effect.runForkWith(context)(Effect.logWarning(text))
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()

  // What clients do wrong is logged, but they do not decide how much is.
  let clientWarnings = 0
  const warnClient = (text: string): void => {
    if (++clientWarnings <= clientWarningsPerSecond) warn(text)
  }

  const clients = new Clients(executor, now)
  const turn = new Turn(log, () => executor.tracking.endTurn())
  log.onReleased(() => turn.released())
  executor.tracking.onPending = () => turn.schedule()
  const traffic: Traffic = {
    reads: 0,
    writes: 0,
    inputBytes: 0,
    outputBytes: 0,
    instantaneousInputKbps: 0,
    instantaneousOutputKbps: 0,
    instantaneousOps: 0
  }
  const host: SessionHost = {
    executor,
    settings,
    argv: new Arguments(),
    ahead: Array.from({ length: prefetchLimit }, () => new Arguments()),
    dirty: (session) => turn.add(session),
    closed: (session) => {
      clients.remove(session)
      turn.forget(session)
    },
    postponed: (session) => clients.postpone(session),
    later: (session) => turn.later(session),
    warn: warnClient,
    now,
    countInput: (bytes) => {
      traffic.inputBytes += bytes
      traffic.reads++
      turn.schedule()
    },
    countOutput: (bytes) => {
      traffic.outputBytes += bytes
      traffic.writes++
    }
  }

  const connected = (kind: "tcp" | "unix") => (transport: Transport): Session | undefined => {
    const { socket } = transport
    const turnAway = (text: string): undefined => {
      clients.rejected++
      transport.send(Buffer.from(text), text.length)
      transport.destroy()
    }
    if (clients.count >= settings.maxClients) return turnAway("-ERR max number of clients reached\r\n")
    if (
      kind === "tcp" && settings.protectedMode && !settings.passwordRequired && !isLoopback(socket.remoteAddress)
    ) return turnAway(deniedText)
    if (settings.tcpKeepaliveSeconds > 0) socket.setKeepAlive(true, settings.tcpKeepaliveSeconds * 1000)
    const path = `${endpoints.unixSocket}:0`
    const client = new ClientState(
      clients.takeId(),
      kind === "unix" ? path : formatAddress(socket.remoteAddress, socket.remotePort),
      kind === "unix" ? path : formatAddress(socket.localAddress, socket.localPort),
      now()
    )
    client.authenticated = !settings.passwordRequired
    const session = new Session(host, transport, client, kind)
    clients.add(session)
    return session
  }

  const servers: Array<Server> = []
  const open = (kind: "tcp" | "unix", where: string, options: object) =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(
        Effect.sync(() => createServer(connected(kind))),
        (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      )
      yield* listen(server, where, options)
      servers.push(server)
      return server
    })

  let closed = false
  // Added before the listeners, so run after them: first nobody new, then the connections go.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
      turn.finish()
      for (const session of clients.all()) session.kill()
    })
  )
  let port = endpoints.port
  if (endpoints.port > 0 || endpoints.unixSocket === "") {
    for (const address of endpoints.addresses) {
      const optional = address.startsWith("-")
      const host = optional ? address.slice(1) : address
      const options = {
        port,
        host: host === "*" ? "0.0.0.0" : host === "::*" ? "::" : host,
        backlog: endpoints.backlog,
        ipv6Only: true
      }
      const opening = open("tcp", formatAddress(host, port), options).pipe(
        Effect.tap((server) =>
          Effect.sync(() => {
            const bound = server.address()
            if (typeof bound === "object" && bound !== null) port = bound.port
          })
        )
      )
      yield* (optional
        ? Effect.catchIf(opening, (error) => missingAddress.has(codeOf(error.cause)), () => Effect.void)
        : opening)
    }
    if (servers.length === 0) {
      return yield* new ListenFailed({
        where: endpoints.addresses.join(" "),
        cause: new Error("this machine has none of these addresses")
      })
    }
  }
  if (endpoints.unixSocket !== "") {
    yield* removeStaleSocket(endpoints.unixSocket)
    yield* open("unix", endpoints.unixSocket, { path: endpoints.unixSocket, backlog: endpoints.backlog })
    if (endpoints.unixSocketMode !== 0) {
      yield* Effect.sync(() => chmodSync(endpoints.unixSocket, endpoints.unixSocketMode))
    }
  }

  let seenInput = 0
  let seenOutput = 0
  let seenCommands = 0
  const everySecond = Effect.sync(() => {
    const left = clientWarnings - clientWarningsPerSecond
    clientWarnings = 0
    if (left > 0) warn(`${left} further warnings about clients within a second were left out`)
    clients.sweep(settings.idleTimeoutSeconds)
    traffic.instantaneousInputKbps = (traffic.inputBytes - seenInput) / 1024
    traffic.instantaneousOutputKbps = (traffic.outputBytes - seenOutput) / 1024
    traffic.instantaneousOps = executor.statistics.commandsProcessed - seenCommands
    seenInput = traffic.inputBytes
    seenOutput = traffic.outputBytes
    seenCommands = executor.statistics.commandsProcessed
  })
  yield* everySecond.pipe(Effect.repeat(Schedule.spaced("1 second")), Effect.forkScoped)

  let removing = false
  const removeSome = (): void => {
    removing = !closed && (executor.expire(sliceMs) || executor.relieveMemory(sliceMs))
    turn.schedule()
    if (removing) setImmediate(removeSome)
  }
  let ticks = 0
  const background = Effect.sync(() => {
    clients.checkPause()
    executor.endWaits()
    if (++ticks % ticksPerMemoryCheck === 0) clients.enforceMemory(settings.clientsBytes, warnClient)
    if (!removing) removeSome()
    executor.keyspace.reclaim()
    executor.compact(sliceMs)
  })
  yield* background.pipe(Effect.repeat(Schedule.spaced("10 millis")), Effect.forkScoped)

  return Network.of({
    clients,
    traffic,
    resetTraffic: () => {
      for (const name of Object.keys(traffic) as Array<keyof Traffic>) traffic[name] = 0
      seenInput = seenOutput = seenCommands = 0
      clients.resetCounters()
    },
    flush: () => turn.finish(),
    afterCommit: (action) => turn.afterCommit(action),
    onProgress: (listener) => {
      turn.onProgress = listener
    },
    settle: () => turn.schedule(),
    stopAccepting: () => {
      for (const server of servers) server.close()
    },
    port
  })
})

/** Listens as `NetOptions` says, for as long as the scope lives. */
export const layer = Layer.effect(Network, make)
