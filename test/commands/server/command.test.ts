import { describe, expect, it } from "vitest"
import { type Command, defineCommand, type KeySpec } from "../../../src/commands/define.ts"
import { keysOf, legacyRange } from "../../../src/commands/server/key-specs.ts"
import { parseSyntax, printSyntax } from "../../../src/commands/server/syntax.ts"
import { CommandTable } from "../../../src/commands/table.ts"
import { argvOf } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "./ports.ts"

describe("COMMAND", () => {
  it("finds keys and describes commands", () => {
    expect(transcript(
      `COMMAND GETKEYS GET
      COMMAND GETKEYS foo x
      COMMAND GETKEYS MSET a 1 b 2
      COMMAND GETKEYS PING x
      COMMAND GETKEYS GET a b
      COMMAND GETKEYS OBJECT ENCODING a
      COMMAND GETKEYS OBJECT foo a
      COMMAND GETKEYSANDFLAGS COPY a b
      COMMAND INFO foo get
      COMMAND INFO config|get config|foo
      COMMAND LIST FILTERBY PATTERN GETR*
      COMMAND LIST FILTERBY ACLCAT foo
      COMMAND LIST FILTERBY MODULE x
      COMMAND LIST FILTERBY foo x
      COMMAND LIST FILTERBY
      COMMAND COUNT x
      COMMAND foo
      COMMAND DOCS foo
      COMMAND DOCS config|get`,
      { harness: controlHarness().harness }
    )).toMatchInlineSnapshot(`
      "> COMMAND GETKEYS GET
      (error) ERR wrong number of arguments for 'command|getkeys' command
      > COMMAND GETKEYS foo x
      (error) ERR Invalid command specified
      > COMMAND GETKEYS MSET a 1 b 2
      ["a", "b"]
      > COMMAND GETKEYS PING x
      (error) ERR The command has no key arguments
      > COMMAND GETKEYS GET a b
      (error) ERR Invalid number of arguments specified for command
      > COMMAND GETKEYS OBJECT ENCODING a
      ["a"]
      > COMMAND GETKEYS OBJECT foo a
      (error) ERR Invalid command specified
      > COMMAND GETKEYSANDFLAGS COPY a b
      [["a", [RO, access]], ["b", [OW, update]]]
      > COMMAND INFO foo get
      [(nil), ["get", (integer) 2, [readonly, fast], (integer) 1, (integer) 1, (integer) 1, [@read, @string, @fast], [], [["flags", [RO, access], "begin_search", ["type", "index", "spec", ["index", (integer) 1]], "find_keys", ["type", "range", "spec", ["lastkey", (integer) 0, "keystep", (integer) 1, "limit", (integer) 0]]]], []]]
      > COMMAND INFO config|get config|foo
      [["config|get", (integer) -3, [admin, noscript, loading, stale], (integer) 0, (integer) 0, (integer) 0, [@admin, @slow, @dangerous], [], [], []], (nil)]
      > COMMAND LIST FILTERBY PATTERN GETR*
      ["getrange"]
      > COMMAND LIST FILTERBY ACLCAT foo
      []
      > COMMAND LIST FILTERBY MODULE x
      []
      > COMMAND LIST FILTERBY foo x
      (error) ERR syntax error
      > COMMAND LIST FILTERBY
      (error) ERR syntax error
      > COMMAND COUNT x
      (error) ERR wrong number of arguments for 'command|count' command
      > COMMAND foo
      (error) ERR unknown subcommand 'foo'. Try COMMAND HELP.
      > COMMAND DOCS foo
      []
      > COMMAND DOCS config|get
      ["config|get", ["summary", "Answers the parameters whose names match a pattern, with their values.", "since", "2.0.0", "group", "server", "complexity", "O(N), N being the parameters named", "history", [["7.0.0", "More than one pattern."]], "arguments", [["name", "parameter", "type", "block", "flags", [multiple], "arguments", [["name", "parameter", "type", "string"]]]]]]"
    `)
  })

  it("counts and lists the same commands", () => {
    const { harness } = controlHarness()
    const names = harness.run("COMMAND", "LIST").split("\r\n").filter((line) => /^[a-z]/.test(line))
    const count = Number(harness.run("COMMAND", "COUNT").slice(1))
    expect(names.filter((name) => !name.includes("|")).length).toBe(count)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe("syntax lines", () => {
  const nx = { name: "nx", type: "pure-token", token: "NX" }
  const xx = { name: "xx", type: "pure-token", token: "XX" }

  it.each<readonly [line: string, printed: string, tree: ReadonlyArray<unknown>]>([
    ["", "", []],
    ["key [key ...]", "key [key ...]", [{ name: "key", type: "key", multiple: true }]],
    ["key ...", "key [key ...]", [{ name: "key", type: "key", multiple: true }]],
    ["[key ...]", "[key [key ...]]", [{ name: "key", type: "key", multiple: true, optional: true }]],
    ["key value [key value ...]", "key value [key value ...]", [{
      name: "key_value",
      type: "block",
      multiple: true,
      arguments: [{ name: "key", type: "key" }, { name: "value", type: "string" }]
    }]],
    ["[condition: NX | XX]@6.2.0", "[NX | XX]", [
      { name: "condition", type: "oneof", optional: true, since: "6.2.0", arguments: [nx, xx] }
    ]],
    ["<NX | XX>", "<NX | XX>", [{ name: "nx_xx", type: "oneof", arguments: [nx, xx] }]],
    ["[EX seconds@2.6.12 | sorting=ALPHA]", "[EX seconds | ALPHA]", [{
      name: "seconds_sorting",
      type: "oneof",
      optional: true,
      arguments: [
        { name: "seconds", type: "integer", token: "EX", since: "2.6.12" },
        { name: "sorting", type: "pure-token", token: "ALPHA" }
      ]
    }]],
    ["[LIMIT <offset count>]", "[LIMIT offset count]", [{
      name: "offset_count",
      type: "block",
      token: "LIMIT",
      optional: true,
      arguments: [{ name: "offset", type: "integer" }, { name: "count", type: "integer" }]
    }]],
    ["[AGGREGATE <how: NX | XX>]", "[AGGREGATE <NX | XX>]", [
      { name: "how", type: "oneof", token: "AGGREGATE", optional: true, arguments: [nx, xx] }
    ]],
    ["[GET pattern(string#1)] ...", "[GET pattern [GET pattern ...]]", [{
      name: "pattern",
      type: "string",
      keySpec: 1,
      token: "GET",
      optional: true,
      multiple: true,
      multipleToken: true
    }]],
    ["[GET name [GET name ...]]", "[GET name [GET name ...]]", [
      { name: "name", type: "string", token: "GET", optional: true, multiple: true, multipleToken: true }
    ]],
    ["[ID client-id [client-id ...]]", "[ID client-id [client-id ...]]", [
      { name: "client-id", type: "integer", token: "ID", optional: true, multiple: true }
    ]],
    ["<pattern> ...", "pattern [pattern ...]", [
      { name: "pattern", type: "block", multiple: true, arguments: [{ name: "pattern", type: "pattern" }] }
    ]],
    ["ip:port!2.8.12 equal== empty= x=~", "ip:port = \"\" ~", [
      { name: "ip:port", type: "string", deprecatedSince: "2.8.12" },
      { name: "equal", type: "pure-token", token: "=" },
      { name: "empty", type: "pure-token", token: "" },
      { name: "x", type: "pure-token", token: "~" }
    ]]
  ])("%s", (line, printed, tree) => {
    expect(parseSyntax(line)).toEqual(tree)
    expect(printSyntax(parseSyntax(line))).toBe(printed)
  })
})

describe("key specifications", () => {
  const command = (keys: ReadonlyArray<KeySpec>): Command =>
    defineCommand({
      name: "X",
      since: "1.0.0",
      group: "string",
      summary: "",
      complexity: "",
      syntax: "",
      arity: -1,
      flags: [],
      keys,
      decide: () => null
    })
  const found = (spec: KeySpec, ...request: ReadonlyArray<string>) =>
    keysOf(command([spec]), argvOf(["X", ...request]), new CommandTable())?.map(({ key }) => key.latin1())
  const numbered: KeySpec = {
    flags: ["RO"],
    begin: { index: 1 },
    find: { keyNumberAt: 0, firstKey: 1, step: 1 }
  }
  const afterWord = (from: number): KeySpec => ({
    flags: ["RO"],
    begin: { keyword: "KEYS", from },
    find: { last: -1, step: 1, limit: 2 }
  })

  it("count keys by a number in the request", () => {
    expect(found(numbered, "2", "a", "b", "c")).toEqual(["a", "b"])
    expect(found(numbered, "5", "a", "b")).toBeUndefined()
    expect(found(numbered, "x", "a")).toBeUndefined()
    expect(found(numbered, "9007199254740991", "a")).toBeUndefined()
  })

  it("search a keyword from either end, and halve what is left", () => {
    expect(found(afterWord(1), "keys", "a", "b", "1", "2")).toEqual(["a", "b"])
    expect(found(afterWord(-1), "KEYS", "KEYS", "a", "1")).toEqual(["a"])
    expect(found(afterWord(1), "a", "b")).toEqual([])
  })

  it("give the first, last and step of old", () => {
    const at = (index: number): KeySpec => ({ flags: [], begin: { index }, find: { last: 0, step: 1, limit: 0 } })
    expect(legacyRange([])).toEqual([0, 0, 0])
    expect(legacyRange([at(1), at(2)])).toEqual([1, 2, 1])
    expect(legacyRange([at(1), at(3)])).toEqual([1, 1, 1])
    expect(legacyRange([{ flags: [], begin: { index: 1 }, find: { last: -1, step: 2, limit: 0 } }])).toEqual([1, -1, 2])
    expect(legacyRange([numbered])).toEqual([0, 0, 0])
  })
})
