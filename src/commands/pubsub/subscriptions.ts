/**
 * Publish and subscribe: who gets which messages. A message is encoded once and handed to the output buffers of its
 * subscribers; it leaves with the replies of the turn, leaves no event in the log, and is gone for whoever is not there.
 */
import { Message, messageKind, type Sendable } from "../../net/resp/message.ts"
import type { HashSeed } from "../../projections/memory/hash.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { matchGlob } from "../../projections/structures/glob.ts"
import type { ConnectionPort } from "../ports.ts"
import { Topics } from "./topics.ts"

const toChannel = messageKind("message", 3)
const toPattern = messageKind("pmessage", 4)
const toShardChannel = messageKind("smessage", 3)

/** Whether a message was published to a channel, or with SPUBLISH to a shard channel. */
export type PublishedTo = "channel" | "shard"

/** All subscriptions of one server. */
export class Subscriptions {
  readonly channels: Topics
  readonly patterns: Topics
  readonly shardChannels: Topics
  /**
   * Whose command runs: what it causes to be sent to its own connection follows its reply, because no client expects a
   * message inside the reply of EXEC. Redis does so since 7.2.
   */
  running: ConnectionPort | undefined = undefined
  /** Passes on what clients publish to replicas; undefined while there are none. */
  relay: ((to: PublishedTo, channel: Slice, text: Slice) => void) | undefined = undefined
  /** Messages wait for the end of the running command: call `flush`. */
  get deferred(): boolean {
    return this.waiting.length > 0
  }
  private waiting: Array<readonly [ConnectionPort, Sendable]> = []

  constructor(seed: HashSeed) {
    this.channels = new Topics("channels", seed)
    this.patterns = new Topics("patterns", seed)
    this.shardChannels = new Topics("shardChannels", seed)
  }

  /** Whether a message of the unsharded kind would be seen by anybody at all. */
  get audible(): boolean {
    return this.channels.size > 0 || this.patterns.size > 0
  }

  /** PUBLISH: to the channel's subscribers, then to those of each pattern that fits. Returns how many it went to. */
  publish(channel: Slice, text: Slice): number {
    const topic = this.channels.find(channel)
    let receivers = topic === undefined ? 0 : this.send(topic.subscribers, new Message(toChannel, channel, text))
    if (this.patterns.size === 0) return receivers
    const patterns = this.patterns.all
    for (let i = 0; i < patterns.length; i++) {
      const pattern = patterns[i]!
      if (!matchGlob(pattern.slice, channel)) continue
      receivers += this.send(pattern.subscribers, new Message(toPattern, pattern.slice, channel, text))
    }
    return receivers
  }

  /** SPUBLISH. */
  publishToShard(channel: Slice, text: Slice): number {
    const topic = this.shardChannels.find(channel)
    return topic === undefined ? 0 : this.send(topic.subscribers, new Message(toShardChannel, channel, text))
  }

  private send(to: ReadonlyArray<ConnectionPort>, message: Message): number {
    for (let i = 0; i < to.length; i++) this.sendTo(to[i]!, message)
    return to.length
  }

  /** Sends a message to one connection. */
  sendTo(connection: ConnectionPort, message: Sendable): void {
    if (connection === this.running) this.waiting.push([connection, message])
    else connection.deliver(message)
  }

  /** The command that ran is answered: what waited for that goes out. */
  flush(): void {
    const { waiting } = this
    this.running = undefined
    this.waiting = []
    for (const [connection, message] of waiting) connection.deliver(message)
  }

  /** The connection is gone, or begins anew. */
  forget(connection: ConnectionPort): void {
    if (!connection.client.subscribed) return
    this.channels.forget(connection)
    this.patterns.forget(connection)
    this.shardChannels.forget(connection)
  }
}
