/**
 * The reading half of a salvage: every frame of a damaged log that can be trusted, in order, and what is missing between
 * them. A frame counts when both checksums fit, its batches decode, and it can be one of its segment: the segment's
 * epoch, a durable lag inside the segment, times that do not fall, sequences that follow and stay below those of the
 * next segment. Behind a bad spot a frame whose header is intact is passed as a whole, so that nothing inside a value is
 * taken for a frame; only where the header is gone too is every eighth byte tried.
 */
import type { Disk, DiskFile } from "../log/disk.ts"
import type { Author } from "../log/event-log.ts"
import { beginsFooter, readFooter, readFooterTail } from "../log/footer.ts"
import { FrameCursor, isDecodeError } from "../log/frame-cursor.ts"
import { FrameDecoder } from "../log/frame-decoder.ts"
import { countInBody, FrameHeader, frameHeaderSize, frameType, readFrameHeader } from "../log/frame.ts"
import { type Gap, type GapPlace, readGap } from "../log/gaps.ts"
import type { SessionEntry } from "../log/segment-index.ts"
import { segmentHeaderSize, segmentName } from "../log/segment.ts"
import { SalvagedSessions } from "./salvage-sessions.ts"
import { openPatiently, type Source, type Sources } from "./salvage-sources.ts"

/** A batch takes no less than length, meta and command. */
const smallestBatch = 3
/** A durable lag that did not fit its field. */
const saturatedLag = 0xffff_ffff * 8

/** Where the frames and gaps go. */
export interface Sink {
  /** The frame in `bytes[0, header.length)` and the sessions it uses whose records have to precede it. */
  readonly frame: (
    source: Source,
    bytes: Uint8Array,
    header: FrameHeader,
    sequences: number,
    missing: ReadonlyMap<number, Author>
  ) => void
  readonly gap: (gap: Gap) => void
}

/** One pass over all segments. */
export class Walk {
  batches = 0
  events = 0
  /** Batches whose author's record is lost. */
  anonymous = 0
  readonly gaps: Array<Gap> = []
  /** Gaps an earlier salvage recorded. */
  readonly oldGaps: Array<Gap> = []
  /** Damage that cost no batch. */
  readonly notes: Array<GapPlace> = []
  /** First sequence the log should hold, and the next one expected. */
  readonly oldest: number
  next: number
  private readonly disk: Disk
  private readonly sources: Sources
  private sink!: Sink
  /** Lsn after the last frame read. */
  private lsn: number | undefined
  /** Time of the last batch kept, and of the last frame that held batches; unix ms. */
  private lastTime = 0
  private lastFrameTime = 0
  /** Bad spots since the last good frame. */
  private places: Array<GapPlace> = []
  /** Last sequence an unreadable frame announces, and that frame's lsn. */
  private announced: { readonly last: number; readonly lsn: number } | undefined = undefined
  // Of the segment in hand:
  private source!: Source
  private ceiling = Infinity
  private sessions = new SalvagedSessions()
  private decoder = new FrameDecoder(this.sessions)
  private directory: ReadonlyArray<SessionEntry> | undefined = undefined
  private keptHere = false

  constructor(disk: Disk, sources: Sources) {
    this.disk = disk
    this.sources = sources
    const sure = sources.segments.find(({ foreign, header }) => header !== undefined && !foreign)
    this.oldest = Math.min(sources.manifest?.oldest ?? 1, sure?.first ?? Infinity)
    this.next = this.oldest
    this.lsn = this.next === 1 ? 0 : sure?.first === this.next ? sure.lsn : undefined
  }

  /** Lsn at which the new log begins: that of the old one where it is known. */
  get firstLsn(): number {
    return this.lsn ?? 0
  }

