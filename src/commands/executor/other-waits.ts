/**
 * Connections whose command is answered by somebody outside of the executor: a thread that reads the log, a moment of the
 * log that has not come. They differ from blocking commands in that no key ends them.
 */
import type { ReplyError } from "../../net/resp/reply.ts"
import type { ConnectionPort, OtherWait } from "../ports.ts"

/** All such waits of one server. */
export class OtherWaits {
  private readonly waits = new Map<ConnectionPort, OtherWait>()

  /** Whether anybody waits. */
  get any(): boolean {
    return this.waits.size > 0
  }

  /** Whether the connection waits for an answer that comes whatever happens, only later. */
  answers(connection: ConnectionPort): boolean {
    return this.waits.get(connection)?.unblockable === false
  }

  /** The connection waits from now on; requests behind this one stay where they are. */
  add(connection: ConnectionPort, wait: OtherWait): void {
    this.waits.set(connection, wait)
    connection.awaitAnswer()
  }

  /** The wait is over, because it is answered; false when it was over before. */
  remove(connection: ConnectionPort, wait: OtherWait): boolean {
    return this.waits.get(connection) === wait && this.waits.delete(connection)
  }

  /** The connection is gone. */
  forget(connection: ConnectionPort): void {
    const wait = this.waits.get(connection)
    if (wait !== undefined) this.end(connection, wait, "gone")
  }

  /** CLIENT UNBLOCK; false when the connection does not wait, or cannot be unblocked. */
  unblock(connection: ConnectionPort, how: "timeout" | "error"): boolean {
    const wait = this.waits.get(connection)
    if (wait === undefined || !wait.unblockable) return false
    this.end(connection, wait, how)
    return true
  }

  /** Ends all waits that can be ended, with this answer, and their connections. */
  unblockAll(answer: ReplyError): void {
    for (const [connection, wait] of this.waits) {
      if (!wait.unblockable) continue
      this.end(connection, wait, "gone")
      connection.answer(answer)
      connection.closeAfterReply()
    }
  }

  /** Ends the waits whose time is over at `now`, monotonic ms. */
  expire(now: number): void {
    for (const [connection, wait] of this.waits) if (wait.until <= now) this.end(connection, wait, "timeout")
  }

  private end(connection: ConnectionPort, wait: OtherWait, how: Parameters<OtherWait["over"]>[0]): void {
    this.waits.delete(connection)
    wait.over(how)
  }
}
