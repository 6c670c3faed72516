import { describe, expect, it } from "vitest"
import { OtherWaits } from "../../src/commands/executor/other-waits.ts"
import type { ConnectionPort } from "../../src/commands/ports.ts"
import { makeLogQuestions, type QuestionParts } from "../../src/net/log-questions.ts"
import { MapReply, type Reply } from "../../src/net/resp/reply.ts"

/** A log of which everything up to `released` has been synced, and the answers a connection got. */
const world = () => {
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
    now: () => 0
  } as unknown as QuestionParts)
  return { answers, connection, log, questions, moved: () => progress?.() }
}

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
