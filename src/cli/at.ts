/** `annals at`: commands that read, asked of the data of a moment; one, or at a prompt. */
import type { LogView } from "../history/log-view.ts"
import type { Past } from "../history/past.ts"
import { type Reply, ReplyError } from "../net/resp/reply.ts"
import { Double, MapReply, SetReply, Status } from "../net/resp/reply.ts"
import { PastAsker } from "../past/ask-past.ts"
import { Slice } from "../projections/memory/slice.ts"
import { type Context, exitCodes, UsageError } from "./context.ts"
import { bytesOf, literalOf, momentOf, wordsOf } from "./parse.ts"
import { isoTime, jsonOf, show, toJson } from "./printing.ts"
import { readReply } from "./resp-read.ts"
import { viewOf } from "./source.ts"
import type { Input } from "./spec.ts"
import type { atSpec } from "./specs.ts"
import { stateOf } from "./state.ts"

export const run = async (context: Context, { options, words }: Input<typeof atSpec.options>): Promise<number> => {
  const [moment, ...command] = words
  const asked = momentOf(moment!)
  if (options.repl === (command.length > 0)) {
    throw new UsageError("it takes either a command behind the moment, or --repl")
  }
  const view = viewOf(context, options.dir)
  const past = stateOf(context, view, asked)
  const how = options.json
    ? "json"
    : options.raw || (!options["no-raw"] && context.columns === undefined && !options.repl)
    ? "raw"
    : "shown"
  const asker = new PastAsker()
  if (!options.repl) {
    const reply = ask(asker, past, command.map(literalOf), options.db ?? 0, how)
    context.write(printed(reply, how))
    return reply instanceof ReplyError ? exitCodes.failed : exitCodes.ok
  }
  return prompt(context, view, past, asker, options.db ?? 0, how)
}

type How = "json" | "raw" | "shown"

const ask = (asker: PastAsker, past: Past, words: ReadonlyArray<Uint8Array>, db: number, how: How): Reply =>
  readReply(asker.ask(past, words, { db, protocol: how === "json" ? 3 : 2 }))

const printed = (reply: Reply, how: How): string | Uint8Array => {
  if (how === "json") return `${toJson(jsonOf(reply))}\n`
  if (how === "shown") return show(reply)
  // By itself it may be longer than a string can be.
  return reply instanceof Slice
    ? Buffer.concat([reply.toBytes(), Buffer.of(0x0a)])
    : Buffer.from(`${raw(reply)}\n`, "latin1")
}

/** As redis-cli prints where no terminal is: bytes as they are, one character for each. */
const raw = (reply: Reply): string => {
  if (reply === null) return ""
  if (reply instanceof Slice) return reply.latin1()
  if (reply instanceof Status || reply instanceof ReplyError) return reply.text
  if (reply instanceof Double) return reply.text ?? String(reply.value)
  if (reply instanceof MapReply) return reply.pairs.flat().map(raw).join("\n")
  if (reply instanceof SetReply) return reply.members.map(raw).join("\n")
  if (Array.isArray(reply)) return (reply as ReadonlyArray<Reply>).map(raw).join("\n")
  return String(reply)
}

const help = `Any command that reads. Besides: SELECT db · GO moment (to another moment, later or earlier) · QUIT
`

/** The read-only prompt. */
const prompt = async (
  context: Context,
  view: LogView,
  first: Past,
  asker: PastAsker,
  firstDb: number,
  how: How
): Promise<number> => {
  let past = first
  let db = firstDb
  if (how !== "json") {
    context.write(
      `The data after sequence ${past.sequence}, at ${isoTime(past.time)}. Nothing can be changed. HELP helps.\n`
    )
  }
  for await (const line of context.lines(how === "json" ? "" : "past> ")) {
    const words = wordsOf(line)
    if (words === undefined) {
      context.write("Invalid argument(s)\n")
      continue
    }
    const [name = "", argument = ""] = words
    switch (name.toLowerCase()) {
      case "":
        continue
      case "quit":
      case "exit":
        return exitCodes.ok
      case "help":
        context.write(help)
        continue
      case "select":
        if (/^[0-9]{1,6}$/.test(argument)) db = Number(argument)
        context.write(/^[0-9]{1,6}$/.test(argument) ? "OK\n" : "(error) ERR value is not an integer or out of range\n")
        continue
      case "go":
        past = goTo(context, view, past, argument)
        continue
      default:
        context.write(printed(ask(asker, past, words.map(bytesOf), db, how), how))
    }
  }
  return exitCodes.ok
}

/** The data of another moment; the same where that cannot be had. */
const goTo = (context: Context, view: LogView, past: Past, text: string): Past => {
  let next: Past
  try {
    next = stateOf(context, view, momentOf(text))
  } catch (error) {
    context.write(`(error) ${(error as Error).message}\n`)
    return past
  }
  past.dispose()
  context.write(`The data after sequence ${next.sequence}, at ${isoTime(next.time)}\n`)
  return next
}
