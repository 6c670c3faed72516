/** XPENDING: what consumers were given and have not acknowledged. */
import type { Int64 } from "../../log/events/fields.ts"
import { Elements, nilArray, type Reply } from "../../net/resp/reply.ts"
import { toInt64 } from "../../projections/memory/integer.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { greatestId, leastId, StreamId } from "../../projections/memory/stream-id.ts"
import { pendingEdge, PendingRange } from "../../projections/stream-pending.ts"
import * as Stream from "../../projections/stream-read.ts"
import { int64, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { type Grouped, groupOf } from "./access.ts"
import { rangeEnd, rangeStart } from "./ids.ts"
import { writeIdText } from "./reply.ts"

const greatestInt64 = 2n ** 63n - 1n

/** One delivery more; the greatest count there is stays. */
export const plusOne = (count: Int64): Int64 =>
  typeof count === "number" ? toInt64(BigInt(count) + 1n) : count >= greatestInt64 ? count : toInt64(count + 1n)

/** For how long an entry has been pending, in ms; -1 for one that nobody has. */
export const idleMs = (d: Decision, { consumer, deliveredAt }: PendingRange): number =>
  consumer === 0 ? -1 : Math.max(0, d.time - deliveredAt)

const pending = new PendingRange()

/** How many entries a group has pending, from which id to which, and how many each consumer has. */
const summary = (d: Decision, { group }: Grouped): Reply => {
  const first = new StreamId()
  if (!pendingEdge(d.db, group, false, first)) return [0, null, null, nilArray]
  const last = new StreamId()
  pendingEdge(d.db, group, true, last)
  const holders = Stream.consumers(d.db, group).filter((consumer) => Stream.consumerPending(d.db, consumer) > 0)
  return [
    Stream.pendingCount(d.db, group),
    first.toString(),
    last.toString(),
    holders.map((consumer) => [
      Stream.consumerName(d.db, consumer, new Slice()),
      `${Stream.consumerPending(d.db, consumer)}`
    ])
  ]
}

/** A request for single entries. */
interface Filter {
  readonly minIdle: number
  readonly from: StreamId
  readonly to: StreamId
  readonly count: number
  readonly consumer: Slice | undefined
}

const filterOf = (argv: Argv): Filter => {
  const byIdle = isWord(argv.at(3), "IDLE")
  const minIdle = byIdle ? Number(int64(argv.at(4))) : 0
  if (byIdle && argv.length < 8) throw errors.syntax
  const at = byIdle ? 5 : 3
  const count = Math.max(0, Number(int64(argv.at(at + 2))))
  const from = rangeStart(argv.at(at), new StreamId())
  const to = rangeEnd(argv.at(at + 1), new StreamId())
  return { minIdle, from, to, count, consumer: at + 3 < argv.length ? argv.at(at + 3) : undefined }
}

interface Held {
  readonly id: StreamId
  readonly consumer: Slice
  readonly idle: number
  readonly deliveries: Int64
}

const nobody = new Slice()

const list = (d: Decision, { group }: Grouped, { consumer, count, from, minIdle, to }: Filter): Reply => {
  const owner = consumer === undefined ? 0 : Stream.findConsumer(d.db, group, consumer)
  if (consumer !== undefined && owner === 0) return []
  const found: Array<Held> = []
  pending.start(d.db, group, owner, from, to)
  while (found.length < count && pending.next()) {
    if (minIdle !== 0 && d.time - pending.deliveredAt < minIdle) continue
    found.push({
      id: pending.id.copy(),
      consumer: pending.consumer === 0 ? nobody : Stream.consumerName(d.db, pending.consumer, new Slice()),
      idle: idleMs(d, pending),
      deliveries: pending.deliveries
    })
  }
  return new Elements("array", found.length, (out) => {
    for (const { consumer: name, deliveries, id, idle } of found) {
      out.array(4)
      writeIdText(out, id)
      out.bulk(name.bytes, name.start, name.length)
      out.reply(idle)
      out.reply(deliveries)
    }
  })
}

export const xpending = defineCommand({
  name: "XPENDING",
  since: "5.0.0",
  group: "stream",
  summary: "Tells what consumers of a group were given and have not acknowledged.",
  complexity: "O(N) where N is the number of entries looked at; O(C) without a range, C being the consumers.",
  syntax: "key group [filters: [IDLE min-idle-time(integer)@6.2.0] start(string) end(string) count [consumer]]",
  history: [["6.2.0", "The option `IDLE`, and bounds that are excluded."]],
  arity: -3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    if (argv.length === 3) return summary(d, groupOf(d, argv.at(1), argv.at(2)))
    if (argv.length < 6 || argv.length > 9) throw errors.syntax
    const filter = filterOf(argv)
    return list(d, groupOf(d, argv.at(1), argv.at(2)), filter)
  }
})

/** The pending entries of a group, or of one of its consumers, up to `count` of them. */
export const firstPending = (
  d: Decision,
  group: number,
  consumer: number,
  count: number
): ReadonlyArray<Pick<PendingRange, "id" | "consumer" | "deliveredAt" | "deliveries">> => {
  const found: Array<Pick<PendingRange, "id" | "consumer" | "deliveredAt" | "deliveries">> = []
  pending.start(d.db, group, consumer, leastId, greatestId)
  while (found.length < count && pending.next()) {
    const { consumer: owner, deliveredAt, deliveries, id } = pending
    found.push({ id: id.copy(), consumer: owner, deliveredAt, deliveries })
  }
  return found
}
