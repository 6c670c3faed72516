/**
 * What questions about the past take, on a log of ten million writes to a million keys, with checkpoints: the first one
 * after a start, keys that nobody has asked about, keys of a hundred events each, all data of random moments, `verify`;
 * and what clients notice of all that. Annals only: no other server remembers.
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { removeTemporaryDir, repository, type ServerProcess, temporaryDir } from "../support/processes.ts"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"
import { fillWith, keyOf, redisBenchmark, writeDigits } from "./load.ts"
import { type Turn, withServer } from "./parts.ts"
import { quantile } from "./report.ts"
import { loadLauncher } from "./servers.ts"

/** How much is written. */
export interface Written {
  readonly events: number
  /** Keys of most events. */
  readonly keys: number
}

/** One write of so many goes to one of the keys of a hundred events, in turn. */
const rarely = 1000
const eventsOfOften = 100
const oftenFrom = 900_000_000_000
/** Checkpoints that are made while everything is written. */
const saves = 16
/** Segments that stay as they are: the one that is written to, and the two before it. */
const uncompressed = 3
const timeoutMs = 120_000

const oftenKeys = ({ events }: Written): number => Math.max(1, Math.floor(events / rarely / eventsOfOften))
const scattered = (number: number): number => Math.imul(number, 0x9e37_79b1) >>> 0

/** The number of the key that a write goes to. */
const keyNumber = (number: number, written: Written): number =>
  number % rarely === 7
    ? oftenFrom + Math.floor(number / rarely) % oftenKeys(written)
    : scattered(number) % written.keys

/**
 * Writes everything; the value of a key tells which write it was. Checkpoints are made as often as the server would by
 * itself over an hour or two in which that is written; it keeps those that lie far enough apart.
 */
export const fillHistory = async (server: ServerProcess, written: Written): Promise<void> => {
  const zeros = "0".repeat(12)
  const request = encodeRequest(["SET", `key:${zeros}`, `value:${zeros}`])
  const keyAt = request.indexOf("key:") + 4
  const valueAt = request.indexOf("value:") + 6
  const client = await server.client({ timeoutMs })
  const each = Math.ceil(written.events / saves)
  for (let from = 0; from < written.events; from += each) {
    await fillWith(server.port, Math.min(each, written.events - from), request, "+OK\r\n", (bytes, at, number) => {
      writeDigits(bytes, at + keyAt, keyNumber(from + number, written))
      writeDigits(bytes, at + valueAt, from + number)
    })
    await client.command("SAVE")
  }
  await untilCompressed(server.dir)
  await client.close()
}

/** Waits until the server has compressed its segments: all that are sealed but the newest two. */
const untilCompressed = async (dir: string): Promise<void> => {
  const files = () => Fs.readdirSync(Path.join(dir, "log")).filter((name) => name.endsWith(".evl"))
  while (files().length > uncompressed) await sleep(500)
}

/** Milliseconds until a command is answered, by anything but an error. */
const timed = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<[ms: number, reply: unknown]> => {
  const began = performance.now()
  const reply = await client.command(...words)
  const ms = performance.now() - began
  if (reply.type === "error") throw new Error(`${words.join(" ")} answered ${reply.value}`)
  return [ms, plain(reply)]
}

const random = (below: number): number => Math.floor(Math.random() * below)

const ascending = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.toSorted((a, b) => a - b)

/** Asks what a key held at a random moment. */
const askKey = async (client: RespClient, { events, keys }: Written): Promise<number> =>
  (await timed(client, "LOG.ASOF", `${1 + random(events)}`, "GET", keyOf(random(keys))))[0]

/** Asks for the history of one of the keys of a hundred events. */
const askOften = async (client: RespClient, written: Written, key: number): Promise<number> => {
  const [ms, reply] = await timed(client, "LOG.HISTORY", keyOf(oftenFrom + key))
  const found = (reply as ReadonlyArray<unknown>).length
  if (found !== eventsOfOften) throw new Error(`the history has ${found} events, not ${eventsOfOften}`)
  return ms
}

