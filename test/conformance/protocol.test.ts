/**
 * Bytes that are not, or not quite, requests: both servers get the same ones on fresh connections, then the end of the
 * stream; everything they answer until they close must be equal.
 */
import * as Fc from "fast-check"
import { setImmediate as turn } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ServerProcess } from "../support/processes.ts"
import { encodeRequest } from "../support/resp-client.ts"
import { canCompare, redisTitle, startReference, startSubject } from "./subject.ts"

const set = encodeRequest(["SET", "k", "v"]).toString("latin1")
const inlineLimit = 64 * 1024

const cases: ReadonlyArray<string> = [
  // Lengths of requests.
  "*-1\r\nPING\r\n",
  "*-10\r\nPING\r\n",
  "*0\r\nPING\r\n",
  "*1048577\r\n",
  "*2147483647\r\n",
  "*2147483648\r\n",
  "*9223372036854775808\r\n",
  "*\0\r\n",
  "*\r\n",
  "*abc\r\n",
  "*+1\r\n$4\r\nPING\r\n",
  "*01\r\n$4\r\nPING\r\n",
  "* 1\r\n$4\r\nPING\r\n",
  "*1 \r\n$4\r\nPING\r\n",
  "*1\n$4\r\nPING\r\n",
  "*1\r$4\r\nPING\r\n",
  "*-\r\n",
  `*${"1".repeat(100)}\r\n`,
  // Lengths of words.
  "*1\r\n$-1\r\n",
  "*1\r\n$-10\r\n",
  "*1\r\n$blabla\r\n",
  "*1\r\n$536870913\r\n",
  "*1\r\n$9223372036854775807\r\n",
  "*1\r\n$\r\n",
  "*1\r\n$ 4\r\nPING\r\n",
  "*1\r\n$04\r\nPING\r\n",
  "*1\r\n$0\r\n\r\n",
  "*2\r\n$0\r\n\r\n$0\r\n\r\n",
  "*1\r\nfoo\r\n",
  "*1\r\n\r\n",
  "*1\r\n*1\r\n",
  "*1\r\n:1\r\n",
  "*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n",
  // What stands where CRLF should is not looked at.
  "*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
  "*1\r\n$4\r\nPING\r\nPING\r\n",
  // Good requests, then bad ones: what was asked before is answered first.
  `${set}${set}*1\r\n$x\r\n${set}`,
  `${set}*x\r\n${set}`,
  `${set}PING "open\r\n${set}`,
  // Inline requests.
  "\r\n",
  "\n\n\nPING\n",
  "PING\n",
  "PING\r\n",
  "PING\r\r\n",
  "  PING  \r\n",
  "\tPING\tx\r\n",
  "PING a\0b\r\n",
  "\0PING\r\n",
  "PING \"\"\r\n",
  "PING \"a b\"\r\n",
  "PING \"\\x41\\x4g\\n\\r\\t\\a\\b\\q\\\"\\\\\"\r\n",
  "PING 'a b'\r\n",
  "PING 'it\\'s \\n'\r\n",
  "PING \"open\r\n",
  "PING 'open\r\n",
  "PING \"a\"b\r\n",
  "PING 'a'b\r\n",
  "PING a\"b c\"d\r\n",
  "SET k \xff\xfe\r\nGET k\r\n",
  "NOSUCH a b c\r\n",
  "QUIT\r\nPING\r\n",
  "PING\r\nQUIT\r\nPING\r\n",
  `${"x".repeat(inlineLimit + 1)}`,
  `PING ${"x".repeat(inlineLimit - 7)}\r\n`,
  // Answered by closing: another protocol speaks.
  "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "Host: localhost\r\n",
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "post\r\n",
  "host:\r\n",
  // Half of something.
  "",
  "*",
  "*1\r",
  "*1\r\n$4",
  "*1\r\n$4\r\nPI",
  "*1\r\n$4\r\nPING",
  "*1\r\n$4\r\nPING\r",
  "PING",
  // Unusual but right.
  `*1\r\n$4\r\nping\r\n*2\r\n$4\r\nPiNg\r\n$2\r\n\r\n\r\n`,
  `*2\r\n$4\r\nECHO\r\n$70000\r\n${"e".repeat(70_000)}\r\n`
]

describe.skipIf(!canCompare)(`protocol against ${redisTitle}`, () => {
  let redis: ServerProcess
  let annals: ServerProcess

  beforeAll(async () => {
    redis = await startReference()
    annals = await startSubject()
  })
  afterAll(async () => {
    await Promise.all([redis?.stop(), annals?.stop()])
  })

  /** Everything a server answers to these bytes, up to its closing of the connection. */
  const answer = async (server: ServerProcess, chunks: Iterable<string>): Promise<string> => {
    const client = await server.client()
    for (const chunk of chunks) {
      if (client.closed) break
      client.send(Buffer.from(chunk, "latin1"))
      await turn()
    }
    client.end()
    return (await client.untilClosed()).toString("latin1")
  }
  const compare = async (text: string, chunks: ReadonlyArray<string> = [text]): Promise<void> => {
    const [expected, actual] = await Promise.all([answer(redis, chunks), answer(annals, chunks)])
    expect(actual, JSON.stringify(text.slice(0, 300))).toBe(expected)
  }

  it.each(cases.map((text) => [JSON.stringify(text).slice(0, 70), text] as const))("%s", (_, text) => compare(text))

  it("answers the same wherever a request is cut", async () => {
    const text = `PING\r\n${encodeRequest(["ECHO", "a\r\nb"]).toString("latin1")}${set}*1\r\n$x\r\n`
    for (let at = 1; at < text.length; at++) await compare(text, [text.slice(0, at), text.slice(at)])
    await compare(text, [...text])
  })

  it("answers any mixture of protocol fragments the same", async () => {
    const fragment = Fc.oneof(
      Fc.constantFrom(
        "*",
        "$",
        "\r\n",
        "\r\n",
        "\n",
        "\r",
        " ",
        "0",
        "1",
        "2",
        "3",
        "4",
        "-1",
        "\0",
        "\"",
        "'",
        "\\",
        "\\x4"
      ),
      Fc.constantFrom("*1\r\n", "*2\r\n", "*3\r\n", "$4\r\nPING\r\n", "$4\r\nECHO\r\n", "$3\r\nGET\r\n", "$1\r\nk\r\n"),
      Fc.constantFrom("PING", "ECHO", "GET k", "SET k v", "PING\r\n", set)
    )
    await Fc.assert(
      Fc.asyncProperty(Fc.array(fragment, { maxLength: 24 }), async (fragments) => compare(fragments.join(""))),
      { numRuns: 5_000 }
    )
  })
})
