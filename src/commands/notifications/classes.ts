/** The classes of keyspace events, and which event belongs to which. */

/** Letters that say on which channels events are told: of keys, of names of events, and four of hashes' fields. */
const channels = "KESTIV"

/** Bits of notify-keyspace-events, by letter; those that are no channel say which events. */
const bits: ReadonlyMap<string, number> = new Map(
  [...`${channels}g$lshzxetdmnoc`].map((letter, i) => [letter, 1 << i])
)

/** What `A` stands for. */
const usual = "g$lshzxetd"

/** The classes that the text of notify-keyspace-events names, as bits. */
export const classBits = (letters: string): number => {
  let all = 0
  for (const letter of letters.replaceAll("A", usual)) all |= bits.get(letter) ?? 0
  return all
}

export const keyspaceBit = classBits("K")
export const keyeventBit = classBits("E")
export const subkeyspaceBit = classBits("S")
export const subkeyeventBit = classBits("T")
export const subkeyspaceitemBit = classBits("I")
export const subkeyspaceeventBit = classBits("V")
/** Channels that name fields of hashes (Redis 8.8). */
export const subkeyBits = classBits("STIV")
export const channelBits = classBits(channels)

/** Events by the letter of their class. */
const events: Readonly<Record<string, string>> = {
  g: "del expire persist rename_from rename_to move_from move_to copy_to restore",
  $: "set append setrange incrby incrbyfloat setbit pfadd",
  l: "lpush rpush lpop rpop lset linsert lrem ltrim sortstore",
  s: "sadd srem spop sinterstore sunionstore sdiffstore",
  h: "hset hdel hincrby hincrbyfloat hexpire hexpired hpersist",
  z: "zadd zincr zrem zremrangebyrank zremrangebyscore zremrangebylex zpopmin zpopmax zunionstore zinterstore zdiffstore "
    + "zrangestore geosearchstore georadiusstore",
  x: "expired",
  e: "evicted",
  t: "xadd xdel xtrim xsetid xgroup-create xgroup-createconsumer xgroup-delconsumer xgroup-destroy xgroup-setid",
  m: "keymiss",
  n: "new",
  o: "overwritten",
  c: "type_changed"
}

/** The bit of the class that an event belongs to, by the event's name. */
export const classOfEvent: ReadonlyMap<string, number> = new Map(
  Object.entries(events).flatMap(([letter, names]) =>
    names.split(" ").map((name) => [name, classBits(letter)] as const)
  )
)
