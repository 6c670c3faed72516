/**
 * The first question after a start does not wait until the reading thread is loaded: the thread that serves clients has
 * most of what it takes loaded already, and answers it in steps of a millisecond or few, as long as it is about few keys.
 */
import { setImmediate as nextTurn } from "node:timers/promises"
import { answer, type PastAnswering } from "../history/answers.ts"
import { LogDirectory } from "../history/log-directory.ts"
import { pointOf } from "../history/past.ts"
import type { AnswerInSteps } from "../history/reader.ts"
import { type Disk, nodeDisk } from "../log/disk.ts"
import type { OpenSegment } from "../log/open-segment.ts"
import { sequenceOfName } from "../log/segment.ts"
import { PastAsker } from "./ask-past.ts"
import { answerOfKeys } from "./of-keys.ts"

/** Clients are served after so much work at the latest, ms, but for a step that takes longer. */
const sliceMs = 1
/** After more work than this, ms, it is given up: the reading thread needs the processor, too. */
const mostMs = 100
/** To look at more segments than this takes too long. */
const mostSegments = 64

/** It takes more than steps between which clients are served. */
class TakesThread extends Error {}

const ofKeysOnly: PastAnswering = function*(view, request, question) {
  if (request.kind !== "asof") throw new TakesThread()
  const found = yield* answerOfKeys(
    new PastAsker(),
    view,
    request,
    pointOf(view, request.moment, question.now),
    question
  )
  if (found === undefined) throw new TakesThread()
  return found
}

/** What the log does not tell about the segment it writes has to be walked through in one step. */
const mostUntold = 1 << 20

/** Bytes of the newest segment behind what the log has told about it. */
const untold = (disk: Disk, open: OpenSegment | undefined): number => {
  const names = disk.list("log").filter((name) => sequenceOfName(name) !== undefined).sort()
  const newest = names.at(-1)
  if (newest === undefined) return 0
  const file = disk.open(`log/${newest}`, "read")
  const bytes = file.size() - (open?.entries.at(-1) ?? 0)
  file.close()
  return bytes
}

/** See `AnswerInSteps`. */
export const answerInSteps: AnswerInSteps = async (directory, question, openSegment, wanted) => {
  const disk = nodeDisk(directory)
  if (disk.list("log").length > mostSegments) return undefined
  let worked = 0
  let began = performance.now()
  /** Lets clients be served; false when that was enough. */
  const goOn = async (): Promise<boolean> => {
    worked += performance.now() - began
    await nextTurn()
    began = performance.now()
    return worked < mostMs && wanted()
  }
  let open = openSegment(undefined)
  while (open === "later") {
    if (!await goOn()) return undefined
    open = openSegment(undefined)
  }
  if (untold(disk, open) > mostUntold) return undefined
  const log = new LogDirectory(disk)
  if (open !== undefined) log.adopt(open)
  const steps = answer(log, question, ofKeysOnly)
  try {
    do {
      while (performance.now() - began < sliceMs) {
        const step = steps.next()
        if (step.done === true) return step.value
      }
    } while (await goOn())
    return undefined
  } catch (error) {
    if (error instanceof TakesThread) return undefined
    throw error
  } finally {
    steps.return({ kind: "error", text: "" })
  }
}
