/** How long commands take: runs of equal brief commands are timed together, because reading the clock costs as much as they do. */
import type { ClientState } from "../client.ts"
import type { Argv } from "../define.ts"
import { longestRun, longWord, manyWords, type Observer } from "../observation/observer.ts"
import type { Row } from "../table.ts"

/** See the head of this file. One command at a time; times in monotonic ms, `now` in Unix ms. */
export class Stopwatch {
  private readonly observer: Observer
  private readonly monotonic: () => number
  private readonly now: () => number
  private row: Row | undefined
  private since = 0
  /** Of the run: who asked for the last command, its words, how many there were, how many at most. */
  private client: ClientState | undefined
  private argv: Argv | undefined
  private count = 0
  private limit = 1
  private before: Row | undefined

  constructor(observer: Observer, monotonic: () => number, now: () => number) {
    this.observer = observer
    this.monotonic = monotonic
    this.now = now
  }

  /** A command begins. `inside` EXEC the words of the last one are still there. */
  begin(row: Row, inside: boolean): void {
    if (this.row === row) return
    if (this.row === undefined) this.since = this.monotonic()
    else this.end(inside ? this.argv : undefined)
    this.row = row
    if (row === this.before) return // chunk after chunk of one command: long runs from the start
    this.before = row
    this.limit = 1
  }

  /** A command is over; `grown` tells whether its reply was long. */
  finish(row: Row, client: ClientState, argv: Argv, grown: boolean): void {
    this.count++
    this.client = client
    this.argv = argv
    if (
      this.count >= this.limit || !row.brief || this.observer.attentive || argv.length > manyWords || grown ||
      argv.at(argv.length - 1).length > longWord
    ) {
      this.end(argv)
      if (this.observer.attentive) this.observer.show(row, client, argv)
    }
  }

  /** Records the commands since the clock was last read. */
  private end(argv: Argv | undefined): void {
    if (this.row === undefined || this.count === 0) return
    const now = this.monotonic()
    const { count } = this
    this.count = 0
    const elapsed = now - this.since
    this.since = now
    if (this.limit < longestRun) this.limit *= 2
    this.observer.record(this.row, this.client!, argv, elapsed, count, this.now())
  }

  /** Ends the measuring of what the chunk's last command took. */
  endChunk(): void {
    const { argv } = this
    // A request that has begun after the last one may have overwritten its words.
    this.end(argv === undefined || argv.length === 0 ? undefined : argv)
    this.row = undefined
    this.argv = undefined
  }

  /** EXEC begins: what was before it is over. */
  interrupt(): void {
    this.end(undefined)
  }

  /** EXEC is over, and so is the run of its last commands. */
  resume(): void {
    this.end(this.argv)
    this.row = undefined
  }
}
