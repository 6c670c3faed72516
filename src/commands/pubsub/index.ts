/** Publish and subscribe. Messages are not data: they leave no event. */
import type { Command } from "../define.ts"
import { publish, spublish } from "./publish.ts"
import { pubsub } from "./pubsub.ts"
import { psubscribe, punsubscribe, ssubscribe, subscribe, sunsubscribe, unsubscribe } from "./subscribe.ts"

export const pubsubCommands: ReadonlyArray<Command> = [
  subscribe,
  unsubscribe,
  psubscribe,
  punsubscribe,
  ssubscribe,
  sunsubscribe,
  publish,
  spublish,
  pubsub
]
