/** A Redis that follows is one of its own kind: it can harm nobody but itself, and nothing is handed over to it. */
import { describe, expect, it } from "vitest"
import type { CheckpointInfo } from "../../src/log/checkpoint-store.ts"
import { logCorrupt } from "../../src/log/errors.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Failover } from "../../src/replication/failover.ts"
import { Feeds } from "../../src/replication/feed.ts"
import { RedisFeed, type RedisFeedHost } from "../../src/replication/redis-feed.ts"

const damage = logCorrupt({
  reason: "checksum does not match",
  segment: "log/1.evl",
  position: 64,
  lsn: 0,
  sequence: 1,
  lastSequence: 9,
  timeBefore: undefined,
  timeAfter: undefined,
  bytesLost: 8
})

/** A feed whose checkpoint cannot be read for this reason. */
const feedThatMeets = (error: Error) => {
  const warnings: Array<string> = []
  let destroyed = false
  const host = {
    mirror: { listen: () => {} },
    now: () => 0,
    monotonic: () => 0,
    later: () => {},
    warn: (text: string) => void warnings.push(text),
    report: () => {},
    changed: () => {},
    listened: () => {},
    keyspace: new Keyspace(1, { k0: 1, k1: 2 }),
    head: () => 9,
    read: () => [],
    openCheckpoint: () => {
      throw error
    },
    follows: () => false,
    mark: () => "m".repeat(40)
  } as unknown as RedisFeedHost
  const feeds = new Feeds(host)
  const feed = new RedisFeed(host, feeds, { address: "127.0.0.1", port: 7 }, { psync: true, knowsEof: true })
  feeds.add(feed)
  feed.open({
    waiting: 0,
    send: () => {},
    destroy: () => {
      destroyed = true
    }
  })
  const info = { sequence: 9, lsn: 100, created: 1 } as CheckpointInfo
  return { feed, feeds, start: () => feed.start(info, "a".repeat(40)), warnings, destroyed: () => destroyed }
}

describe("a Redis that follows", () => {
  it("is given up when the log or a checkpoint is found damaged; the server goes on", () => {
    const { destroyed, feed, feeds, start, warnings } = feedThatMeets(damage)
    start()
    expect([feed.over, destroyed(), feeds.all.size]).toEqual([true, true, 0])
    expect(warnings).toEqual([`the replica 127.0.0.1:7 cannot be served: ${damage.message}`])
  })

  it("does not hide a defect", () => {
    expect(feedThatMeets(new TypeError("a defect")).start).toThrow("a defect")
  })

  it("is not handed over to", () => {
    const { feed, feeds } = feedThatMeets(damage)
    const failover = new Failover({
      feeds,
      monotonic: () => 0,
      end: () => 100,
      isReplica: () => false,
      pauseWrites: () => expect.fail("writes are held back"),
      flush: () => {},
      unpause: () => {},
      follow: () => expect.fail("the Redis is followed"),
      followed: () => false,
      lead: () => undefined,
      report: () => {}
    })
    const begin = (force: boolean, to = { host: feed.name.address, port: feed.name.port }) =>
      failover.begin({ to, force, timeoutMs: 100 })
    expect(begin(true)).toBe("FAILOVER requires connected replicas.")
    feeds.all.add({ name: { address: "127.0.0.1", port: 8 }, canLead: true, online: false } as never)
    expect(begin(true)).toBe("FAILOVER target replica is not online.")
    Object.defineProperty(feed, "online", { value: true })
    expect(begin(true)).toBe("FAILOVER target replica is a Redis, which cannot lead a server of this kind.")
    expect(failover.state).toBe("no-failover")
  })
})
