/** What is sent: redis-benchmark for throughput, a loader of our own that writes every key once, a latency probe. */
import { spawn } from "node:child_process"
import * as Net from "node:net"
import { Worker } from "node:worker_threads"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"
import { loadLauncher } from "./servers.ts"

/** What one run of redis-benchmark found. Latencies in milliseconds. */
export interface BenchmarkRun {
  readonly requestsPerSecond: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** The latency that a share of requests stayed within: the first step of the printed distribution at or above it. */
const percentile = (output: string, share: number): number => {
  const distribution = output.slice(output.indexOf("Latency by percentile distribution"), output.indexOf("Cumulative"))
  for (const [, percent, ms] of distribution.matchAll(/^([\d.]+)% <= ([\d.]+) milliseconds/gm)) {
    if (Number(percent) >= share) return Number(ms)
  }
  throw new Error(`no ${share} % line in redis-benchmark's output:\n${output}`)
}

/** Runs redis-benchmark on the load's core; rejects when it fails or a reply was an error (it then exits by itself). */
export const redisBenchmark = (port: number, args: ReadonlyArray<string>): Promise<BenchmarkRun> =>
  new Promise((resolve, reject) => {
    const words = [...loadLauncher, "redis-benchmark", "-p", `${port}`, "--precision", "3", ...args]
    const child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "pipe", "pipe"] })
    const killed = setTimeout(() => child.kill("SIGKILL"), 600_000)
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.once("error", reject)
    child.once("close", (code, signal) => {
      clearTimeout(killed)
      // Progress lines are overwritten by carriage returns; what counts is written after the last of them.
      const text = output.split("\r").at(-1)!.trim()
      const rate = /throughput summary: ([\d.]+) requests per second/.exec(text)
      if (code !== 0 || rate === null) {
        reject(new Error(`redis-benchmark ${args.join(" ")} ended with ${code ?? signal}: ${text.slice(-400)}`))
        return
      }
      resolve({
        requestsPerSecond: Number(rate[1]),
        p50: percentile(text, 50),
        p99: percentile(text, 99),
        p999: percentile(text, 99.9),
        max: percentile(text, 100)
      })
    })
  })

/** Keeps redis-benchmark running until the returned function is called. */
export const backgroundLoad = (port: number, args: ReadonlyArray<string>): () => Promise<void> => {
  const words = [...loadLauncher, "redis-benchmark", "-p", `${port}`, "-l", "-q", ...args]
  const child = spawn(words[0]!, words.slice(1), { stdio: "ignore" })
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", (cause) => resolve(cause.message))
    child.once("close", (code, signal) => resolve(signal === "SIGTERM" ? undefined : `ended with ${code ?? signal}`))
  })
  return async () => {
    child.kill("SIGTERM")
    const failure = await ended
    if (failure !== undefined) throw new Error(`redis-benchmark ${args.join(" ")}: ${failure}`)
  }
}

const digits = 12

/** The key of a number: "key:" and twelve digits, as redis-benchmark writes them. */
export const keyOf = (number: number): string => `key:${String(number).padStart(digits, "0")}`

/** A buffer of `count` SETs of "key:" and twelve digits (16 bytes) to `value`; `number` says where the digits are. */
export const setBatch = (count: number, value: string) => {
  const one = encodeRequest(["SET", `key:${"0".repeat(digits)}`, value])
  const first = one.indexOf("key:") + 4
  return { bytes: Buffer.concat(Array.from({ length: count }, () => one)), stride: one.length, first }
}

/** Writes a number's twelve digits at a place in a batch. */
export const writeDigits = (bytes: Uint8Array, first: number, number: number): void => {
  for (let at = first + digits - 1; at >= first; at--) {
    bytes[at] = 48 + number % 10
    number = Math.floor(number / 10)
  }
}

/**
 * Sends a request `count` times, over a few connections in pipelines of 500 unless told otherwise; `write` puts the number
 * of each into its bytes, which begin at `at`. Rejects on any reply but `expected`.
 */
