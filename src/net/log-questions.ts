/**
 * Questions about the log, put to the thread that reads it. Each waits until the log has released everything that was
 * appended before it, so that it sees every batch whose reply has left and none that may still be lost; a reader that
 * follows the log asks again when more was released.
 */
import type { ClientState } from "../commands/client.ts"
import type { OtherWaits } from "../commands/executor/other-waits.ts"
import type { RecentWrites } from "../commands/executor/recent-writes.ts"
import { unblocked } from "../commands/executor/waiters.ts"
import type { ConnectionPort, LogQuestionsPort } from "../commands/ports.ts"
import type { Answer, LogRequest, UndoPlan } from "../history/questions.ts"
import type { LogReader } from "../history/reader.ts"
import type { LogStatus } from "../log/event-log.ts"
import type { TellOpen } from "../log/open-segment.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { type Compensation, compensationOf, isOvertaken } from "./compensation.ts"
import { Encoded, MapReply, type Reply, ReplyError } from "./resp/reply.ts"

/** What it needs of the rest of the server. */
export interface QuestionParts {
  readonly reader: LogReader
  readonly waits: OtherWaits
  readonly log: {
    readonly lsn: () => number
    readonly released: () => number
    readonly failure: () => unknown
    readonly status: () => LogStatus
    readonly openSegment: TellOpen
  }
  /** Calls back once what this turn has appended is committed. */
  readonly afterCommit: (action: () => void) => void
  readonly onProgress: (listener: (() => void) | undefined) => void
  /** Unix ms, and ms of a clock that never steps. */
  readonly now: () => number
  readonly monotonic: () => number
  readonly countError: (code: string) => void
  /** `history-memory`, bytes. */
  readonly memory: () => number
  readonly keyspace: Keyspace
  /** Notes all writes from now on until `stop`. */
  readonly watchWrites: () => { readonly writes: RecentWrites; readonly stop: () => void }
  /** Appends and folds events as one batch; why not, or its sequence. */
  readonly compensate: (client: ClientState, compensation: Compensation) => ReplyError | number
}

/** Waits until the log has released more than so much. */
interface Pending {
  readonly beyond: number
  readonly go: () => void
}

/** One connection's question until it is answered. */
class Asking {
  readonly until: number
  readonly unblockable: boolean
  /** How to give up what is under way. */
  cancel: () => void = () => {}
  private readonly ended: (asking: Asking, how: "timeout" | "error") => void
  private readonly cleared: (() => void) | undefined

  /** `cleared` is called when the wait ends without an answer. */
  constructor(
    blockMs: number | undefined,
    now: number,
    ended: (asking: Asking, how: "timeout" | "error") => void,
    cleared?: () => void
  ) {
    this.cleared = cleared
    this.unblockable = blockMs !== undefined
    this.until = blockMs === undefined || blockMs === 0 ? Infinity : now + blockMs
    this.ended = ended
  }

  over(how: "timeout" | "error" | "gone"): void {
    this.cancel()
    this.cleared?.()
    if (how !== "gone") this.ended(this, how)
  }
}

