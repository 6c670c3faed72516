/** Subcommands run in this process, on simulated disks and with a terminal made of strings. */
import { createHash } from "node:crypto"
import { type Context, Failed, UsageError } from "../../src/cli/context.ts"
import { runSubcommand } from "../../src/cli/run.ts"
import { subcommands } from "../../src/cli/table.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** What a subcommand has said, and its exit code. */
export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly bytes: Buffer
}

/** Everything a terminal and a file system are to a subcommand. */
export class Desk {
  /** Data directories by name. */
  readonly disks = new Map<string, SimDisk>()
  columns: number | undefined = undefined
  progressColumns: number | undefined = undefined
  now = 1_790_000_000_000
  /** What is typed, for prompts. */
  typed: ReadonlyArray<string> = []
  /** Called where a subcommand waits; it stops following when this answers false. */
  onSleep: () => boolean = () => false

  /** Runs `annals …`, the words split at spaces or given one by one. */
  async run(line: string | ReadonlyArray<string>): Promise<Said> {
    const [name, ...words] = typeof line === "string" ? line.split(" ") : line
    const subcommand = subcommands.find(({ spec }) => spec.name === name)
    if (subcommand === undefined) throw new Error(`no subcommand ${name}`)
    const out: Array<Buffer> = []
    let err = ""
    let stopped = false
    const context: Context = {
      write: (text) => void out.push(Buffer.from(text as string)),
      warn: (text) => {
        err += text
      },
      columns: this.columns,
      progressColumns: this.progressColumns,
      now: () => this.now,
      sleep: () => {
        stopped ||= !this.onSleep()
      },
      stopped: () => stopped,
      source: (directory) => {
        const disk = this.disks.get(directory)
        if (disk === undefined) throw new Failed(`${directory} is not a directory`)
        return disk
      },
      target: (directory) => {
        if (this.disks.has(directory)) throw new UsageError(`${directory} is there already`)
        const disk = new SimDisk()
        this.disks.set(directory, disk)
        return { disk, complete: () => {}, discard: () => void this.disks.delete(directory) }
      },
      lines: (prompt) => this.lines(prompt, (text) => void out.push(Buffer.from(text)))
    }
    const code = await runSubcommand(subcommand, words, context)
    const bytes = Buffer.concat(out)
    return { code, out: bytes.toString("utf8"), err, bytes }
  }

  private async *lines(prompt: string, write: (text: string) => void): AsyncIterable<string> {
    for (const line of this.typed) {
      if (prompt !== "") write(`${prompt}${line}\n`)
      yield line
    }
  }

  /** Runs it with --json and reads every line of the answer. */
  async json(line: string | ReadonlyArray<string>) {
    const words = typeof line === "string" ? line.split(" ") : line
    const { out } = await this.run([words[0]!, "--json", ...words.slice(1)])
    return out.split("\n").filter((text) => text !== "").map((text) => JSON.parse(text))
  }
}

/** A fingerprint of every byte and name on a disk. */
export const fingerprint = (disk: SimDisk): string => {
  const hash = createHash("sha256")
  for (const name of disk.files().toSorted()) hash.update(`${name}\0`).update(disk.readFile(name)).update("\0")
  return hash.digest("hex")
}
