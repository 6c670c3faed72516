/** PUBLISH and SPUBLISH. */
import { defineControl, firstKey } from "../define.ts"

const facts = { group: "pubsub", arity: 3, flags: ["pubsub", "loading", "stale", "fast", "may_replicate"] } as const

export const publish = defineControl({
  ...facts,
  name: "PUBLISH",
  since: "2.0.0",
  summary:
    "Sends a message to the subscribers of a channel and of the patterns that fit it, and tells how many there were.",
  complexity: "O(N+M), N being the channel's subscribers and M all patterns",
  syntax: "channel message",
  run: ({ subscriptions }, argv) => {
    subscriptions.relay?.("channel", argv.at(1), argv.at(2))
    return subscriptions.publish(argv.at(1), argv.at(2))
  }
})

export const spublish = defineControl({
  ...facts,
  name: "SPUBLISH",
  since: "7.0.0",
  summary: "Sends a message to the subscribers of a shard channel, and tells how many there were.",
  complexity: "O(N), N being the channel's subscribers",
  syntax: "shardchannel message",
  keys: firstKey("not_key"),
  run: ({ subscriptions }, argv) => {
    subscriptions.relay?.("shard", argv.at(1), argv.at(2))
    return subscriptions.publishToShard(argv.at(1), argv.at(2))
  }
})
