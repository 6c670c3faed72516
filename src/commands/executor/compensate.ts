/** One batch of events that no command of now decided, for LOG.UNDO. */
import type { Event } from "../../log/events/catalog.ts"
import type { ReplyError } from "../../net/resp/reply.ts"
import type { ClientState } from "../client.ts"
import { errors } from "../errors.ts"
import type { Row } from "../table.ts"
import { misconf } from "./admission.ts"
import type { CommandExecutor } from "./executor.ts"
import { gateRefusal } from "./gate.ts"
import type { LogPort } from "./log-port.ts"

/** Why nothing may be written now, though it could be when the question was asked. */
const refusalOf = ({ gate, pause, saveFailed }: CommandExecutor, log: LogPort): ReplyError | undefined => {
  if (saveFailed) return errors.saveFailed
  const failure = log.failure()
  if (failure !== undefined) return misconf(failure)
  return pause === "none" ? gateRefusal(gate) : errors.writesPaused
}

/**
 * Appends events as one batch, each with its database, and folds them, in the name of a client and a command; between
 * commands only. The reason why not, or the batch's sequence.
 */
export const compensate = (
  executor: CommandExecutor,
  log: LogPort,
  client: ClientState,
  { number }: Row,
  events: ReadonlyArray<Event>,
  dbs: ReadonlyArray<number>
): ReplyError | number => {
  const refusal = refusalOf(executor, log)
  if (refusal !== undefined) return refusal
  executor.beginChunk()
  const { time } = executor.view
  const mixed = dbs.some((db) => db !== dbs[0])
  const sequence = log.append(time, dbs[0]!, "undo", number, client, events, events.length, mixed ? dbs : undefined)
  for (let i = 0; i < events.length; i++) executor.fold(time, dbs[i]!, [events[i]!], 1, "")
  client.wrote = true
  executor.folded() // whoever waited for something that is back
  return sequence
}
