/** The server as control commands see it: figures of the process, DEBUG's reach into the executor, and its end. */
import * as Context from "effect/Context"
import type { CommandExecutor } from "../commands/executor/executor.ts"
import type { PersistencePort, ServerPort } from "../commands/ports.ts"
import type { ReplicationPort } from "../commands/replication/port.ts"
import type { EventLog } from "../log/event-log.ts"
import type { Traffic } from "./listener.ts"

/** What does not change while the server runs. */
export interface ServerIdentity {
  readonly version: string
  /** The Redis version whose behaviour clients may count on. */
  readonly redisVersion: string
  /** 40 hexadecimal digits, new at every start. */
  readonly runId: string
  readonly pid: number
  readonly executable: string
  readonly configFile: string
  readonly os: string
  readonly runtime: string
  readonly systemMemory: number
  /** Unix milliseconds. */
  readonly startedAt: number
}

/** What the port needs of the running server. */
export interface ServerParts {
  readonly identity: ServerIdentity
  readonly executor: CommandExecutor
  readonly log: EventLog["Service"]
  readonly persistence: PersistencePort
  readonly replication: ReplicationPort
  readonly traffic: Traffic
  readonly resetTraffic: () => void
  readonly tcpPort: number
  readonly nowMicros: () => number
  /** Commits what this turn appended and sends the replies. */
  readonly flush: () => void
  /** Begins the orderly end of the process. */
  readonly stop: () => void
  readonly memoryUsage: () => ReturnType<ServerPort["memory"]>
  readonly cpuUsage: () => ReturnType<ServerPort["cpu"]>
}

/** Begins the end of the server: completing it ends the main fiber, whose scope closes everything in order. */
export class Shutdown extends Context.Service<Shutdown, { readonly begin: () => void }>()("annals/net/Shutdown") {}

/**
 * How to learn what the process takes, in bytes. The system is asked through a file: where no descriptor is left for
 * that, the answer is the one before.
 */
export const memoryOfProcess = (): () => NodeJS.MemoryUsage => {
  let last = process.memoryUsage()
  return () => {
    try {
      last = process.memoryUsage()
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause
    }
    return last
  }
}

const sleepCell = new Int32Array(new SharedArrayBuffer(4))

/** Makes the port control commands use. */
export const makeServerPort = (parts: ServerParts): ServerPort => {
  const { executor, identity, log } = parts
  return {
    ...identity,
    tcpPort: parts.tcpPort,
    nowMicros: parts.nowMicros,
    memory: parts.memoryUsage,
    cpu: parts.cpuUsage,
    logStatus: () => log.status(),
    traffic: () => parts.traffic,
    resetTraffic: parts.resetTraffic,
    // The log holds every acknowledged write at any time: a checkpoint only makes the next start faster, and only a write
    // that the disk has not taken yet, and that nobody was told about, would be given up.
    shutdown: ({ force, now, save }, connection) => {
      if (log.failure() !== undefined && !force && save !== false) return false
      if (!parts.persistence.beforeShutdown(save) && !force) return false
      if (now) parts.stop()
      else parts.replication.leaving.begin(parts.stop, connection)
      return true
    },
    abortShutdown: () => parts.replication.leaving.abort(),
    sleep: (ms) => void Atomics.wait(sleepCell, 0, 0, ms),
    persistence: parts.persistence,
    replication: parts.replication,
    setActiveExpire: (on) => {
      executor.activeExpire = on
    },
    get activeExpire() {
      return executor.activeExpire
    }
  }
}
