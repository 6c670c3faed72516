import type { Event } from "../../src/log/events/catalog.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { Harness, type HarnessOptions, type TestConnection } from "./harness.ts"

/** Text with everything but printable ASCII escaped. */
const printable = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)

const brief = (text: string): string => text.length > 80 ? `${text.slice(0, 60)}… (${text.length} bytes)` : text

const showField = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(showField).join(" ")}]`
  return value instanceof Slice ? brief(printable(value.latin1())) : String(value)
}

/** "StringSet key=a value=1 expireAt=null" */
export const showEvent = (event: Event): string => {
  const { _tag, ...fields } = event
  return [_tag, ...Object.entries(fields).map(([name, value]) => `${name}=${showField(value)}`)].join(" ")
}

/** Reads one reply at `at` and prints it as redis-cli does; returns the text and the position after it. */
export const showReply = (bytes: string, at = 0): readonly [string, number] => {
  const end = bytes.indexOf("\r\n", at)
  const line = bytes.slice(at + 1, end)
  const next = end + 2
  const many = (count: number, open: string, close: string): readonly [string, number] => {
    const items: Array<string> = []
    let position = next
    for (let i = 0; i < count; i++) {
      const [item, after] = showReply(bytes, position)
      items.push(item)
      position = after
    }
    return [`${open}${items.join(", ")}${close}`, position]
  }
  switch (bytes[at]) {
    case "+":
      return [line, next]
    case "-":
      return [`(error) ${line}`, next]
    case ":":
      return [`(integer) ${line}`, next]
    case ",":
      return [`(double) ${line}`, next]
    case "#":
      return [`(boolean) ${line}`, next]
    case "_":
      return ["(null)", next]
    case "$": {
      const length = Number(line)
      if (length < 0) return ["(nil)", next]
      return [`"${brief(printable(bytes.slice(next, next + length)))}"`, next + length + 2]
    }
    case "=": {
      const length = Number(line)
      return [`(verbatim) ${brief(printable(bytes.slice(next, next + length)))}`, next + length + 2]
    }
    case "*":
      return Number(line) < 0 ? ["(nil array)", next] : many(Number(line), "[", "]")
    case "~":
      return many(Number(line), "(set) [", "]")
    case ">":
      return many(Number(line), "(push) [", "]")
    case "%":
      return many(Number(line) * 2, "{", "}")
    default:
      return [bytes === "" ? "(no reply)" : `(?) ${bytes}`, bytes.length]
  }
}

/** Splits a line at spaces; double quotes hold spaces and the escapes \xNN \n \r \t \" \\ together. */
const words = (line: string): Array<string> => {
  const found: Array<string> = []
  for (const [, quoted, plain] of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
    found.push(
      plain ?? quoted!.replace(
        /\\(?:x([0-9a-fA-F]{2})|(.))/g,
        (_all, hex, c) =>
          hex === undefined
            ? ({ n: "\n", r: "\r", t: "\t" } as Record<string, string>)[c] ?? c
            : String.fromCharCode(parseInt(hex, 16))
      )
    )
  }
  return found
}

/**
 * Runs a script, one command a line, and prints for each its events and its reply. Lines beginning with "+" move the
 * clock ("+500" milliseconds); those beginning with "2: " come from a second connection. The clock starts at
 * 1,700,000,000,000.
 */
export const transcript = (script: string, options: HarnessOptions & { readonly harness?: Harness } = {}): string => {
  const harness = options.harness ?? new Harness(options)
  const lines: Array<string> = []
  let second: TestConnection | undefined
  for (const line of script.split("\n").map((text) => text.trim()).filter((text) => text !== "")) {
    lines.push(`> ${line}`)
    if (/^\+\d+$/.test(line)) {
      harness.now += Number(line)
      continue
    }
    const before = harness.batches.length
    const reply = line.startsWith("2: ")
      ? harness.bytes(words(line.slice(3)), second ??= harness.connect(2))?.toString("latin1") ?? "(paused)"
      : harness.run(...words(line))
    for (const batch of harness.batches.slice(before)) {
      const by = batch.origin === "client" ? "" : ` by ${batch.origin}`
      batch.events.forEach((event, i) => {
        const db = batch.dbs?.[i] ?? batch.db
        lines.push(`  #${batch.sequence}${db === 0 ? "" : ` db${db}`}${by} ${showEvent(event)}`)
      })
    }
    lines.push(showReply(reply)[0])
  }
  return lines.join("\n")
}
