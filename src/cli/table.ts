/** All subcommands but `server`. */
import type { Subcommand } from "./spec.ts"
import * as specs from "./specs.ts"

export const subcommands: ReadonlyArray<Subcommand> = [
  { spec: specs.logSpec, load: async () => (await import("./log.ts")).run },
  { spec: specs.historySpec, load: async () => (await import("./history.ts")).run },
  { spec: specs.atSpec, load: async () => (await import("./at.ts")).run },
  { spec: specs.diffSpec, load: async () => (await import("./diff.ts")).run },
  { spec: specs.stepSpec, load: async () => (await import("./step.ts")).run },
  { spec: specs.whenSpec, load: async () => (await import("./when.ts")).run },
  { spec: specs.bisectSpec, load: async () => (await import("./bisect.ts")).run },
  { spec: specs.blameSpec, load: async () => (await import("./blame.ts")).run },
  { spec: specs.statsSpec, load: async () => (await import("./stats.ts")).run },
  { spec: specs.verifySpec, load: async () => (await import("./verify.ts")).run },
  { spec: specs.restoreSpec, load: async () => (await import("./restore.ts")).run },
  { spec: specs.exportSpec, load: async () => (await import("./export.ts")).run },
  { spec: specs.importSpec, load: async () => (await import("./import.ts")).run },
  { spec: specs.repairSpec, load: async () => (await import("./repair.ts")).run },
  { spec: specs.salvageSpec, load: async () => (await import("./salvage.ts")).run },
  { spec: specs.completionSpec, load: async () => (await import("./completion.ts")).run }
]
