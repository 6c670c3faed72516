/**
 * The declarations behind COMMAND: every command of Redis 7.0.15, stated as one row each (redis-7.0/), must come out of
 * the machinery as Redis itself describes it, whether the product has the command or not.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { commandDocs, commandInfo } from "../../src/commands/server/describe.ts"
import { parseSyntax, printSyntax } from "../../src/commands/server/syntax.ts"
import { Row } from "../../src/commands/table.ts"
import { MapReply } from "../../src/net/resp/reply.ts"
import type { ServerProcess } from "../support/processes.ts"
import type { RespClient } from "../support/resp-client.ts"
import { docsRows, infoRows, printRows, sent } from "./introspection.ts"
import { redisCommands } from "./redis-7.0/index.ts"
import { canCompare, redisTitle, startReference } from "./subject.ts"

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
