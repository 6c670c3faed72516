import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { unlinkSync, writeFileSync } from "node:fs"

/**
 * Writes the process id to a file that is removed when the scope closes; "" for none. A file that cannot be written is
 * only worth a warning, as in Redis: the server does not need it.
 */
export const pidFile = (path: string, pid: number): Effect.Effect<void, never, Scope.Scope> =>
  path === ""
    ? Effect.void
    : Effect.acquireRelease(
      Effect.try({
        try: () => writeFileSync(path, `${pid}\n`),
        catch: (cause) => cause as Error
      }).pipe(
        Effect.as(true),
        Effect.catch((cause) =>
          Effect.as(Effect.logWarning(`the process id could not be written to ${path}: ${cause.message}`), false)
        )
      ),
      (written) => Effect.sync(() => void (written && removeQuietly(path)))
    )

const removeQuietly = (path: string): boolean => {
  try {
    unlinkSync(path)
    return true
  } catch {
    // Someone has removed it already, which is what was wanted.
    return false
  }
}
