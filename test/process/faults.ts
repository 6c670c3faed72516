/** Servers some of whose system calls fail, and what a client may see of that; for the tests of failing disks. */
import { spawnSync } from "node:child_process"
import { afterAll, afterEach, expect } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { isInstalled, type ServerProcess, startAnnals, type StartOptions } from "../support/processes.ts"
import { plain, type RespClient, type TypedReply } from "../support/resp-client.ts"
import { fold, removeScratch, serverDigest, sleep } from "./oracle.ts"

const servers = new Set<ServerProcess>()

/** Starts a server that is killed after the test if it still runs then. */
export const start = async (options: StartOptions): Promise<ServerProcess> => {
  const server = await startAnnals(options)
  servers.add(server)
  void server.ended.then(() => servers.delete(server))
  return server
}

/** To be called once by every file that uses `start`. */
export const killAfterEach = (): void => {
  afterEach(async () => {
    for (const server of servers) await server.kill()
    servers.clear()
  })
  afterAll(removeScratch)
}

/** Whether a program is installed and succeeds. */
export const runs = (program: string, ...args: ReadonlyArray<string>): boolean =>
  isInstalled(program) && spawnSync(program, args).status === 0

/** Whether system calls can be made to fail here. Tells why when they cannot. */
export const mayTrace = runs("strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "true")
if (!mayTrace) {
  console.log(
    `failing calls are not tested: strace ${isInstalled("strace") ? "may not trace here" : "is not installed"}`
  )
}

/** What of a server is traced, and what fails there. */
export interface Trace {
  /** Names of system calls, "fdatasync,fsync". */
  readonly calls: string
  /** "fsync:error=EIO:when=1": of each thread the first; see strace(1). */
  readonly inject: string
  /** Only calls about these files count; all unless given. */
  readonly files?: ReadonlyArray<string>
  /** Where the trace is written. */
  readonly output?: string
}

/** Starts a server some of whose system calls fail. It has one pool thread: calls are counted per thread. */
export const startTraced = (dir: string, trace: Trace, args: ReadonlyArray<string>): Promise<ServerProcess> =>
  start({
    dir,
    args,
    env: { UV_THREADPOOL_SIZE: "1" },
    launcher: [
      ..."strace -D -f -y -o".split(" "),
      trace.output ?? "/dev/null",
      "-e",
      `trace=${trace.calls}`,
      "-e",
      `inject=${trace.inject}`,
      ...(trace.files ?? []).flatMap((file) => ["-P", file])
    ]
  })

/** Whether a write was refused because the log cannot be written. */
export const isMisconf = (reply: TypedReply): boolean =>
  reply.type === "error" && reply.value.startsWith("MISCONF Errors writing to the AOF file: ")

/** Asks until the answer fits; gives the milliseconds that took. */
export const poll = async (
  ask: () => Promise<TypedReply>,
  fits: (reply: TypedReply) => boolean,
  mostMs = 10_000
): Promise<number> => {
  const began = performance.now()
  for (;;) {
    const reply = await ask()
    const ms = performance.now() - began
    if (fits(reply)) return ms
    if (ms > mostMs) throw new Error(`after ${mostMs} ms still ${JSON.stringify(plain(reply))}`)
    await sleep(10)
  }
}

/**
 * Waits until the server refuses writes. Each look has a connection of its own: one that comes in the very turn whose
 * write fails is answered only when that write has succeeded.
 */
export const untilRefused = async (server: ServerProcess): Promise<void> => {
  const until = performance.now() + 20_000
  for (;;) {
    const probe = await server.client({ timeoutMs: 500 })
    const reply = await probe.command("PING").catch(() => undefined)
    await probe.close()
    if (reply !== undefined && isMisconf(reply)) return
    if (performance.now() > until) throw new Error("writes are not refused")
    await sleep(10)
  }
}

/** Expects everything acknowledged, by key. */
export const expectAll = async (client: RespClient, acknowledged: ReadonlyMap<string, string>): Promise<void> => {
  const keys = [...acknowledged.keys()]
  const values = (await client.pipeline(keys.map((key) => ["GET", key]))).map(plain)
  expect(new Map(keys.map((key, i) => [key, values[i]]))).toEqual(acknowledged)
}

/** A figure or word of INFO. */
export const info = async (client: RespClient, field: string): Promise<string> =>
  new RegExp(`^${field}:([^\r]*)`, "m").exec(String(plain(await client.command("INFO", "everything"))))?.[1] ?? ""

/** What a server came through, see `comeThrough`. */
export interface Survived {
  /** Writes that were answered with OK, and that were refused. */
  readonly acknowledged: number
  readonly refused: number
  /** Everything it wrote to its output. */
  readonly output: string
}

/**
 * A server in segments of 4 KiB, of which some calls fail, is written to and makes a checkpoint. Every write is done or
 * refused as Redis does it; in the end writes are taken; what was acknowledged is there and in the log, which folds to
 * the very same data without the server, and again after the server was killed.
 */
export const comeThrough = async (trace: Trace, dir: string, args: ReadonlyArray<string>): Promise<Survived> => {
  const server = await startTraced(dir, trace, ["--log-segment-bytes", "4096", "--save", "", ...args])
  const client = await server.client()
  const acknowledged = new Map<string, string>()
  let refused = 0
  const write = async (key: string, value: string): Promise<void> => {
    const reply = await client.command("SET", key, value)
    if (reply.type === "status") acknowledged.set(key, value)
    else if (isMisconf(reply)) refused++
    else throw new Error(`SET ${key}: ${JSON.stringify(plain(reply))}`)
  }
  for (let i = 0; i < 40; i++) await write(`k${i % 25}`, `${i}:${"v".repeat(300)}`)
  await client.command("BGSAVE")
  for (let i = 0; i < 10; i++) {
    await write(`l${i}`, `${i}`)
    await sleep(2)
  }
  while (await info(client, "rdb_bgsave_in_progress") !== "0") await sleep(5)
  await poll(() => client.command("SET", "last", "1"), ({ type }) => type === "status")
  acknowledged.set("last", "1")
  // A second checkpoint is made when nothing fails any more.
  await poll(() => client.command("SAVE"), ({ type }) => type === "status")
  await write("after", "1")
  const keys = [...acknowledged.keys()]
  const values = plain(await client.command("MGET", ...keys)) as ReadonlyArray<string>
  for (const [i, key] of keys.entries()) {
    if (values[i] !== acknowledged.get(key)) throw new Error(`${key} is ${values[i]}, not ${acknowledged.get(key)}`)
  }
  const live = await serverDigest(client)
  await server.kill()
  for (let round = 0; round < 2; round++) {
    const { digest, recovery } = fold(nodeDisk(dir))
    if (digest !== live) throw new Error(`the log folds to something else: ${JSON.stringify(recovery)}`)
  }
  return { acknowledged: acknowledged.size, refused, output: server.output() }
}
