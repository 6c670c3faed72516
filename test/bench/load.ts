/** What is sent: redis-benchmark for throughput, a loader of our own that writes every key once, a latency probe. */
import { spawn } from "node:child_process"
import * as Net from "node:net"
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

const ok = Buffer.from("+OK\r\n")
const digits = 12

/** A buffer of `count` SETs of "key:" and twelve digits (16 bytes) to `value`; `number` says where the digits are. */
const setBatch = (count: number, value: string) => {
  const one = encodeRequest(["SET", `key:${"0".repeat(digits)}`, value])
  const first = one.indexOf("key:") + 4
  return { bytes: Buffer.concat(Array.from({ length: count }, () => one)), stride: one.length, first }
}

/**
 * Sets keys key:000000000000 to key:…(count - 1), each once, over a few connections in pipelines of 500. Rejects on
 * any reply but OK.
 */
export const fill = async (port: number, count: number, valueBytes = 3): Promise<void> => {
  const batchSize = 500
  let next = 0
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const { bytes, stride, first } = setBatch(batchSize, "x".repeat(valueBytes))
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
        for (let i = 0; i < size; i++) {
          let number = next++
          for (let at = i * stride + first + digits - 1; at >= i * stride + first; at--) {
            bytes[at] = 48 + number % 10
            number = Math.floor(number / 10)
          }
        }
        owed = size * ok.length
        matched = 0
        socket.write(bytes.subarray(0, size * stride))
      }
      socket.once("connect", send)
      socket.once("error", reject)
      socket.once("close", () => reject(new Error("the server closed the connection while it was filled")))
      socket.on("data", (chunk) => {
        for (const byte of chunk) {
          if (byte !== ok[matched % ok.length]) {
            reject(new Error(`SET answered ${JSON.stringify(chunk.toString("latin1").slice(0, 200))}`))
            socket.destroy()
            return
          }
          matched++
        }
        if (matched === owed) send()
      })
    })
  await Promise.all(Array.from({ length: 4 }, connection))
}

/** Runs a command whose reply must be an integer. */
export const integerReply = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<number> => {
  const reply = await client.command(...words)
  if (reply.type !== "integer") throw new Error(`${words.join(" ")} answered ${String(plain(reply))}`)
  return Number(reply.value)
}

/**
 * One request at a time, GET and SET in turn on random keys of the filled range, for `seconds`; the latency of each in
 * milliseconds.
 */
export const probe = async (client: RespClient, keys: number, seconds: number): Promise<Float64Array> => {
  const found: Array<number> = []
  const end = performance.now() + seconds * 1000
  for (let turn = 0; performance.now() < end; turn++) {
    const key = `key:${String(Math.floor(Math.random() * keys)).padStart(digits, "0")}`
    const request = encodeRequest(turn & 1 ? ["SET", key, "yyy"] : ["GET", key])
    const before = performance.now()
    const [reply] = await client.raw(request, 1)
    found.push(performance.now() - before)
    if (reply![0] === 0x2d) throw new Error(`the probe was answered ${reply!.toString().trim()}`)
  }
  return Float64Array.from(found).sort()
}
