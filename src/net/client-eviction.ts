/** maxmemory-clients: when all connections together take too much, those that take most are closed. */
import type { Session } from "./session.ts"

/** What eviction is told and asked. */
export interface ClientEviction {
  /** Bytes that all connections together may take; 0 is no limit. */
  readonly limit: number
  readonly evicted: (session: Session, bytes: number) => void
}

/**
 * Closes connections, largest first, until the rest takes no more than the limit. Those with CLIENT NO-EVICT count but
 * stay, and replicas do not count. Looks at every connection once: to be called some times a second, and only where there is a limit.
 */
export const evictClients = (sessions: Iterable<Session>, { evicted, limit }: ClientEviction): void => {
  let total = 0
  const sizes: Array<readonly [bytes: number, session: Session]> = []
  for (const session of sessions) {
    if (session.client.role !== "client") continue
    const bytes = session.memory().total
    total += bytes
    if (!session.client.noEvict) sizes.push([bytes, session])
  }
  if (total <= limit) return
  sizes.sort(([a], [b]) => b - a)
  for (const [bytes, session] of sizes) {
    if (total <= limit) return
    session.kill()
    total -= bytes
    evicted(session, bytes)
  }
}
