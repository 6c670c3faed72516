import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "./ports.ts"

const run = (script: string, ...args: ReadonlyArray<string>): string =>
  transcript(script, { harness: controlHarness(...args).harness })

const bulk = (reply: string): string => reply.slice(reply.indexOf("\r\n") + 2, -2)

describe("INFO", () => {
  it("shows the sections asked for, each once and in its order", () => {
    const { harness } = controlHarness()
    const titles = (...names: ReadonlyArray<string>): ReadonlyArray<string> =>
      [...bulk(harness.run("INFO", ...names)).matchAll(/^# (.*)\r$/gm)].map(([, title]) => title!)
    expect(titles("keyspace", "SERVER", "server")).toEqual(["Server", "Keyspace"])
    expect(titles("nosuch")).toEqual([])
    expect(titles("default")).toEqual(titles())
    expect(titles("all")).toEqual(titles("everything"))
    expect(titles("all").filter((title) => !titles().includes(title))).toEqual(["Commandstats", "Latencystats"])
  })

  it("shows the log, the keyspace and what commands did", () => {
    const { harness } = controlHarness()
    for (const line of ["SET a 1", "SET b 2 PX 5000", "GET a", "GET x", "INCR", "LPUSH"]) {
      harness.run(...line.split(" "))
    }
    expect(bulk(harness.run("INFO", "eventlog", "keyspace", "errorstats")).replaceAll("\r", ""))
      .toMatchInlineSnapshot(`
        "# Eventlog
        log_sequence:3
        log_lsn:300
        log_durable_lsn:200
        log_oldest_sequence:1
        log_segments:1
        log_bytes:400
        log_original_bytes:900
        log_compressed_segments:1
        log_checkpoints:1
        log_checkpoint_sequence:2
        log_torn_bytes:0
        log_chain_head:ab
        log_last_write_status:ok
        log_fsyncs:2
        log_fsync_pending:1
        log_delayed_fsyncs:0

        # Errorstats
        errorstat_ERR:count=2

        # Keyspace
        db0:keys=2,expires=1,avg_ttl=5000
        "
      `)
    expect(bulk(harness.run("INFO", "commandstats"))).toMatch(/cmdstat_set:calls=2,usec=0,usec_per_call=0\.00,/)
    harness.run("CONFIG", "RESETSTAT")
    expect(bulk(harness.run("INFO", "stats"))).toMatch(/keyspace_hits:0\r\nkeyspace_misses:0\r\n/)
  })
})

describe("CONFIG", () => {
  it("GET takes patterns", () => {
    expect(run(`CONFIG GET timeout
      CONFIG GET TIME* tcp-* timeout
      CONFIG GET nosuch
      CONFIG GET`)).toMatchInlineSnapshot(`
        "> CONFIG GET timeout
        ["timeout", "0"]
        > CONFIG GET TIME* tcp-* timeout
        ["timeout", "0", "tcp-backlog", "511", "tcp-keepalive", "300"]
        > CONFIG GET nosuch
        []
        > CONFIG GET
        (error) ERR wrong number of arguments for 'config|get' command"
      `)
  })

  it("SET changes all or none", () => {
    expect(run(`CONFIG SET timeout 5 maxclients 50
      CONFIG SET timeout 6 maxclients 0
      CONFIG SET timeout 7 foo bar
      CONFIG GET timeout maxclients
      CONFIG SET timeout
      CONFIG SET timeout 1 timeout 2
      CONFIG SET timeout abc
      CONFIG SET timeout -1
      CONFIG SET databases 5
      CONFIG SET appendfsync foo
      CONFIG SET protected-mode foo
      CONFIG SET proto-max-bulk-len foo
      CONFIG SET client-output-buffer-limit "normal 0 0"
      CONFIG SET client-output-buffer-limit "foo 0 0 0"
      CONFIG SET client-output-buffer-limit "normal a 0 0"
      CONFIG SET client-output-buffer-limit "normal 1mb 1k 5"
      CONFIG SET client-output-buffer-limit "replica 1 2 3"
      CONFIG GET client-output-buffer-limit
      CONFIG REWRITE
      CONFIG foo`)).toMatchInlineSnapshot(`
        "> CONFIG SET timeout 5 maxclients 50
        OK
        > CONFIG SET timeout 6 maxclients 0
        (error) ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be between 1 and 4294967295 inclusive
        > CONFIG SET timeout 7 foo bar
        (error) ERR Unknown option or number of arguments for CONFIG SET - 'foo'
        > CONFIG GET timeout maxclients
        ["timeout", "5", "maxclients", "50"]
        > CONFIG SET timeout
        (error) ERR wrong number of arguments for 'config|set' command
        > CONFIG SET timeout 1 timeout 2
        (error) ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter
        > CONFIG SET timeout abc
        (error) ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer
        > CONFIG SET timeout -1
        (error) ERR CONFIG SET failed (possibly related to argument 'timeout') - argument must be between 0 and 2147483647 inclusive
        > CONFIG SET databases 5
        (error) ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config
        > CONFIG SET appendfsync foo
        (error) ERR CONFIG SET failed (possibly related to argument 'appendfsync') - argument(s) must be one of the following: everysec, always, no
        > CONFIG SET protected-mode foo
        (error) ERR CONFIG SET failed (possibly related to argument 'protected-mode') - argument must be 'yes' or 'no'
        > CONFIG SET proto-max-bulk-len foo
        (error) ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - argument must be a memory value
        > CONFIG SET client-output-buffer-limit "normal 0 0"
        (error) ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Wrong number of arguments in buffer limit configuration.
        > CONFIG SET client-output-buffer-limit "foo 0 0 0"
        (error) ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Invalid client class specified in buffer limit configuration.
        > CONFIG SET client-output-buffer-limit "normal a 0 0"
        (error) ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Error in hard, soft or soft_seconds setting in buffer limit configuration.
        > CONFIG SET client-output-buffer-limit "normal 1mb 1k 5"
        OK
        > CONFIG SET client-output-buffer-limit "replica 1 2 3"
        OK
        > CONFIG GET client-output-buffer-limit
        ["client-output-buffer-limit", "normal 1048576 1000 5 slave 1 2 3 pubsub 33554432 8388608 60"]
        > CONFIG REWRITE
        (error) ERR The server is running without a config file
        > CONFIG foo
        (error) ERR unknown subcommand 'foo'. Try CONFIG HELP."
      `)
  })

  it("tells listeners after everything was set, and nothing of a refused SET", () => {
    const { config, harness } = controlHarness()
    const heard: Array<string> = []
    config.onChange((name) => void heard.push(`${name} ${config.get("timeout")} ${config.get("maxclients")}`))
    harness.run("CONFIG", "SET", "timeout", "9", "maxclients", "0")
    harness.run("CONFIG", "SET", "timeout", "9", "maxclients", "8")
    expect(heard).toEqual(["timeout 9 8", "maxclients 9 8"])
  })
})

describe("TIME, SHUTDOWN, LOLWUT", () => {
  it("TIME and refusals of SHUTDOWN", () => {
    expect(run(`TIME
      SHUTDOWN foo
      SHUTDOWN SAVE NOSAVE
      SHUTDOWN ABORT NOW
      SHUTDOWN ABORT
      LOLWUT VERSION abc`)).toMatchInlineSnapshot(`
        "> TIME
        ["1700000000", "7"]
        > SHUTDOWN foo
        (error) ERR syntax error
        > SHUTDOWN SAVE NOSAVE
        (error) ERR syntax error
        > SHUTDOWN ABORT NOW
        (error) ERR syntax error
        > SHUTDOWN ABORT
        (error) ERR No shutdown in progress.
        > LOLWUT VERSION abc
        (error) ERR value is not an integer or out of range"
      `)
  })

  it("SHUTDOWN passes its options on and does not answer", () => {
    const { asked, harness } = controlHarness()
    expect(harness.run("SHUTDOWN") + harness.run("SHUTDOWN", "nosave", "NOW", "force")).toBe("")
    expect(asked).toEqual([`shutdown {"now":false,"force":false}`, `shutdown {"save":false,"now":true,"force":true}`])
  })

  it("LOLWUT draws something that ends with the version", () => {
    const { harness } = controlHarness()
    const [one, two] = [bulk(harness.run("LOLWUT")), bulk(harness.run("LOLWUT", "VERSION", "5", "1"))]
    expect(one).toMatch(/\nAnnals ver\. 0\.1\.0\n$/)
    expect(one).not.toBe(two)
  })

  it("LOLWUT draws as large as versions 5 and 6 are asked to, within limits", () => {
    const { harness } = controlHarness()
    const size = (...words: ReadonlyArray<string>): readonly [columns: number, rows: number] => {
      const lines = bulk(harness.run("LOLWUT", ...words)).split("\n").slice(0, -2)
      return [Math.max(...lines.map((line) => line.length)), lines.length]
    }
    expect(size()[1]).toBe(21)
    expect(size("VERSION", "6", "10", "5")[1]).toBe(5)
    expect(size("VERSION", "6", "10", "5")[0]).toBeLessThanOrEqual(10)
    expect(size("VERSION", "5", "20", "3", "7")[1]).toBe(7)
    expect(size("VERSION", "6", "9223372036854775807", "9223372036854775807")[1]).toBe(120)
    expect(size("VERSION", "5", "-1", "0", "0")[1]).toBe(1)
    expect(size("VERSION", "99", "x")[1]).toBe(21)
  })
})

describe("DEBUG", () => {
  it("answers what is safe and refuses the rest", () => {
    const { asked, harness } = controlHarness()
    expect(transcript(
      `DEBUG DIGEST
      SET a 1
      SET b hello
      DEBUG DIGEST-VALUE a b nokey
      DEBUG DIGEST-VALUE
      DEBUG OBJECT nokey
      DEBUG SLEEP 0.5
      DEBUG SLEEP
      DEBUG SET-ACTIVE-EXPIRE 0
      DEBUG SET-ACTIVE-EXPIRE 1
      DEBUG SET-ACTIVE-EXPIRE 1 2
      DEBUG RELOAD
      DEBUG LOADAOF
      DEBUG DIGEST x
      DEBUG JMAP
      DEBUG SEGFAULT
      DEBUG constructor
      DEBUG CHANGE-REPL-ID`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> DEBUG DIGEST
      0000000000000000000000000000000000000000
      > SET a 1
        #1 StringSet key=a value=1 expireAt=null
      OK
      > SET b hello
        #2 StringSet key=b value=hello expireAt=null
      OK
      > DEBUG DIGEST-VALUE a b nokey
      [b4fc66738120fba0b5aa500ab5c2bf89cea1c5da, 36b23a1456b2dce2c3ed252c456761301dba8060, 0000000000000000000000000000000000000000]
      > DEBUG DIGEST-VALUE
      []
      > DEBUG OBJECT nokey
      (error) ERR no such key
      > DEBUG SLEEP 0.5
      OK
      > DEBUG SLEEP
      (error) ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP.
      > DEBUG SET-ACTIVE-EXPIRE 0
      OK
      > DEBUG SET-ACTIVE-EXPIRE 1
      OK
      > DEBUG SET-ACTIVE-EXPIRE 1 2
      (error) ERR unknown subcommand or wrong number of arguments for 'SET-ACTIVE-EXPIRE'. Try DEBUG HELP.
      > DEBUG RELOAD
      OK
      > DEBUG LOADAOF
      OK
      > DEBUG DIGEST x
      (error) ERR unknown subcommand or wrong number of arguments for 'DIGEST'. Try DEBUG HELP.
      > DEBUG JMAP
      (error) ERR DEBUG JMAP is refused: there is no Java here
      > DEBUG SEGFAULT
      (error) ERR DEBUG SEGFAULT is refused: this server is not crashed on request
      > DEBUG constructor
      (error) ERR unknown subcommand or wrong number of arguments for 'constructor'. Try DEBUG HELP.
      > DEBUG CHANGE-REPL-ID
      (error) ERR DEBUG CHANGE-REPL-ID is refused: the replication id names the log and stays with it"
    `)
    expect(asked).toEqual(["sleep 500", "active expire false", "active expire true", "reload true", "reload false"])
    expect(harness.run("DEBUG", "OBJECT", "b")).toMatch(
      /^\+Value at:0x[0-9a-f]+ refcount:1 encoding:embstr serializedlength:6 lru:\d+ lru_seconds_idle:0\r\n$/
    )
  })
})

describe("HOTKEYS", () => {
  it("refuses to measure, and answers as if nothing ever was", () => {
    expect(run(`HOTKEYS START METRICS 1 CPU
      HOTKEYS STOP
      HOTKEYS GET
      HOTKEYS RESET
      HOTKEYS foo`)).toMatchInlineSnapshot(`
        "> HOTKEYS START METRICS 1 CPU
        (error) ERR HOTKEYS is not supported by this server: use redis-cli --hotkeys with one of the lfu policies of maxmemory-policy
        > HOTKEYS STOP
        (nil)
        > HOTKEYS GET
        (nil)
        > HOTKEYS RESET
        OK
        > HOTKEYS foo
        (error) ERR unknown subcommand 'foo'. Try HOTKEYS HELP."
      `)
  })
})

describe("MEMORY", () => {
  it("USAGE counts the entry's block, and the refusals", () => {
    const { harness } = controlHarness()
    harness.run("SET", "a", "x".repeat(100_000))
    const bytes = Number(harness.run("MEMORY", "USAGE", "a").slice(1))
    expect(bytes).toBeGreaterThan(100_000)
    expect(bytes).toBeLessThan(130_000)
    expect(transcript(
      `MEMORY USAGE nokey
      MEMORY USAGE a SAMPLES
      MEMORY USAGE a SAMPLES -1
      MEMORY USAGE a SAMPLES abc
      MEMORY USAGE a foo 1
      MEMORY PURGE
      MEMORY foo
      MEMORY DOCTOR`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> MEMORY USAGE nokey
      (nil)
      > MEMORY USAGE a SAMPLES
      (error) ERR syntax error
      > MEMORY USAGE a SAMPLES -1
      (error) ERR syntax error
      > MEMORY USAGE a SAMPLES abc
      (error) ERR value is not an integer or out of range
      > MEMORY USAGE a foo 1
      (error) ERR syntax error
      > MEMORY PURGE
      OK
      > MEMORY foo
      (error) ERR unknown subcommand 'foo'. Try MEMORY HELP.
      > MEMORY DOCTOR
      "There is too little data to say anything about its memory.\\x0a""
    `)
  })

  it("STATS adds up", () => {
    const { harness } = controlHarness()
    harness.run("SET", "a", "x".repeat(1000))
    harness.run("HELLO", "3")
    const text = harness.run("MEMORY", "STATS")
    const figure = (name: string): number => Number(text.split(`${name}\r\n`)[1]!.split("\r\n")[0]!.slice(1))
    expect(figure("keys.count")).toBe(1)
    expect(figure("total.allocated")).toBe(harness.keyspace.usedBytes)
    expect(figure("overhead.total") + figure("dataset.bytes")).toBe(figure("total.allocated"))
  })
})
