/** Batches and events of the log as lines for people. */
import { type Detail, envelopeOf, eventReply } from "../history/describe.ts"
import type { Batch } from "../log/event-log.ts"
import type { Gap } from "../log/gaps.ts"
import { formatDouble } from "../net/resp/encoder.ts"
import { Double, MapReply, type Reply } from "../net/resp/reply.ts"
import { Slice } from "../projections/memory/slice.ts"
import { bare, isoTime, quoted } from "./printing.ts"

/** Who and what caused a batch: `set by default from 10.0.0.1:5123 (job9)`, or only `expire`. */
export const causeOf = (batch: Batch): string => {
  const envelope = Object.fromEntries(envelopeOf(batch)) as Record<string, Reply>
  const words: Array<string> = []
  if (batch.origin !== "client") words.push(batch.origin)
  if (envelope["command"] !== null) words.push(String(envelope["command"]))
  const { author } = batch
  if (author !== undefined) {
    words.push(`by ${bare(author.user)} from ${author.address === "" ? "?" : author.address}`)
    if (author.name !== "") words.push(`(${bare(author.name)})`)
  }
  return words.join(" ")
}

/** `#57 2026-11-22T21:51:23.500Z set by default from 10.0.0.1:5123` */
export const headOf = (batch: Batch): string => `#${batch.sequence} ${isoTime(batch.time)} ${causeOf(batch)}`.trimEnd()

/** An event: `db0 cart:7 StringSet value "x" expireAt 1763848283500`. */
export const eventLine = (batch: Batch, index: number, detail: Detail | undefined): string => {
  const pairs = Object.fromEntries(eventReply(batch, index, detail).pairs) as Record<string, Reply>
  const words = [`db${Number(pairs["db"])}`]
  if (pairs["key"] !== undefined) words.push(bare(pairs["key"] as Slice))
  words.push(String(pairs["type"]))
  if (pairs["change"] !== undefined) words.push(changeWords(pairs["change"] as MapReply))
  else if (pairs["to"] !== undefined) words.push(`to ${bare(pairs["to"] as Slice)}`)
  return words.filter((word) => word !== "").join(" ")
}

/** What an event changed: `value "x" expireAt 1763848283500`; what is not there is left out. */
export const changeWords = ({ pairs }: MapReply): string =>
  pairs.filter(([, value]) => value !== null).map(([name, value]) => `${String(name)} ${inline(value)}`).join(" ")

const inline = (value: Reply): string => {
  if (value === null) return "(nil)"
  if (value instanceof Slice || value instanceof Uint8Array) return quoted(value)
  if (value instanceof Double) return value.text ?? formatDouble(value.value)
  if (value instanceof MapReply) return `{${value.pairs.map(([k, v]) => `${inline(k)}: ${inline(v)}`).join(", ")}}`
  if (Array.isArray(value)) return `[${(value as ReadonlyArray<Reply>).map(inline).join(", ")}]`
  return String(value)
}

/** What a salvage could not keep. */
export const gapLine = ({ first, last, reason }: Gap): string => `#${first} to #${last} are missing: ${reason}`

/** The same as JSON, in the words of LOG.READ. */
export const gapJson = ({ first, last, reason }: Gap): unknown => ({
  sequence: first,
  type: "Gap",
  "last-sequence": last,
  reason
})
