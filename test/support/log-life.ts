import { type LogOptions, openLog, type SyncPolicy } from "../../src/log/store.ts"
import { FakeClock, linesOf, logOptions, type Outcome, Writer } from "./log-writer.ts"
import type { Random } from "./random.ts"
import { SimDisk } from "./sim-disk.ts"

/** The power went: thrown into whatever call of the disk is being made. */
export class PowerCut extends Error {
  override readonly name = "PowerCut"
}

/** What was promised at one moment, and the disk as a power cut at that moment might leave it. */
export interface CrashState {
  readonly disk: SimDisk
  /** Batches appended, acknowledged or not. */
  readonly written: number
  readonly acked: number
  /** Newest sequence acknowledged while the policy was `always`. */
  readonly ackedAlways: number
  readonly durable: number
  /** Newest sequence acknowledged more than two seconds before the newest acknowledgement. */
  readonly ackedTwoSeconds: number
  readonly during: string
}

/** A log that lives on a simulated disk under a random workload. */
export class Life {
  disk = new SimDisk()
  readonly clock = new FakeClock()
  readonly random: Random
  readonly options: LogOptions
  readonly writer: Writer
  /** States captured since the last `drain`. */
  states: Array<CrashState> = []
  /** Whether the sync policy is changed now and then. */
  changing = false
  /** How often a call of the disk is looked at as the moment of a power cut. */
  captureChance: number

  constructor(random: Random, policy: SyncPolicy, captureChance = 0, changed: Partial<LogOptions> = {}) {
    this.random = random
    this.captureChance = captureChance
    this.options = logOptions({ policy, footersLater: random.chance(0.5), ...changed })
    this.watch()
    this.writer = new Writer(openLog(this.disk, this.clock, this.options), this.clock, random, policy)
  }

  private watch(): void {
    this.disk.onOperation = (operation, name, call) => {
      if (this.captureChance > 0 && this.random.chance(this.captureChance)) this.capture(`${call} ${operation} ${name}`)
    }
  }

  /** A power cut now, on a copy of the disk. */
  capture(during = "between calls"): void {
    const writer = this.writer as Writer | undefined // none yet while the log is opened for the first time
    const { acked = 0, ackedAlways = 0, durable = 0, releasedAt = [] } = writer ?? {}
    const written = writer?.lines.length ?? 0
    let ackedTwoSeconds = acked
    const newest = releasedAt[acked - 1] ?? -Infinity
    while (ackedTwoSeconds > 0 && (releasedAt[ackedTwoSeconds - 1] ?? -Infinity) >= newest - 2000) {
      ackedTwoSeconds--
    }
    this.states.push({
      written,
      acked,
      ackedAlways,
      durable,
      ackedTwoSeconds,
      during,
      disk: this.disk.afterCrash(this.random)
    })
  }

  /** The power goes, comes back, and the log goes on with what is left; a cut during that recovery is looked at too. */
  reboot(): void {
    const { durable, ackedAlways, lines } = this.writer
    const before = lines.slice()
    this.disk = this.disk.afterCrash(this.random)
    this.watch()
    this.writer.adopt(openLog(this.disk, this.clock, { ...this.options, policy: this.writer.policy }))
    const found = linesOf(this.writer.log)
    if (found.length < Math.max(durable, ackedAlways) || found.some((line, i) => line !== before[i])) {
      throw new Error(`${found.length} batches after a power cut, or other ones; ${durable} were durable`)
    }
  }

  /** Lets time pass as the server does: a tick every 50 ms. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 50) {
      this.clock.advance(Math.min(50, left))
      this.writer.tick()
    }
  }

  /** One random thing that may happen to a log. */
  step(): void {
    const { clock, disk, random, writer } = this
    if (random.chance(0.03)) {
      this.reboot()
      return
    }
    if (this.changing && random.chance(0.1)) writer.setPolicy(random.pick(["always", "everysec", "no"]))
    const dice = random.fraction()
    if (dice < 0.6) {
      const batches = random.chance(0.1) ? random.between(10, 40) : random.between(1, 4)
      for (let i = 0; i < batches && writer.log.failure() === undefined; i++) {
        writer.append(random.chance(0.2) ? random.between(2, 6) : 1)
        if (random.chance(0.3)) clock.advance(random.below(3))
      }
      writer.commit()
    } else if (dice < 0.75) {
      disk.runPending(random.between(1, 3))
      writer.observe()
    } else if (dice < 0.93) this.pass(random.pick([1, 50, 120, 250, 400, 1100]))
    else if (dice < 0.95) clock.wall += random.pick([-5000, -800, 700, 60_000])
    else if (dice < 0.975) {
      disk.runPending()
      writer.log.close()
      disk.runPending()
      writer.adopt(openLog(disk, clock, { ...this.options, policy: writer.policy }))
    } else { // kill -9: everything written is still in the page cache
      const { acked } = writer
      disk.kill()
      this.watch()
      writer.adopt(openLog(disk, clock, { ...this.options, policy: writer.policy }))
      if (writer.log.sequence() < acked) {
        throw new Error(`kill -9 lost batches ${writer.log.sequence() + 1} to ${acked}`)
      }
    }
  }

  /** The states captured so far; the list begins anew. */
  drain(): Array<CrashState> {
    const states = this.states
    this.states = []
    return states
  }
}

/** Why what recovery found breaks the contract, or undefined when it keeps it. */
export const breach = (
  state: CrashState,
  outcome: Outcome,
  policy: SyncPolicy | "changing",
  lines: ReadonlyArray<string>
): string | undefined => {
  if (!("lines" in outcome)) return `refused as ${outcome.verdict}: ${outcome.message}`
  const found = outcome.lines.length
  if (found > state.written) return `${found} batches, but only ${state.written} were written`
  for (let i = 0; i < found; i++) {
    if (outcome.lines[i] !== lines[i]) return `batch ${i + 1} is\n  ${outcome.lines[i]}\nbut was\n  ${lines[i]}`
  }
  if (outcome.log.sequence !== found) {
    return `recovery says sequence ${outcome.log.sequence}, ${found} batches are there`
  }
  if (found < state.durable) return `${found} batches, below the durable mark at ${state.durable}`
  if (found < state.ackedAlways) return `${found} batches, but ${state.ackedAlways} were acknowledged as durable`
  if (policy === "everysec" && found < state.ackedTwoSeconds) {
    return `${found} batches, but ${state.ackedTwoSeconds} were acknowledged more than two seconds before the last`
  }
  return undefined
}