/** Makes the port that the commands use. */
export const makeLogQuestions = (parts: QuestionParts): LogQuestionsPort => {
  const { log, waits } = parts
  const pending = new Set<Pending>()
  const progress = (): void => {
    const released = log.released()
    const failing = log.failure() !== undefined
    for (const one of pending) {
      // What a failing log has not released may never come; what it has can be read.
      if (released > one.beyond || (failing && one.beyond < log.lsn())) continueWith(one)
    }
  }
  const continueWith = (one: Pending): void => {
    pending.delete(one)
    if (pending.size === 0) parts.onProgress(undefined)
    one.go()
  }
  /** Calls `go` once more than `beyond` is released; returns how to give that up. */
  const whenReleased = (beyond: number, go: () => void): () => void => {
    const one = { beyond, go }
    if (pending.size === 0) parts.onProgress(progress)
    pending.add(one)
    return () => {
      pending.delete(one)
      if (pending.size === 0) parts.onProgress(undefined)
    }
  }

  const answer = (connection: ConnectionPort, asking: Asking, reply: Reply): void => {
    if (!waits.remove(connection, asking)) return
    if (reply instanceof ReplyError) parts.countError(reply.code)
    connection.answer(reply)
  }

  /** Registers a wait, and goes on as `settled` does. */
  const begin = (connection: ConnectionPort, asking: Asking, go: () => void, committed?: () => void): void => {
    waits.add(connection, asking)
    settled(asking, go, committed)
  }
  /** `go` is called when everything appended before is released, `committed` once it is committed. */
  const settled = (asking: Asking, go: () => void, committed?: () => void): void => {
    let gone = false
    asking.cancel = () => {
      gone = true
    }
    parts.afterCommit(() => {
      if (gone) return
      committed?.()
      const barrier = log.lsn()
      if (log.released() >= barrier || log.failure() !== undefined) go()
      else asking.cancel = whenReleased(barrier - 1, go)
    })
  }

  /** Carries out a plan, and tells what was done. */
  const carryOut = (client: ClientState, plan: UndoPlan): Reply => {
    const compensation = compensationOf(parts.keyspace, plan)
    const { events, removed, restored } = compensation
    const done = events.length === 0 ? null : parts.compensate(client, compensation)
    if (done instanceof ReplyError) return done
    return new MapReply([
      ["sequence", done],
      ["restored", restored],
      ["removed", removed],
      ["events", events.length]
    ])
  }

  return {
    head: (connection) => {
      const asking = new Asking(undefined, 0, () => {})
      // What was committed while this waited for a sync may still be lost: the head is the one waited for.
      let head!: LogStatus
      begin(connection, asking, () => {
        const durableLsn = Math.min(head.lsn, log.status().durableLsn)
        answer(connection, asking, headReply({ ...head, durableLsn }))
      }, () => {
        head = log.status()
      })
    },
    ask: (connection, request, blockMs) => {
      const { protocol } = connection.client
      /** The reply of the look before, which found nothing. */
      let nothing: Answer | undefined
      const asking = new Asking(blockMs, parts.monotonic(), (_, how) => {
        if (how === "error") connection.answer(unblocked)
        else if (nothing !== undefined) connection.answer(replyOf(nothing))
        else connection.answer(replyOf(emptyRead(request, protocol)))
      })
      const look = (wanted: LogRequest): void => {
        const live = { lsn: log.released(), oldest: log.status().oldestSequence }
        asking.cancel = parts.reader.ask({
          request: wanted,
          live,
          openSegment: log.openSegment,
          protocol,
          now: parts.now(),
          memory: parts.memory()
        }, (found) => {
          const { next } = found.kind === "reply" ? found : { next: undefined }
          if (blockMs === undefined || next === undefined || wanted.kind !== "read") {
            answer(connection, asking, replyOf(found))
            return
          }
          nothing = found
          const again = (): void => look({ ...wanted, from: next })
          if (log.released() > live.lsn) again()
          else asking.cancel = whenReleased(live.lsn, again)
        })
      }
      begin(connection, asking, () => look(request))
    },
    undo: (connection, request) => {
      const { client } = connection
      // What is written from here on the thread may not see: the plan holds only if none of its keys is among it.
      const watching = request.force || request.dryRun ? undefined : parts.watchWrites()
      const asking = new Asking(undefined, 0, () => {}, watching?.stop)
      let tries = 0
      const look = (): void => {
        const live = { lsn: log.released(), oldest: log.status().oldestSequence }
        const question = {
          request,
          live,
          openSegment: log.openSegment,
          protocol: client.protocol,
          now: parts.now(),
          memory: parts.memory()
        }
        asking.cancel = parts.reader.ask(question, (found) => {
          if (found.kind !== "plan") {
            watching?.stop()
            answer(connection, asking, replyOf(found))
          } else if (watching !== undefined && isOvertaken(found.plan, watching.writes) && ++tries < mostTries) {
            watching.writes.clear()
            settled(asking, look)
          } else {
            watching?.stop()
            if (!waits.remove(connection, asking)) return
            const reply = tries === mostTries ? tooLively : carryOut(client, found.plan)
            if (reply instanceof ReplyError) parts.countError(reply.code)
            connection.answer(reply)
          }
        })
      }
      begin(connection, asking, look)
    }
  }
}

/** How often LOG.UNDO is worked out anew because its keys were written meanwhile. */
const mostTries = 5

const replyOf = (answer: Answer): Reply => {
  if (answer.kind === "reply") return new Encoded(answer.bytes)
  return answer.kind === "error" ? new ReplyError(answer.text) : noPlan
}
/** Only LOG.UNDO is answered by one. */
const noPlan = new ReplyError("ERR the thread that reads the log gave another answer than was asked for")
const tooLively = new ReplyError("ERR what is to be undone is being written to; ask again, or with FORCE")

/** What LOG.READ answers when its time is over before anything was looked at. */
const emptyRead = (request: LogRequest, protocol: number): Answer => {
  const next = request.kind === "read" ? request.from : 0
  const head = protocol === 3 ? "%2" : "*4"
  return { kind: "reply", bytes: Buffer.from(`${head}\r\n$4\r\nnext\r\n:${next}\r\n$7\r\nbatches\r\n*0\r\n`) }
}

const headReply = ({ chainHead, durableLsn, lsn, oldestSequence, sequence, time }: LogStatus): MapReply =>
  new MapReply([
    ["sequence", sequence],
    ["lsn", lsn],
    ["durable-lsn", durableLsn],
    ["time", time],
    ["oldest-sequence", oldestSequence],
    ["chain-head", chainHead]
  ])
