/** Replies as the reading thread gives them, and steps on the way to them. */
import { ReplyBuffer } from "../net/resp/encoder.ts"
import type { Reply } from "../net/resp/reply.ts"

/** A reply in memory of its own, which goes to another thread. */
export const encoded = (reply: Reply, protocol: number): Uint8Array => {
  const out = new ReplyBuffer()
  out.write(reply, protocol)
  const bytes = new Uint8Array(out.length)
  let at = 0
  for (const chunk of out.take()) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Steps whose results are nobody's business: none of the answer is there yet. */
export function* silent<T>(steps: Generator<unknown, T>): Generator<number, T> {
  let done = false
  try {
    for (;;) {
      const step = steps.next()
      if (step.done === true) {
        done = true
        return step.value
      }
      yield 0
    }
  } finally {
    if (!done) steps.return(undefined as T)
  }
}
