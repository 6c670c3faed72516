import { createHash, type Hash } from "node:crypto"
import { digestOf } from "./frame-cursor.ts"

/** Small frames are gathered to this size: a call into the hash costs as much as 2 KiB of hashing. */
const stagingBytes = 32 << 10

/** SHA-256 of a growing segment, fed frame by frame. */
export class SegmentHash {
  private readonly hash: Hash
  private readonly staging = new Uint8Array(stagingBytes)
  private staged = 0

  /** `hash` has seen what the segment holds so far. */
  constructor(hash: Hash = createHash("sha256")) {
    this.hash = hash
  }

  /** Adds the first `length` bytes. */
  update(bytes: Uint8Array, length = bytes.length): void {
    if (length > stagingBytes - this.staged) {
      this.settle()
      if (length > stagingBytes) {
        this.hash.update(length === bytes.length ? bytes : bytes.subarray(0, length))
        return
      }
    }
    this.staging.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.staged)
    this.staged += length
  }

  private settle(): void {
    if (this.staged > 0) this.hash.update(this.staging.subarray(0, this.staged))
    this.staged = 0
  }

  /** The hash of everything added; more may follow. */
  digest(): Uint8Array {
    this.settle()
    return digestOf(this.hash)
  }
}
