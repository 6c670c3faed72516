import * as Context from "effect/Context"
import type { CommandExecutor } from "./executor.ts"

/** The executor as a service; the layer that makes it stands where keyspace and log meet, in main. */
export class Executor extends Context.Service<Executor, CommandExecutor>()("annals/commands/Executor") {}
