import type { Author, LogUnavailable, Origin } from "../../log/event-log.ts"
import type { Event } from "../../log/events/catalog.ts"

/** What the executor needs of the log. */
export interface LogPort {
  readonly append: (
    time: number,
    db: number,
    origin: Origin,
    command: number,
    author: Author | undefined,
    events: ReadonlyArray<Event>,
    count: number,
    dbs?: ReadonlyArray<number>
  ) => number
  readonly failure: () => LogUnavailable | undefined
}
