/** Requests that run together or not at all, and only if watched keys have not changed. */
import type { Command } from "../define.ts"
import { discard, exec, multi } from "./multi.ts"
import { unwatch, watch } from "./watch.ts"

export const transactionCommands: ReadonlyArray<Command> = [multi, exec, discard, watch, unwatch]
