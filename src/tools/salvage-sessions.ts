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

const withoutNames = (author: Author): Author => ({ ...author, user: "", name: "", library: "", protocol: 0 })

/**
 * The sessions a decoder has met in frames that are kept. A ref whose record is not among them gets a stand-in, to be
 * written before the frame that uses it: the author himself where his record was read in a frame that is not kept;
 * where a later record of a known ref may be lost, what never changes about a connection (client id, addresses, time,
 * but not user and names); otherwise somebody with every fact empty.
 */
export class SalvagedSessions extends Map<number, Author> {
  /** Stand-ins asked for since this was last cleared. */
  readonly missing = new Map<number, Author>()
  private readonly known = new Map<number, Author>()
  private readonly vague = new Set<Author>()

  override get(ref: number): Author {
    const author = super.get(ref)
    if (author !== undefined) return author
    const substitute = this.known.get(ref) ?? { ...unknown }
    if (!this.known.has(ref)) this.vague.add(substitute)
    this.missing.set(ref, substitute)
    super.set(ref, substitute)
    return substitute
  }

  /** Whether an author lacks facts. */
  isVague(author: Author): boolean {
    return this.vague.has(author)
  }

  /** The frame that defined these refs, and asked for what is in `missing`, is not kept. */
  notKept(defined: ReadonlyArray<number>): void {
    for (const ref of [...defined, ...this.missing.keys()]) {
      const author = super.get(ref)
      if (author === undefined) continue
      this.delete(ref)
      this.known.set(ref, author)
    }
    this.missing.clear()
  }

  /** Records between two positions are lost: those the directory names, or without one any. */
  doubt(directory: ReadonlyArray<SessionEntry> | undefined, from: number, to: number): void {
    const refs = directory === undefined
      ? new Set([...this.keys(), ...this.known.keys()])
      : directory.filter(({ position }) => position >= from && position < to).map(({ ref }) => ref)
    for (const ref of refs) {
      const author = super.get(ref) ?? this.known.get(ref)
      if (author === undefined) continue
      const substitute = withoutNames(author)
      this.delete(ref)
      this.known.set(ref, substitute)
      this.vague.add(substitute)
    }
  }
}
