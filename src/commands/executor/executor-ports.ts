/** What the executor needs of the log, the clocks and the network. */
import type { Keyspace } from "../../projections/keyspace.ts"
import type { ClientsPort, ConfigPort, LogQuestionsPort, ServerPort } from "../ports.ts"
import type { CommandTable } from "../table.ts"
import type { LogPort } from "./log-port.ts"

/** Everything the executor needs from outside; plain, so that tests and simulations supply it without a runtime. */
export interface ExecutorPorts {
  readonly keyspace: Keyspace
  readonly log: LogPort
  /** Unix milliseconds. */
  readonly now: () => number
  /** Monotonic milliseconds, for the time commands take. */
  readonly monotonic: () => number
  readonly seed: number
  /**
   * Whatever is past its deadline stays until somebody deletes it: requests come from a server that has let things die
   * already, and say so.
   */
  readonly keepDead?: boolean
  readonly table?: CommandTable
}

/** What control commands act on; the network and the server's assembly hand them in once both exist. */
export interface ControlPorts {
  readonly clients: ClientsPort
  readonly config: ConfigPort
  readonly server: ServerPort
  readonly questions: LogQuestionsPort
}

/** Whether clients are held back (CLIENT PAUSE). */
export type Pause = "none" | "write" | "all"