/** Asks for all data of a random moment. */
const askAll = async (client: RespClient, { events }: Written): Promise<number> =>
  (await timed(client, "LOG.ASOF", `${1 + random(events)}`, "DBSIZE"))[0]

/** Bytes per second. */
const verify = (dir: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const words = [...loadLauncher, Path.join(repository, "bin", "annals"), "verify", "--dir", dir, "--json"]
    const child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "pipe", "inherit"] })
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.once("error", reject)
    child.once("close", (code) => {
      if (code !== 0) return reject(new Error(`annals verify ended with ${code}: ${output.slice(0, 400)}`))
      const { bytes, seconds } = JSON.parse(output) as { readonly bytes: number; readonly seconds: number }
      resolve(bytes / seconds)
    })
  })

/** Asks without pause until told to stop. */
const asking = (ask: () => Promise<unknown>): () => Promise<void> => {
  let stopped = false
  const running = (async () => {
    while (!stopped) await ask()
  })()
  running.catch(() => {})
  return () => {
    stopped = true
    return running
  }
}

/** Everything that is asked of a log that is there. */
export const askHistory = async (turn: Turn, server: ServerProcess, written: Written): Promise<void> => {
  const record = (metric: string, unit: string, better: "higher" | "lower", value: number): void =>
    turn.record("history", `${label(written)}: ${metric}`, unit, better, value)
  const client = await server.client({ timeoutMs })
  const ask = async (count: number, one: (n: number) => Promise<number>): Promise<ReadonlyArray<number>> => {
    const took: Array<number> = []
    for (let n = 0; n < count; n++) took.push(await one(n))
    return ascending(took)
  }
  try {
    turn.note("questions about keys")
    record("LOG.ASOF GET, the first question of all", "ms", "lower", await askKey(client, written))
    const cold = await ask(50, () => askKey(client, written))
    record("LOG.ASOF GET of keys never asked about, median", "ms", "lower", quantile(cold, 0.5))
    record("LOG.ASOF GET of keys never asked about, longest", "ms", "lower", quantile(cold, 1))
    const often = await ask(20, (n) => askOften(client, written, n % oftenKeys(written)))
    record("LOG.HISTORY of 100 events, median", "ms", "lower", quantile(often, 0.5))
    record("LOG.HISTORY of 100 events, longest", "ms", "lower", quantile(often, 1))
    turn.note("all data of random moments")
    const all = await ask(10, () => askAll(client, written))
    record("all data of a random moment, median", "s", "lower", quantile(all, 0.5) / 1000)
    record("all data of a random moment, longest", "s", "lower", quantile(all, 1) / 1000)
    const gets = ["-t", "get", "-c", "10", "-r", `${written.keys}`, "-n", `${turn.scale.requests[1]}`]
    const p99 = async (): Promise<number> => (await redisBenchmark(server.port, gets)).p99
    turn.note("GET meanwhile")
    record("p99 of GET, nothing asked", "ms", "lower", await p99())
    for (
      const [title, one] of [
        ["LOG.HISTORY", () => askOften(client, written, random(oftenKeys(written)))],
        ["all data of moments", () => askAll(client, written)]
      ] as const
    ) {
      const stop = asking(one)
      record(`p99 of GET, ${title} asked for without pause`, "ms", "lower", await p99())
      await stop()
    }
  } finally {
    await client.close()
  }
}

const label = ({ events }: Written): string => `${events / 1_000_000} M events`

/** Fills, lets the server finish its upkeep, starts it anew and asks. */
export const history = async (turn: Turn): Promise<void> => {
  if (turn.server !== "annals") return
  const written: Written = { events: turn.scale.historyEvents, keys: turn.scale.historyEvents / 10 }
  const dir = temporaryDir("bench")
  try {
    turn.note("writing")
    await withServer(turn.start("everysec", { dir }), (server) => fillHistory(server, written))
    await withServer(turn.start("everysec", { dir }), (server) => askHistory(turn, server, written))
    turn.note("verify")
    turn.record("history", `${label(written)}: annals verify`, "MB/s", "higher", await verify(dir) / 1e6)
  } finally {
    removeTemporaryDir(dir)
  }
}
