/** Where the server's messages go: standard output, or a file that is opened anew for each, so that it may be rotated. */
import { appendFileSync } from "node:fs"
import type { ValueOf } from "./parameters.ts"

/** What each loglevel of redis.conf leaves out, by the names of Effect's levels in lower case. */
const leftOut: Readonly<Record<ValueOf<"loglevel">, ReadonlyArray<string>>> = {
  debug: [],
  verbose: ["debug", "trace"],
  notice: ["debug", "trace"],
  warning: ["debug", "trace", "info"]
}

/** Messages of one process; until it is told otherwise they go to standard output, from "notice" on. */
export class Messages {
  level: ValueOf<"loglevel"> = "notice"
  private file = ""

  /** Sends messages to a file from now on; "" for standard output. Throws when the file cannot be written. */
  sendTo(file: string): void {
    if (file !== "") appendFileSync(file, "")
    this.file = file
  }

  /** Writes one message unless its level is left out. */
  write(date: Date, level: string, text: string): void {
    if (leftOut[this.level].includes(level)) return
    this.append(`${date.toISOString()} ${level} ${text}\n`, process.stdout)
  }

  /** Why the process ends: to standard error, and to the file where there is one. */
  writeFailure(text: string): void {
    if (this.file !== "") this.append(text, process.stderr)
    process.stderr.write(text)
  }

  private append(line: string, otherwise: NodeJS.WriteStream): void {
    if (this.file === "") {
      otherwise.write(line)
      return
    }
    try {
      appendFileSync(this.file, line)
    } catch (cause) {
      // A disk that is full must not end the server; the message is still seen by whoever looks at standard error.
      process.stderr.write(`${line}(not written to ${this.file}: ${(cause as Error).message})\n`)
    }
  }
}
