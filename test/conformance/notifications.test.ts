/**
 * Keyspace notifications against redis-server: after every command line of the subjects, what came to subscribers of all
 * channels in RESP2 and RESP3, in the same order. Members and fields that a server chooses at random are not part of a
 * notification. Every command of Redis 7.0 that has to do with keys is among the subjects.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { CommandTable } from "../../src/commands/table.ts"
import type { ServerProcess } from "../support/processes.ts"
import { encodeRequest, parseReply, plain, type RespClient, type TypedReply } from "../support/resp-client.ts"
import { Listener } from "./listening.ts"
import { notSubjects, type Subject, subjects } from "./notification-subjects.ts"
import { redisCommands } from "./redis-7.0/index.ts"
import { canCompare, redisTitle, startReference, startSubject, subjectIsRedis } from "./subject.ts"

const words = (line: string): ReadonlyArray<string> => line.split(" ").map((word) => word === "''" ? "" : word)

/** One server, a client, another one that may wait, and who listens to what is told of keys. */
class Side {
  readonly server: ServerProcess
  readonly client: RespClient
  private readonly waiter: RespClient
  private readonly listeners: readonly [Listener, Listener]
  private waits: Promise<TypedReply> | undefined = undefined

  constructor(server: ServerProcess, client: RespClient, waiter: RespClient, listeners: readonly [Listener, Listener]) {
    this.server = server
    this.client = client
    this.waiter = waiter
    this.listeners = listeners
  }

  static async of(server: ServerProcess): Promise<Side> {
    const [client, waiter] = [await server.client(), await server.client()]
    const listeners = [await Listener.of(server, 2), await Listener.of(server, 3)] as const
    // Whatever dies is told when it is met, not when a server comes to it.
    await client.command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    return new Side(server, client, waiter, listeners)
  }

  /** What has been told since the last call: channel and message. */
  async told(): Promise<ReadonlyArray<string>> {
    const [told, pushed] = [await this.listeners[0].told(), await this.listeners[1].told()]
    expect(pushed).toEqual(told)
    return told
  }

  /** The same of what happens by itself, which one listener may have been told and the other not yet. */
  async toldMeanwhile(): Promise<ReadonlyArray<string>> {
    await this.listeners[1].told()
    return this.listeners[0].told()
  }

  /** Runs lines one by one; what each of them caused, the reply's error in front. A line that begins with & waits. */
  async run(lines: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
    const shown: Array<string> = []
    for (const line of lines) {
      const reply = line.startsWith("& ")
        ? await this.wait(line.slice(2))
        : plain(await this.client.command(...words(line)))
      const error = reply instanceof Error ? ` (${reply.message})` : ""
      shown.push(`> ${line}${error}`, ...(await this.told()).map((told) => `  ${told}`))
    }
    await this.waits
    this.waits = undefined
    return shown
  }

  /** Asks by the other connection, and comes back when that waits, or is answered already. */
  private async wait(line: string): Promise<void> {
    await this.waits
    let answered = false
    this.waits = this.waiter.command(...words(line)).finally(() => {
      answered = true
    })
    for (;;) {
      const clients = String(plain(await this.client.command("INFO", "clients")))
      if (answered || /blocked_clients:1\r/.test(clients)) return
    }
  }

  async prepare(classes: string, given: ReadonlyArray<string>): Promise<void> {
    for (const line of ["FLUSHALL", "SELECT 0", `CONFIG SET notify-keyspace-events ${classes}`, ...given]) {
      const reply = plain(await this.client.command(...words(line)))
      expect(reply instanceof Error, `${line}: ${String(reply)}`).toBe(false)
    }
    await this.toldMeanwhile()
  }
}

/** The bytes of a value that redis-server holds: those every version reads. */
const redisDump = async (redis: Side, key: string): Promise<Buffer> => {
  const client = await redis.server.client()
  const [reply] = await client.raw(encodeRequest(["DUMP", key]), 1)
  await client.close()
  const typed = parseReply(reply!)
  return typed.type === "bulk" ? typed.value : Buffer.of()
}

