/** `annals verify`: whether a log is what was written, and what proves it. */
import { pastAt } from "../history/past.ts"
import { checkpointFolder, checkpointName, CheckpointUnusable, sequenceOfCheckpoint } from "../log/checkpoint-file.ts"
import { CheckpointReader } from "../log/checkpoint-reader.ts"
import { hex, sameBytes } from "../log/segment.ts"
import { type Context, exitCodes, UsageError } from "./context.ts"
import { inBytes, toJson } from "./printing.ts"
import { openSource, type Source } from "./source.ts"
import type { Input } from "./spec.ts"
import type { verifySpec } from "./specs.ts"
import { digestOf, drain, nothing } from "./state.ts"
import { type LogReport, verifyLog } from "./verify-log.ts"
import type { Finding, FindingKind, Head } from "./verify-segment.ts"

const codes: Readonly<Record<FindingKind, number>> = {
  checksum: exitCodes.damaged,
  chain: exitCodes.chain,
  "torn-tail": exitCodes.tornTail,
  checkpoint: exitCodes.checkpoint
}
const titles: Readonly<Record<FindingKind, string>> = {
  checksum: "DAMAGED",
  chain: "CHAIN BROKEN",
  "torn-tail": "TORN TAIL",
  checkpoint: "CHECKPOINT WRONG"
}

/** What was compared with an expected head. */
interface Expectation {
  readonly asked: string
  readonly met: boolean
  /** Everything up to here is proved; 0: nothing. */
  readonly proves: number
  readonly text: string
}

export const run = (context: Context, { options }: Input<typeof verifySpec.options>): number => {
  const expected = options["expect-head"] === undefined ? undefined : headOf(options["expect-head"])
  const source = openSource(context, options.dir)
  const began = context.now()
  const report = verifyLog(context, source.disk)
  const seconds = (context.now() - began) / 1000
  const findings = [...report.findings]
  const checkpoints = checkpointFindings(context, source, report, options.folds)
  findings.push(...checkpoints.findings)
  const expectation = expected === undefined ? undefined : compare(expected, report)
  if (expectation !== undefined && !expectation.met) {
    findings.push({
      kind: "chain",
      reason: expectation.text,
      file: "log",
      offset: 0,
      lsn: 0,
      sequence: report.segments[0]?.header.firstSequence ?? 1,
      last: expected!.sequence
    })
  }
  // A torn tail is no damage: whatever else there is goes before it.
  const worst = findings.find(({ kind }) => kind !== "torn-tail") ?? findings[0]
  const code = worst === undefined ? exitCodes.ok : codes[worst.kind]
  const head = report.heads.findLast(({ chain }) => chain.some((byte) => byte !== 0))
  if (options.json) {
    context.write(`${toJson(asJson(report, findings, checkpoints, head, expectation, seconds, code))}\n`)
  }
  else context.write(asText(report, findings, checkpoints, head, expectation, seconds))
  return code
}

/** `SEQUENCE:HASH`. */
const headOf = (text: string): Head => {
  const parts = /^([0-9]{1,15}):([0-9a-fA-F]{64})$/.exec(text)
  if (parts === null) {
    throw new UsageError(`--expect-head takes a sequence and 64 hexadecimal digits (57:ab…), not '${text}'`)
  }
  return { sequence: Number(parts[1]), chain: Buffer.from(parts[2]!, "hex") }
}

/**
 * Looks for the chain value that was noted. LOG.HEAD tells the value of the last SEAL and the newest sequence, which may be
 * further on: so the SEAL may be one before that sequence, and what it covers is proved.
 */
const compare = ({ chain, sequence }: Head, { heads, sequence: newest }: LogReport): Expectation => {
  const asked = `${sequence}:${hex(chain)}`
  const known = heads.find((head) => sameBytes(head.chain, chain) && head.chain.some((byte) => byte !== 0))
  if (known !== undefined && known.sequence <= sequence && sequence <= newest) {
    return {
      asked,
      met: true,
      proves: known.sequence,
      text: `everything up to sequence ${known.sequence} is as it was`
    }
  }
  const text = known === undefined
    ? `the log was never sealed with the expected head ${asked}: something at or before sequence ${sequence} is not what it was`
    : sequence > newest
    ? `the log ends with sequence ${newest}, but the head was noted at ${sequence}`
    : `the expected head is that of sequence ${known.sequence}, not of ${sequence}`
  return { asked, met: false, proves: 0, text }
}

const listCheckpoints = (disk: Source["disk"]): Array<number> =>
  disk.list(checkpointFolder).flatMap((base) => sequenceOfCheckpoint(base) ?? []).sort((a, b) => a - b)

interface CheckpointResult {
  readonly findings: ReadonlyArray<Finding>
  readonly sound: ReadonlyArray<number>
  readonly folded: ReadonlyArray<number>
  readonly notes: ReadonlyArray<string>
}

