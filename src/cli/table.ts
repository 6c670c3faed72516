/** All subcommands but `server`. */
import { completionSpec, historySpec, logSpec } from "./specs.ts"
import type { Subcommand } from "./spec.ts"

export const subcommands: ReadonlyArray<Subcommand> = [
  { spec: logSpec, load: async () => (await import("./log.ts")).run },
  { spec: historySpec, load: async () => (await import("./history.ts")).run }
]
