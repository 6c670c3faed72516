/** What the tests that carry values from server to server have in common. */
import type { Random } from "../support/random.ts"
import type { RespClient } from "../support/resp-client.ts"

/** An element of any kind: an integer, the text of an odd one, a few bytes, something long. */
export const text = (random: Random): Buffer => {
  const dice = random.fraction()
  if (dice < 0.4) return Buffer.from(`${random.between(-100_000, 100_000)}`)
  if (dice < 0.5) {
    return Buffer.from(`${random.pick([2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, "9223372036854775807", "007"])}`)
  }
  if (dice < 0.8) return Buffer.from(random.bytes(random.below(40)))
  // Long and dull, so that Redis compresses it.
  if (dice < 0.98) return Buffer.from("abcabd".repeat(random.between(5, 60)))
  return Buffer.from(random.bytes(random.pick([64, 5000, 20_000])))
}

/** What DUMP answers of a key; nothing when there is none. */
export const dumped = async (client: RespClient, key: string): Promise<Buffer> => {
  const reply = await client.command("DUMP", key)
  return reply.type === "bulk" ? reply.value : Buffer.alloc(0)
}