/** Every checkpoint read through and, with `folds`, compared with what the log says. */
const checkpointFindings = (
  context: Context,
  source: Source,
  report: LogReport,
  folds: boolean
): CheckpointResult => {
  const { disk } = source
  const findings: Array<Finding> = []
  const sound: Array<number> = []
  const folded: Array<number> = []
  const notes: Array<string> = []
  const wrong = (sequence: number, reason: string): void => {
    const file = `${checkpointFolder}/${checkpointName(sequence)}`
    findings.push({ kind: "checkpoint", reason, file, offset: 0, lsn: 0, sequence, last: undefined })
  }
  for (const sequence of listCheckpoints(disk)) {
    try {
      const reader = new CheckpointReader(disk, checkpointName(sequence))
      try {
        while (reader.next());
        const mine = report.segments[0]?.header.storeId
        if (mine !== undefined && !sameBytes(mine, reader.header.storeId)) {
          wrong(sequence, "it belongs to another store")
        }
        else if (reader.header.sequence !== sequence) wrong(sequence, `it is of sequence ${reader.header.sequence}`)
        else if (sequence > report.sequence) {
          wrong(sequence, `it is ahead of the log, which ends with ${report.sequence}`)
        }
        else sound.push(sequence)
      } finally {
        reader.close()
      }
    } catch (error) {
      if (!(error instanceof CheckpointUnusable)) throw error
      if (!disk.list(checkpointFolder).includes(checkpointName(sequence))) continue // a newer one has taken its place
      wrong(sequence, error.message)
    }
  }
  const damaged = report.findings.some(({ kind }) => kind !== "torn-tail")
  if (folds && damaged) notes.push("the log is not sound: nothing was folded")
  else if (folds) foldAll(context, source, sound, folded, notes, wrong)
  return { findings, sound, folded, notes }
}

const foldAll = (
  context: Context,
  { directory }: Source,
  sound: ReadonlyArray<number>,
  folded: Array<number>,
  notes: Array<string>,
  wrong: (sequence: number, reason: string) => void
): void => {
  const view = directory.view()
  let past = nothing()
  let begun = !view.beginsLater
  for (const sequence of sound) {
    const point = { sequence, time: 0 }
    const held = drain(context, "loading", pastAt(view, point))
    if (!begun) {
      notes.push(`what the checkpoint of ${sequence} was made of is not in the log any more: it was not folded`)
      begun = true
      past.dispose()
      past = held
      continue
    }
    drain(context, `folding up to ${sequence}`, past.forward(view, point))
    if (digestOf(held) === digestOf(past)) folded.push(sequence)
    else wrong(sequence, "it holds something else than the log makes up to there")
    held.dispose()
  }
  if (begun) drain(context, "folding the rest", past.forward(view, { sequence: view.head, time: 0 }))
  past.dispose()
}

const asText = (
  report: LogReport,
  findings: ReadonlyArray<Finding>,
  checkpoints: CheckpointResult,
  head: Head | undefined,
  expectation: Expectation | undefined,
  seconds: number
): string => {
  const { bytes, segments, sequence } = report
  const oldest = segments[0]?.header.firstSequence ?? 1
  const lines: Array<string> = []
  for (const { file, kind, last, lsn, offset, reason, sequence: first } of findings) {
    const until = last === undefined ? "" : last === first ? "" : ` to ${last}`
    lines.push(`${titles[kind]}: ${reason}`, `  ${file}, byte ${offset}, lsn ${lsn}, sequence ${first}${until}`)
  }
  for (const note of [...report.notes, ...checkpoints.notes]) lines.push(`note: ${note}`)
  const speed = seconds >= 0.1 ? ` in ${seconds.toFixed(1)} s (${Math.round(bytes / seconds / 1e6)} MB/s)` : ""
  lines.push(
    `${findings.length === 0 ? "sound" : "not sound"}: ${segments.length} ${
      segments.length === 1 ? "segment" : "segments"
    }, ${inBytes(bytes)}, `
      + `sequences ${oldest} to ${sequence}${speed}`
  )
  for (const each of checkpoints.sound) {
    const how = checkpoints.folded.includes(each) ? "holds what the log makes up to there" : "is whole"
    lines.push(`the checkpoint of ${each} ${how}`)
  }
  if (expectation?.met === true) lines.push(`the head is as expected: ${expectation.text}`)
  if (head === undefined) lines.push("nothing is sealed yet: only checksums protect it")
  else {
    lines.push(`head ${head.sequence}:${hex(head.chain)}`)
    if (head.sequence < sequence) lines.push(`sequences ${head.sequence + 1} to ${sequence} are not sealed yet`)
  }
  return `${lines.join("\n")}\n`
}

const asJson = (
  report: LogReport,
  findings: ReadonlyArray<Finding>,
  checkpoints: CheckpointResult,
  head: Head | undefined,
  expectation: Expectation | undefined,
  seconds: number,
  code: number
): unknown => ({
  sound: findings.length === 0,
  "exit-code": code,
  findings,
  notes: [...report.notes, ...checkpoints.notes],
  segments: report.segments.length,
  bytes: report.bytes,
  seconds,
  "oldest-sequence": report.segments[0]?.header.firstSequence ?? 1,
  sequence: report.sequence,
  head: head === undefined ? null : { sequence: head.sequence, chain: hex(head.chain) },
  expected: expectation === undefined
    ? null
    : { head: expectation.asked, met: expectation.met, "proved-up-to": expectation.proves },
  checkpoints: checkpoints.sound.map((sequence) => ({ sequence, folded: checkpoints.folded.includes(sequence) }))
})
