/** Commands about the server: what it is, how it does, what it can, and its end. */
import type { Command } from "../define.ts"
import { command } from "./command.ts"
import { config } from "./config.ts"
import { debug } from "./debug.ts"
import { hotkeys } from "./hotkeys.ts"
import { info } from "./info.ts"
import { latency } from "./latency.ts"
import { lolwut } from "./lolwut.ts"
import { memory } from "./memory.ts"
import { monitor } from "./monitor.ts"
import { bgrewriteaof, bgsave, lastsave, save } from "./persistence.ts"
import { shutdown, time } from "./process.ts"
import { slowlog } from "./slowlog.ts"

export const serverCommands: ReadonlyArray<Command> = [
  info,
  config,
  command,
  time,
  lolwut,
  shutdown,
  debug,
  memory,
  slowlog,
  latency,
  monitor,
  hotkeys,
  save,
  bgsave,
  bgrewriteaof,
  lastsave
]
