import fc from "fast-check"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { parseConf, splitLine } from "../../src/config/conf-file.ts"
import { Configuration, load } from "../../src/config/config.ts"
import { ConfigInvalid } from "../../src/config/errors.ts"
import { retention } from "../../src/config/value-lists.ts"

const folder = mkdtempSync(join(tmpdir(), "annals-config-"))
afterAll(() => rmSync(folder, { recursive: true }))
const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const problemOf = (args: ReadonlyArray<string>, environment = {}): string => {
  try {
    load(args, environment)
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.message.replaceAll(`${folder}/`, "")
    throw error
  }
  return "(none)"
}

describe("words of a line", () => {
  it.each(
    [
      ["a  b\tc", ["a", "b", "c"]],
      [`save ""`, ["save", ""]],
      [`"a b" 'c d'`, ["a b", "c d"]],
      [String.raw`"\x41\n\r\t\b\a\"\\\q"`, ["A\n\r\t\b\x07\"\\q"]],
      [String.raw`'it\'s \n'`, [String.raw`it's \n`]],
      [`"open`, undefined],
      [`'open`, undefined],
      [`"a"b`, undefined],
      ["", []]
    ] as const
  )("%j", (line, expected) => expect(splitLine(line)).toEqual(expected))

  it("quoted text of any bytes comes back", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }), (list) => {
      const quote = (bytes: Uint8Array) =>
        `"${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`
      expect(splitLine(list.map(quote).join(" "))).toEqual(list.map((bytes) => String.fromCharCode(...bytes)))
    }))
  })
})

describe("configuration files", () => {
  it("know comments, repetition and includes, and say where a directive stands", () => {
    const files: Record<string, string> = { "b.conf": "timeout 7\n" }
    const directives = parseConf(
      "a.conf",
      "# a comment\n\n  port 7000\r\ninclude b.conf\nport 7001\n",
      (path) => [[path, files[path]!]]
    )
    expect(directives.map(({ name, where, words }) => [name, ...words, where])).toEqual([
      ["port", "7000", "a.conf:3"],
      ["timeout", "7", "b.conf:1"],
      ["port", "7001", "a.conf:5"]
    ])
  })

  it("name file and line of what is wrong", () => {
    expect(problemOf([write("unknown.conf", "port 1\n  nosuch  1\n")])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at unknown.conf:2
      >>> 'nosuch  1'
      Bad directive or wrong number of arguments"
    `)
    expect(problemOf([write("quotes.conf", "dir \"x\n")])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at quotes.conf:1
      >>> 'dir "x'
      Unbalanced quotes in configuration line"
    `)
    expect(problemOf([write("value.conf", "\nport abc\n")])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at value.conf:2
      >>> 'port abc'
      argument couldn't be parsed into an integer"
    `)
    expect(problemOf([write("secret.conf", "requirepass hunter2 hunter2\n")])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at secret.conf:1
      >>> 'requirepass (secret)'
      wrong number of arguments"
    `)
    expect(problemOf([write("module.conf", "loadmodule /x.so\n")])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at module.conf:1
      >>> 'loadmodule /x.so'
      modules are programs for Redis itself and cannot be loaded here"
    `)
    expect(problemOf([write("continued.conf", "port 7000\\\n 5\n")])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at continued.conf:1
      >>> 'port 7000\\'
      argument couldn't be parsed into an integer"
    `)
    expect(problemOf([write("missing.conf", "include nosuch.conf\n")])).toMatch(/^missing\.conf:1: cannot read/)
    expect(problemOf([write("circle.conf", "include circle.conf\n")])).toMatch(/includes nest too deep$/)
    expect(problemOf([join(folder, "absent.conf")])).toMatch(/^command line: cannot read/)
  })
})

