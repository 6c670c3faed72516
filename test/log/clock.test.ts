import { describe, expect, it } from "vitest"
import { openLog } from "../../src/log/store.ts"
import { framesOf, segmentsOf } from "../support/frames.ts"
import { FakeClock, linesOf, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random, scaled } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** Clocks of machines jump, freeze and run backwards; the log's times never fall, and syncing follows a clock that cannot. */

const hour = 3_600_000
const start = (seed = 1) => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const options = logOptions({ segmentBytes: 16_384 })
  const writer = new Writer(openLog(disk, clock, options), clock, new Random(seed))
  const write = (): void => {
    writer.append(1)
    writer.commit()
  }
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(50)
      writer.tick()
      disk.runPending()
      writer.observe()
    }
  }
  const frames = () => segmentsOf(disk.files()).flatMap((name) => framesOf(disk.bytes(name)))
  const steps = (): number => frames().filter((frame) => frame.type === "CONTROL").length
  const times = (): Array<number> => {
    const found: Array<number> = []
    for (const batch of writer.log.read(1)) found.push(batch.time)
    return found
  }
  return { disk, clock, options, writer, write, pass, frames, steps, times }
}
const rising = (times: ReadonlyArray<number>): boolean => times.every((time, i) => i === 0 || time >= times[i - 1]!)

describe("the clock", () => {
  it("going back by more than a second is recorded once, and times stand still until it has caught up", () => {
    const { clock, steps, times, write } = start()
    write()
    clock.wall -= hour
    write()
    write()
    clock.wall += 1000
    write()
    expect(rising(times())).toBe(true)
    expect(new Set(times()).size).toBe(1)
    expect(steps()).toBe(1)
    clock.wall += 2 * hour
    write()
    expect(times().at(-1)).toBe(clock.wall)
  })

  it("going back by less than a second is only smoothed", () => {
    const { clock, steps, times, write } = start()
    write()
    for (const back of [1, 10, 999]) {
      clock.wall -= back
      write()
      clock.wall += back
    }
    expect(rising(times())).toBe(true)
    expect(steps()).toBe(0)
  })

  it("jumping by an hour or a year either way, standing still or leaping keeps times in order (30 runs)", () => {
    forSeeds(scaled(30), (random, seed) => {
      const { clock, options, pass, times, write, writer, disk, frames } = start(seed)
      for (let i = 0; i < 60; i++) {
        write()
        const jump = random.pick([0, 0, 1, 1000, -1000, hour, -hour, 365 * 24 * hour, -365 * 24 * hour, -1])
        clock.wall = Math.max(0, clock.wall + jump)
        if (random.chance(0.4)) pass(random.pick([50, 300, 1100]))
      }
      expect(rising(times())).toBe(true)
      expect(rising(frames().filter((frame) => frame.type === "BATCHES").map((frame) => frame.time))).toBe(true)
      expect(linesOf(writer.log)).toEqual(writer.lines)
      expect(writer.log.failure()).toBeUndefined()
      writer.log.close()
      const outcome = outcomeOf(disk, options, clock)
      expect("lines" in outcome && outcome.lines).toEqual(writer.lines)
    })
  })

  it("behind the last recorded time at start: new batches are not older than what the log holds", () => {
    const { disk, clock, options, write, writer } = start()
    write()
    const last = clock.wall
    writer.log.close()
    const early = new FakeClock(last - 24 * hour)
    const again = new Writer(openLog(disk, early, options), early, new Random(5))
    again.append(1)
    again.commit()
    const times: Array<number> = []
    for (const batch of again.log.read(1)) times.push(batch.time)
    expect(times).toEqual([last, last])
  })

  it("of the wall does not matter to syncing: everysec keeps its second while the date jumps or freezes", () => {
    for (const jump of [-hour, hour, 0]) {
      const { clock, disk, write, writer } = start()
      let worst = 0
      for (let i = 0; i < 200; i++) {
        write()
        clock.mono += 50
        clock.wall += jump
        writer.tick()
        disk.runPending()
        writer.observe()
        worst = Math.max(worst, writer.lines.length - writer.durable)
      }
      expect(worst, `wall clock moving by ${jump} per tick`).toBeLessThanOrEqual(22) // 50 ms per write: a second is 20
      expect(writer.log.status().fsyncs).toBeGreaterThan(5)
    }
  })

  it("idle for 200 ms after a sync writes one SYNC frame that vouches for everything, and no more of them", () => {
    const { frames, pass, write, writer } = start()
    write()
    pass(1100)
    pass(400)
    const sync = frames().filter((frame) => frame.type === "SYNC")
    expect(sync.length).toBe(1)
    const before = frames().length
    pass(5000)
    expect(frames().length).toBe(before)
    const last = sync[0]!
    const batches = frames().find((frame) => frame.type === "BATCHES")!
    expect(last.position - last.lag).toBeGreaterThanOrEqual(batches.position + batches.length)
    expect(writer.durable).toBe(1)
  })
})
