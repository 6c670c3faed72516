/** Sessions of a damaged segment: whose record may be lost is not given a name that may be another's. */
import type { Author } from "../log/event-log.ts"
import type { SessionEntry } from "../log/segment-index.ts"

const unknown: Author = {
  clientId: 0,
  address: "",
  localAddress: "",
  user: "",
  name: "",
  library: "",
  protocol: 0,
  connectedAt: 0,
  revision: 0,
  logged: { segment: 0, revision: -1, ref: 0 }
}

/**
 * The sessions a decoder has met. A ref whose record is not there stands for somebody with every fact empty. Where a
 * later record of a known ref may be lost, only what never changes about a connection is kept: its client id, addresses
 * and time, but not its user and names.
 */
export class SalvagedSessions extends Map<number, Author> {
  /** Refs asked for without a record since this was last cleared, with what stands in for it. */
  readonly lost = new Map<number, Author>()
  private readonly partial = new Map<number, Author>()
  private readonly substitutes = new Set<Author>()

  override get(ref: number): Author {
    const author = super.get(ref)
    if (author !== undefined) return author
    const substitute = { ...(this.partial.get(ref) ?? unknown) }
    this.substitutes.add(substitute)
    this.lost.set(ref, substitute)
    super.set(ref, substitute)
    return substitute
  }

  isLost(author: Author): boolean {
    return this.substitutes.has(author)
  }

  /** Records between two positions are lost: those the directory names, or without one any. */
  doubt(directory: ReadonlyArray<SessionEntry> | undefined, from: number, to: number): void {
    const refs = directory === undefined
      ? [...this.keys()]
      : directory.filter(({ position }) => position >= from && position < to).map(({ ref }) => ref)
    for (const ref of refs) {
      const author = super.get(ref)
      if (author === undefined) continue
      this.partial.set(ref, { ...author, user: "", name: "", library: "", protocol: 0 })
      this.delete(ref)
    }
  }
}
