/**
 * Servers as child processes for tests and benchmarks: Annals itself, or any other program that answers PING on a
 * loopback port. Every child dies with the process that started it, also when that one is killed.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { RespClient } from "./resp-client.ts"

/** The root of the repository. */
export const repository = Path.resolve(fileURLToPath(new URL("../..", import.meta.url)))

/** How a child ended: exit code, or the signal that ended it. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface StartOptions {
  /** Port to listen on; a free one unless given. */
  readonly port?: number
  /** Data directory, kept afterwards; unless given, a fresh temporary one that is removed at the end. */
  readonly dir?: string
  /** Further arguments, after port and directory. */
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Words put in front of the program: `["taskset", "-c", "0"]`. */
  readonly launcher?: ReadonlyArray<string>
  /** Time allowed until the first answer to PING; 60 s unless told. */
  readonly startTimeoutMs?: number
}

/** A running server and the means to watch and end it. */
export interface ServerProcess {
  readonly name: string
  readonly port: number
  readonly pid: number
  readonly dir: string
  /** Milliseconds from spawn to the first answer to PING. */
  readonly startedInMs: number
  readonly ended: Promise<Ended>
  /** Everything written to standard output and standard error so far (the last MiB). */
  output(): string
  client(options?: { readonly timeoutMs?: number; readonly pushesAreReplies?: boolean }): Promise<RespClient>
  /** SIGTERM, then SIGKILL after ten seconds; removes the temporary directory. */
  stop(): Promise<Ended>
  /** SIGKILL; keeps the directory until the test process ends, so that it can be started again. */
  kill(): Promise<Ended>
}

/** The program ended or stayed silent instead of answering PING. */
export class ServerDidNotStart extends Error {
  override readonly name = "ServerDidNotStart"
  readonly ended: Ended | undefined
  readonly output: string

  constructor(name: string, why: string, ended: Ended | undefined, output: string) {
    super(`${name} did not start: ${why}\n${output}`)
    this.ended = ended
    this.output = output
  }
}

const children = new Set<ChildProcess>()
const temporaryDirs = new Set<string>()

process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL")
  for (const dir of temporaryDirs) Fs.rmSync(dir, { recursive: true, force: true })
})

/** Whether a program can be started by this name. */
export const isInstalled = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(Path.delimiter).some((dir) => {
    try {
      Fs.accessSync(Path.join(dir, program), Fs.constants.X_OK)
      return Fs.statSync(Path.join(dir, program)).isFile()
    } catch {
      return false
    }
  })

/** "exit" is not heard when this process is killed; where Linux offers it, the kernel then kills the child. */
const deathSignal: ReadonlyArray<string> = process.platform === "linux" && isInstalled("setpriv") &&
    spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0
  ? ["setpriv", "--pdeathsig", "KILL"]
  : []

/** A program and its arguments, to be started so that it dies with this process, whatever ends this one. */
export const dyingWithUs = (words: ReadonlyArray<string>): ReadonlyArray<string> => [...deathSignal, ...words]

/** A fresh directory under the system's temporary one, removed when this process ends. */
export const temporaryDir = (purpose: string): string => {
  const dir = Fs.mkdtempSync(Path.join(Os.tmpdir(), `annals-${purpose}-`))
  temporaryDirs.add(dir)
  return dir
}

/** Removes a directory made by `temporaryDir` before the process ends. */
export const removeTemporaryDir = (dir: string): void => {
  if (temporaryDirs.delete(dir)) Fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
}

/**
 * Ports of this worker of vitest alone, below those that systems give to connections: of two workers that find the same
 * port free, one would start its server there and find the other's answering.
 */
const portsPerWorker = 2400
const firstPort = 12_000 + Number(process.env["VITEST_POOL_ID"] ?? 0) % 8 * portsPerWorker
let nextPort = process.pid

