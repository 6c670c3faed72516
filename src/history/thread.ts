/**
 * The thread that reads the log for commands, so that the one that serves clients never waits for a disk. It answers
 * several questions in turns, and when there are none it makes indexes of segments that were asked about.
 */
import { flushCompileCache } from "node:module"
import { setPriority } from "node:os"
import { parentPort, workerData } from "node:worker_threads"
import { nodeDisk } from "../log/disk.ts"
import type { PastAnswers } from "../past/answers.ts"
import { answer, type Answering, waiting } from "./answers.ts"
import { LogDirectory } from "./log-directory.ts"
import {
  type Answer,
  type FromReader,
  isAboutPast,
  type Question,
  type ReaderData,
  type ToReader
} from "./questions.ts"

/** How long one question is worked on before another has its turn, ms. */
const turnMs = 5
/** While the questions before it have gathered answers of this size, a question has to wait: many clients may ask for much. */
const gatheredBytes = 64 << 20
/** Data of the past that nobody has asked about for so long is given up, ms. */
const forgetAfterMs = 300_000
/** Less important than serving clients, where both share a processor; on Linux a thread has a priority of its own. */
const niceness = 19

const port = parentPort!
const log = new LogDirectory(nodeDisk((workerData as ReaderData).directory))
/** Loaded by the first question about data of the past: all commands come with it. */
let past: PastAnswers | undefined
/** Questions that wait for that. */
const early = new Map<number, Question>()
/** In the order in which they came. `bytes`: of the answer so far. */
const questions = new Map<number, { readonly steps: Answering; bytes: number }>()
let scheduled = false
let indexing = false

if (process.platform === "linux") {
  try {
    setPriority(0, niceness)
  } catch {
    // Then it competes.
  }
}

const schedule = (): void => {
  if (scheduled) return
  scheduled = true
  setImmediate(turn)
}

const turn = (): void => {
  scheduled = false
  let gathered = 0
  for (const [id, question] of questions) {
    if (gathered > gatheredBytes) break
    const until = performance.now() + turnMs
    while (performance.now() < until) {
      const step = question.steps.next()
      if (step.done !== true) {
        if (step.value === waiting) break
        question.bytes = step.value
        continue
      }
      questions.delete(id)
      tell(id, step.value)
      break
    }
    gathered += question.bytes
  }
  if (questions.size === 0) indexing = log.indexMore()
  if (questions.size > 0 || indexing) schedule()
}

setInterval(() => past?.forgetUnused(), forgetAfterMs).unref()

const tell = (id: number, reply: Answer): void => {
  const message: FromReader = { id, answer: reply }
  port.postMessage(message, memoryOf(reply))
}

/** What is handed over rather than copied. */
const memoryOf = (reply: Answer): Array<ArrayBuffer> => {
  if (reply.kind === "error") return []
  const parts = reply.kind === "reply" ? [reply.bytes] : [reply.plan.keys, reply.plan.events]
  return parts.map((bytes) => bytes.buffer as ArrayBuffer)
}

const begin = (question: Question): void => {
  questions.set(question.id, { steps: answer(log, question, past?.answer), bytes: 0 })
  schedule()
}

flushCompileCache() // where one is kept: the thread of a server that is killed should be quick the next time, too

const loadPast = async (): Promise<void> => {
  const { PastAnswers } = await import("../past/answers.ts")
  past = new PastAnswers()
  flushCompileCache()
  for (const question of early.values()) begin(question)
  early.clear()
}

port.on("message", (message: ToReader) => {
  if ("cancelled" in message) {
    early.delete(message.cancelled)
    questions.get(message.cancelled)?.steps.return({ kind: "error", text: "" })
    questions.delete(message.cancelled)
    return
  }
  if (message.open !== undefined) log.adopt(message.open)
  if (past !== undefined || !isAboutPast(message.request)) return begin(message)
  early.set(message.id, message)
  if (early.size === 1) void loadPast()
})
