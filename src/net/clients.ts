import type { CommandExecutor } from "../commands/executor/executor.ts"
import type { ClientsPort, ConnectionPort } from "../commands/ports.ts"
import { evictClients } from "./client-eviction.ts"
import { Guest } from "./guest.ts"
import type { Session } from "./session.ts"

/** Every connection by its id, and the pause that holds them back. */
export class Clients implements ClientsPort {
  accepted = 0
  rejected = 0
  private nextId = 1
  private readonly sessions = new Map<number, Session>()
  private readonly postponed = new Set<Session>()
  private readonly guests = new Map<number, Guest>()
  private pausedUntil = 0
  private readonly executor: CommandExecutor
  private readonly now: () => number

  constructor(executor: CommandExecutor, now: () => number) {
    this.executor = executor
    this.now = now
  }

  /** CONFIG RESETSTAT. */
  resetCounters(): void {
    this.accepted = this.rejected = 0
  }

  takeId(): number {
    return this.nextId++
  }

  add(session: Session): void {
    this.accepted++
    this.sessions.set(session.client.clientId, session)
  }

  remove(session: Session): void {
    this.sessions.delete(session.client.clientId)
    this.postponed.delete(session)
    this.executor.transactions.forget(session.client)
    this.executor.tracking.disable(session)
  }

  get count(): number {
    return this.sessions.size
  }

  get blockedCount(): number {
    let count = 0
    for (const session of this.sessions.values()) if (session.blocked) count++
    return count
  }

  *all(): Iterable<ConnectionPort> {
    yield* this.sessions.values()
    yield* this.guests.values()
  }

  byId(id: number): ConnectionPort | undefined {
    return this.sessions.get(id) ?? this.guests.get(id)
  }

  /** A connection this server has opened itself is shown among the others until the function returned is called. */
  welcome(address: string, localAddress: string, close: () => void): () => void {
    const id = this.takeId()
    this.guests.set(id, new Guest(id, address, localAddress, this.now(), close))
    return () => void this.guests.delete(id)
  }

  postpone(session: Session): void {
    this.postponed.add(session)
  }

  pause(untilMs: number, mode: "write" | "all"): void {
    const running = this.executor.pause !== "none"
    this.pausedUntil = running ? Math.max(this.pausedUntil, untilMs) : untilMs
    if (!running || mode === "all") this.executor.pause = mode
  }

  unpause(): void {
    if (this.executor.pause === "none") return
    this.executor.pause = "none"
    this.pausedUntil = 0
    const waiting = [...this.postponed]
    this.postponed.clear()
    for (const session of waiting) session.resumeAfterPause()
  }

  /** Ends a pause whose time is over. */
  checkPause(): void {
    if (this.executor.pause !== "none" && this.now() >= this.pausedUntil) this.unpause()
  }

  /** Closes connections where all together take more than so many bytes, if that is not 0. */
  enforceMemory(limit: number, warn: (text: string) => void): void {
    if (limit === 0) return
    evictClients(this.sessions.values(), {
      limit,
      evicted: ({ client }, bytes) => {
        this.executor.statistics.evictedClients++
        warn(`Closing client ${client.clientId} (${client.address}): it takes ${bytes} bytes, over maxmemory-clients.`)
      }
    })
  }

  sweep(idleTimeoutSeconds: number): void {
    const now = this.now()
    for (const session of this.sessions.values()) session.sweep(now, idleTimeoutSeconds)
  }
}
