import { describe, expect, it, vi } from "vitest"
import { UnsyncedFrames } from "../../src/log/unsynced.ts"
import { forSeeds, scaled } from "../support/random.ts"

const budget = 16 << 20

describe("frames not synced yet", () => {
  it("are kept as written from the last sync on, wherever chunks begin and end", () => {
    forSeeds(scaled(40), (random) => {
      const frames = new UnsyncedFrames()
      const log: Array<Uint8Array> = []
      const origin = random.below(1 << 20)
      let end = origin
      let released = origin
      const written = (): Uint8Array => Buffer.concat(log)
      for (let step = 0; step < 40; step++) {
        if (random.chance(0.7)) {
          const bytes = random.bytes(random.pick([8, 1000, 100_000, 256 << 10, 600_000]))
          const frame = Buffer.concat([bytes, Buffer.alloc(16)]) // the buffer is longer than the frame
          frames.add(end, frame, bytes.length)
          log.push(bytes)
          end += bytes.length
        } else {
          released = Math.max(released, random.between(released, end))
          frames.release(released)
        }
        const from = random.between(origin, end)
        const target = new Uint8Array(random.below(700_000)).fill(7)
        frames.overlay(target, from)
        const expected = new Uint8Array(target.length).fill(7)
        const first = Math.max(from, released)
        const last = Math.min(from + target.length, end)
        if (end - origin <= budget && first < last) {
          expected.set(written().subarray(first - origin, last - origin), first - from)
          expect(Buffer.compare(target, expected)).toBe(0)
        }
      }
    })
  })

  it("are given up for what comes after them when they pass 16 MiB", () => {
    const frames = new UnsyncedFrames()
    const frame = new Uint8Array(9 << 20).fill(1)
    frames.add(0, frame, frame.length)
    frames.add(frame.length, frame.fill(2), frame.length)
    const target = new Uint8Array(2 * frame.length)
    frames.overlay(target, 0)
    expect(target[frame.length - 1]).toBe(0)
    expect(target[frame.length]).toBe(2)
    expect(target[2 * frame.length - 1]).toBe(2)
    frames.add(2 * frame.length, new Uint8Array(budget + 1), budget + 1)
    frames.overlay(target.fill(0), 0)
    expect(target.every((byte) => byte === 0)).toBe(true)
  })

  it("give their memory back when nothing came in during a sync", () => {
    const made: Array<Uint8Array> = []
    const construct = (target: typeof Uint8Array, words: [number]): Uint8Array => {
      const array = new target(...words)
      made.push(array)
      return array
    }
    vi.stubGlobal("Uint8Array", new Proxy(Uint8Array, { construct }))
    try {
      const frames = new UnsyncedFrames()
      const frame = Buffer.alloc(4 << 20)
      const held = (): number => made.reduce((sum, { length }) => sum + length, 0)
      frames.add(0, frame, frame.length)
      frames.add(frame.length, frame, frame.length)
      frames.release(frame.length)
      expect(held()).toBe(2 * frame.length)
      frames.release(2 * frame.length)
      expect(held()).toBe(512 << 10)
      frames.add(2 * frame.length, frame.fill(3), frame.length)
      const target = Buffer.alloc(frame.length)
      frames.overlay(target, 2 * frame.length)
      expect(target.equals(frame)).toBe(true)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
