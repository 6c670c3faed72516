import { isLasting, recycleChunk, type ReplyBuffer } from "./resp/encoder.ts"
import type { Outlet } from "./transport.ts"

/** Sends everything encoded so far; the buffer is empty afterwards. */
export const sendReplies = (transport: Outlet, buffer: ReplyBuffer): void => {
  if (buffer.full.length === 0) {
    const { chunk, used } = buffer
    transport.send(chunk, used, isLasting(chunk, used))
    buffer.clear()
    return
  }
  for (const chunk of buffer.take()) {
    if (transport.waiting > 0) transport.sendKept(chunk)
    else {
      transport.send(chunk, chunk.length, isLasting(chunk, chunk.length))
      recycleChunk(chunk)
    }
  }
}