  /** Reads everything, once. Throws `DiskError`. */
  run(sink: Sink): void {
    this.sink = sink
    const { segments } = this.sources
    for (let i = 0; i < segments.length; i++) {
      const source = segments[i]!
      const following = segments.slice(i + 1).find((other) => !other.foreign && other.first > source.first)
      if (source.foreign) this.lose(source.name, 0, source.size, source.trouble!)
      else {
        this.missingBefore(source)
        this.segment(source, following)
      }
    }
    this.tail()
  }

  private segment(source: Source, following: Source | undefined): void {
    const file = openPatiently(this.disk, source.name)
    try {
      const size = file.size()
      const sure = this.sources.segments.find(({ first, foreign, header }) =>
        header !== undefined && !foreign && first > source.first
      )
      const footer = readFooterTail(file, size)
      const tail = footer?.summary.firstSequence === source.first ? footer : undefined
      const end = tail?.start ?? size
      this.source = source
      this.ceiling = sure === undefined ? Infinity : sure.first - 1
      this.sessions = new SalvagedSessions()
      this.decoder = new FrameDecoder(this.sessions)
      this.keptHere = false
      const line = this.sources.manifest?.sealed.find(({ first }) => first === source.first)
      // Positions in a footer mean nothing once bytes before it were removed or inserted.
      const follows = tail !== undefined && following?.first === tail.summary.lastSequence + 1
      const lsnEnd = line?.end ?? (follows ? following.lsn : undefined)
      const whole = tail !== undefined && lsnEnd !== undefined && lsnEnd === this.lsnAt(end)
        ? readFooter(file, size)
        : undefined
      this.directory = whole?.complete === true ? whole.sessions : undefined
      if (source.header === undefined) this.lose(source.name, 0, Math.min(size, segmentHeaderSize), source.trouble!)
      if (size > segmentHeaderSize) this.frames(file, end)
      const last = Math.max(tail?.summary.lastSequence ?? 0, line?.last ?? 0)
      if (last >= this.next && this.places.length === 0) {
        this.lose(source.name, end, end, "frames are missing at its end")
      }
    } finally {
      file.close()
    }
  }

  /** Notes where sequences before a segment must have been, unless a bad spot tells already. */
  private missingBefore({ first }: Source): void {
    const { manifest, segments } = this.sources
    if (first <= this.next) return
    const present = new Set(segments.map((source) => source.first))
    const absent = (manifest?.sealed ?? []).filter((line) =>
      !present.has(line.first) && line.last >= this.next && line.first < first
    )
    for (const line of absent) this.lose(segmentName(line.first), 0, 0, "the segment is missing")
    if (this.places.length === 0) this.lose(segmentName(this.next), 0, 0, "the segment is missing")
  }

  private frames(file: DiskFile, end: number): void {
    const { name } = this.source
    const cursor = new FrameCursor(file, segmentHeaderSize, end)
    const head = new Uint8Array(frameHeaderSize)
    for (;;) {
      const step = cursor.advance()
      if (step === "end") return
      const at = cursor.position
      if (step === "frame") {
        const wrong = this.take(cursor)
        if (wrong !== undefined) this.lose(name, at, cursor.next, wrong)
        continue
      }
      const { reason } = cursor
      const length = file.read(head, 0, frameHeaderSize, at)
      if (beginsFooter(head.subarray(0, Math.min(8, length)))) {
        this.lose(name, at, end, "the footer is damaged")
        return
      }
      const past = length === frameHeaderSize ? this.announcedEnd(head, at) : undefined
      if (past !== undefined && past <= end) {
        this.lose(name, at, past, reason)
        cursor.seek(past)
      } else if (this.search(cursor, at, true) || this.search(cursor, at, false)) {
        this.lose(name, at, cursor.position, reason)
        cursor.seek(cursor.position)
      } else {
        this.lose(name, at, end, reason)
        return
      }
    }
  }

