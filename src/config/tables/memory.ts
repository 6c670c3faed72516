/** Memory: its limit, how it is freed, and how values are laid out in it. */
import { accepted, needs, refused, works } from "../parameter.ts"
import { bytes, int, integer, long, oneOf, unsignedLong, yesNo } from "../values.ts"

const inSlices = "memory is always given back at once or in slices"
const noDefrag = "the arena reuses what is freed and gives empty slabs back; there is nothing to defragment"

/** What may be evicted, and which keys first; those of Redis 8. */
export const policies = [
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
  "volatile-lrm",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "allkeys-lrm",
  "noeviction"
] as const

export const memory = {
  "maxmemory": needs("eviction", bytes(0, unsignedLong), 0, "bytes the data may take; 0 for no limit"),
  "maxmemory-policy": needs("eviction", oneOf(...policies), "noeviction", "which keys are evicted at the limit"),
  "maxmemory-samples": needs("eviction", integer(1, int), 5, "keys looked at to find one to evict"),
  "maxmemory-eviction-tenacity": needs("eviction", integer(0, 100), 10, "how long one turn may evict"),
  "lfu-log-factor": needs("eviction", integer(0, int), 10, "how slowly the access counter of a key grows"),
  "lfu-decay-time": needs("eviction", integer(0, int), 1, "minutes after which an access counter is decreased"),
  "active-expire-effort": accepted(
    integer(1, 10),
    1,
    "deadlines are kept in order, so dead keys are found without sampling"
  ),
  "lazyexpire-nested-arbitrary-keys": accepted(yesNo, true, "a dead key is removed where it is met"),
  "lazyfree-lazy-eviction": accepted(yesNo, false, inSlices),
  "lazyfree-lazy-expire": accepted(yesNo, false, inSlices),
  "lazyfree-lazy-server-del": accepted(yesNo, false, inSlices),
  "lazyfree-lazy-user-del": accepted(yesNo, false, inSlices),
  "lazyfree-lazy-user-flush": accepted(yesNo, false, inSlices),
  "activerehashing": accepted(yesNo, true, "tables grow one segment at a time"),
  "activedefrag": refused(yesNo, false, noDefrag),
  "active-defrag-cycle-min": accepted(integer(1, 99), 1, noDefrag),
  "active-defrag-cycle-max": accepted(integer(1, 99), 25, noDefrag),
  "active-defrag-ignore-bytes": accepted(bytes(1), 100 * 1024 * 1024, noDefrag),
  "active-defrag-max-scan-fields": accepted(integer(1, long), 1000, noDefrag),
  "active-defrag-threshold-lower": accepted(integer(0, 1000), 10, noDefrag),
  "active-defrag-threshold-upper": accepted(integer(0, 1000), 100, noDefrag),
  "jemalloc-bg-thread": accepted(yesNo, true, "the arena is its own allocator"),
  "lookahead": accepted(integer(0, int), 16, "pipelines are always parsed ahead"),
  "hash-max-listpack-entries": works(integer(0, long), 512, "most fields of a hash that is one run of bytes", {
    aliases: ["hash-max-ziplist-entries"]
  }),
  "hash-max-listpack-value": works(bytes(0), 64, "longest field or value of such a hash", {
    aliases: ["hash-max-ziplist-value"]
  }),
  "list-max-listpack-size": works(
    integer(-int - 1, int),
    -2,
    "size of a list's nodes: elements, or -1 to -5 for 4 to 64 KiB",
    { aliases: ["list-max-ziplist-size"] }
  ),
  "list-compress-depth": accepted(integer(0, int), 0, "nodes of lists are not compressed"),
  "set-max-intset-entries": works(integer(0, long), 512, "most members of a set of integers that is one run of bytes"),
  "set-max-listpack-entries": works(integer(0, long), 128, "most members of another set that is one run of bytes"),
  "set-max-listpack-value": works(integer(0, long), 64, "longest member of such a set"),
  "zset-max-listpack-entries": works(integer(0, long), 128, "most members of a sorted set that is one run of bytes", {
    aliases: ["zset-max-ziplist-entries"]
  }),
  "zset-max-listpack-value": works(bytes(0), 64, "longest member of such a sorted set", {
    aliases: ["zset-max-ziplist-value"]
  }),
  "hll-sparse-max-bytes": works(bytes(0), 3000, "most bytes of a HyperLogLog that is sparse"),
  "stream-node-max-bytes": works(bytes(0), 4096, "most bytes of a node of a stream; 0 for no limit"),
  "stream-node-max-entries": works(integer(0, long), 100, "most entries of a node of a stream; 0 for no limit")
} as const
