/** Single bits. */
import { ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { integerWithin } from "../arguments.ts"
import { defineCommand, firstKey } from "../define.ts"
import { readable } from "../string/value.ts"
import { bitOffset } from "./offset.ts"

const badBit = new ReplyError("ERR bit is not an integer or out of range")

/** Every byte, to be emitted: an event of one byte makes no garbage. */
const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)
const byteSlices = Array.from({ length: 256 }, (_, byte) => new Slice(everyByte, byte, 1))

export const getbit = defineCommand({
  name: "GETBIT",
  since: "2.2.0",
  group: "bitmap",
  summary: "Answers one bit of the string at a key; those behind its end are zero.",
  complexity: "O(1)",
  syntax: "key offset",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const offset = bitOffset(d, argv.at(2))
    const p = readable(d, argv.at(1))
    if (p === 0) return 0
    const text = d.text(p)
    const byte = Math.floor(offset / 8)
    return byte < text.length ? (text.bytes[text.start + byte]! >>> (7 - offset % 8)) & 1 : 0
  }
})

export const setbit = defineCommand({
  name: "SETBIT",
  since: "2.2.0",
  group: "bitmap",
  summary: "Sets or clears one bit of the string at a key, which grows by zeros if need be; answers the bit it was.",
  complexity: "O(1)",
  syntax: "key offset value(integer)",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const offset = bitOffset(d, argv.at(2))
    const on = integerWithin(argv.at(3), 0, 1, badBit)
    const p = d.lookup(key)
    const at = Math.floor(offset / 8)
    const shift = 7 - offset % 8
    let present = false
    let byte = 0
    if (p !== 0) {
      d.expectString(p)
      const text = d.text(p)
      present = at < text.length
      if (present) byte = text.bytes[text.start + at]!
    }
    const before = (byte >>> shift) & 1
    // What neither changes a bit nor makes the string longer, or raw, did not happen.
    if (before !== on || !present || Entry.encodingOf(d.db.arena, p) !== Entry.Encoding.raw) {
      const value = byteSlices[(byte & ~(1 << shift)) | (on << shift)]!
      d.emit({ _tag: "StringRangeSet", key, offset: at, value })
      if (before === on && present) d.keepQuiet()
    }
    return before
  }
})
