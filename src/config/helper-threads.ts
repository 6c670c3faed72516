import { readdirSync, readFileSync } from "node:fs"
import { getPriority, setPriority } from "node:os"

/** How much less than the thread that serves. A tenth of its weight, where the two share a processor. */
const niceness = 10
const leastPriority = 19

/**
 * Puts the threads on which the runtime compiles and collects behind the one that serves clients, on Linux, where each
 * thread has a priority of its own. Where they share a processor, a change of load, such as the beginning of a
 * checkpoint, otherwise has them take most of it from the clients for half a second.
 */
export const yieldHelperThreads = (): void => {
  try {
    for (const thread of readdirSync("/proc/self/task")) {
      if (!readFileSync(`/proc/self/task/${thread}/comm`, "latin1").includes("V8Worker")) continue
      const id = Number(thread)
      setPriority(id, Math.min(leastPriority, getPriority(id) + niceness))
    }
  } catch {
    // Not Linux, or not allowed: then they compete.
  }
}
