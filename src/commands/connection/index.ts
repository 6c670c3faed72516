/** Commands about the connection itself: who it is, what it has chosen, and the other connections. */
import type { Command } from "../define.ts"
import { auth, hello } from "./authenticate.ts"
import { client } from "./client.ts"
import { echo, ping, quit, reset, select } from "./session.ts"

export const connectionCommands: ReadonlyArray<Command> = [ping, echo, hello, auth, select, quit, reset, client]
