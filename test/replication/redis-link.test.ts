/** The link to a Redis, byte by byte: what it sends is split anywhere, cut, damaged, or makes no sense. */
import { describe, expect, it } from "vitest"
import { LogUnavailable } from "../../src/log/event-log.ts"
import { memoryLog } from "../../src/log/memory-log.ts"
import { digest } from "../../src/projections/digest.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { RdbFileWriter, writeKeyspace } from "../../src/rdb/file-writer.ts"
import type { LinkEvents } from "../../src/replication/dial.ts"
import { RedisFollower } from "../../src/replication/redis-follower.ts"
import { RedisTaker } from "../../src/replication/redis-taker.ts"
import { Harness } from "../support/harness.ts"
import { forSeeds, Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const id = "0123456789abcdef0123456789abcdef01234567"
const mark = "m".repeat(40)

/** The data of the other server, and its file. */
const other = new Harness()
for (let i = 0; i < 40; i++) other.run("RPUSH", `list:${i}`, ...Array.from({ length: i + 1 }, (_, k) => `${k}`))
other.run("SET", "text", "x".repeat(3000))
const chunks: Array<Buffer> = []
const writer = new RdbFileWriter((bytes) => void chunks.push(Buffer.from(bytes)), { created: other.now })
for (const _ of writeKeyspace(writer, other.keyspace, other.now));
writer.end()
const file = Buffer.concat(chunks)

const request = (...words: ReadonlyArray<string>): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`

/** A follower whose links the test plays the other end of. */
class Play {
  readonly disk = new SimDisk()
  readonly keyspace = new Keyspace(16, { k0: 1, k1: 2 })
  readonly warnings: Array<string> = []
  readonly published: Array<string> = []
  readonly follower: RedisFollower
  private readonly log = memoryLog()
  unavailable: LogUnavailable | undefined = undefined
  sent = ""
  time = 1000
  events: LinkEvents | undefined
  links = 0
  private later: Array<() => void> = []

  constructor() {
    const taker = new RedisTaker({
      disk: this.disk,
      keyspace: this.keyspace,
      log: { append: this.log.append, failure: () => this.unavailable },
      now: () => other.now,
      monotonic: () => this.time,
      seed: 1,
      fold: (time, db, events, count) => {
        this.keyspace.turn.next(time)
        for (let i = 0; i < count; i++) evolve(this.keyspace, db, events[i]!)
      },
      noticing: () => {},
      settle: () => {},
      publish: (channel, text) => void this.published.push(`${channel.latin1()}:${text.latin1()}`),
      warn: (text) => void this.warnings.push(text)
    })
    this.follower = new RedisFollower({
      dial: (_host, _port, events) => {
        this.events = events
        this.links++
        this.sent = ""
        return {
          send: (bytes) => void (this.sent += Buffer.from(bytes).toString("latin1")),
          pause: () => {},
          resume: () => {},
          close: () => {},
          localAddress: "here:1"
        }
      },
      monotonic: () => this.time,
      settings: () => ({ timeoutMs: 60_000, user: "", password: "", listeningPort: 7000, announceAddress: "" }),
      taker,
      later: (run) => void this.later.push(run),
      linked: () => () => {},
      changed: () => {},
      report: () => {},
      warn: (text) => void this.warnings.push(text)
    })
    this.follower.start({ host: "there", port: 1, delayMs: 0, until: undefined })
    this.events!.connected()
  }

  say(bytes: Uint8Array | string): void {
    const all = Buffer.from(bytes as Uint8Array)
    this.events!.received(all, all.length)
    this.rest()
  }

  /** Everything that goes on in slices. */
  rest(): void {
    for (let run = this.later.shift(); run !== undefined; run = this.later.shift()) run()
  }

  wait(ms: number): void {
    this.time += ms
    this.follower.tick()
    this.rest()
  }

  get digest(): string {
    return digest(this.keyspace, other.now)
  }
}

const hello = "+PONG\r\n+OK\r\n+OK\r\n"
const full = `${hello}+FULLRESYNC ${id} 100\r\n`
const whole = { eof: `$EOF:${mark}\r\n`, length: `$${file.length}\r\n` }

describe("the link to a Redis", () => {
  it("is understood wherever it is split, with the file announced either way", () =>
    forSeeds(20, (random: Random) => {
      const play = new Play()
      const eof = random.chance(0.5)
      const answers = Buffer.concat([
        Buffer.from(`${full}\n\n${eof ? whole.eof : whole.length}`),
        file,
        Buffer.from(eof ? mark : "")
      ])
      const stream = Buffer.from(
        request("SELECT", "0") + request("SET", "a", "1") + "\n" + request("PING") + request("MULTI")
          + request("INCR", "a") + request("SELECT", "3") + request("SET", "b", "2") + request("EXEC")
          + request("PUBLISH", "news", "hello") + request("REPLCONF", "GETACK", "*")
      )
      const feed = (bytes: Buffer): void => {
        for (let at = 0; at < bytes.length;) {
          const length = Math.min(bytes.length - at, random.chance(0.3) ? 1 + random.below(9) : 1 + random.below(4000))
          play.say(bytes.subarray(at, at + length))
          at += length
        }
      }
      feed(answers)
      expect(play.follower.status).toMatchObject({ state: "connected", readLsn: 100 })
      expect(play.digest).toBe(digest(other.keyspace, other.now))
      feed(stream)
      expect(play.follower.status!.readLsn).toBe(100 + stream.length - 1) // without the sign of life
      expect(play.sent.endsWith(request("REPLCONF", "ACK", `${99 + stream.length}`))).toBe(true)
      expect(play.published).toEqual(["news:hello"])
      expect(play.keyspace.database(3).size).toBe(1)
      expect(play.disk.exists("incoming.rdb")).toBe(false)
    }))

  it("counts a transaction when it is whole, and is not tried again at once where something is not understood", () => {
    const play = new Play()
    play.say(full + whole.length)
    play.say(file)
    play.say(request("SET", "a", "1"))
    const { readLsn } = play.follower.status!
    play.say(request("MULTI") + request("SET", "a", "2"))
    expect(play.follower.status!.readLsn).toBe(readLsn)
    play.say(request("EXEC") + request("DBSIZE"))
    expect(play.warnings.at(-1)).toMatch(/DBSIZE: it is no command that servers pass on/)
    expect(play.follower.status!.state).toBe("connect")
    play.wait(10_000)
    expect(play.links).toBe(1)
    play.wait(30_000)
    play.events!.connected()
    play.say(hello)
    expect(play.sent.endsWith(request("PSYNC", "?", "-1"))).toBe(true)
  })

  it("takes nothing in while the log cannot be written, and all of it later", () => {
    const play = new Play()
    play.unavailable = new LogUnavailable({ reason: "no space" })
    play.say(full + whole.length)
    play.say(file)
    expect(play.warnings.join()).toContain("no space")
    expect(play.follower.catchingUp).toBe(true)
    expect(play.keyspace.usedBytes).toBe(new Keyspace(16, { k0: 1, k1: 2 }).usedBytes)
    play.unavailable = undefined
    play.wait(31_000)
    play.events!.connected()
    play.say(full + whole.length)
    play.say(file)
    expect([play.follower.status!.state, play.follower.catchingUp]).toEqual(["connected", false])
    expect(play.digest).toBe(digest(other.keyspace, other.now))
  })

  it("leaves the data as they are when the file is damaged, cut short, or not to be read", () => {
    const play = new Play()
    play.say(full + whole.length)
    play.say(file)
    const before = play.digest
    const again = (...parts: ReadonlyArray<Uint8Array | string>): void => {
      play.events!.closed("cut")
      play.wait(31_000)
      play.events!.connected()
      for (const part of parts) play.say(part)
      expect(play.digest).toBe(before)
    }
    const damaged = Buffer.from(file)
    damaged[200]! ^= 1
    again(full + whole.length, damaged)
    expect(play.warnings.at(-1)).toMatch(/at byte \d+/)
    again(full + whole.length, file.subarray(0, 300))
    again(full + whole.eof, file.subarray(0, 300), mark)
    expect(play.warnings.at(-1)).toContain("the file ends early")
    again(full + "$what\r\n")
    again(hello + "-LOADING Redis is loading the dataset in memory\r\n")
    expect(play.warnings.at(-1)).toContain("it refuses to be followed: LOADING")
    again("-NOAUTH Authentication required.\r\n")
    again("+PONG\r\nnonsense\r\n+OK\r\n?\r\n")
    play.disk.fail({ operation: "write", file: /incoming/, code: "ENOSPC" })
    again(full + whole.length, file)
    expect(play.follower.status!.state).toBe("connect")
    expect(play.disk.list("")).not.toContain("incoming.rdb")
  })
})
