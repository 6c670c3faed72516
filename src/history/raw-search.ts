/**
 * Which blocks of a segment hold a key, by its bytes alone: events hold keys as they are, so a search for them, at
 * gigabytes a second, leaves few blocks to look into. A frame that is compressed as a whole tells nothing: its block stays.
 */
import type { DiskFile } from "../log/disk.ts"
import { readRetrying } from "../log/frame-cursor.ts"
import { frameFlag, frameHeaderSize, get16, get32, isFrameMagic } from "../log/frame.ts"
import type { Block } from "./segment.ts"

/** Read at a time, bytes; more where a block is larger. */
const readBytes = 4 << 20
/** Kept: fresh memory of that size costs a page fault per 4 KiB. */
let scratch: Buffer | undefined

/** Those of these consecutive blocks that may hold one of the keys. Throws `DiskError`. */
export const blocksWith = (
  file: DiskFile,
  blocks: ReadonlyArray<Block>,
  keys: ReadonlyArray<Uint8Array>
): Array<Block> => {
  const found: Array<Block> = []
  let buffer = scratch ??= Buffer.allocUnsafeSlow(readBytes)
  for (let first = 0; first < blocks.length;) {
    const { from } = blocks[first]!
    let end = first + 1
    while (end < blocks.length && blocks[end]!.to - from <= readBytes) end++
    const length = blocks[end - 1]!.to - from
    if (length > buffer.length) buffer = Buffer.allocUnsafeSlow(length)
    const read = buffer.subarray(0, readRetrying(file, buffer, 0, length, from))
    const hits = new Set<number>()
    for (const key of keys) markHits(read, blocks, first, end, key, hits)
    for (let i = first; i < end; i++) {
      const block = blocks[i]!
      if (hits.has(i) || isOpaque(read, block.from - from, block.to - from)) found.push(block)
    }
    first = end
  }
  return found
}

const markHits = (
  read: Buffer,
  blocks: ReadonlyArray<Block>,
  first: number,
  end: number,
  key: Uint8Array,
  hits: Set<number>
): void => {
  const base = blocks[first]!.from
  if (key.length === 0) {
    for (let i = first; i < end; i++) hits.add(i)
    return
  }
  let block = first
  for (let at = read.indexOf(key); at >= 0; at = read.indexOf(key, blocks[block]!.to - base)) {
    while (blocks[block]!.to - base <= at) block++
    hits.add(block)
    if (block === end - 1) return
  }
}

/** Whether the frames of `bytes[from, to)` do not show their keys: one is compressed, or makes no sense. */
const isOpaque = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to;) {
    if (at + frameHeaderSize > bytes.length || !isFrameMagic(bytes, at)) return true
    if ((get16(bytes, at + 22) & frameFlag.zstd) !== 0) return true
    const length = get32(bytes, at + 4)
    if (length < frameHeaderSize) return true
    at += length
  }
  return false
}