export const fillWith = async (
  port: number,
  count: number,
  request: Uint8Array,
  expected: string,
  write: (bytes: Uint8Array, at: number, number: number) => void,
  pipeline: { readonly requests: number; readonly connections: number } = { requests: 500, connections: 4 }
): Promise<void> => {
  const batchSize = pipeline.requests
  const stride = request.length
  const reply = Buffer.from(expected)
  let next = 0
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.concat(Array.from({ length: batchSize }, () => request))
      const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
      let owed = 0
      let matched = 0
      const send = (): void => {
        const size = Math.min(batchSize, count - next)
        if (size === 0) {
          socket.destroy()
          resolve()
          return
        }
        for (let i = 0; i < size; i++) write(bytes, i * stride, next++)
        owed = size * reply.length
        matched = 0
        socket.write(bytes.subarray(0, size * stride))
      }
      socket.once("connect", send)
      socket.once("error", reject)
      socket.once("close", () => reject(new Error("the server closed the connection while it was filled")))
      socket.on("data", (chunk) => {
        for (const byte of chunk) {
          if (byte !== reply[matched % reply.length]) {
            reject(new Error(`answered ${JSON.stringify(chunk.toString("latin1").slice(0, 200))}`))
            socket.destroy()
            return
          }
          matched++
        }
        if (matched === owed) send()
      })
    })
  await Promise.all(Array.from({ length: pipeline.connections }, connection))
}

/** Sets keys key:000000000000 to key:…(count - 1), each once. */
export const fill = (port: number, count: number, valueBytes = 3): Promise<void> => {
  const { bytes, first } = setBatch(1, "x".repeat(valueBytes))
  return fillWith(port, count, bytes, "+OK\r\n", (bytes, at, number) => writeDigits(bytes, at + first, number))
}

/** Runs a command whose reply must be an integer. */
export const integerReply = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<number> => {
  const reply = await client.command(...words)
  if (reply.type !== "integer") throw new Error(`${words.join(" ")} answered ${String(plain(reply))}`)
  return Number(reply.value)
}

/** The fields of one section of INFO. */
export const infoFields = async (client: RespClient, section: string): Promise<ReadonlyMap<string, string>> => {
  const reply = await client.command("INFO", section)
  if (reply.type === "error") throw new Error(`INFO ${section} answered ${reply.value}`)
  const lines = String(plain(reply)).split("\r\n")
  return new Map(
    lines.filter((line) => line.includes(":")).map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon), line.slice(colon + 1)]
    })
  )
}

/** A field of INFO that must be a number. */
export const infoNumber = (fields: ReadonlyMap<string, string>, field: string): number => {
  const value = Number(fields.get(field) ?? NaN)
  if (Number.isNaN(value)) throw new Error(`INFO has no number ${field}`)
  return value
}

/**
 * One request at a time, GET and SET in turn on random keys of the filled range, as long as `goOn` says; the latency of
 * each in milliseconds, in ascending order.
 */
export const probeWhile = async (client: RespClient, keys: number, goOn: () => boolean): Promise<Float64Array> => {
  const found: Array<number> = []
  for (let turn = 0; goOn(); turn++) {
    const key = keyOf(Math.floor(Math.random() * keys))
    const request = encodeRequest(turn & 1 ? ["SET", key, "yyy"] : ["GET", key])
    const before = performance.now()
    const [reply] = await client.raw(request, 1)
    found.push(performance.now() - before)
    if (reply![0] === 0x2d) throw new Error(`the probe was answered ${reply!.toString().trim()}`)
  }
  return Float64Array.from(found).sort()
}

/** As `probeWhile`, for `seconds`. */
export const probe = (client: RespClient, keys: number, seconds: number): Promise<Float64Array> => {
  const end = performance.now() + seconds * 1000
  return probeWhile(client, keys, () => performance.now() < end)
}

/** Probes while something goes on; what that found, and the latencies. */
export const probeDuring = async <A>(
  client: RespClient,
  keys: number,
  work: Promise<A>
): Promise<{ readonly result: A; readonly latencies: Float64Array }> => {
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  const [result, latencies] = await Promise.all([ended, probeWhile(client, keys, () => !over)])
  return { result, latencies }
}

/**
 * Starts a load in a thread of its own, so that it and a probe do not wait for each other within one event loop (they
 * do share the load's core). `result` is the one message the thread sends, `stop` asks it to come to an end.
 */
export const loadThread = <Report>(
  file: "paced-load.ts" | "connection-load.ts",
  data: unknown
): { readonly result: Promise<Report>; readonly stop: () => void } => {
  const worker = new Worker(new URL(file, import.meta.url), { workerData: data })
  const result = new Promise<Report>((resolve, reject) => {
    worker.once("message", resolve)
    worker.once("error", reject)
    worker.once("exit", (code) => reject(new Error(`${file} ended with ${code} and without a report`)))
  })
  // Whoever awaits it later still hears of a failure; until then it must not end the process.
  result.catch(() => {})
  return { result, stop: () => worker.postMessage("stop") }
}