describe("precedence", () => {
  it("defaults, file, environment, command line: the later wins", () => {
    const file = write("all.conf", "port 3\ntimeout 3\nmaxclients 3\n")
    const config = load([file, "--port", "4"], { ANNALS_TIMEOUT: "2", ANNALS_MAXCLIENTS: "2", ANNALS_TCP_BACKLOG: "2" })
    expect([config.get("port"), config.get("timeout"), config.get("maxclients"), config.get("tcp-backlog")])
      .toEqual([4, 2, 2, 2])
    expect(config.get("databases")).toBe(16)
    expect(load([], { ANNALS_NOSUCH: "1", PATH: "x" }).get("port")).toBe(6379)
  })

  it("the command line takes several words and refuses strays", () => {
    const config = load(["--client-output-buffer-limit", "normal", "1mb", "0", "0", "--bind", "::1", "127.0.0.1"], {})
    expect(config.print("client-output-buffer-limit"))
      .toBe("normal 1048576 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
    expect(config.get("bind")).toEqual(["::1", "127.0.0.1"])
    expect(problemOf(["--nosuch", "1"])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at command line
      >>> 'nosuch 1'
      Bad directive or wrong number of arguments"
    `)
    expect(problemOf(["--port"])).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at command line
      >>> 'port'
      wrong number of arguments"
    `)
    expect(problemOf([], { ANNALS_PORT: "x" })).toMatchInlineSnapshot(`
      "*** FATAL CONFIG FILE ERROR ***
      Reading the configuration, at environment variable ANNALS_PORT
      >>> 'port x'
      argument couldn't be parsed into an integer"
    `)
  })

  it("repeated output limits keep the classes they do not name", () => {
    const file = write(
      "limits.conf",
      "client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit replica 4 5 6\n"
    )
    expect(load([file], {}).print("client-output-buffer-limit")).toBe(
      "normal 1 2 3 slave 4 5 6 pubsub 33554432 8388608 60"
    )
  })
})

describe("includes", () => {
  it("may be patterns, taken in alphabetical order, and may match nothing", () => {
    write("part-2.conf", "timeout 2\n")
    write("part-1.conf", "timeout 1\nmaxclients 11\n")
    const file = write("parts.conf", `include ${folder}/none-*.conf\ninclude part-*.conf\nport 7001\n`)
    const config = load([file], {})
    expect([config.get("timeout"), config.get("maxclients"), config.get("port")]).toEqual([2, 11, 7001])
  })
})

describe("the command line", () => {
  it("reads the word after a name as its value, whatever it looks like", () => {
    const config = load(["--requirepass", "--secret", "--save", "--timeout", "5", "--maxclients 7", "--port=9"], {})
    expect([config.get("requirepass"), config.print("save"), config.get("timeout")]).toEqual(["--secret", "", 5])
    expect([config.get("maxclients"), config.get("port")]).toEqual([7, 9])
    expect(load(["--save"], {}).print("save")).toBe("")
  })

  it("adds save lines to those of the file, which replace the defaults", () => {
    const file = write("save.conf", "save 900 1\nsave 300 10 60 10000\n")
    expect(load([], {}).print("save")).toBe("3600 1 300 100 60 10000")
    expect(load([file], {}).print("save")).toBe("900 1 300 10 60 10000")
    expect(load([file, "--save", "5 6"], {}).print("save")).toBe("900 1 300 10 60 10000 5 6")
    expect(load([file, "--save", ""], {}).print("save")).toBe("")
    expect(load([file, "--save", "", "--save", "1", "2"], {}).print("save")).toBe("1 2")
    expect(load([file], { ANNALS_SAVE: "7 8" }).print("save")).toBe("7 8")
  })
})

describe("values", () => {
  it("refuses what cannot be had, with the reason", () => {
    expect(problemOf(["--port", "65536"])).toMatch(/between 0 and 65535/)
    expect(problemOf(["--proto-max-bulk-len", "1.5gb"])).toMatch(/memory value/)
    expect(problemOf(["--cluster-enabled", "yes"])).toMatch(/no cluster/)
    expect(problemOf(["--replica-read-only", "no"])).toMatch(/byte for byte/)
    expect(problemOf(["--replicaof", "no", "one"])).toBe("(none)")
  })

  it("sets aside what a Redis file says of its log and its daemon, with a warning", () => {
    const file = write("daemon.conf", "daemonize yes\nappendonly no\n")
    const config = load([file], {})
    expect([config.print("daemonize"), config.print("appendonly")]).toEqual(["no", "yes"])
    expect(config.warnings.map((text) => text.replaceAll(`${folder}/`, ""))).toMatchInlineSnapshot(`
      [
        "daemon.conf:1: daemonize yes is set aside: it stays in the foreground; run it under a service manager or with '&'",
        "daemon.conf:2: appendonly no is set aside: the log is the data here: it is always on and cannot be turned off",
      ]
    `)
    expect(load([write("quiet.conf", "daemonize no\nappendonly yes\n")], {}).warnings).toEqual([])
  })

  it("what is printed reads back as the same value", () => {
    const config = new Configuration()
    const again = new Configuration(
      [...config.printed()].map(([name, value]) => ({ name, words: [value], where: name }))
    )
    expect([...again.printed()]).toEqual([...config.printed()])
  })

  it("sizes: k, m, g are thousands, kb, mb, gb 1024s", () => {
    const size = (text: string) => load(["--client-query-buffer-limit", text], {}).get("client-query-buffer-limit")
    expect(["2m", "2MB", "3g", "3Gb", "2000000", "5000000b"].map(size))
      .toEqual([2_000_000, 2_097_152, 3_000_000_000, 3_221_225_472, 2_000_000, 5_000_000])
  })

  it("keeps every digit of what a number cannot hold", () => {
    expect(load(["--acllog-max-len", "9007199254740993"], {}).print("acllog-max-len")).toBe("9007199254740993")
    expect(load(["--acllog-max-len", "9223372036854775807"], {}).print("acllog-max-len")).toBe("9223372036854775807")
  })

  it("history-retention is for ever, an age, a size or a number of sequences", () => {
    const parsed = (text: string) => retention.parse(text.split(" "), { by: "for-ever" }, false)
    expect(["for-ever", "7d", "12h", "90min", "10gb", "seq 1000000"].map(parsed)).toEqual([
      { by: "for-ever" },
      { by: "age", ms: 7 * 86_400_000 },
      { by: "age", ms: 12 * 3_600_000 },
      { by: "age", ms: 90 * 60_000 },
      { by: "bytes", bytes: 10 * 1024 ** 3 },
      { by: "sequences", count: 1_000_000 }
    ])
    expect(["", "7", "0d", "d", "10", "seq", "seq 0", "seq x", "7d 8d", "-7d"].map(parsed))
      .toEqual(Array(10).fill(undefined))
    for (const text of ["for-ever", "1w", "8d", "36h", "10737418240b", "seq 5"]) {
      expect(retention.print(parsed(text)!)).toBe(text)
    }
  })
})

describe("CONFIG SET", () => {
  it("changes all or none, effects included", () => {
    const config = load([], {})
    const ran: Array<string> = []
    let failing = false
    config.onApply(["timeout"], () => {
      ran.push(`timeout ${config.get("timeout")}`)
      return undefined
    })
    config.onApply(["maxclients"], () => {
      ran.push(`maxclients ${config.get("maxclients")}`)
      return failing && config.get("maxclients") === 9 ? "too few descriptors" : undefined
    })
    const told: Array<string> = []
    config.onChange((name) => void told.push(name))
    expect(config.changeAll([["timeout", "5"], ["maxclients", "8"]])).toBeUndefined()
    failing = true
    expect(config.changeAll([["timeout", "6"], ["maxclients", "9"]]))
      .toEqual({ name: "maxclients", reason: "too few descriptors" })
    expect([config.get("timeout"), config.get("maxclients")]).toEqual([5, 8])
    expect(ran).toEqual([
      "timeout 5",
      "maxclients 8",
      "timeout 6",
      "maxclients 9",
      "timeout 5",
      "maxclients 8"
    ])
    expect(told).toEqual(["timeout", "maxclients"])
  })

  it("changes protected parameters only for whom enable-protected-configs allows", () => {
    const config = load(["--enable-protected-configs", "yes"], {})
    expect(config.changeAll([["dbfilename", "x.rdb"]])).toEqual({
      name: "dbfilename",
      reason: "can't set protected config"
    })
    expect(config.changeAll([["dbfilename", "x.rdb"]], true)).toBeUndefined()
    expect(config.changeAll([["dir", "/tmp"]], true)?.reason).toMatch(/stays in the directory/)
    expect(config.changeAll([["dir", config.print("dir")]], true)).toBeUndefined()
  })
})
