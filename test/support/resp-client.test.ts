import * as Net from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { ConnectionClosed, encodeRequest, parseReply, plain, ReplyTimeout, RespClient } from "./resp-client.ts"
import { replyEnd, RespSyntaxError } from "./resp.ts"

const replies = [
  "+OK\r\n",
  "-ERR no\r\n",
  ":-42\r\n",
  "$-1\r\n",
  "$0\r\n\r\n",
  "$5\r\na\r\nb\0\r\n",
  "*-1\r\n",
  "*0\r\n",
  "*3\r\n:1\r\n*2\r\n+a\r\n$-1\r\n$1\r\nx\r\n",
  "_\r\n",
  "#t\r\n",
  "#f\r\n",
  ",1.5\r\n",
  ",-inf\r\n",
  "(3492890328409238509324850943850943825024385\r\n",
  "=6\r\ntxt:ab\r\n",
  "!5\r\nERR x\r\n",
  "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n",
  "~2\r\n+a\r\n+b\r\n",
  ">2\r\n+invalidate\r\n*0\r\n",
  "|1\r\n+ttl\r\n:5\r\n$1\r\nv\r\n"
]
const stream = Buffer.from(replies.join(""), "latin1")

describe("RESP framing", () => {
  it("finds the end of every reply", () => {
    let at = 0
    for (const reply of replies) {
      const end = replyEnd(stream, at)
      expect(stream.toString("latin1", at, end)).toBe(reply)
      at = end
    }
    expect(at).toBe(stream.length)
  })

  it("never takes part of a reply for the whole, and never asks for more than is missing", () => {
    for (const reply of replies) {
      const whole = Buffer.from(reply, "latin1")
      for (let length = 0; length < whole.length; length++) {
        const needed = -replyEnd(whole.subarray(0, length), 0)
        expect(needed).toBeGreaterThan(length)
        expect(needed).toBeLessThanOrEqual(whole.length)
      }
    }
  })

  it("refuses what is not RESP", () => {
    for (const bytes of ["x\r\n", "$abc\r\n", "*x\r\n", "$1\r\nabc"]) {
      expect(() => replyEnd(Buffer.from(bytes), 0), bytes).toThrow(RespSyntaxError)
    }
    expect(() => parseReply(Buffer.from("+OK\r\n+OK\r\n"))).toThrow(RespSyntaxError)
  })

  it("keeps the type that stood on the wire", () => {
    expect(replies.map((reply) => parseReply(Buffer.from(reply, "latin1")).type)).toEqual([
      "status",
      "error",
      "integer",
      "null",
      "bulk",
      "bulk",
      "null",
      "array",
      "array",
      "null",
      "bool",
      "bool",
      "double",
      "double",
      "bignumber",
      "verbatim",
      "error",
      "map",
      "set",
      "push",
      "bulk"
    ])
    expect(parseReply(Buffer.from("*-1\r\n"))).toEqual({ type: "null", form: "array" })
    expect(parseReply(Buffer.from("$-1\r\n"))).toEqual({ type: "null", form: "bulk" })
    expect(parseReply(Buffer.from("=6\r\ntxt:ab\r\n"))).toMatchObject({ format: "txt", value: Buffer.from("ab") })
    expect(plain(parseReply(Buffer.from(replies[8]!)))).toEqual([1, ["a", null], "x"])
    expect(plain(parseReply(Buffer.from(replies[17]!)))).toEqual(new Map<string, unknown>([["a", 1], ["b", [null]]]))
  })

  it("encodes words of every kind", () => {
    expect(encodeRequest(["SET", 1, 2n ** 63n, Buffer.from([0, 255])]).toString("latin1"))
      .toBe("*4\r\n$3\r\nSET\r\n$1\r\n1\r\n$19\r\n9223372036854775808\r\n$2\r\n\0\xff\r\n")
  })
})

describe("RespClient", () => {
  let server: Net.Server | undefined
  const serve = (onConnection: (socket: Net.Socket) => void): Promise<number> =>
    new Promise((resolve) => {
      server = Net.createServer(onConnection)
      server.listen(0, "127.0.0.1", () => resolve((server!.address() as Net.AddressInfo).port))
    })
  afterEach(() => {
    server?.close()
    server = undefined
  })

  it("hands out replies in order however they are cut, pushes apart", async () => {
    const port = await serve((socket) => {
      socket.setNoDelay(true)
      socket.once("data", async () => {
        for (const byte of stream) {
          socket.write(Buffer.from([byte]))
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
    })
    const client = await RespClient.connect({ port })
    const found = await client.raw("x", 12)
    const rest = await client.take(replies.length - 13)
    expect([...found, ...rest].map((bytes) => bytes.toString("latin1")))
      .toEqual(replies.filter((reply) => !reply.startsWith(">")))
    expect(client.pushes.map((push) => push.type)).toEqual(["push"])
    await client.close()
  })

  it("says what had arrived when the connection ends", async () => {
    const port = await serve((socket) => socket.end("+OK\r\n+cut"))
    const client = await RespClient.connect({ port })
    const failure = await client.raw("x", 2).catch((cause: unknown) => cause)
    expect(failure).toBeInstanceOf(ConnectionClosed)
    expect((failure as ConnectionClosed).received.map(String)).toEqual(["+OK\r\n"])
    expect(await client.take(1).catch((cause: unknown) => cause)).toBeInstanceOf(ConnectionClosed)
    expect((await client.untilClosed()).toString()).toBe("+cut")
  })

  it("gives up after its timeout", async () => {
    const port = await serve((socket) => void socket.write("+OK\r\n"))
    const client = await RespClient.connect({ port, timeoutMs: 50 })
    const failure = await client.raw("x", 2).catch((cause: unknown) => cause)
    expect(failure).toBeInstanceOf(ReplyTimeout)
    expect((failure as ReplyTimeout).received.map(String)).toEqual(["+OK\r\n"])
    await client.whenClosed()
  })

  it("rejects on bytes that are not RESP", async () => {
    const port = await serve((socket) => void socket.write("hello\r\n"))
    const client = await RespClient.connect({ port })
    await expect(client.command("PING")).rejects.toBeInstanceOf(RespSyntaxError)
    await client.whenClosed()
  })
})
