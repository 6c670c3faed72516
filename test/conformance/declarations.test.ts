/**
 * The declarations behind COMMAND: every command of Redis 7.0.15, stated as one row each (redis-7.0/), must come out of
 * the machinery as Redis itself describes it, whether the product has the command or not.
 */
import * as Fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { keysAndFlags, requestKeys } from "../../src/commands/server/command.ts"
import { commandDocs, commandInfo } from "../../src/commands/server/describe.ts"
import { parseSyntax, printSyntax } from "../../src/commands/server/syntax.ts"
import { CommandTable, Row } from "../../src/commands/table.ts"
import { MapReply, ReplyError } from "../../src/net/resp/reply.ts"
import { argvOf } from "../support/harness.ts"
import type { ServerProcess } from "../support/processes.ts"
import type { RespClient, TypedReply } from "../support/resp-client.ts"
import { printWord } from "./grammar.ts"
import { docsRows, infoRows, printRows, sent } from "./introspection.ts"
import { namesOf, requests } from "./key-words.ts"
import { redisCommands } from "./redis-7.0/index.ts"
import { canCompare, redisTitle, startReference } from "./subject.ts"

/** MIGRATE, which is not served here, is told apart by its fourth word too: a KEYS among the keys confuses the two. */
const isLoose = (words: ReadonlyArray<string>): boolean => words[0]?.toUpperCase() === "MIGRATE"

/**
 * Where the specification fits nothing, Redis falls back on a function that reads a request more loosely (numbers like
 * 01 and 1.0, STREAMS in any place) and answers keys without flags. The command itself refuses such requests.
 */
const isGuess = (reply: TypedReply): boolean =>
  reply.type === "array" &&
  reply.items.some((item) => item.type === "array" && item.items[1]?.type === "set" && item.items[1].items.length === 0)

const rows = redisCommands.map((command) => new Row(command, undefined))

describe.skipIf(!canCompare)(`declarations against ${redisTitle}`, () => {
  let server: ServerProcess
  let redis: RespClient

  beforeAll(async () => {
    server = await startReference()
    redis = await server.client()
    await redis.command("HELLO", "3")
  })
  afterAll(async () => {
    await redis?.close()
    await server?.stop()
  })

  it("give COMMAND INFO, field by field", async () => {
    const theirs = infoRows(await redis.command("COMMAND"))
    expect(theirs.size).toBeGreaterThan(350)
    expect(printRows(infoRows(sent(rows.map(commandInfo))))).toBe(printRows(theirs))
  })

  const table = new CommandTable(redisCommands)

  /** What the declarations answer to COMMAND GETKEYSANDFLAGS. */
  const keysOf = (request: ReadonlyArray<string>): TypedReply => {
    try {
      return sent(keysAndFlags(requestKeys(table, argvOf(request))))
    } catch (refusal) {
      if (refusal instanceof ReplyError) return { type: "error", value: refusal.text }
      throw refusal
    }
  }

  it("find the keys of any request", async () => {
    let [asked, found] = [0, 0]
    await Fc.assert(
      Fc.asyncProperty(Fc.array(requests(namesOf(redisCommands)), { minLength: 500, maxLength: 500 }), async (list) => {
        const theirs = await redis.pipeline(
          list.map((words) => ["COMMAND", "GETKEYSANDFLAGS", ...words].map((word) => Buffer.from(word, "latin1")))
        )
        asked += list.length
        found += theirs.filter((reply) => reply.type === "array").length
        const wrong = list.filter((words, i) =>
          JSON.stringify(keysOf(words)) !== JSON.stringify(theirs[i]) && !isGuess(theirs[i]!) && !isLoose(words)
        )
        expect(wrong.map((words) => words.map(printWord).join(" "))).toEqual([])
      }),
      { numRuns: 20, endOnFailure: true }
    )
    expect(found / asked).toBeGreaterThan(0.2)
  })

  it("give COMMAND DOCS, field by field", async () => {
    const theirs = docsRows(await redis.command("COMMAND", "DOCS"))
    expect(theirs.size).toBeGreaterThan(350)
    const ours = docsRows(sent(new MapReply(rows.map((row) => [row.name, commandDocs(row)]))))
    expect(printRows(ours)).toBe(printRows(theirs))
  })
})

describe("syntax lines of every command", () => {
  it("read the same when printed and read again, but for names, types and versions", () => {
    const lines = redisCommands
      .flatMap((command) => "subcommands" in command ? command.subcommands : [command])
      .map((command) => printSyntax(parseSyntax(command.syntax)))
    expect(lines.length).toBeGreaterThan(300)
    for (const line of lines) expect(printSyntax(parseSyntax(line))).toBe(line)
  })
})
