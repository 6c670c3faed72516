import { describe, expect, it } from "vitest"
import { OtherWaits } from "../../src/commands/executor/other-waits.ts"
import { RecentWrites } from "../../src/commands/executor/recent-writes.ts"
import type { ConnectionPort } from "../../src/commands/ports.ts"
import type { Answer } from "../../src/history/questions.ts"
import { encodeEvent } from "../../src/log/events/codec.ts"
import { ByteWriter } from "../../src/log/events/wire.ts"
import type { Compensation } from "../../src/net/compensation.ts"
import { makeLogQuestions, type QuestionParts } from "../../src/net/log-questions.ts"
import { MapReply, type Reply, type ReplyError } from "../../src/net/resp/reply.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"

/** A log of which everything up to `released` has been synced, and the answers a connection got. */
const world = (more: Partial<Record<keyof QuestionParts, unknown>> = {}) => {
  const log = { sequence: 5, lsn: 500, released: 400 }
  let progress: (() => void) | undefined
  const answers: Array<Reply> = []
  const connection = {
    client: { protocol: 3 },
    awaitAnswer: () => {},
    answer: (reply: Reply) => answers.push(reply)
  } as unknown as ConnectionPort
  const questions = makeLogQuestions({
    waits: new OtherWaits(),
    log: {
      lsn: () => log.lsn,
      released: () => log.released,
      failure: () => undefined,
      status: () => ({
        sequence: log.sequence,
        lsn: log.lsn,
        durableLsn: log.released,
        time: 1,
        oldestSequence: 1,
        chainHead: ""
      })
    },
    afterCommit: (action: () => void) => action(),
    onProgress: (listener: (() => void) | undefined) => {
      progress = listener
    },
    countError: () => {},
    monotonic: () => 0,
    now: () => 0,
    ...more
  } as unknown as QuestionParts)
  return { answers, connection, log, questions, moved: () => progress?.() }
}

describe("undoing while others write", () => {
  const key = (name: string): Slice => Slice.latin1(name)
  /** A plan that restores one key of database 0. */
  const planFor = (name: string): Answer => {
    const [keys, events] = [new ByteWriter(64), new ByteWriter(64)]
    keys.varint(1)
    keys.blob(key(name))
    events.varint(0)
    encodeEvent(events, { _tag: "StringSet", key: key(name), value: key("before"), expireAt: null })
    return {
      kind: "plan",
      plan: {
        swaps: [],
        keys: keys.bytes.slice(0, keys.length),
        events: events.bytes.slice(0, events.length),
        restored: 1
      }
    }
  }
  const request = { kind: "undo", from: 3, to: 3, key: undefined, db: 0, dryRun: false, force: false } as const

  const asked = () => {
    const writes = new RecentWrites()
    const questions: Array<(answer: Answer) => void> = []
    const done: Array<Compensation> = []
    let watching = 0
    const { answers, connection, log, questions: port } = world({
      reader: {
        ask: (_: unknown, answered: (answer: Answer) => void) => {
          questions.push(answered)
          return () => {}
        },
        forget: () => {}
      },
      keyspace: new Keyspace(1, { k0: 1, k1: 2 }),
      memory: () => 1,
      watchWrites: () => {
        watching++
        return { writes, stop: () => watching-- }
      },
      compensate: (_: unknown, compensation: Compensation) => done.push(compensation)
    })
    log.released = log.lsn
    return { answers, connection, done, port, questions, watching: () => watching, writes }
  }

  it("works the plan out anew when one of its keys was written meanwhile, not for another key", () => {
    const { answers, connection, done, port, questions, watching, writes } = asked()
    port.undo(connection, request)
    writes.event(0, { _tag: "KeyDeleted", key: key("a") })
    questions[0]!(planFor("a"))
    expect([questions.length, done.length]).toEqual([2, 0])
    writes.event(0, { _tag: "KeyDeleted", key: key("b") })
    writes.event(1, { _tag: "KeyDeleted", key: key("a") })
    questions[1]!(planFor("a"))
    expect([questions.length, done.length, answers.length, watching()]).toEqual([2, 1, 1, 0])
    expect(done[0]!.events.map(({ _tag }) => _tag)).toEqual(["StringSet"])
  })

  it("gives up after some tries, and never overwrites", () => {
    const { answers, connection, done, port, questions, watching, writes } = asked()
    port.undo(connection, request)
    for (let i = 0; answers.length === 0; i++) {
      writes.event(0, { _tag: "KeyspaceFlushed" })
      questions[i]!(planFor("a"))
    }
    expect([questions.length, done.length, watching()]).toEqual([5, 0, 0])
    expect((answers[0] as ReplyError).text).toMatch(/^ERR what is to be undone is being written to/)
  })

  it("takes everything for written when the names of what was take too much memory", () => {
    const writes = new RecentWrites()
    for (let i = 0; i < 17; i++) {
      writes.event(0, { _tag: "KeyDeleted", key: key(`${i}`.repeat(4 << 20).slice(0, 4 << 20)) })
    }
    expect([writes.any, writes.has(0, key("other"))]).toEqual([true, false])
    writes.event(0, { _tag: "KeyDeleted", key: key("one more") })
    expect(writes.has(0, key("other"))).toBe(true)
    writes.clear()
    expect(writes.any).toBe(false)
  })

  it("with FORCE does not look", () => {
    const { answers, connection, done, port, questions, watching } = asked()
    port.undo(connection, { ...request, force: true })
    expect(watching()).toBe(0)
    questions[0]!(planFor("a"))
    expect([done.length, answers.length]).toEqual([1, 1])
  })
})

describe("the head of the log", () => {
  it("is that of the batches which were waited for, not of later ones that may still be lost", () => {
    const { answers, connection, log, moved, questions } = world()
    questions.head(connection)
    Object.assign(log, { sequence: 9, lsn: 900 })
    moved()
    expect(answers).toEqual([])
    log.released = 600
    moved()
    expect(answers).toHaveLength(1)
    const entries = new Map((answers[0] as MapReply).pairs as ReadonlyArray<readonly [string, unknown]>)
    expect(entries.get("sequence")).toBe(5)
    expect(entries.get("lsn")).toBe(500)
    expect(entries.get("durable-lsn")).toBe(500)
  })
})
