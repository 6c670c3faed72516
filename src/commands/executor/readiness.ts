/** Which events may end waits: all but those of streams that give nothing to read. */
import type { Event } from "../../log/events/catalog.ts"

/** What an event may do for commands that wait for its key. */
export const Readiness = { none: 0, claims: 1, all: 2 } as const

/**
 * What is acknowledged, trimmed or configured ends no wait: else every XACK would run again what thousands of consumers
 * wait with. What is delivered, or released, matters only to those who would claim it.
 */
export const mayEndWaits = (event: Event): number => {
  switch (event._tag) {
    case "StreamEntriesDelivered":
    case "StreamEntriesClaimed":
    case "StreamEntriesReleased":
      return Readiness.claims
    case "StreamCreated":
    case "StreamEntriesDeleted":
    case "StreamTrimmed":
    case "StreamEntriesTrimmed":
    case "StreamIdSet":
    case "StreamConfigured":
    case "StreamProducerNoted":
    case "StreamDuplicateRefused":
    case "StreamGroupCreated":
    case "StreamGroupIdSet":
    case "StreamConsumerCreated":
    case "StreamConsumerDeleted":
    case "StreamEntriesAcknowledged":
      return Readiness.none
    default:
      return Readiness.all
  }
}
