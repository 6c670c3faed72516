/**
 * The reading thread as the rest of the server sees it: started by the first question, started again should it fail. Until
 * it is loaded, which takes some tenths of a second, a question about few keys is answered without it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Worker } from "node:worker_threads"
import { knownAfter, type KnownOfOpen, type TellOpen } from "../log/open-segment.ts"
import { type Answer, type FromReader, isSmall, type Question, type ReaderData, type ToReader } from "./questions.ts"

const failed: Answer = { kind: "error", text: "ERR the thread that reads the log failed; ask again" }
const changed: Answer = { kind: "error", text: "ERR the log was cut or replaced meanwhile; ask again" }

/** A question, and how to get what has come to be known of the segment being written. */
export type Asked =
  & Omit<Question, "id" | "open">
  & { readonly openSegment?: TellOpen }

/** Puts questions to the thread. */
export interface LogReader {
  /** Asks; `answered` is called once, later, unless the question is cancelled before. Returns how to cancel it. */
  readonly ask: (question: Asked, answered: (answer: Answer) => void) => () => void
  /** The log's files are others than before: what is known about them is of no use, and answers under way neither. */
  readonly forget: () => void
}

/**
 * The answer to a question about few keys, found in steps between which clients are served; undefined when that takes
 * the reading thread, or nobody waits for it any more.
 */
export type AnswerInSteps = (
  directory: string,
  question: Question,
  openSegment: TellOpen,
  wanted: () => boolean
) => Promise<Answer | undefined>

/** What the reading thread needs. */
export interface ReaderOptions extends ReaderData {
  /** Loads what answers small questions until the thread is there; without it they wait. */
  readonly meanwhile?: () => Promise<AnswerInSteps>
}

/** The reading thread over one data directory. */
class ReadingThread implements LogReader {
  private readonly options: ReaderOptions
  private readonly warn: (message: string) => void
  private worker: Worker | undefined = undefined
  /** What the thread was told of the segment being written. */
  private known: KnownOfOpen | undefined = undefined
  private readonly waiting = new Map<number, (answer: Answer) => void>()
  private lastId = 0
  /** The thread is loaded: it has answered. */
  private ready = false
  /** A question is being answered without it. */
  private answering = false
  private closed = false

  constructor(options: ReaderOptions, warn: (message: string) => void) {
    this.options = options
    this.warn = warn
  }

  readonly ask: LogReader["ask"] = ({ openSegment, ...question }, answered) => {
    const id = ++this.lastId
    this.waiting.set(id, answered)
    try {
      const found = this.closed ? undefined : openSegment?.(this.worker === undefined ? undefined : this.known)
      const open = found === "later" ? undefined : found
      this.tell({ id, ...question, open })
      if (open !== undefined) this.known = knownAfter(open)
      if (!this.ready && openSegment !== undefined) void this.answerMeanwhile({ id, ...question }, openSegment)
    } catch (error) {
      // No thread to be had: the system allows no more of them.
      this.warn(`the thread that reads the log cannot be started: ${String(error)}`)
      setImmediate(() => this.answered(id, failed))
    }
    return () => {
      if (this.waiting.delete(id) && this.worker !== undefined) this.tell({ cancelled: id })
    }
  }

  readonly forget: LogReader["forget"] = () => {
    const { worker } = this
    this.worker = undefined
    void worker?.terminate()
    this.answerAll(changed)
  }

  private tell(message: ToReader): void {
    if (this.closed) return
    this.worker ??= this.start()
    this.worker.postMessage(message)
  }

  /** Answers a small question in steps of this thread, unless the other one, which has yet to be loaded, is quicker. */
  private async answerMeanwhile(question: Question, openSegment: TellOpen): Promise<void> {
    const { directory, meanwhile } = this.options
    if (meanwhile === undefined || this.answering || !isSmall(question.request)) return
    this.answering = true
    const { id } = question
    try {
      const answerInSteps = await meanwhile()
      const wanted = (): boolean => !this.ready && this.waiting.has(id)
      const answer = await answerInSteps(directory, question, openSegment, wanted)
      if (answer === undefined || !wanted()) return
      this.answered(id, answer)
      this.tell({ cancelled: id })
    } catch {
      // The thread will answer, or say what is wrong.
    } finally {
      this.answering = false
    }
  }

  private answered(id: number, answer: Answer): void {
    const answered = this.waiting.get(id)
    this.waiting.delete(id)
    answered?.(answer)
  }

  private start(): Worker {
    this.ready = false
    const workerData: ReaderData = { directory: this.options.directory }
    const worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData, name: "log-reader" })
    worker.on("message", ({ answer, id }: FromReader) => {
      if (this.worker !== worker) return
      this.ready = true
      this.answered(id, answer)
    })
    worker.on("error", (error) => {
      const why = error instanceof Error ? error.stack ?? error.message : String(error)
      this.warn(`the thread that reads the log failed: ${why}`)
    })
    worker.on("exit", () => {
      if (this.worker !== worker) return
      this.worker = undefined
      if (!this.closed) this.answerAll(failed)
    })
    return worker
  }

  private answerAll(answer: Answer): void {
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    for (const answered of waiting) answered(answer)
  }

  async close(): Promise<void> {
    this.closed = true
    await this.worker?.terminate()
  }
}

/** Which directory is read; made from the configuration. */
export class ReaderSettings extends Context.Service<ReaderSettings, ReaderOptions>()("annals/history/ReaderSettings") {}

/** The server's reading thread. */
export class Reader extends Context.Service<Reader, LogReader>()("annals/history/Reader") {}

/** Nothing is started before the first question; the thread ends with the scope. */
export const layer = Layer.effect(
  Reader,
  Effect.gen(function*() {
    const settings = yield* ReaderSettings
    const context = yield* Effect.context<never>()
    return yield* Effect.acquireRelease(
      Effect.sync(() =>
        new ReadingThread(settings, (message) => void Effect.runForkWith(context)(Effect.logWarning(message)))
      ),
      (thread) => Effect.promise(() => thread.close())
    )
  })
)
