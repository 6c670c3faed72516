/** Commands about the log: what happened, when, by whom. They answer later, from another thread, and change nothing. */
import type { Command } from "../define.ts"
import { asOf } from "./asof.ts"
import { diff } from "./diff.ts"
import { digest } from "./digest.ts"
import { head } from "./head.ts"
import { history } from "./history.ts"
import { read } from "./read.ts"
import { undo } from "./undo.ts"

export const logCommands: ReadonlyArray<Command> = [head, history, read, asOf, digest, diff, undo]
