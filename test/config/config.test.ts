import fc from "fast-check"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { parseConf, splitLine } from "../../src/config/conf-file.ts"
import { Configuration, load } from "../../src/config/config.ts"
import { ConfigInvalid } from "../../src/config/errors.ts"

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
      (path) => [path, files[path]!]
    )
    expect(directives.map(({ name, where, words }) => [name, ...words, where])).toEqual([
      ["port", "7000", "a.conf:3"],
      ["timeout", "7", "b.conf:1"],
      ["port", "7001", "a.conf:5"]
    ])
  })

  it("name file and line of what is wrong", () => {
    expect(problemOf([write("unknown.conf", "port 1\nnosuch 1\n")])).toMatch(/^unknown\.conf:2: .*nosuch/)
    expect(problemOf([write("quotes.conf", "dir \"x\n")])).toMatch(/^quotes\.conf:1: quotes do not balance/)
    expect(problemOf([write("value.conf", "\nport abc\n")])).toMatch(/^value\.conf:2: .*integer/)
    expect(problemOf([write("missing.conf", "include nosuch.conf\n")])).toMatch(/^missing\.conf:1: cannot read/)
    expect(problemOf([write("circle.conf", "include circle.conf\n")])).toMatch(
      /^.*circle\.conf:1: includes nest too deep/
    )
    expect(problemOf([join(folder, "absent.conf")])).toMatch(/^command line: cannot read/)
  })
})

describe("precedence", () => {
  it("defaults, environment, file, command line: the later wins", () => {
    const file = write("all.conf", "port 3\ntimeout 3\nmaxclients 3\n")
    const config = load([file, "--port", "4"], { ANNALS_TIMEOUT: "2", ANNALS_MAXCLIENTS: "2", ANNALS_TCP_BACKLOG: "2" })
    expect([config.get("port"), config.get("timeout"), config.get("maxclients"), config.get("tcp-backlog")])
      .toEqual([4, 3, 3, 2])
    expect(config.get("databases")).toBe(16)
    expect(load([], { ANNALS_NOSUCH: "1", PATH: "x" }).get("port")).toBe(6379)
  })

  it("the command line takes several words and refuses strays", () => {
    const config = load(["--client-output-buffer-limit", "normal", "1mb", "0", "0", "--bind", "::1", "127.0.0.1"], {})
    expect(config.print("client-output-buffer-limit"))
      .toBe("normal 1048576 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
    expect(config.get("bind")).toEqual(["::1", "127.0.0.1"])
    expect(problemOf(["--nosuch", "1"])).toMatch(/^command line: .*nosuch/)
    expect(problemOf(["--port"])).toMatch(/^command line: .*port/)
    expect(problemOf([], { ANNALS_PORT: "x" })).toMatch(/^environment variable ANNALS_PORT: /)
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

describe("values", () => {
  it("refuses what cannot be had, with the reason", () => {
    expect(problemOf(["--daemonize", "yes"])).toMatch(/background/)
    expect(problemOf(["--appendonly", "no"])).toMatch(/log/)
    expect(problemOf(["--port", "65536"])).toMatch(/between 0 and 65535/)
    expect(problemOf(["--proto-max-bulk-len", "1.5gb"])).toMatch(/memory value/)
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
})
