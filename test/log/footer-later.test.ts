import { describe, expect, it } from "vitest"
import { readFooter } from "../../src/log/footer.ts"
import { openLog } from "../../src/log/store.ts"
import { framesOf, segmentsOf } from "../support/frames.ts"
import { FakeClock, linesOf, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random, scaled } from "../support/random.ts"
import { endOfFrames } from "../support/sample-log.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** The footer of a large segment comes after the next one has begun: what there is until then, and when it fails. */

const start = (segmentBytes = 16_384) => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const warnings: Array<string> = []
  const options = logOptions({
    policy: "everysec",
    segmentBytes,
    footersLater: true,
    warn: (message) => void warnings.push(message)
  })
  const writer = new Writer(openLog(disk, clock, options), clock, new Random(5))
  const tick = (times: number): void => {
    for (let i = 0; i < times; i++) {
      clock.advance(50)
      writer.tick()
      disk.runPending()
    }
  }
  /** Writes until there is one more segment. */
  const rotate = (): void => {
    const before = segmentsOf(disk.files()).length
    while (segmentsOf(disk.files()).length === before) {
      for (let i = 0; i < 4; i++) writer.append(2)
      writer.commit()
    }
  }
  return { disk, clock, options, writer, tick, rotate, warnings, log: writer.log }
}

const footerOf = (disk: SimDisk, name: string) => {
  const file = disk.open(name, "read")
  try {
    return readFooter(file, file.size())
  } finally {
    file.close()
  }
}

const sealedNames = (disk: SimDisk): ReadonlyArray<string> => segmentsOf(disk.files()).slice(0, -1)

describe("a footer that comes later", () => {
  it("is written by the ticks after the rotation, which itself leaves the frames sealed and no more", () => {
    const { disk, log, rotate, tick, writer } = start()
    rotate()
    const [first] = sealedNames(disk)
    const bytes = disk.bytes(first!)
    expect(framesOf(bytes).at(-1)!.type).toBe("SEAL")
    expect(endOfFrames(framesOf(bytes))).toBe(bytes.length)
    expect(linesOf(log)).toEqual(writer.lines)
    const before = log.status().bytes
    tick(8)
    const footer = footerOf(disk, first!)
    expect(footer?.complete).toBe(true)
    expect([...footer!.counts.values()].reduce((a, b) => a + b)).toBeGreaterThan(0)
    expect(log.status().bytes).toBe(before + disk.bytes(first!).length - bytes.length)
    expect(linesOf(log)).toEqual(writer.lines)
  })

  it("is completed before the next rotation and when the log is closed", () => {
    const { clock, disk, log, options, rotate, writer } = start()
    for (let i = 0; i < 4; i++) rotate()
    for (const name of sealedNames(disk).slice(0, -1)) expect(footerOf(disk, name)?.complete, name).toBe(true)
    expect(footerOf(disk, sealedNames(disk).at(-1)!)).toBeUndefined()
    log.close()
    for (const name of sealedNames(disk)) expect(footerOf(disk, name)?.complete, name).toBe(true)
    const outcome = outcomeOf(disk, options, clock)
    expect("lines" in outcome && outcome.lines).toEqual(writer.lines)
  })

  it("that a kill leaves away, or leaves in part, is completed by the next start", () => {
    forSeeds(scaled(30), (random) => {
      const { clock, disk, options, rotate, tick, writer } = start()
      rotate()
      const [first] = sealedNames(disk)
      const end = disk.bytes(first!).length
      tick(8)
      const whole = disk.bytes(first!)
      const cut = random.between(end, whole.length - 1)
      disk.kill()
      const left = disk.settled()
      left.put(first!, whole.subarray(0, cut))
      const log = openLog(left, clock, options)
      expect(linesOf(log)).toEqual(writer.lines)
      log.close()
      expect(left.bytes(first!)).toEqual(whole)
    })
  })

  for (const operation of ["write", "fdatasync"] as const) {
    it(`is tried again when a ${operation} of it fails, and holds up nothing`, () => {
      const { disk, log, rotate, tick, warnings, writer } = start()
      rotate()
      const [first] = sealedNames(disk)
      const fault = disk.fail({ operation, file: new RegExp(first!), times: Infinity })
      tick(30)
      expect(fault.failed()).toBe(2) // one, and a second one a second later
      expect(log.failure()).toBeUndefined()
      expect(warnings.filter((text) => text.includes("footer"))).toHaveLength(1)
      writer.append(1)
      writer.commit()
      fault.heal()
      tick(30)
      expect(footerOf(disk, first!)?.complete).toBe(true)
      expect(disk.blindSyncs, "never by the descriptor whose sync failed").toBe(0)
      expect(linesOf(log)).toEqual(writer.lines)
    })
  }

  it("that cannot be written at all is left to the next start, and the log goes on", () => {
    const { clock, disk, log, options, rotate, writer } = start()
    rotate()
    const [first] = sealedNames(disk)
    disk.fail({ operation: "write", file: new RegExp(first!), times: Infinity })
    for (let i = 0; i < 2; i++) rotate()
    expect(log.failure()).toBeUndefined()
    expect(linesOf(log)).toEqual(writer.lines)
    disk.kill()
    const again = openLog(disk.settled(), clock, options)
    expect(linesOf(again)).toEqual(writer.lines)
    again.close()
  })
})
