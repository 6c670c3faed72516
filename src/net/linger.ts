/** How long a closing connection may take nothing of its last replies. */
const lingerMs = 60_000

/** A connection that closes once its last replies have left: since when, and with how many bytes, it has taken none. */
export class Linger {
  private since: number
  private bytes: number

  constructor(now: number, bytes: number) {
    this.since = now
    this.bytes = bytes
  }

  /** Whether it has taken nothing for too long; called every second. */
  over(now: number, bytes: number): boolean {
    if (bytes === this.bytes) return now - this.since > lingerMs
    this.since = now
    this.bytes = bytes
    return false
  }
}
