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

const several = (random: Random): Array<Buffer> =>
  Array.from({ length: random.chance(0.1) ? random.between(100, 700) : random.between(1, 12) }, () => text(random))

/** A request that makes one value of any type but a stream. */
export const valueRequest = (random: Random, key: string): Array<string | Buffer> => {
  const score = () => `${random.pick([random.between(-50, 50), random.fraction() * 1e6, "inf", "-inf", "1e-300"])}`
  switch (random.below(6)) {
    case 0:
      return ["SET", key, text(random)]
    case 1:
      return ["RPUSH", key, ...several(random)]
    case 2:
      return ["SADD", key, ...several(random)]
    case 3:
      return [
        "SADD",
        key,
        ...Array.from({ length: random.between(1, 700) }, () => `${random.between(-70_000, 70_000)}`)
      ]
    case 4:
      return ["HSET", key, ...several(random).flatMap((field) => [field, text(random)])]
    default:
      return ["ZADD", key, ...several(random).flatMap((member) => [score(), member])]
  }
}

/** The requests that make one stream. */
export const streamRequests = (random: Random, key: string): Array<Array<string | Buffer>> => {
  const made: Array<Array<string | Buffer>> = []
  const ids: Array<string> = []
  const far = random.chance(0.1)
  let ms = far ? 2n ** 63n : BigInt(random.between(1, 1000))
  const some = (most: number): Array<string> =>
    Array.from({ length: random.between(1, most) }, () => ids.length === 0 ? "7-7" : random.pick(ids))
  const add = (): void => {
    ms += far ? 2n ** BigInt(random.below(56)) : BigInt(random.below(2000))
    const id = `${ms}-${ids.length}`
    ids.push(id)
    const fields = random.chance(0.7) ? ["a", "b"] : Array.from({ length: random.between(1, 5) }, () => text(random))
    made.push(["XADD", key, id, ...fields.flatMap((field) => [field, text(random)])])
  }
  for (let left = random.pick([1, 5, 150, 400]); left > 0; left--) add()
  for (let left = random.below(3); left > 0; left--) {
    const group = `g${random.below(3)}`
    made.push(["XGROUP", "CREATE", key, group, random.pick(["0", "$", random.pick(ids)])])
    if (random.chance(0.3)) made.push(["XGROUP", "CREATE", key, `${group}x`, "0", "ENTRIESREAD", "1000000"])
    for (let reads = random.below(5); reads > 0; reads--) {
      const count = random.pick(["1", "10", "100"])
      made.push(["XREADGROUP", "GROUP", group, `c${random.below(3)}`, "COUNT", count, "STREAMS", key, ">"])
      if (random.chance(0.5)) made.push(["XACK", key, group, ...some(9)])
      if (random.chance(0.3)) {
        made.push(["XCLAIM", key, group, `c${random.below(5)}`, "0", ...some(9), "RETRYCOUNT", `${random.below(900)}`])
      }
      if (random.chance(0.2)) made.push(["XGROUP", "CREATECONSUMER", key, group, "idle"])
    }
  }
  if (random.chance(0.5)) made.push(["XDEL", key, ...some(random.pick([3, 50]))])
  if (random.chance(0.3)) made.push(["XTRIM", key, "MAXLEN", `${random.below(ids.length)}`])
  if (random.chance(0.3)) made.push(["XDEL", key, ids.at(-1)!], ["XTRIM", key, "MINID", ids.at(-1)!])
  if (random.chance(0.2)) add()
  if (random.chance(0.1)) made.push(["XTRIM", key, "MAXLEN", "0"])
  if (random.chance(0.1)) {
    made.push(["XSETID", key, "18446744073709551615-5", "ENTRIESADDED", "7000000000", "MAXDELETEDID", "5-5"])
  }
  return made
}
