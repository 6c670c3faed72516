/**
 * The thread that reads the log for commands, so that the one that serves clients never waits for a disk. It answers
 * several questions in turns, and when there are none it makes indexes of segments that were asked about.
 */
import { setPriority } from "node:os"
import { parentPort, workerData } from "node:worker_threads"
import { nodeDisk } from "../log/disk.ts"
import { answer, type Answering } from "./answers.ts"
import { LogDirectory } from "./log-directory.ts"
import type { Answer, FromReader, ToReader } from "./questions.ts"

/** How long one question is worked on before another has its turn, ms. */
const turnMs = 5
/** Less important than serving clients, where both share a processor; on Linux a thread has a priority of its own. */
const niceness = 19

/** What the thread is started with. */
export interface ReaderData {
  /** The data directory. */
  readonly directory: string
}

const port = parentPort!
const log = new LogDirectory(nodeDisk((workerData as ReaderData).directory))
const questions = new Map<number, Answering>()
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
  for (const [id, steps] of questions) {
    const until = performance.now() + turnMs
    while (performance.now() < until) {
      const step = steps.next()
      if (step.done !== true) continue
      questions.delete(id)
      tell(id, step.value)
      break
    }
  }
  if (questions.size === 0) indexing = log.indexMore()
  if (questions.size > 0 || indexing) schedule()
}

const tell = (id: number, reply: Answer): void => {
  const message: FromReader = { id, answer: reply }
  port.postMessage(message, reply.kind === "reply" ? [reply.bytes.buffer as ArrayBuffer] : [])
}

port.on("message", (message: ToReader) => {
  if ("cancelled" in message) {
    questions.get(message.cancelled)?.return({ kind: "error", text: "" })
    questions.delete(message.cancelled)
    return
  }
  questions.set(message.id, answer(log, message))
  schedule()
})
