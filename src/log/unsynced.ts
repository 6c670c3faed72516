/** Most that is kept; a failed fsync after more than this reads the rest back from the file. */
const budget = 16 << 20
/** One that grew as a whole would have to be copied in the turn in which it does, for tens of milliseconds. */
const chunkBytes = 256 << 10
/** Chunks that stay when nothing came in while the disk was at it. */
const idleChunks = 2

/**
 * Copies of the frames written since the last fsync. When an fsync fails the kernel may already have dropped the pages:
 * then these are the only truth left, and are written again to a fresh file.
 */
export class UnsyncedFrames {
  /** What is kept begins `skipped` bytes into the first. */
  private readonly chunks: Array<Uint8Array<ArrayBuffer>> = []
  private skipped = 0
  private length = 0
  /** Lsn of the first byte kept. */
  private start = 0
  /** Chunks for what comes next, as many as were of use since the last fsync but one. */
  private readonly spare: Array<Uint8Array<ArrayBuffer>> = []
  private most = 0

  /** Keeps a frame that was written at `lsn`. */
  add(lsn: number, frame: Uint8Array, length: number): void {
    if (this.start + this.length !== lsn || this.length + length > budget) {
      this.drop(this.length)
      this.start = lsn
      if (length > budget) {
        this.start = lsn + length
        return
      }
    }
    let end = this.skipped + this.length
    for (let done = 0; done < length;) {
      const at = end % chunkBytes
      if (at === 0 && end === this.chunks.length * chunkBytes) this.addChunk()
      const part = Math.min(length - done, chunkBytes - at)
      this.chunks[Math.floor(end / chunkBytes)]!.set(frame.subarray(done, done + part), at)
      done += part
      end += part
    }
    this.length += length
  }

  /** Everything below `lsn` is on disk. */
  release(lsn: number): void {
    const covered = Math.min(this.length, Math.max(0, lsn - this.start))
    if (covered === 0) return
    this.drop(covered)
    const kept = this.length === 0 ? Math.min(this.most, idleChunks) : this.most
    // Left to the collector, which sees only a small heap, they might stay for minutes.
    for (const chunk of this.spare.splice(kept)) chunk.buffer.transfer(0)
    this.most = this.chunks.length
  }

  /** Copies what is kept from `lsn` on over `target`, whose first byte has that lsn. */
  overlay(target: Uint8Array, lsn: number): void {
    const to = Math.min(lsn + target.length, this.start + this.length)
    for (let from = Math.max(lsn, this.start); from < to;) {
      const place = this.skipped + from - this.start
      const at = place % chunkBytes
      const part = Math.min(to - from, chunkBytes - at)
      target.set(this.chunks[Math.floor(place / chunkBytes)]!.subarray(at, at + part), from - lsn)
      from += part
    }
  }

  private addChunk(): void {
    this.chunks.push(this.spare.pop() ?? new Uint8Array(chunkBytes))
    if (this.chunks.length > this.most) this.most = this.chunks.length
  }

  /** Forgets the first `count` bytes. */
  private drop(count: number): void {
    this.start += count
    this.length -= count
    this.skipped += count
    while (this.skipped >= chunkBytes) {
      this.skipped -= chunkBytes
      this.spare.push(this.chunks.shift()!)
    }
    if (this.length > 0) return
    this.skipped = 0
    for (let chunk = this.chunks.pop(); chunk !== undefined; chunk = this.chunks.pop()) this.spare.push(chunk)
  }
}
