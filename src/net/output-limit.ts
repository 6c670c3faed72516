import type { ClientState } from "../commands/client.ts"
import type { NetSettings, OutputLimit } from "./limits.ts"

/** The limit that applies to a connection of this kind. */
export const outputLimitOf = (client: ClientState, { outputLimit, pubsubLimit }: NetSettings): OutputLimit =>
  client.subscribed || (client.monitoring && outputLimit.hard === 0 && outputLimit.soft === 0)
    ? pubsubLimit
    : outputLimit

/** What the log says of a connection that is closed because of its limit. */
export const overOutputWarning = ({ address, clientId }: ClientState, bytes: number): string =>
  `Closing client ${clientId} (${address}): ${bytes} bytes of replies wait, over the output buffer limit.`

/** Applies client-output-buffer-limit to one connection: remembers since when it has been above the soft limit. */
export class OutputWatch {
  private softSince = 0

  /** Whether a connection with so many bytes of waiting replies must be closed now. */
  over(bytes: number, limit: OutputLimit, now: () => number): boolean {
    const { hard, soft, softSeconds } = limit
    if (hard > 0 && bytes > hard) return true
    if (soft === 0 || bytes <= soft) {
      this.softSince = 0
      return false
    }
    const time = now()
    if (this.softSince === 0) this.softSince = time
    return time - this.softSince >= softSeconds * 1000
  }

  /** Everything has left: it need not be closed. */
  drained(): false {
    this.softSince = 0
    return false
  }
}
