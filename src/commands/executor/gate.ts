/** Why a command may not run now, whatever it asks: the words are those of Redis. */
import { ReplyError } from "../../net/resp/reply.ts"

/** What replication allows at the moment. It sets these; nothing here changes by itself. */
export interface Gate {
  /** The data is a primary's: clients do not write, and nothing happens by itself. */
  replica: boolean
  /** Too few replicas follow for a write (min-replicas-to-write). */
  tooFewReplicas: boolean
  /** Why the data is not to be shown: the link is down (replica-serve-stale-data), or a full sync is under way. */
  hidden: ReplyError | undefined
}

/** A primary, or a server by itself. */
export const openGate = (): Gate => ({ replica: false, tooFewReplicas: false, hidden: undefined })

export const readOnly = new ReplyError("READONLY You can't write against a read only replica.")
const tooFewReplicas = new ReplyError("NOREPLICAS Not enough good replicas to write.")
/** The refusal of what needs data while the link to the primary is down. */
export const masterDown = new ReplyError(
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
)

/** Why replication refuses a write, or undefined. */
export const gateRefusal = (gate: Gate): ReplyError | undefined =>
  gate.tooFewReplicas ? tooFewReplicas : gate.replica ? readOnly : undefined