  /** Where a frame ends whose header is intact though its body is not; notes the sequences it held. */
  private announcedEnd(head: Uint8Array, at: number): number | undefined {
    const frame = new FrameHeader()
    if (readFrameHeader(head, 0, frame) !== undefined) return undefined
    const count = frame.type !== frameType.batches ? 0 : frame.count === countInBody ? 1 : frame.count
    if (frame.sequence < this.next || this.implausible(frame, count, at) !== undefined) return undefined
    if (count > 0) this.announced = { last: frame.sequence + count - 1, lsn: this.lsnAt(at) ?? Infinity }
    return at + frame.length
  }

  /** Steps to the next frame behind a bad spot; `strict`: no more sequences are missing than the bytes can have held. */
  private search(cursor: FrameCursor, bad: number, strict: boolean): boolean {
    for (let from = bad + 8; cursor.search(from, this.next); from = cursor.position + 8) {
      const { header, position } = cursor
      const sequences = cursor.sequences()
      if (sequences === undefined || this.implausible(header, sequences, position) !== undefined) continue
      if (strict && (header.sequence - this.next) * smallestBatch > position - bad) continue
      return true
    }
    return false
  }

  /** Why a frame that does not simply follow cannot be one of this segment. */
  private implausible(frame: FrameHeader, sequences: number, position: number): string | undefined {
    const { header } = this.source
    if (header !== undefined && frame.epoch < header.epoch) return "a frame of an earlier epoch"
    if (frame.lag > position - segmentHeaderSize && frame.lag < saturatedLag) return "a frame of another segment"
    if (sequences > 0 && frame.type === frameType.batches && frame.time < this.lastFrameTime) {
      return "a frame out of time"
    }
    if (frame.sequence + sequences - 1 > this.ceiling) return "a frame of a later segment"
    return undefined
  }

  /** Keeps the frame in hand, and closes what was missing before it; why it is not kept, or undefined. */
  private take(cursor: FrameCursor): string | undefined {
    const { at, bytes, header, position } = cursor
    const sequences = cursor.sequences()
    if (sequences === undefined) return "frame body does not decode"
    if (header.sequence < this.next) return this.passOver(cursor, sequences)
    if (header.sequence > this.next) {
      const wrong = this.implausible(header, sequences, position)
      if (wrong !== undefined) return wrong
      if (this.places.length === 0) this.lose(this.source.name, position, position, "frames are missing before it")
    }
    const { decoder, sessions } = this
    let [batches, events, anonymous, time] = [0, 0, 0, 0]
    sessions.missing.clear()
    try {
      if (header.type === frameType.gap) this.oldGaps.push(readGap(bytes, at, header))
      if (header.type === frameType.batches) {
        decoder.open(bytes, at, header)
        while (decoder.next()) {
          batches++
          events += decoder.batch.events.length
          time = decoder.batch.time
          if (decoder.batch.author !== undefined && sessions.isVague(decoder.batch.author)) anonymous++
        }
      }
    } catch (error) {
      if (!isDecodeError(error)) throw error
      sessions.notKept(decoder.definedRefs)
      return `a batch does not decode: ${(error as Error).message}`
    }
    this.settle(header.sequence, this.lsnAt(position), header.time)
    if (header.type === frameType.batches || header.type === frameType.control || header.type === frameType.gap) {
      this.sink.frame(this.source, bytes.subarray(at, at + header.length), header, sequences, sessions.missing)
    }
    this.batches += batches
    this.events += events
    this.anonymous += anonymous
    this.keptHere = true
    this.announced = undefined
    this.next = header.sequence + sequences
    this.lsn = this.lsnAt(cursor.next)
    if (batches > 0) {
      this.lastTime = time
      this.lastFrameTime = header.time
    }
    return undefined
  }

  /** A frame of what is kept already: a copy of a segment under another name, or a stale block. */
  private passOver(cursor: FrameCursor, sequences: number): string | undefined {
    const { at, bytes, header } = cursor
    if (header.sequence + sequences > this.next) return "a frame that overlaps what precedes it"
    if (this.keptHere) {
      if (sequences > 0) this.notes.push(this.place(cursor.position, cursor.next, "a frame that is there already"))
      return undefined
    }
    if (header.type !== frameType.batches) return undefined
    try {
      this.decoder.open(bytes, at, header)
      this.decoder.sessionsOnly() // frames further on may need them
    } catch (error) {
      if (!isDecodeError(error)) throw error
    }
    this.sessions.notKept(this.decoder.definedRefs)
    return undefined
  }

