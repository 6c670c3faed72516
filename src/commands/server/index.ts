/** Commands about the server: what it is, how it does, what it can, and its end. */
import type { Command } from "../define.ts"
import { command } from "./command.ts"
import { config } from "./config.ts"
import { debug } from "./debug.ts"
import { info } from "./info.ts"
import { lolwut } from "./lolwut.ts"
import { memory } from "./memory.ts"
import { shutdown, time } from "./process.ts"

export const serverCommands: ReadonlyArray<Command> = [info, config, command, time, lolwut, shutdown, debug, memory]
