/** Questions about the past of a simulated log, put as the reading thread puts them. */
import { keysOf, namesAllKeys } from "../../src/commands/server/key-specs.ts"
import { CommandTable } from "../../src/commands/table.ts"
import { answer, type PastAnswering } from "../../src/history/answers.ts"
import { LogDirectory } from "../../src/history/log-directory.ts"
import type { LogRequest, UndoPlan, UndoRequest } from "../../src/history/questions.ts"
import type { Disk } from "../../src/log/disk.ts"
import { PastAnswers } from "../../src/past/answers.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { drain } from "../support/drain.ts"
import { argvOf } from "../support/harness.ts"

const table = new CommandTable()

/** One reader of a log, with what it keeps from one question to the next. */
export class PastReader {
  readonly directory: LogDirectory
  readonly past = new PastAnswers()
  now = 2 ** 50
  memory = 256 << 20
  protocol = 2

  constructor(disk: Disk) {
    this.directory = new LogDirectory(disk)
  }

  /** The encoded reply as Latin-1 text, or the text of an error. */
  ask(request: LogRequest, past: PastAnswering = this.past.answer): string {
    const live = { lsn: Number.MAX_SAFE_INTEGER, oldest: 1 }
    const { memory, now, protocol } = this
    const found = drain(answer(this.directory, { id: 1, request, live, protocol, now, memory }, past))
    if (found.kind === "plan") throw new Error("a plan is no reply")
    return found.kind === "reply" ? Buffer.from(found.bytes).toString("latin1") : `-${found.text}`
  }

  /** LOG.UNDO: the plan, or the reply or error text instead of it. */
  undo(from: number, to = from, changed: Partial<UndoRequest> = {}): UndoPlan | string {
    const live = { lsn: Number.MAX_SAFE_INTEGER, oldest: 1 }
    const { memory, now, protocol } = this
    const request = { kind: "undo", from, to, key: undefined, db: 0, dryRun: false, force: false, ...changed } as const
    const found = drain(answer(this.directory, { id: 1, request, live, protocol, now, memory }, this.past.answer))
    if (found.kind === "plan") return found.plan
    return found.kind === "reply" ? Buffer.from(found.bytes).toString("latin1") : `-${found.text}`
  }

  /** LOG.ASOF of a sequence; `byKeys`: from the events of its keys, where it is asked about some. */
  asOf(sequence: number, words: ReadonlyArray<string>, { byKeys = true, db = 0 } = {}): string {
    const argv = argvOf(words)
    const { command } = table.requestRow(argv)!
    const keys = byKeys && namesAllKeys(command) ? keysOf(command, argv, table) : undefined
    return this.ask({
      kind: "asof",
      db,
      moment: { kind: "sequence", sequence },
      words: words.map((word) => Slice.latin1(word).bytes),
      keys: keys?.map(({ key }) => key.toBytes())
    })
  }

  /** LOG.DIGEST; only the digest itself. */
  digest(sequence?: number): string {
    const moment = sequence === undefined ? undefined : { kind: "sequence" as const, sequence }
    return this.ask({ kind: "digest", moment }).match(/[0-9a-f]{40}/)?.[0] ?? "none"
  }
}
