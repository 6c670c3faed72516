import type { Configuration } from "../../config/config.ts"
import type { MemorySettings } from "../memory-policy.ts"
import type { CommandExecutor } from "./executor.ts"

const names: ReadonlySet<string> = new Set([
  "maxmemory",
  "maxmemory-policy",
  "maxmemory-samples",
  "maxmemory-eviction-tenacity",
  "lfu-log-factor",
  "lfu-decay-time"
])

/** What the configuration says of the memory limit. */
const memorySettings = (configuration: Configuration): MemorySettings => ({
  limit: configuration.get("maxmemory"),
  policy: configuration.get("maxmemory-policy"),
  samples: configuration.get("maxmemory-samples"),
  tenacity: configuration.get("maxmemory-eviction-tenacity"),
  lfuLogFactor: configuration.get("lfu-log-factor"),
  lfuDecayMinutes: configuration.get("lfu-decay-time")
})

/** Gives the executor the memory limit of the configuration, now and whenever CONFIG SET changes it. */
export const followMemorySettings = (executor: CommandExecutor, configuration: Configuration): void => {
  executor.limitMemory(memorySettings(configuration))
  configuration.onChange((name) => {
    if (names.has(name)) executor.limitMemory(memorySettings(configuration))
  })
}
