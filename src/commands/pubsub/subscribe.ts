/** SUBSCRIBE and its like: each name is answered on its own, by a push in RESP3. */
import { noReply, Push, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { type Argv, type ControlCommand, defineControl, keysFrom, type KeySpec } from "../define.ts"
import type { Control } from "../ports.ts"
import type { Topics } from "./topics.ts"

const facts = { group: "pubsub", flags: ["pubsub", "noscript", "loading", "stale"] } as const
/** What looks like keys to a cluster: a shard channel belongs to a slot. */
const inSlots = keysFrom(1, "not_key")

/** One kind of subscription. */
interface Kind {
  /** What stands before SUBSCRIBE and UNSUBSCRIBE. */
  readonly prefix: "" | "P" | "S"
  readonly since: string
  readonly argument: string
  readonly keys?: ReadonlyArray<KeySpec>
  readonly topics: (control: Control) => Topics
  /** The number that each answer tells. */
  readonly count: (control: Control) => number
}

const both = ({ client }: Control): number => client.channels + client.patterns

const unsharded = { since: "2.0.0", count: both }

const channels: Kind = {
  ...unsharded,
  prefix: "",
  argument: "channel",
  topics: (control) => control.subscriptions.channels
}
const patterns: Kind = {
  ...unsharded,
  prefix: "P",
  argument: "pattern",
  topics: (control) => control.subscriptions.patterns
}
const shardChannels: Kind = {
  prefix: "S",
  since: "7.0.0",
  argument: "shardchannel",
  keys: inSlots,
  topics: ({ subscriptions }) => subscriptions.shardChannels,
  count: ({ client }) => client.shardChannels
}

const notInExec = new ReplyError("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")

const subscribeTo = (kind: Kind, what: string): ControlCommand => {
  const word = `${kind.prefix}SUBSCRIBE`.toLowerCase()
  return defineControl({
    ...facts,
    ...kind.keys === undefined ? {} : { keys: kind.keys },
    name: `${kind.prefix}SUBSCRIBE`,
    since: kind.since,
    summary: `Sends the connection the messages that are published to ${what} from now on.`,
    complexity: "O(N), N being the names given",
    syntax: kind === patterns ? "<pattern> ..." : `${kind.argument} ...`,
    arity: -2,
    run: (control, argv) => {
      if (kind === shardChannels && control.transactions.running) throw notInExec
      const topics = kind.topics(control)
      const { connection } = control
      for (let i = 1; i < argv.length; i++) {
        topics.subscribe(connection, argv.at(i))
        connection.confirm(new Push([word, argv.at(i), kind.count(control)]))
      }
      return noReply
    }
  })
}

const unsubscribeAll = (control: Control, kind: Kind, word: string): Reply => {
  const topics = kind.topics(control)
  const { connection } = control
  let topic = topics.unsubscribeNext(connection)
  if (topic === undefined) connection.confirm(new Push([word, null, kind.count(control)]))
  for (; topic !== undefined; topic = topics.unsubscribeNext(connection)) {
    connection.confirm(new Push([word, topic.slice, kind.count(control)]))
  }
  return noReply
}

const unsubscribeNamed = (control: Control, kind: Kind, word: string, argv: Argv): Reply => {
  const topics = kind.topics(control)
  const { connection } = control
  for (let i = 1; i < argv.length; i++) {
    topics.unsubscribe(connection, argv.at(i))
    connection.confirm(new Push([word, argv.at(i), kind.count(control)]))
  }
  return noReply
}

const unsubscribeFrom = (kind: Kind, what: string): ControlCommand => {
  const word = `${kind.prefix}UNSUBSCRIBE`.toLowerCase()
  return defineControl({
    ...facts,
    ...kind.keys === undefined ? {} : { keys: kind.keys },
    name: `${kind.prefix}UNSUBSCRIBE`,
    since: kind.since,
    summary: `Ends the connection's subscriptions to ${what}, all of them when none is named.`,
    complexity: "O(N), N being the subscribers of the names given",
    syntax: `[${kind.argument} ...]`,
    arity: -1,
    run: (control, argv) =>
      argv.length === 1 ? unsubscribeAll(control, kind, word) : unsubscribeNamed(control, kind, word, argv)
  })
}

export const subscribe = subscribeTo(channels, "channels")
export const unsubscribe = unsubscribeFrom(channels, "channels")
export const psubscribe = subscribeTo(patterns, "channels whose names fit patterns")
export const punsubscribe = unsubscribeFrom(patterns, "patterns")
export const ssubscribe = subscribeTo(shardChannels, "shard channels")
export const sunsubscribe = unsubscribeFrom(shardChannels, "shard channels")
