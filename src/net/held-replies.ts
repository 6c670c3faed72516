import type { ReplyBuffer } from "./resp/encoder.ts"

/** Replies of earlier turns that the log has not released, oldest first: each may leave once it has released `barrier`. */
export class HeldReplies {
  bytes = 0
  private readonly queue: Array<{ readonly buffer: ReplyBuffer; readonly barrier: number }> = []

  get pieces(): number {
    return this.queue.length
  }

  hold(buffer: ReplyBuffer, barrier: number): void {
    this.queue.push({ buffer, barrier })
    this.bytes += buffer.length
  }

  /** The oldest one if it may leave now. */
  next(released: number): ReplyBuffer | undefined {
    if (this.queue.length === 0 || this.queue[0]!.barrier > released) return undefined
    const { buffer } = this.queue.shift()!
    this.bytes -= buffer.length
    return buffer
  }

  clear(): void {
    this.queue.length = 0
    this.bytes = 0
  }
}