describe.skipIf(!canCompare)(`keyspace notifications against ${redisTitle}`, () => {
  let sides: ReadonlyArray<Side> = []
  beforeAll(async () => {
    sides = await Promise.all([await startReference(), await startSubject()].map((server) => Side.of(server)))
  })
  afterEach(async () => {
    for (const { client } of sides) await client.command("CONFIG", "SET", "notify-keyspace-events", "")
  })
  afterAll(async () => {
    await Promise.all(sides.map(({ server }) => server.stop()))
  })

  const same = async (classes: string, { given, lines }: Subject): Promise<ReadonlyArray<string>> => {
    const [theirs, ours] = await Promise.all(sides.map(async (side) => {
      await side.prepare(classes, given)
      return side.run(lines)
    }))
    expect(ours).toEqual(theirs)
    return ours!
  }

  for (const [family, list] of Object.entries(subjects)) {
    it.each(list.map((subject) => [[...subject.given, ...subject.lines].join("; ").slice(0, 60), subject] as const))(
      `are the same for ${family}: %s`,
      async (_title, subject) => {
        const told = await same("AKEmn", subject)
        expect(told.length).toBeGreaterThanOrEqual(subject.lines.length)
      }
    )
  }

  it("are compared for every command that has to do with keys", () => {
    const inRedis = new Set(
      redisCommands.flatMap((command) => [
        command.name,
        ..."subcommands" in command ? command.subcommands.map(({ name }) => `${command.name}|${name}`) : []
      ]).map((name) => name.toLowerCase())
    )
    const table = new CommandTable()
    const rows = new Map(
      [...table.rows].flatMap((row) => [row, ...row.subcommands?.rows ?? []]).map((row) => [row.name, row])
    )
    const wanted = [...rows.values()].filter(({ command, name }) =>
      inRedis.has(name) && (command.keys ?? []).length > 0
    )
      .filter(({ subcommands, touchesKeys }) => subcommands === undefined && touchesKeys).map(({ name }) => name)
    const lines = Object.values(subjects).flat().flatMap((subject) => [...subject.given, ...subject.lines])
    const compared = new Set(lines.flatMap((line) => {
      const [first, second] = words(line.replace("& ", "").toLowerCase())
      return [first, `${first}|${second}`]
    }))
    expect(wanted.filter((name) => !compared.has(name)).toSorted()).toEqual([...notSubjects].toSorted())
  })

  const mixed: Subject = {
    given: [],
    lines: [
      "SET a 1",
      "LPUSH l x",
      "SADD s x",
      "HSET h f 1",
      "ZADD z 1 m",
      "XADD x 1-1 f v",
      "DEL a l",
      "GET missing",
      "SET b 1 PXAT 1",
      "GET b",
      "SPOP s",
      "EXPIRE h 100"
    ]
  }
  const classes = [
    "",
    "K",
    "E",
    "A",
    "Kg",
    "E$",
    "Kl",
    "Es",
    "Kh",
    "Ez",
    "KEx",
    "Ee",
    "Kt",
    "Km",
    "En",
    "KA",
    "EA",
    "Kgx",
    "KEd",
    "g$",
    "KEmn"
  ]
  it.each(classes.map((letters) => [letters === "" ? "''" : letters] as const))(
    "of class %s only, too",
    async (letters) => {
      const told = await same(letters, mixed)
      const silent = !/[KE]/.test(letters) || /^[KE]+[ed]?$/.test(letters)
      expect(told.length > mixed.lines.length).toBe(!silent)
    }
  )

  it("are set, and their letters answered in the same order", async () => {
    for (const letters of [...classes, "AKEn", "nKE", "g$lshzxetdnKEm", "mKg", "tdzshl$gxeA", "KEQ", "a", "K E"]) {
      const replies = await Promise.all(sides.map(async ({ client }) => [
        plain(await client.command("CONFIG", "SET", "notify-keyspace-events", letters)),
        plain(await client.command("CONFIG", "GET", "notify-keyspace-events"))
      ]))
      expect(replies[1]).toEqual(replies[0])
    }
  })

  it("of other databases and of binary keys, too", async () => {
    await same("KEA", {
      given: [],
      lines: ["SELECT 9", "SET \xff\xfe 1", "RENAME \xff\xfe x\r\ny", "MOVE x\r\ny 3", "COPY nothing x", "SELECT 0"]
    })
  })

  it("of values that are restored, too", async () => {
    const given = ["SET s 1", "RPUSH l a b", "HSET h f v", "SADD t a", "ZADD z 1 a", "XADD x 1-1 f v", "SET taken 1"]
    for (const side of sides) await side.prepare("AKEn", given)
    const runs = await Promise.all(sides.map(async (side) => {
      const shown: Array<string> = []
      for (const key of ["s", "l", "h", "t", "z", "x"]) {
        const value = await redisDump(sides[0]!, key)
        for (
          const [to, ttl, ...options] of [
            [`${key}:new`, "0"],
            [`${key}:new`, "0"],
            [`${key}:new`, "100000", "REPLACE"],
            ["taken", "0", "REPLACE"],
            [`${key}:new`, "1", "REPLACE", "ABSTTL"],
            [`${key}:past`, "1", "ABSTTL"]
          ]
        ) {
          const reply = plain(await side.client.command("RESTORE", to!, ttl!, value, ...options))
          shown.push(`${to} ${ttl} ${options.join(" ")}: ${String(reply)}`, ...await side.told())
        }
      }
      return shown
    }))
    expect(runs[1]).toEqual(runs[0])
    expect(runs[1]!.filter((line) => line.endsWith("restore")).length).toBe(18)
  })

  it("of keys that die by themselves, and of those that a transaction touches, too", async () => {
    for (const [i, side] of sides.entries()) {
      await side.prepare("KEA", ["SET a 1", "HSET h f 1", "DEBUG SET-ACTIVE-EXPIRE 1"])
      await side.client.command("PEXPIRE", "a", "20")
      await side.client.command("PEXPIRE", "h", "20")
      const lines: Array<string> = []
      const until = performance.now() + 20_000
      while (lines.length < 8 && performance.now() < until) lines.push(...await side.toldMeanwhile())
      expect([i, lines.toSorted()]).toEqual([i, [
        "__keyevent@0__:expire a",
        "__keyevent@0__:expire h",
        "__keyevent@0__:expired a",
        "__keyevent@0__:expired h",
        "__keyspace@0__:a expire",
        "__keyspace@0__:a expired",
        "__keyspace@0__:h expire",
        "__keyspace@0__:h expired"
      ]])
      await side.client.command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    }
  })

  it("of keys that are evicted, too", async () => {
    const counts = await Promise.all(sides.map(async (side) => {
      await side.prepare("Ee", [])
      await side.client.command("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
      for (let i = 0; i < 200; i++) await side.client.command("SET", `key:${i}`, "v".repeat(10_000))
      await side.client.command("CONFIG", "SET", "maxmemory", "200kb")
      await side.client.command("SET", "last", "x")
      const told: Array<string> = []
      const until = performance.now() + 20_000
      while (told.length < 100 && performance.now() < until) told.push(...await side.toldMeanwhile())
      await side.client.command("CONFIG", "SET", "maxmemory", "0")
      await side.toldMeanwhile()
      expect(told.every((line) => /^__keyevent@0__:evicted (key:\d+|last)$/.test(line))).toBe(true)
      expect(new Set(told).size).toBe(told.length)
      return told.length
    }))
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(100)
  })

  it.skipIf(subjectIsRedis)("are silent when a transaction was taken back", async () => {
    const ours = sides[1]!
    await ours.prepare("KEA", ["SET a 1"])
    const lines = ["CLIENT MULTI-ON-ERROR ABORT", "MULTI", "SET b 1", "DEL a", "LPUSH l x", "INCR l", "EXEC", "GET a"]
    expect((await ours.run(lines)).filter((line) => line.startsWith("  "))).toEqual([])
    await ours.run(["MULTI", "SET b 1", "DEL a"])
    expect(await ours.run(["EXEC"])).toEqual([
      "> EXEC",
      "  __keyspace@0__:b set",
      "  __keyevent@0__:set b",
      "  __keyspace@0__:a del",
      "  __keyevent@0__:del a"
    ])
    await ours.client.command("CLIENT", "MULTI-ON-ERROR", "DEFAULT")
  })
})
