/** The reading thread: started by a question, started again when it failed, ended with its scope. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect, it } from "vitest"
import type { Answer, LogRequest } from "../../src/history/questions.ts"
import * as Reader from "../../src/history/reader.ts"
import { removeTemporaryDir, temporaryDir } from "../support/processes.ts"

const request: LogRequest = {
  kind: "read",
  from: 1,
  to: undefined,
  count: undefined,
  match: undefined,
  types: [],
  user: undefined,
  db: undefined,
  values: false
}

const withReader = <T>(directory: string, use: (reader: Reader.LogReader) => Promise<T>): Promise<T> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const settings = Layer.succeed(Reader.ReaderSettings, { directory })
    const context = yield* Layer.build(Reader.layer.pipe(Layer.provide(settings)))
    return yield* Effect.provideContext(
      Effect.flatMap(Reader.Reader, (reader) => Effect.promise(() => use(reader))),
      context
    )
  })))

const ask = (reader: Reader.LogReader): Promise<Answer> =>
  new Promise((resolve) => {
    reader.ask({ request, live: { lsn: 0, oldest: 1 }, protocol: 2, now: 0, memory: 1 << 20 }, resolve)
  })

describe("the reading thread", () => {
  it("answers about an empty directory, questions in any number at once, and not those that were cancelled", async () => {
    const directory = temporaryDir("reader")
    await withReader(directory, async (reader) => {
      let cancelled = 0
      const cancel = reader.ask(
        { request, live: { lsn: 0, oldest: 1 }, protocol: 2, now: 0, memory: 1 << 20 },
        () => cancelled++
      )
      cancel()
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(reader)))
      for (const answer of answers) {
        expect(answer.kind === "reply" && Buffer.from(answer.bytes).toString()).toBe(
          "*4\r\n$4\r\nnext\r\n:1\r\n$7\r\nbatches\r\n*0\r\n"
        )
      }
      expect(cancelled).toBe(0)
    })
    removeTemporaryDir(directory)
  })

  it("that fails answers every question with an error, and is started again by the next", async () => {
    await withReader("/proc/self/mem/none", async (reader) => {
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all([ask(reader), ask(reader)])
        for (const answer of answers) {
          expect(answer).toMatchObject({ kind: "error", text: expect.stringMatching(/^ERR /) })
        }
      }
    })
    // What no configuration gives: the thread cannot even begin, or not be made at all.
    for (const directory of [42, () => {}]) {
      await withReader(directory as unknown as string, async (reader) => {
        for (let round = 0; round < 2; round++) {
          const text = "ERR the thread that reads the log failed; ask again"
          expect(await Promise.all([ask(reader), ask(reader)])).toEqual([{ kind: "error", text }, {
            kind: "error",
            text
          }])
        }
      })
    }
  })
})
