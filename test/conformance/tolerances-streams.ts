/** Where two correct servers may answer differently about streams; see tolerances.ts. */
import { plain, type TypedReply } from "../support/resp-client.ts"
import type { Tolerance } from "./tolerances.ts"

/** As far as clocks, and the moments at which the servers read a request, may be apart. */
const apartMs = 5000n
/** A time in ms since 1970, and no count. */
const aTime = 1_000_000_000_000n

const near = (redis: TypedReply, annals: TypedReply): boolean => {
  if (redis.type !== "integer" || annals.type !== "integer") return false
  const distance = redis.value - annals.value
  return distance <= apartMs && -distance <= apartMs
}

const equal = (redis: TypedReply, annals: TypedReply): boolean =>
  redis.type === annals.type && JSON.stringify(printable(redis)) === JSON.stringify(printable(annals))

const printable = (reply: TypedReply): unknown => {
  const value = plain(reply)
  return typeof value === "bigint" ?
    `${value}` :
    JSON.stringify(value, (_key, part: unknown) => typeof part === "bigint" ? `${part}` : part)
}

/** Fields of XINFO that 7.0 has not. */
const newer = new Set([
  "idmp-duration",
  "idmp-maxsize",
  "pids-tracked",
  "iids-tracked",
  "iids-added",
  "iids-duplicates",
  "active-time",
  "inactive",
  "nacked-count"
])
/** What a description begins with. */
const beginnings = new Set(["length", "name"])

type Fields = ReadonlyArray<readonly [name: string, value: TypedReply]>

const nameOf = (reply: TypedReply | undefined): string => reply?.type === "bulk" ? reply.value.toString("latin1") : ""

/** A description as its fields; undefined when the reply is none. */
const fieldsOf = (reply: TypedReply): Fields | undefined => {
  if (reply.type === "map") return reply.entries.map(([name, value]) => [nameOf(name), value])
  if (reply.type !== "array" || !beginnings.has(nameOf(reply.items[0])) || reply.items.length < 6) return undefined
  return reply.items.flatMap((name, i) => i % 2 === 0 ? [[nameOf(name), reply.items[i + 1]!] as const] : [])
}

const sameField = (name: string, redis: TypedReply, annals: TypedReply): boolean => {
  if (name === "idle" || name === "seen-time") return near(redis, annals)
  if (name === "radix-tree-nodes") return redis.type === "integer" && annals.type === "integer"
  if (name === "radix-tree-keys") {
    // Redis keeps a node of which XTRIM has taken the last entry but one that XDEL had taken before; here it goes.
    return redis.type === "integer" && annals.type === "integer" &&
      (redis.value === annals.value || redis.value === annals.value + 1n)
  }
  return sameDescription(redis, annals)
}

const sameDescription = (redis: TypedReply, annals: TypedReply): boolean => {
  const left = fieldsOf(redis)
  const right = fieldsOf(annals)?.filter(([name]) => !newer.has(name))
  if (left !== undefined && right !== undefined) {
    return redis.type === annals.type && left.length === right.length &&
      left.every(([name, value], i) => name === right[i]![0] && sameField(name, value, right[i]![1]))
  }
  if (redis.type === "array" && annals.type === "array") {
    return redis.items.length === annals.items.length &&
      redis.items.every((item, i) => sameDescription(item, annals.items[i]!))
  }
  if (redis.type === "integer" && redis.value > aTime) return near(redis, annals)
  return equal(redis, annals)
}

/** Id, consumer, time, deliveries. */
const samePending = (redis: TypedReply, annals: TypedReply): boolean =>
  redis.type === "array" && annals.type === "array" && redis.items.length === 4 && annals.items.length === 4 &&
  redis.items.every((item, i) => i === 2 ? near(item, annals.items[i]!) : equal(item, annals.items[i]!))

export const streamTolerances: ReadonlyArray<Tolerance> = [
  {
    requests: ["XPENDING"],
    reason: "for how long something has been pending is told by each server's clock",
    same: (redis, annals) =>
      redis.type === "array" && annals.type === "array" && redis.items.length === annals.items.length &&
      redis.items.every((item, i) => samePending(item, annals.items[i]!))
  },
  {
    requests: ["XINFO STREAM", "XINFO GROUPS", "XINFO CONSUMERS"],
    reason:
      "times are each server's own, and so are the nodes of its index; later versions tell more, at places of their own",
    same: sameDescription
  }
]