/** A loopback port nobody listened on a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const port = firstPort + nextPort++ % portsPerWorker
    const server = Net.createServer()
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") freePort().then(resolve, reject)
      else reject(error)
    })
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(port)))
  })

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** True when the server answers requests; while it loads or does not listen yet, false. */
const answers = async (port: number): Promise<boolean> => {
  let client: RespClient | undefined
  try {
    client = await RespClient.connect({ port, timeoutMs: 5_000 })
    const reply = await client.command("PING")
    // Refused for want of a password is an answer too.
    return reply.type !== "error" || !reply.value.startsWith("LOADING")
  } catch {
    return false
  } finally {
    await client?.close()
  }
}

const outputLimit = 1 << 20

/** Starts a program and waits for its first answer to PING. `command` gets port and directory and gives program and arguments. */
export const startServer = async (
  name: string,
  command: (port: number, dir: string) => ReadonlyArray<string>,
  options: StartOptions = {}
): Promise<ServerProcess> => {
  const port = options.port ?? await freePort()
  const dir = options.dir ?? temporaryDir(name)
  const words = [...deathSignal, ...options.launcher ?? [], ...command(port, dir), ...options.args ?? []]
  const spawnedAt = performance.now()
  const child = spawn(words[0]!, words.slice(1), {
    cwd: dir,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  children.add(child)
  let output = ""
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-outputLimit)
  }
  child.stdout.on("data", collect)
  child.stderr.on("data", collect)
  let end: Ended | undefined
  const ended = new Promise<Ended>((resolve) => {
    const finish = (result: Ended): void => {
      end = result
      children.delete(child)
      resolve(result)
    }
    child.once("error", (cause) => {
      output += `${cause.message}\n`
      finish({ code: null, signal: null })
    })
    child.once("close", (code, signal) => finish({ code, signal }))
  })
  const kill = (): Promise<Ended> => {
    child.kill("SIGKILL")
    return ended
  }
  const dispose = (): void => {
    if (options.dir === undefined) removeTemporaryDir(dir)
  }

  const deadline = spawnedAt + (options.startTimeoutMs ?? 60_000)
  // The child must be alive too: something else may answer on a port it could not bind.
  while (!(await answers(port)) || end !== undefined) {
    const why = end !== undefined
      ? `it ended with ${end.code ?? end.signal ?? "no exit code"}`
      : performance.now() > deadline
      ? "no answer in the time allowed"
      : undefined
    if (why !== undefined) {
      await kill()
      dispose()
      throw new ServerDidNotStart(name, why, end, output)
    }
    await sleep(2)
  }
  const startedInMs = performance.now() - spawnedAt

  return {
    name,
    port,
    pid: child.pid!,
    dir,
    startedInMs,
    ended,
    output: () => output,
    client: (clientOptions) => RespClient.connect({ port, ...clientOptions }),
    kill,
    stop: async () => {
      child.kill("SIGTERM")
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000)
      const result = await ended
      clearTimeout(force)
      dispose()
      return result
    }
  }
}

/** A free port may be taken by another test before the child binds it: such a start is tried again on another one. */
export const startOnFreePort = async (
  name: string,
  command: (port: number, dir: string) => ReadonlyArray<string>,
  options: StartOptions
): Promise<ServerProcess> => {
  for (let attempt = 1;; attempt++) {
    try {
      return await startServer(name, command, options)
    } catch (cause) {
      const taken = cause instanceof ServerDidNotStart && /EADDRINUSE|[Aa]ddress already in use/.test(cause.output)
      if (!taken || options.port !== undefined || attempt === 3) throw cause
    }
  }
}

/** The Node that comes with the repository, or the one running this. */
export const nodePath = ((): string => {
  const local = Path.join(repository, "node_modules", ".bin", "node")
  return Fs.existsSync(local) ? Fs.realpathSync(local) : process.execPath
})()

/** Starts Annals from the sources, with DEBUG for clients of this machine. */
export const startAnnals = (options: StartOptions = {}): Promise<ServerProcess> =>
  startOnFreePort(
    "annals",
    (port, dir) =>
      [Path.join(repository, "bin", "annals"), "server", "--port", `${port}`, "--dir", dir]
        .concat("--enable-debug-command", "local"),
    options
  )
