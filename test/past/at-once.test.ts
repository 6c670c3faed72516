/** Questions about few keys, answered in steps by the thread that serves, until the reading thread is there. */
import { afterAll, describe, expect, it } from "vitest"
import type { Answer, LogRequest, Question } from "../../src/history/questions.ts"
import { nodeDisk } from "../../src/log/disk.ts"
import { openLog } from "../../src/log/store.ts"
import { answerInSteps } from "../../src/past/at-once.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { removeTemporaryDir, temporaryDir } from "../support/processes.ts"

const dir = temporaryDir("at-once")
afterAll(() => removeTemporaryDir(dir))

const clock = new FakeClock()
const options = logOptions({ policy: "no", segmentBytes: 128 << 10 })
const bytes = (text: string): Uint8Array => Buffer.from(text)

/** A log that was closed and opened again: what was there has not been looked at. */
const log = (() => {
  const first = openLog(nodeDisk(dir), clock, options)
  for (let i = 0; i < 2000; i++) {
    const event = {
      _tag: "StringSet",
      key: Slice.latin1(`key:${i % 300}`),
      value: Slice.latin1(`${i}`),
      expireAt: null
    } as const
    first.append(clock.now(), 0, "client", 1, undefined, [event], 1)
    first.commit()
    clock.advance(20)
  }
  first.close()
  return openLog(nodeDisk(dir), clock, options)
})()
afterAll(() => log.close())

const asOf = (sequence: number, ...words: ReadonlyArray<string>): LogRequest => ({
  kind: "asof",
  db: 0,
  moment: { kind: "sequence", sequence },
  words: words.map(bytes),
  keys: words.length === 2 ? [bytes(words[1]!)] : undefined
})

const ask = async (request: LogRequest, wanted = () => true): Promise<string | undefined> => {
  const question: Question = {
    id: 1,
    request,
    live: { lsn: log.lsn(), oldest: 1 },
    protocol: 2,
    now: clock.now(),
    memory: 1 << 20
  }
  const answer: Answer | undefined = await answerInSteps(dir, question, log.openSegment, wanted)
  if (answer === undefined) return undefined
  if (answer.kind === "plan") throw new Error("nothing was to be undone")
  return answer.kind === "reply" ? Buffer.from(answer.bytes).toString() : answer.text
}

describe("the first question", () => {
  it("about one key is answered, once what was there when the log was opened has been looked at", async () => {
    expect(log.openSegment(undefined)).toBe("later")
    expect(await ask(asOf(2000, "GET", "key:7"))).toBe("$4\r\n1807\r\n")
    expect(await ask(asOf(308, "GET", "key:7"))).toBe("$3\r\n307\r\n")
    expect(await ask(asOf(7, "GET", "key:7"))).toBe("$-1\r\n")
    expect(await ask(asOf(308, "LLEN", "key:7"))).toMatch(/^-WRONGTYPE /)
    expect(await ask(asOf(308, "SET", "key:7"))).toMatch(/^-/)
    expect(await ask(asOf(99_999, "GET", "key:7"))).toMatch(/^BEYONDHEAD /)
    expect(log.openSegment(undefined)).not.toBe("later")
  })

  it("that takes all data, or that nobody waits for any more, is left to the reading thread", async () => {
    expect(await ask(asOf(2000, "DBSIZE"))).toBeUndefined()
    let turns = 0
    expect(await ask(asOf(1, "GET", "never"), () => ++turns < 1)).toBeUndefined()
    expect(turns).toBe(1)
  })
})