  /** What is missing ends where `sequence` follows. */
  private settle(sequence: number, lsnTo: number | undefined, timeAfter: number): void {
    const { lastTime, lsn: lsnFrom, next, places } = this
    this.places = []
    if (sequence <= next) {
      this.notes.push(...places)
      return
    }
    const spots = places.reduce((sum, { from, to }) => sum + to - from, 0)
    const gap: Gap = {
      first: next,
      last: sequence - 1,
      bytesLost: lsnFrom !== undefined && lsnTo !== undefined && lsnTo >= lsnFrom ? lsnTo - lsnFrom : spots,
      reason: [...new Set(places.map(({ reason }) => reason))].join("; "),
      lsnFrom,
      lsnTo,
      timeBefore: lastTime === 0 ? undefined : lastTime,
      timeAfter: timeAfter === 0 ? undefined : timeAfter,
      places
    }
    this.gaps.push(gap)
    this.sink.gap(gap)
    this.next = sequence
  }

  /**
   * The end of the log. Only what was safely on disk is missing there: an unreadable tail beyond it was never promised,
   * and a server would cut it as well.
   */
  private tail(): void {
    const { manifest, segments } = this.sources
    const durable = manifest?.durableLsn ?? 0
    let last = 0
    if (this.announced !== undefined && this.announced.lsn < durable) last = this.announced.last
    if (manifest !== undefined) {
      const { active, clean, durableSequence, sealed } = manifest
      last = Math.max(last, durableSequence, sealed.at(-1)?.last ?? 0)
      const absent = !segments.some(({ first, foreign }) => first === active.first && !foreign)
      if (absent && last < active.first && this.next <= active.first && !clean) {
        last = active.first // written since the manifest was, and nothing tells how much
        this.lose(segmentName(active.first), 0, 0, "the segment is missing, and how many batches it held is not known")
      } else if (absent && last >= active.first) this.lose(segmentName(active.first), 0, 0, "the segment is missing")
      const short = this.lsn !== undefined && this.lsn < durable
      // A manifest that knows bytes of the last segment to be durable, but not how many batches they are.
      if (short && last < this.next && durableSequence < active.first && !clean) {
        last = this.next
        this.lose(this.source.name, this.source.size, this.source.size, "how many batches were durable is not known")
      }
    }
    for (const line of manifest?.sealed ?? []) {
      if (line.first >= this.next && !segments.some(({ first, foreign }) => first === line.first && !foreign)) {
        this.lose(segmentName(line.first), 0, 0, "the segment is missing")
      }
    }
    if (last >= this.next && this.places.length === 0) {
      const { name, size } = segments.at(-1) ?? { name: segmentName(this.next), size: 0 }
      this.lose(name, size, size, "frames are missing at its end")
    }
    this.settle(last + 1, durable > (this.lsn ?? 0) ? durable : undefined, 0)
  }

  private lose(segment: string, from: number, to: number, reason: string): void {
    const before = this.places.at(-1)
    if (before?.segment === segment && before.to === from && to > from) {
      this.places[this.places.length - 1] = { ...before, to }
    } else this.places.push({ segment, from, to, reason })
    // Too short for a session record, or no frame at all.
    if (to - from <= frameHeaderSize && to !== from) return
    if (from >= segmentHeaderSize) this.sessions.doubt(to === from ? undefined : this.directory, from, to)
  }

  private place(from: number, to: number, reason: string): GapPlace {
    return { segment: this.source.name, from, to, reason }
  }

  private lsnAt(position: number): number | undefined {
    return this.source.lsn === undefined ? undefined : this.source.lsn + position - segmentHeaderSize
  }
}
