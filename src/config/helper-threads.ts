import { readdirSync, readFileSync, stat } from "node:fs"
import { getPriority, setPriority } from "node:os"

/** How much less than the thread that serves. A tenth of its weight, where the two share a processor. */
const niceness = 10
const leastPriority = 19
/** On the first the runtime compiles and collects; on the others files are synced and segments compressed. */
const helpers = ["V8Worker", "libuv-worker"]

/**
 * Puts the threads that help the one that serves clients behind it, on Linux, where each thread has a priority of its
 * own. Where they share a processor, a change of load, such as the beginning of a checkpoint, otherwise has them take
 * most of it from the clients for half a second.
 */
export const yieldHelperThreads = (): void => {
  // The threads for files come with the first use of them.
  stat("/proc/self/task", () => {
    try {
      for (const thread of readdirSync("/proc/self/task")) {
        const name = readFileSync(`/proc/self/task/${thread}/comm`, "latin1")
        if (!helpers.some((helper) => name.includes(helper))) continue
        const id = Number(thread)
        setPriority(id, Math.min(leastPriority, getPriority(id) + niceness))
      }
    } catch {
      // Not Linux, or not allowed: then they compete.
    }
  })
}
