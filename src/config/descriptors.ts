/** How many connections the limit on open files leaves room for. */
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import type { Configuration } from "./config.ts"
import { ConfigInvalid } from "./errors.ts"

/** Descriptors that are kept for everything but clients: log, checkpoints, threads, listeners, the runtime. */
export const reservedDescriptors = 64

/** The limit on open files of this process, Infinity where there is none or the system does not tell. */
export const descriptorLimit = (): number => {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))
    return found === null ? Infinity : Number(found[1])
  } catch {
    return Infinity
  }
}

/**
 * Lowers `maxclients` to what the limit on open files allows, with a warning, and has CONFIG SET refuse more, as Redis
 * does: a connection too many is then turned away with a reply, and cannot take the descriptors that the log needs. Fails
 * where there is no room for even one.
 */
export const fitClients = (
  config: Configuration,
  limit: number = descriptorLimit()
): Effect.Effect<void, ConfigInvalid> =>
  Effect.gen(function*() {
    const most = limit - reservedDescriptors
    const wanted = config.get("maxclients")
    if (most < 1) {
      return yield* new ConfigInvalid({
        where: "maxclients",
        problem:
          `the limit of ${limit} open files leaves no room for clients: it must be more than ${reservedDescriptors} `
          + "(ulimit -n)"
      })
    }
    config.onApply(["maxclients"], () =>
      config.get("maxclients") > most
        ? `The operating system is not able to handle the specified number of clients, try with ${most}`
        : undefined)
    if (wanted <= most) return
    config.changeAll([["maxclients", `${most}`]])
    yield* Effect.logWarning(
      `maxclients ${wanted} takes ${wanted + reservedDescriptors} open files, and the limit is ${limit}: it is ${most} `
        + "now (ulimit -n raises the limit)"
    )
  })
