/** The servers a benchmark runs, each the same way: one at a time, on core 0, logging alike. */
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { isInstalled, type ServerProcess, startAnnals, type StartOptions } from "../support/processes.ts"
import { serverVersion, startRedis, startValkey } from "../support/redis-server.ts"

export type ServerName = "annals" | "redis-server" | "valkey-server"
/** When the log is synced; every server logs every write. */
export type Appendfsync = "everysec" | "always" | "no"

/** Server on core 0, load on core 1, when the machine has both and taskset. */
export const pinned = isInstalled("taskset") && Os.cpus().length >= 2
export const serverLauncher: ReadonlyArray<string> = pinned ? ["taskset", "-c", "0"] : []
export const loadLauncher: ReadonlyArray<string> = pinned ? ["taskset", "-c", "1"] : []

/** Gives a server all cores, where nothing else runs beside it: what it does with them at its start is its own doing. */
export const freeLauncher: ReadonlyArray<string> = pinned ? ["taskset", "-c", `0-${Os.cpus().length - 1}`] : []

/** Moves this process, which drives part of the load itself, to the load's core. */
export const pinThisProcess = (): void => {
  if (pinned) spawnSync("taskset", ["-a", "-c", "-p", "1", `${process.pid}`])
}

/** As for every server process, and what it starts from. */
export interface BenchOptions extends StartOptions {
  /**
   * Redis and Valkey keep no log and load the RDB file in `dir`; otherwise they would load their log. Annals, which has
   * no other way, loads its newest checkpoint and what the log holds after it.
   */
  readonly fromSnapshot?: boolean
}

/** The servers that can run here, Annals first. */
export const installedServers = (): ReadonlyArray<ServerName> => [
  "annals",
  ...(["redis-server", "valkey-server"] as const).filter((name) => serverVersion(name) !== undefined)
]

/**
 * Starts a server with its log on. `upkeep` says whether the log is also kept short: Redis and Valkey rewrite theirs as
 * they do unless told otherwise, Annals makes checkpoints as it does unless told otherwise and compresses sealed
 * segments. Without it the bare writing is compared. Snapshots by the clock (`save`) are off everywhere.
 * `actual` runs another program in a server's place.
 */
export const startServer = async (
  name: ServerName,
  appendfsync: Appendfsync,
  upkeep: boolean,
  { fromSnapshot = false, ...options }: BenchOptions = {},
  actual: ServerName = name
): Promise<ServerProcess> => {
  const common = ["--appendfsync", appendfsync, "--save", "", ...upkeep ? [] : ["--auto-aof-rewrite-percentage", "0"]]
  const shared = { launcher: serverLauncher, ...options, startTimeoutMs: 600_000 }
  if (actual === "annals") {
    const bare = upkeep ? [] : ["--log-compression", "no"]
    return startAnnals({ ...shared, args: [...common, ...bare, ...options.args ?? []] })
  }
  const args = ["--appendonly", fromSnapshot ? "no" : "yes", ...common]
  const started = await (actual === "redis-server" ? startRedis : startValkey)({
    ...shared,
    args: [...args, ...options.args ?? []]
  })
  if (started === undefined) throw new Error(`${actual} is not installed`)
  return started
}

/** Resident memory of a process, in bytes (Linux). */
export const residentBytes = (pid: number): number => {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(Fs.readFileSync(`/proc/${pid}/status`, "utf8"))
  if (line === null) throw new Error(`no VmRSS of process ${pid}`)
  return Number(line[1]) * 1024
}

/** Bytes of all files below a directory. */
export const directoryBytes = (dir: string): number =>
  Fs.readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => {
      // A file may be renamed or removed while the list is read.
      const found = Fs.statSync(Path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })
      return sum + (found?.size ?? 0)
    }, 0)
