import type { Command } from "../../../src/commands/define.ts"
import { collectionsCommands } from "./collections.ts"
import { dataCommands } from "./data.ts"
import { messagesCommands } from "./messages.ts"
import { serverCommands } from "./server.ts"
import { sortedCommands } from "./sorted.ts"

/** Every command of Redis 7.0.15. */
export const redisCommands: ReadonlyArray<Command> = [
  ...dataCommands,
  ...collectionsCommands,
  ...sortedCommands,
  ...messagesCommands,
  ...serverCommands
]
