/**
 * redis-cli in a terminal: it asks COMMAND DOCS when it connects and shows, in grey behind the cursor, what may follow
 * the words typed so far. Needs `redis-cli`, and `script` (util-linux) to make a terminal.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isInstalled, type ServerProcess, startAnnals } from "../support/processes.ts"

const canType = process.platform === "linux" && isInstalled("redis-cli") && isInstalled("script")
const prompt = /127\.0\.0\.1:\d+> /
const clearLine = "\x15"
const escape = "\x1b"

/** What the terminal shows without colours and movements of the cursor; redrawn lines follow each other. */
const visible = (output: string): string => output.replaceAll(new RegExp(`${escape}\\[[\\d;?]*[A-Za-z]`, "g"), "")

describe.skipIf(!canType)("redis-cli in a terminal", () => {
  let annals: ServerProcess
  let cli: ChildProcess
  let output = ""

  /** Types, and waits for the terminal to show something; throws with what it shows when that takes too long. */
  const type = async (keys: string, shows: RegExp | string): Promise<void> => {
    output = ""
    cli.stdin!.write(keys)
    await until(shows)
  }
  const until = async (shows: RegExp | string): Promise<void> => {
    const isShown = () => typeof shows === "string" ? visible(output).includes(shows) : shows.test(visible(output))
    for (let tries = 0; !isShown(); tries++) {
      if (tries === 1000) throw new Error(`the terminal does not show ${String(shows)} but ${visible(output)}`)
      await sleep(20)
    }
  }

  beforeAll(async () => {
    annals = await startAnnals()
    const words = `stty cols 200 rows 40; exec redis-cli -p ${annals.port}`
    // The home directory takes redis-cli's history, and has no settings that would change what it shows.
    const env = { ...process.env, TERM: "xterm", HOME: annals.dir, REDISCLI_RCFILE: "/dev/null" }
    cli = spawn("script", ["-qfec", words, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] })
    cli.stdout!.on("data", (chunk: Buffer) => {
      output += chunk.toString("latin1")
    })
    await until(prompt)
  }, 60_000)

  afterAll(async () => {
    if (cli !== undefined && cli.exitCode === null) {
      const ended = new Promise((resolve) => cli.once("close", resolve))
      cli.stdin!.end(`${clearLine}exit\r`)
      await ended
    }
    await annals?.stop()
  }, 60_000)

  it.each([
    ["GET ", "> GET key"],
    ["DELEX k ", "[IFEQ ifeq-value|IFNE ifne-value|IFDEQ ifdeq-digest|IFDNE ifdne-digest]"],
    ["GETEX k ", "[EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST]"],
    ["OBJECT ENCODING ", "> OBJECT ENCODING key"],
    ["mset ", "> mset key value [key value ...]"],
    ["SCAN 0 ", "> SCAN 0 [MATCH pattern] [COUNT count] [TYPE type]"]
  ])("hints after %s", async (typed, hint) => {
    await type(clearLine, prompt)
    await type(typed, hint)
  }, 60_000)

  it("helps with commands that it has only heard of from the server", async () => {
    await type(clearLine, prompt)
    await type("help delex\r", "since: 8.4.0")
    expect(visible(output)).toMatch(/DELEX key \[IFEQ ifeq-value[^]*summary: \w[^]*since: 8\.4\.0/)
    await type("SET k v\r", /OK\r\n/)
  }, 60_000)
})
