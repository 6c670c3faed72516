/** What one connection takes, for CLIENT LIST, INFO and maxmemory-clients. */
import type { ClientState } from "../commands/client.ts"
import type { ClientMemory } from "../commands/ports.ts"
import type { QueryBuffer } from "./query-buffer.ts"
import type { ReplyBuffer } from "./resp/encoder.ts"

/** What the objects of an idle connection take at least: session, socket, handle. */
const connectionBytes = 6 * 1024

/** The most bytes of replies a connection had in one turn, over the last second or two. */
export class ReplyPeak {
  private before = 0
  private now = 0

  note(bytes: number): void {
    if (bytes > this.now) this.now = bytes
  }

  /** A second is over. */
  sweep(): void {
    this.before = this.now
    this.now = 0
  }

  get bytes(): number {
    return Math.max(this.before, this.now)
  }
}

/**
 * Adds up a connection's buffers: `words` is what the parser remembers of a request that is not whole, `held` are replies
 * that wait for the log, `waiting` those that wait for the kernel, `client` says what MULTI, HIMPORT and CLIENT TRACKING have taken.
 */
export const clientMemory = (
  pending: QueryBuffer,
  words: number,
  out: ReplyBuffer,
  held: { readonly pieces: number; readonly bytes: number },
  waiting: number,
  client: ClientState,
  peak: ReplyPeak
): ClientMemory => {
  const query = pending.length
  const queued = client.transaction?.bytes ?? 0
  const named = (client.fieldsets?.bytes ?? 0) + (client.tracking?.bytes ?? 0)
  const output = out.fullBytes + held.bytes + waiting
  return {
    query,
    queryFree: pending.bytes.length - query,
    argv: words,
    multi: queued,
    replyBuffer: out.chunk.length,
    replyPeak: Math.max(peak.bytes, out.length),
    replyUsed: out.used,
    outputPieces: out.full.length + held.pieces + (waiting > 0 ? 1 : 0),
    output,
    total: connectionBytes + pending.bytes.length + words + out.chunk.length + output + queued + named
  }
}
