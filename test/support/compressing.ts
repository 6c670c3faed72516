import { zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { openSegment } from "../../src/log/compressed-file.ts"
import type { CompressionTools } from "../../src/log/compression.ts"
import type { Disk } from "../../src/log/disk.ts"
import { type OpenedLog, openLog } from "../../src/log/store.ts"
import { FakeClock, logOptions } from "./log-writer.ts"

/** Compression in the turn of whoever asks, so that every call of the disk has its place in a fixed order. */
export const atOnce: CompressionTools = {
  fold: (bytes) => Promise.resolve(zstdCompressSync(bytes)),
  unfold: (bytes, length) => Promise.resolve(zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, length) })),
  pause: () => Promise.resolve(true)
}

/** Compresses every segment that may be; how many there were. */
export const compressAll = async (log: OpenedLog, raw = 1, tools = atOnce): Promise<number> => {
  let count = 0
  while (await log.upkeep.compress(raw, tools) !== undefined) count++
  log.upkeep.settle()
  return count
}

/** Opens the log of a disk, compresses what it can and gives the log back as a killed server would. */
export const compressDisk = async (disk: Disk, options = logOptions()): Promise<number> => {
  const log = openLog(disk, new FakeClock(), options)
  try {
    return await compressAll(log)
  } finally {
    log.abandon()
  }
}

/** Every byte of a segment, of whichever kind its file is. */
export const segmentBytes = (disk: Disk, name: string): Uint8Array => {
  const file = openSegment(disk, name)
  try {
    const bytes = new Uint8Array(file.size())
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0))
  } finally {
    file.close()
  }
}
