/** The layer, by a clock the test moves: when links are tried again, given up and kept alive. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { CommandExecutor } from "../../src/commands/executor/executor.ts"
import { Executor } from "../../src/commands/executor/service.ts"
import { ServerConfig } from "../../src/config/config.ts"
import * as EventLogLive from "../../src/log/event-log-live.ts"
import { EventLog } from "../../src/log/event-log.ts"
import { LogReplication } from "../../src/log/mirror.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import type { LinkEvents } from "../../src/replication/dial.ts"
import { printAnswer } from "../../src/replication/protocol.ts"
import * as Service from "../../src/replication/service.ts"
import { logOptions } from "../support/log-writer.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** A link that was opened: what it was sent, and what it can be told. */
interface Opened {
  readonly events: LinkEvents
  sent: string
  closed: boolean
}

const start = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const opened: Array<Opened> = []
    const log = EventLogLive.layer.pipe(
      Layer.provide(Layer.succeed(EventLogLive.LogSettings, {
        disk: new SimDisk(),
        options: logOptions({ policy: "no" }),
        die: (error) => {
          throw error
        }
      }))
    )
    const executor = Layer.effect(
      Executor,
      Effect.gen(function*() {
        const opened = yield* EventLog
        return new CommandExecutor({
          keyspace: new Keyspace(1, { k0: 1, k1: 2 }),
          log: opened,
          now: () => 0,
          monotonic: () => 0,
          seed: 1
        })
      })
    )
    const parts = Layer.succeed(Service.ReplicationParts, {
      flush: () => {},
      afterCommit: () => {},
      settle: () => {},
      reload: () => [][Symbol.iterator](),
      checkpoint: () => "failed",
      underWay: () => undefined,
      linked: () => () => {},
      pauseWrites: () => {},
      unpause: () => {},
      port: 7000,
      disk: new SimDisk(),
      dial: (_host, _port, events) => {
        const link: Opened = { events, sent: "", closed: false }
        opened.push(link)
        return {
          send: (bytes) => {
            link.sent += Buffer.from(bytes).toString("latin1")
          },
          pause: () => {},
          resume: () => {},
          close: () => {
            link.closed = true
          },
          localAddress: "127.0.0.1:1"
        }
      }
    })
    const services = yield* Layer.build(
      Service.layer.pipe(
        Layer.provide(parts),
        Layer.provideMerge(executor),
        Layer.provideMerge(log),
        Layer.provideMerge(ServerConfig.layer(args, {}))
      )
    )
    const replication = yield* Effect.provide(Service.Replicating, services)
    const mirror = yield* Effect.provide(LogReplication, services)
    const { gate } = yield* Effect.provide(Executor, services)
    const { replica } = gate // before anything has run
    yield* Effect.forkScoped(Effect.provideContext(Service.run, services))
    yield* TestClock.adjust("20 millis")
    return { mirror, opened, replica, replication }
  })

const following = ["--replicaof", "127.0.0.1", "6379", "--repl-timeout", "10"]
const say = (link: Opened, text: string): void => {
  const bytes = Buffer.from(text, "latin1")
  link.events.received(bytes, bytes.length)
}

describe("replication as a layer", () => {
  it.effect("tries a primary that cannot be reached again, the longer the more often", () =>
    Effect.scoped(Effect.gen(function*() {
      const { opened, replica } = yield* start(...following)
      expect([opened.length, replica]).toEqual([1, true])
      const at: Array<number> = []
      for (let ms = 20; ms <= 10_000; ms += 20) {
        const last = opened.at(-1)!
        if (!last.closed) {
          last.closed = true
          last.events.closed("refused")
        }
        const before = opened.length
        yield* TestClock.adjust("20 millis")
        if (opened.length > before) at.push(ms)
      }
      expect(at).toEqual([100, 300, 700, 1500, 3100, 5100, 7100, 9100])
    })))

  it.effect("gives up a primary that says nothing for repl-timeout, before and after it is followed", () =>
    Effect.scoped(Effect.gen(function*() {
      const { mirror, opened, replication } = yield* start(...following)
      const [first] = opened
      first!.events.connected()
      expect(first!.sent).toMatch(/PING[^]*listening-port[^]*7000/)
      yield* TestClock.adjust("9 seconds")
      expect(first!.closed).toBe(false)
      yield* TestClock.adjust("2 seconds")
      expect(first!.closed).toBe(true)
      const second = opened.at(-1)!
      second.events.connected()
      say(second, "+PONG\r\n+OK\r\n+OK\r\n")
      expect(second.sent).toMatch(/LOG\.FOLLOW/)
      say(second, `${printAnswer({ kind: "continue", lsn: mirror.position.lsn })}\r\n`)
      expect(replication.status().primary?.state).toBe("connected")
      second.sent = ""
      yield* TestClock.adjust("5 seconds")
      expect(second.sent.match(/\r\nACK/g)?.length).toBe(5)
      yield* TestClock.adjust("6 seconds")
      expect([second.closed, replication.status().primary?.state]).toEqual([true, "connecting"])
      expect(replication.status().primary?.downSeconds).toBe(0)
    })))

  it.effect("gives up a primary whose answer is damaged, at once", () =>
    Effect.scoped(Effect.gen(function*() {
      const { mirror, opened } = yield* start(...following)
      const [link] = opened
      link!.events.connected()
      const answer = printAnswer({ kind: "continue", lsn: mirror.position.lsn })
      say(link!, `+PONG\r\n+OK\r\n+OK\r\n${answer.replace("CONTINUE", "CONTINUF")}\r\n`)
      expect(link!.closed).toBe(true)
      yield* TestClock.adjust("200 millis")
      expect(opened.length).toBe(2)
    })))
})
