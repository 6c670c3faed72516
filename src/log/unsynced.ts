/** Most that is kept; a failed fsync after more than this reads the rest back from the file. */
const budget = 16 << 20
const startCapacity = 64 << 10

/**
 * Copies of the frames written since the last fsync. When an fsync fails the kernel may already have dropped the pages:
 * then these are the only truth left, and are written again to a fresh file.
 */
export class UnsyncedFrames {
  private bytes = new Uint8Array(startCapacity)
  private length = 0
  /** Lsn of the first byte kept. */
  private start = 0
  private peak = 0

  /** Keeps a frame that was written at `lsn`. */
  add(lsn: number, frame: Uint8Array, length: number): void {
    if (this.start + this.length !== lsn || this.length + length > budget) {
      this.start = lsn
      this.length = 0
      if (length > budget) {
        this.start = lsn + length
        return
      }
    }
    const needed = this.length + length
    if (needed > this.bytes.length) {
      const next = new Uint8Array(Math.min(budget, Math.max(needed, this.bytes.length * 2)))
      next.set(this.bytes.subarray(0, this.length))
      this.bytes = next
    }
    this.bytes.set(frame.subarray(0, length), this.length)
    this.length = needed
    if (needed > this.peak) this.peak = needed
  }

  /** Everything below `lsn` is on disk. */
  release(lsn: number): void {
    const covered = Math.min(this.length, Math.max(0, lsn - this.start))
    if (covered === 0) return
    this.bytes.copyWithin(0, covered, this.length)
    this.length -= covered
    this.start += covered
    if (this.peak < this.bytes.length / 8 && this.bytes.length > 1 << 20) {
      const next = new Uint8Array(this.bytes.length / 4)
      next.set(this.bytes.subarray(0, this.length))
      this.bytes = next
    }
    this.peak = this.length
  }

  /** Copies what is kept from `lsn` on over `target`, whose first byte has that lsn. */
  overlay(target: Uint8Array, lsn: number): void {
    const from = Math.max(lsn, this.start)
    const to = Math.min(lsn + target.length, this.start + this.length)
    if (from < to) target.set(this.bytes.subarray(from - this.start, to - this.start), from - lsn)
  }
}
