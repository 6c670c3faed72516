/** Runs a command line that is not the server's, and makes exit codes of errors. */
import { BeyondHead, Truncated } from "../history/errors.ts"
import { CheckpointUnusable } from "../log/checkpoint-file.ts"
import { DiskError } from "../log/disk.ts"
import { LogCorrupt, LogFormatTooNew, LogLocked } from "../log/errors.ts"
import { type Context, exitCodes, Failed, OutputClosed, UsageError } from "./context.ts"
import { helpOf, usageOf } from "./help.ts"
import { parse } from "./parse.ts"
import { toJson } from "./printing.ts"
import type { Subcommand } from "./spec.ts"

/** Output is gathered to this size: a call into the system costs as much as some kilobytes. */
const gathered = 32 << 10

/** Runs a subcommand with the words after its name; the exit code. */
export const runSubcommand = async (
  { load, spec }: Subcommand,
  argv: ReadonlyArray<string>,
  context: Context
): Promise<number> => {
  const out = new Gathering(context)
  const own = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined)
  const json = own.includes("--json")
  try {
    if (own.includes("--help") || own[0] === "-h") {
      out.write(helpOf(spec))
      out.flush()
      return exitCodes.ok
    }
    const input = parse(spec, argv)
    const run = await load()
    const code = await run(out.context, input as never)
    out.flush()
    return code
  } catch (error) {
    if (error instanceof OutputClosed) return exitCodes.ok
    const { code, message } = explain(error)
    try {
      out.flush()
    } catch (closed) {
      if (!(closed instanceof OutputClosed)) throw closed
    }
    if (json) context.warn(`${toJson({ error: message, "exit-code": code })}\n`)
    else if (code === exitCodes.usage) context.warn(`annals ${spec.name}: ${message}\n${usageOf(spec)}`)
    else context.warn(`annals ${spec.name}: ${message}\n`)
    return code
  }
}

const explain = (error: unknown): { readonly code: number; readonly message: string } => {
  if (error instanceof UsageError) return { code: exitCodes.usage, message: error.message }
  if (error instanceof Failed) return { code: error.exitCode, message: error.message }
  if (error instanceof LogCorrupt || error instanceof LogFormatTooNew || error instanceof LogLocked) {
    return { code: error.exitCode, message: error.message }
  }
  if (error instanceof CheckpointUnusable) return { code: exitCodes.checkpoint, message: error.message }
  if (error instanceof Truncated || error instanceof BeyondHead || error instanceof DiskError) {
    return { code: exitCodes.failed, message: error.message }
  }
  if (isTooLong(error)) {
    return {
      code: exitCodes.failed,
      message:
        "a value is too long for text: 'annals at MOMENT --raw -- GET KEY' and 'annals export --format resp' write bytes"
    }
  }
  if ((error as NodeJS.ErrnoException | undefined)?.syscall !== undefined) {
    return { code: exitCodes.failed, message: (error as Error).message }
  }
  throw error
}

/** Strings of half a gigabyte and more cannot be made. */
const isTooLong = (error: unknown): boolean =>
  error instanceof RangeError && error.message === "Invalid string length"
  || (error as NodeJS.ErrnoException | undefined)?.code === "ERR_STRING_TOO_LONG"

/** Standard output, written in larger pieces. */
class Gathering {
  readonly context: Context
  private readonly below: Context
  private pieces: Array<Uint8Array> = []
  private bytes = 0

  constructor(below: Context) {
    this.below = below
    this.context = {
      ...below,
      write: (text) => this.write(text),
      warn: (text) => {
        this.flush()
        below.warn(text)
      },
      sleep: (ms) => {
        this.flush()
        below.sleep(ms)
      },
      lines: (prompt) => this.lines(prompt)
    }
  }

  write(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text.slice()
    this.pieces.push(bytes)
    this.bytes += bytes.length
    if (this.bytes >= gathered) this.flush()
  }

  flush(): void {
    if (this.bytes === 0) return
    const all = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces)
    this.pieces = []
    this.bytes = 0
    this.below.write(all)
  }

  private async *lines(prompt: string): AsyncIterable<string> {
    this.flush()
    for await (const line of this.below.lines(prompt)) {
      yield line
      this.flush()
    }
  }
}
