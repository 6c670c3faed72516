import type { CommandExecutor } from "../commands/executor/executor.ts"
import { prefetchLimit } from "../projections/memory/dict.ts"
import type { NetSettings } from "./limits.ts"
import type { Arguments } from "./resp/parser.ts"
import type { Session } from "./session.ts"

/** Where requests that were parsed ahead end; of use only while they are. */
export const ends = new Int32Array(prefetchLimit)

/** What a session needs of the server around it. */
export interface SessionHost {
  readonly executor: CommandExecutor
  readonly settings: NetSettings
  readonly argv: Arguments
  /** Requests parsed ahead of the one that runs; as many as are worth looking up together. */
  readonly ahead: ReadonlyArray<Arguments>
  /** The session has output or wants to close: `release` will be called at the end of this turn. */
  dirty(session: Session): void
  closed(session: Session): void
  /** The session waits for the end of CLIENT PAUSE. */
  postponed(session: Session): void
  /** `resume` will be called after this turn, outside of any command. */
  later(session: Session): void
  warn(text: string): void
  readonly now: () => number
  countInput(bytes: number): void
  countOutput(bytes: number): void
}

/**
 * Why requests wait: clients are paused; the running command answers later; the client does not read its replies; or
 * one of these is over and the end of the turn is awaited, because nothing may run inside another connection's command.
 */
export type Waiting = "no" | "paused" | "answer" | "output" | "resuming"
