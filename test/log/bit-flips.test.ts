import { describe, expect, it } from "vitest"
import { framesOf, segmentHeaderBytes } from "../support/frames.ts"
import { type Outcome, outcomeOf } from "../support/log-writer.ts"
import {
  endOfFrames,
  manifestMark,
  markOf,
  sampleLog,
  sampleOptions,
  sequenceAt,
  smallSegments,
  withFile,
  withoutManifest
} from "../support/sample-log.ts"

/** Every single bit of a log flipped: none is silent, and the verdict follows from where it is and what was durable. */

const prefixOf = (outcome: Outcome, lines: ReadonlyArray<string>): boolean =>
  "lines" in outcome && outcome.lines.every((line, i) => line === lines[i])

describe("a flipped bit", () => {
  for (const witness of ["with its manifest", "without a manifest"] as const) {
    it(`in the active segment, ${witness}: torn above the durable mark, corrupt below it, never silent`, () => {
      const sample = sampleLog(7, { closed: false, bytes: witness === "with its manifest" ? 9000 : 4000 })
      const base = witness === "with its manifest" ? sample.disk : withoutManifest(sample.disk)
      const fromManifest = manifestMark(base, sample.bytes)
      const { bytes } = sample
      const seen = { torn: 0, corrupt: 0 }
      for (let at = 0; at < bytes.length; at++) {
        const hit = sample.frames.find((frame) => at >= frame.position && at < frame.position + frame.length)
        const good = at < segmentHeaderBytes ? 0 : hit!.position
        const mark = markOf(sample.frames.filter((frame) => frame !== hit), fromManifest)
        const expected = good < mark ? "corrupt" : "torn"
        const kept = good === 0 ? 0 : sequenceAt(bytes, sample.frames, good)
        for (let bit = 0; bit < 8; bit++) {
          bytes[at]! ^= 1 << bit
          const outcome = outcomeOf(withFile(base, sample.active, bytes), sampleOptions)
          bytes[at]! ^= 1 << bit
          if (outcome.verdict !== expected) {
            const what = hit === undefined ? "segment header" : `${hit.type} frame at ${hit.position}`
            throw new Error(`byte ${at} bit ${bit} (${what}), mark ${mark}: ${outcome.verdict} instead of ${expected}`)
          }
          if ("lines" in outcome) {
            if (outcome.lines.length !== kept || !prefixOf(outcome, sample.lines)) {
              throw new Error(`byte ${at} bit ${bit}: ${outcome.lines.length} batches, not the first ${kept}`)
            }
          }
          seen[expected]++
        }
      }
      expect(seen.corrupt).toBeGreaterThan(20_000)
      expect(seen.torn).toBeGreaterThan(500)
    })
  }

  it("in a sealed segment is found when it is opened or read, before a batch beyond it is handed out", () => {
    const sample = sampleLog(8, { closed: false, bytes: 11_000, options: smallSegments })
    const name = sample.sealed[0]!
    const bytes = sample.disk.bytes(name)
    const end = endOfFramesOf(bytes)
    for (let at = 0; at < end; at++) {
      const bit = (at * 5 + 3) % 8
      bytes[at]! ^= 1 << bit
      const outcome = outcomeOf(withFile(sample.disk, name, bytes), smallSegments)
      bytes[at]! ^= 1 << bit
      expect(outcome.verdict, `byte ${at} bit ${bit}`).toBe("corrupt")
    }
  })

  it("in a footer is either refused or put right with a warning, and never changes what is read", () => {
    const sample = sampleLog(9, { closed: false, bytes: 11_000, options: smallSegments })
    const name = sample.sealed[1]!
    const bytes = sample.disk.bytes(name)
    const from = endOfFramesOf(bytes)
    expect(bytes.length - from).toBeGreaterThan(128)
    for (let at = from; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        bytes[at]! ^= 1 << bit
        const warnings: Array<string> = []
        const options = { ...smallSegments, warn: (message: string) => void warnings.push(message) }
        const outcome = outcomeOf(withFile(sample.disk, name, bytes), options)
        bytes[at]! ^= 1 << bit
        if ("lines" in outcome) {
          expect(outcome.lines, `byte ${at} bit ${bit}`).toEqual(sample.lines)
          expect(warnings.length, `byte ${at} bit ${bit} went unnoticed`).toBeGreaterThan(0)
        } else expect(outcome.verdict, `byte ${at} bit ${bit}`).toBe("corrupt")
      }
    }
  })

  it("in the manifest never loses a batch and never passes for damage of the log", () => {
    for (const closed of [true, false]) {
      const sample = sampleLog(10, { closed, bytes: 9000, options: smallSegments })
      for (const name of ["MANIFEST", "MANIFEST.prev"]) {
        const bytes = sample.disk.bytes(name)
        for (let at = 0; at < bytes.length; at++) {
          const bit = (at * 3 + 1) % 8
          bytes[at]! ^= 1 << bit
          const outcome = outcomeOf(withFile(sample.disk, name, bytes), smallSegments)
          bytes[at]! ^= 1 << bit
          if (!("lines" in outcome)) throw new Error(`${name} byte ${at}: ${outcome.message}`)
          expect(outcome.lines.length, `${name} byte ${at}`).toBe(sample.lines.length)
        }
      }
    }
  })
})

const endOfFramesOf = (bytes: Uint8Array): number => endOfFrames(framesOf(bytes))
