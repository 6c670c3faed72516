import type { EventLog } from "../../log/event-log.ts"

/** What the executor needs of the log. */
export type LogPort = Pick<EventLog["Service"], "append" | "failure">
