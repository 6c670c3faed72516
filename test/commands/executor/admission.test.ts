import { describe, expect, it } from "vitest"
import { notServed, refusalOf } from "../../../src/commands/executor/not-served.ts"
import { commands } from "../../../src/commands/table.ts"
import { Rig } from "./rig.ts"

describe("admission", () => {
  it("says why a command of Redis is not served", () => {
    const rig = new Rig()
    expect(rig.run("eval", "return 1", "0")).toBe("-ERR unknown command 'eval': there is no scripting here\r\n")
    expect(rig.run("JSON.SET", "k", "$", "1")).toBe("-ERR unknown command 'JSON.SET': there are no modules here\r\n")
    expect(rig.run("CLUSTER", "INFO")).toBe("-ERR This instance has cluster support disabled\r\n")
    expect(rig.run("READONLY")).toBe("-ERR This instance has cluster support disabled\r\n")
    const served = new Set(commands.map(({ name }) => name))
    const names = notServed.flatMap(({ names, prefixes = [] }) => [...names, ...prefixes.map((prefix) => `${prefix}X`)])
    expect(names.filter((name) => served.has(name) || refusalOf(name.toLowerCase()) === undefined)).toEqual([])
  })

  it("names an unknown command and the beginning of its arguments", () => {
    const rig = new Rig()
    expect(rig.run("NOSUCH")).toBe("-ERR unknown command 'NOSUCH', with args beginning with: \r\n")
    expect(rig.run("nosuch", "a", "b c")).toBe(
      "-ERR unknown command 'nosuch', with args beginning with: 'a' 'b c' \r\n"
    )
    expect(rig.run("")).toBe("-ERR unknown command '', with args beginning with: \r\n")
    // A C string ends at its NUL; a reply line must not be broken by what a client sent.
    expect(rig.run("no\0such", "a\0b")).toBe("-ERR unknown command 'no', with args beginning with: 'a' \r\n")
    expect(rig.run("no\r\nsuch", "a\nb")).toBe(
      "-ERR unknown command 'no  such', with args beginning with: 'a b' \r\n"
    )
  })

  it("shows no more than 128 characters of name and arguments", () => {
    const rig = new Rig()
    expect(rig.run("x".repeat(500))).toBe(
      `-ERR unknown command '${"x".repeat(128)}', with args beginning with: \r\n`
    )
    const reply = rig.run("X", ...Array.from({ length: 100 }, (_, i) => `argument${i}`))
    const args = /beginning with: (.*)\r\n$/.exec(reply)![1]!
    expect(args.startsWith("'argument0' 'argument1' ")).toBe(true)
    expect(args.length).toBeGreaterThanOrEqual(128)
    expect(args.length).toBeLessThan(128 + 16)
    expect(rig.run("X", "y".repeat(1000))).toBe(
      `-ERR unknown command 'X', with args beginning with: '${"y".repeat(128)}' \r\n`
    )
  })

  it("refuses a wrong number of arguments, naming the command in lower case", () => {
    const rig = new Rig()
    for (const words of [["GET"], ["Get", "a", "b"], ["SET", "a"], ["MSET"], ["DEL"], ["RANDOMKEY", "a"]]) {
      expect(rig.run(...words)).toBe(
        `-ERR wrong number of arguments for '${words[0]!.toLowerCase()}' command\r\n`
      )
    }
    expect(rig.run("OBJECT", "ENCODING")).toBe("-ERR wrong number of arguments for 'object|encoding' command\r\n")
    expect(rig.run("OBJECT", "bogus", "k")).toBe("-ERR unknown subcommand 'bogus'. Try OBJECT HELP.\r\n")
    expect(rig.drain()).toEqual([])
  })

  it("looks at name, then arity, then whether the client has authenticated", () => {
    const rig = new Rig()
    rig.connection.client.authenticated = false
    expect(rig.run("NOSUCH")).toMatch(/^-ERR unknown command/)
    expect(rig.run("GET")).toMatch(/^-ERR wrong number of arguments/)
    for (const words of [["GET", "k"], ["SET", "k", "v"], ["PING"], ["DBSIZE"]]) {
      expect(rig.run(...words)).toBe("-NOAUTH Authentication required.\r\n")
    }
    expect(rig.drain()).toEqual([])
    rig.connection.client.authenticated = true
    expect(rig.run("SET", "k", "v")).toBe("+OK\r\n")
  })

  it("refuses writes and PING while the log takes nothing, and goes on reading", () => {
    const rig = new Rig()
    rig.run("SET", "k", "v")
    rig.drain()
    rig.breakLog("write log/1: ENOSPC")
    const refusal = "-MISCONF Errors writing to the AOF file: write log/1: ENOSPC\r\n"
    for (
      const words of [["SET", "k", "w"], ["DEL", "absent"], ["INCR", "n"], ["EXPIRE", "k", "1"], ["FLUSHALL"], ["PING"]]
    ) expect(rig.run(...words)).toBe(refusal)
    expect(rig.run("GET", "k")).toBe("$1\r\nv\r\n")
    expect(rig.run("EXISTS", "k", "absent")).toBe(":1\r\n")
    expect(rig.run("DBSIZE")).toBe(":1\r\n")
    expect(rig.drain()).toEqual([])
    rig.failure = undefined
    expect(rig.run("SET", "k", "w")).toBe("+OK\r\n")
    expect(rig.drain()).toEqual(["client db0 StringSet k"])
  })

  it("holds back writes, or everything, while clients are paused", () => {
    const rig = new Rig()
    rig.run("SET", "k", "v")
    rig.drain()
    const before = rig.counters("set")
    rig.executor.pause = "write"
    expect(rig.run("GET", "k")).toBe("$1\r\nv\r\n")
    expect(rig.run("SET", "k", "w")).toBe("(paused)")
    expect(rig.run("DEL", "k")).toBe("(paused)")
    // A request that is refused anyway has nothing to wait for.
    expect(rig.run("SET", "k")).toMatch(/^-ERR wrong number/)
    rig.executor.pause = "all"
    expect(rig.run("GET", "k")).toBe("(paused)")
    expect(rig.drain()).toEqual([])
    expect(rig.counters("set")).toEqual({ ...before, rejected: before.rejected + 1 })
    rig.executor.pause = "none"
    expect(rig.run("SET", "k", "w")).toBe("+OK\r\n")
    expect(rig.run("GET", "k")).toBe("$1\r\nw\r\n")
  })
})
