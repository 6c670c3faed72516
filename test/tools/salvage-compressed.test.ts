import { afterAll, describe, expect, it } from "vitest"
import { openCompressed } from "../../src/log/compressed-file.ts"
import { nodeDisk } from "../../src/log/disk.ts"
import { salvageDirectory } from "../../src/tools/salvage.ts"
import { compressDisk } from "../support/compressing.ts"
import { outcomeOf } from "../support/log-writer.ts"
import { sampleLog, smallSegments } from "../support/sample-log.ts"
import { cleanUp, newFolder, store } from "./salvage-support.ts"

afterAll(cleanUp)

/** A log two of whose segments stay raw, its files in a folder, and the name of a compressed segment in its middle. */
const compressed = async (seed: number) => {
  const sample = sampleLog(seed, { closed: true, bytes: 24_000, options: smallSegments })
  const disk = sample.disk.settled()
  disk.immediate = true
  await compressDisk(disk, smallSegments)
  const files = new Map(disk.files().map((name) => [name, disk.bytes(name).slice()]))
  const name = [...files.keys()].filter((file) => file.endsWith(".evz"))[1]!
  const blocks = openCompressed(disk, name).blocks
  return { sample, files, name, bytes: files.get(name)!, blocks }
}

const salvaged = (files: Map<string, Uint8Array>) => {
  const target = newFolder()
  const result = salvageDirectory(store(files), target)
  const outcome = outcomeOf(nodeDisk(target), smallSegments)
  if (!("lines" in outcome)) throw new Error(outcome.message)
  return { lines: outcome.lines, gaps: result.walk.gaps }
}

describe("salvage of compressed segments", () => {
  it("keeps everything of those that are whole", async () => {
    const { files, sample } = await compressed(1)
    expect(salvaged(files)).toEqual({ lines: sample.lines, gaps: [] })
  })

  it("finds the blocks one by one where table or tail are damaged or cut off", async () => {
    for (const from of [1, 200, 260]) {
      const { bytes, files, name, sample } = await compressed(2)
      bytes[bytes.length - from]! ^= 64
      expect(salvaged(files)).toEqual({ lines: sample.lines, gaps: [] })
      files.set(name, bytes.slice(0, bytes.length - from))
      expect(salvaged(files)).toEqual({ lines: sample.lines, gaps: [] })
    }
  })

  it("loses the batches of a damaged block, and names them as a gap", async () => {
    const { blocks, bytes, files, name, sample } = await compressed(3)
    bytes[blocks[0]!.stored + 60]! ^= 1
    const { gaps, lines } = salvaged(files)
    const first = parseInt(name.slice("log/".length), 10)
    expect(gaps.length).toBe(1)
    expect(gaps[0]!.first).toBe(first)
    expect(gaps[0]!.places.some(({ segment }) => segment === name)).toBe(true)
    expect(lines.slice(0, first - 1)).toEqual(sample.lines.slice(0, first - 1))
    expect(lines.slice(first - 1)).toEqual(sample.lines.slice(gaps[0]!.last))
  })
})
