/** A bar on standard error while something takes long; nothing where that is no terminal. */
import type { Context } from "./context.ts"

/** Not before so many milliseconds, and not more often. */
const patience = 500
const period = 100

/** Shows how much of `total` is done. */
export class Progress {
  private readonly context: Context
  private readonly what: string
  private readonly total: number
  private readonly began: number
  private next: number
  private shown = 0

  constructor(context: Context, what: string, total: number) {
    this.context = context
    this.what = what
    this.total = Math.max(1, total)
    this.began = context.now()
    this.next = context.progressColumns === undefined ? Infinity : this.began + patience
  }

  /** So much is done. */
  at(done: number): void {
    if (this.next === Infinity) return
    const now = this.context.now()
    if (now < this.next) return
    this.next = now + period
    const part = Math.min(1, done / this.total)
    const left = part > 0.01 ? `, ${Math.ceil((now - this.began) / part * (1 - part) / 1000)} s left` : ""
    const text = `${this.what} ${Math.floor(part * 100)} %${left}`
    const width = Math.max(0, Math.min(40, this.context.progressColumns! - text.length - 4))
    const full = Math.round(part * width)
    const line = `${"█".repeat(full)}${"░".repeat(width - full)} ${text}`
    this.context.warn(`\r${line.padEnd(this.shown)}`)
    this.shown = line.length
  }

  /** Takes the bar away. */
  end(): void {
    if (this.shown > 0) this.context.warn(`\r${" ".repeat(this.shown)}\r`)
    this.next = Infinity
    this.shown = 0
  }
}
