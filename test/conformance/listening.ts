/** Who listens to what a server tells of its keys (notify-keyspace-events). */
import type { ServerProcess } from "../support/processes.ts"
import { encodeRequest, plain, type RespClient, type TypedReply } from "../support/resp-client.ts"
import { type Line, printLine } from "./grammar.ts"

/** A subscriber to everything that a server tells of keys, in RESP2 or in RESP3. */
export class Listener {
  private marker = 0
  private readonly connection: RespClient
  private readonly protocol: 2 | 3

  private constructor(connection: RespClient, protocol: 2 | 3) {
    this.connection = connection
    this.protocol = protocol
  }

  static async of(server: ServerProcess, protocol: 2 | 3): Promise<Listener> {
    const connection = await server.client({ pushesAreReplies: true })
    if (protocol === 3) await connection.command("HELLO", "3")
    await connection.command("PSUBSCRIBE", "__key*", "__subkey*")
    await connection.next()
    return new Listener(connection, protocol)
  }

  /** What has been told since the last call: channel and message of each, every byte a character. */
  async told(): Promise<ReadonlyArray<string>> {
    const marker = `marker ${this.marker++}`
    this.connection.send(encodeRequest(["PING", marker]))
    const lines: Array<string> = []
    for (;;) {
      const reply = await this.connection.next()
      if (isPong(reply, marker)) return lines
      const words = reply.type === "array" || reply.type === "push" ? reply.items.map(latin1) : []
      if (words[0] !== "pmessage" || words.length !== 4 || (reply.type === "push") !== (this.protocol === 3)) {
        throw new Error(`unexpected in RESP${this.protocol}: ${JSON.stringify(plain(reply))}`)
      }
      lines.push(`${words[2]} ${words[3]}`)
    }
  }

  close(): Promise<void> {
    return this.connection.close()
  }
}

const latin1 = (reply: TypedReply): string => reply.type === "bulk" ? reply.value.toString("latin1") : `(${reply.type})`

const isPong = (reply: TypedReply, marker: string): boolean => {
  const words = plain(reply)
  return words === marker || (Array.isArray(words) && words[0] === "pong" && words[1] === marker)
}

/** A listener to each of two servers, which are expected to tell the same. */
export class Listeners {
  told = 0
  private readonly sorts: boolean
  private readonly sides: ReadonlyArray<Listener>

  private constructor(sides: ReadonlyArray<Listener>, sorts: boolean) {
    this.sides = sides
    this.sorts = sorts
  }

  /** `sorts`: SORT is among the requests, so keys that are missed are not compared. */
  static async of(servers: ReadonlyArray<ServerProcess>, protocol: 2 | 3, sorts = false): Promise<Listeners> {
    return new Listeners(await Promise.all(servers.map((server) => Listener.of(server, protocol))), sorts)
  }

  /** Why what was told of these requests is not the same on both sides, or undefined. */
  async difference(lines: ReadonlyArray<Line>): Promise<string | undefined> {
    const [theirs, ours] = await Promise.all(this.sides.map((side) => side.told())) as [
      ReadonlyArray<string>,
      ReadonlyArray<string>
    ]
    this.told += theirs.length
    if (this.sorts) return differenceOf(withoutMisses(theirs), withoutMisses(ours), lines)
    return differenceOf(theirs, ours, lines)
  }
  async close(): Promise<void> {
    await Promise.all(this.sides.map((side) => side.close()))
  }
}

/**
 * What SORT looks up, and misses, depends on the order of what it sorts, which is anybody's in a set, and in a list where
 * strcoll finds two texts alike that differ.
 */
const withoutMisses = (told: ReadonlyArray<string>): ReadonlyArray<string> =>
  told.filter((line) => !line.endsWith(" keymiss") && !line.includes("__:keymiss "))

const differenceOf = (
  theirs: ReadonlyArray<string>,
  ours: ReadonlyArray<string>,
  lines: ReadonlyArray<Line>
): string | undefined => {
  const at = theirs.findIndex((line, i) => line !== ours[i])
  if (at < 0 && theirs.length === ours.length) return undefined
  const from = Math.max(0, (at < 0 ? theirs.length : at) - 6)
  const part = (told: ReadonlyArray<string>): string =>
    told.slice(from, from + 12).map((line) => `    ${JSON.stringify(line)}\n`).join("")
  const requests = lines.slice(-40).map((line) => `    ${printLine(line)}\n`).join("")
  return `told differently, message ${from + 1} and on\n  redis\n${part(theirs)}  annals\n${
    part(ours)
  }  after\n${requests}`
}
