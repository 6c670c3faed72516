import { describe, expect, it } from "vitest"
import { openLog, type SyncPolicy } from "../../src/log/store.ts"
import { framesOf, segmentsOf } from "../support/frames.ts"
import { FakeClock, linesOf, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random, scaled } from "../support/random.ts"
import { endOfFrames } from "../support/sample-log.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** How a running log reacts to each kind of failure of its disk, row by row of the contract's table. */

const start = (policy: SyncPolicy, changed: Partial<ReturnType<typeof logOptions>> = {}) => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const warnings: Array<string> = []
  const options = logOptions({
    policy,
    segmentBytes: 16_384,
    warn: (message) => void warnings.push(message),
    ...changed
  })
  const writer = new Writer(openLog(disk, clock, options), clock, new Random(9))
  const write = (batches = 1): void => {
    for (let i = 0; i < batches; i++) writer.append(2)
    writer.commit()
  }
  /** Time passes, with a tick every 50 ms; syncs complete at once. */
  const pass = (ms: number, sync = true): void => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(50)
      writer.tick()
      if (sync) disk.runPending()
      writer.observe()
    }
  }
  const active = (): string => segmentsOf(disk.files()).at(-1)!
  const reopened = (from = disk) => {
    const outcome = outcomeOf(from, options, clock)
    if (!("lines" in outcome)) throw new Error(outcome.message)
    return outcome
  }
  return { disk, clock, options, writer, write, pass, active, reopened, warnings, log: writer.log }
}

describe("an append that finds no space", () => {
  for (const fault of [{ code: "ENOSPC" }, { code: "EDQUOT" }, { short: 50 }, { short: 1 }] as const) {
    const name = "code" in fault ? fault.code : `a write of ${fault.short} bytes`
    it(`${name}: writes are refused, reads live, and it recovers by itself`, () => {
      const { disk, log, pass, reopened, write, writer, active } = start("everysec")
      write(3)
      pass(1100)
      const whole = disk.bytes(active())
      const acked = writer.acked
      const planted = disk.fail({ operation: "write", file: /\.evl$/, times: Infinity, ...fault })
      write(2)
      expect(log.failure()?._tag).toBe("LogUnavailable")
      expect(log.failure()?.reason).not.toBe("")
      expect(writer.acked, "nothing new is acknowledged").toBe(acked)
      expect(endOfFrames(framesOf(disk.bytes(active()))), "cut back to whole frames").toBe(disk.bytes(active()).length)
      expect(disk.bytes(active())).toEqual(whole)
      expect(linesOf(log).slice(0, acked), "reads live").toEqual(writer.lines.slice(0, acked))
      expect(log.status().lastWriteOk).toBe(false)
      const before = planted.failed()
      pass(1000)
      expect(planted.failed() - before, "tried about every 100 ms").toBeGreaterThanOrEqual(8)
      expect(planted.failed() - before).toBeLessThanOrEqual(12)
      expect(log.failure()).toBeDefined()
      planted.heal()
      pass(2000)
      expect(log.failure()).toBeUndefined()
      expect(writer.acked, "what waited is acknowledged").toBe(writer.lines.length)
      expect(log.status().lastWriteOk).toBe(true)
      write(1)
      pass(1100)
      log.abandon()
      expect(reopened().lines).toEqual(writer.lines)
    })
  }

  it("once is over after one retry", () => {
    const { disk, log, pass, write, writer } = start("everysec")
    disk.fail({ operation: "write", file: /\.evl$/, code: "ENOSPC" })
    write(2)
    expect(log.failure()).toBeDefined()
    pass(150)
    expect(log.failure()).toBeUndefined()
    expect(writer.acked).toBe(2)
  })

  it("on a disk that really fills up, at any byte: nothing acknowledged is lost, and space makes it go on", () => {
    forSeeds(scaled(120), (random) => {
      const policy = random.pick<SyncPolicy>(["always", "everysec", "no"])
      const { disk, log, pass, write, writer, reopened } = start(policy, { segmentBytes: 4096 })
      const full = disk.used() + random.between(0, 14_000)
      disk.capacity = full
      for (let i = 0; i < 300 && log.failure() === undefined; i++) {
        write(random.between(1, 3))
        if (random.chance(0.2)) pass(150)
        disk.runPending()
        writer.observe()
      }
      if (writer.fatal !== undefined) throw new Error(`a full disk ended the process: ${String(writer.fatal)}`)
      expect(log.failure(), "refused when full").toBeDefined()
      pass(random.pick([100, 700, 1500]))
      expect(linesOf(log).slice(0, writer.acked)).toEqual(writer.lines.slice(0, writer.acked))
      disk.capacity = Infinity
      pass(2000)
      expect(log.failure()?.reason).toBeUndefined()
      write(2)
      pass(1100)
      expect(writer.acked).toBe(writer.lines.length)
      log.abandon()
      disk.kill()
      expect(reopened().lines).toEqual(writer.lines)
    })
  })

  it("then a power cut: a prefix with what was durable", () => {
    forSeeds(scaled(150), (random) => {
      const { disk, log, pass, write, writer, options } = start(random.pick<SyncPolicy>(["always", "everysec"]), {
        segmentBytes: 4096
      })
      disk.capacity = disk.used() + random.between(500, 9000)
      for (let i = 0; i < 100 && log.failure() === undefined; i++) {
        write(2)
        if (random.chance(0.3)) pass(400)
      }
      pass(300)
      if (random.chance(0.5)) {
        disk.capacity = Infinity
        pass(random.pick([50, 100, 400]), random.chance(0.5))
      }
      writer.observe()
      const outcome = outcomeOf(disk.afterCrash(random), options)
      if (!("lines" in outcome)) throw new Error(outcome.message)
      expect(outcome.lines).toEqual(writer.lines.slice(0, outcome.lines.length))
      expect(outcome.lines.length).toBeGreaterThanOrEqual(writer.durable)
    })
  })
})

describe("an fsync that fails", () => {
  it("always: nothing of that turn is released, and the owner is told to end the process", () => {
    for (let nth = 1; nth <= 12; nth++) {
      const { disk, log, reopened, write, writer } = start("always")
      disk.fail({ operation: "fdatasync", nth })
      for (let i = 0; i < 30 && writer.fatal === undefined; i++) {
        write(2)
        disk.runPending()
        writer.observe()
      }
      expect(writer.fatal, "told").toBeDefined()
      const acked = writer.acked
      expect(acked, "the turn whose sync failed is not released").toBeLessThan(writer.lines.length)
      disk.runPending()
      writer.tick()
      disk.runPending()
      writer.observe()
      expect(writer.acked, "nor later").toBe(acked)
      log.abandon()
      const crashed = disk.afterCrash(new Random(nth))
      disk.kill()
      expect(reopened().lines.length).toBeGreaterThanOrEqual(acked)
      const outcome = reopened(crashed)
      expect(outcome.lines).toEqual(writer.lines.slice(0, outcome.lines.length))
      expect(outcome.lines.length).toBeGreaterThanOrEqual(acked)
    }
  })

  it("everysec: that file is never synced again; its unsynced frames are made durable in a fresh one, and writes go on", () => {
    forSeeds(scaled(40), (random) => {
      const { disk, log, pass, reopened, write, writer, warnings } = start("everysec")
      const turns = random.between(0, 4)
      for (let i = 0; i < turns; i++) {
        write(random.between(1, 4))
        pass(1100)
      }
      const failures = random.between(1, 3)
      const planted = disk.fail({ operation: "fdatasync", file: /\.evl$/, times: failures })
      write(3)
      pass(1100) // the sync fails in here
      for (let i = 0; i < 4 && log.failure() === undefined; i++) {
        write(1)
        pass(1100)
      }
      pass(2000)
      expect(planted.failed()).toBe(failures)
      expect(warnings.join("\n")).toMatch(/fdatasync.*EIO/)
      expect(log.failure()).toBeUndefined()
      expect(disk.blindSyncs, "a file whose fsync failed is never synced again").toBe(0)
      expect(writer.acked).toBe(writer.lines.length)
      expect(writer.durable, "made durable elsewhere").toBe(writer.lines.length)
      forSeeds(20, (cut) => {
        const outcome = reopened(disk.afterCrash(cut))
        expect(outcome.lines).toEqual(writer.lines)
      })
      write(2)
      pass(1100)
      log.abandon()
      disk.kill()
      expect(reopened().lines).toEqual(writer.lines)
    })
  })

  it("everysec: while the fresh segment cannot be made, writes are refused and nothing below the mark is lost", () => {
    forSeeds(scaled(60), (random) => {
      const { disk, log, pass, options, write, writer } = start("everysec")
      write(2)
      pass(1100)
      disk.fail({ operation: "fdatasync", file: /\.evl$/ })
      const blocked = disk.fail({
        operation: random.pick(["open", "write", "fsync", "rename", "syncFolder"]),
        times: Infinity,
        code: random.pick(["EIO", "ENOSPC", "EMFILE"])
      })
      write(2)
      pass(1100)
      pass(500)
      expect(log.failure(), "refused").toBeDefined()
      const outcome = outcomeOf(disk.afterCrash(random), options)
      if (!("lines" in outcome)) throw new Error(outcome.message)
      expect(outcome.lines.length).toBeGreaterThanOrEqual(writer.durable)
      expect(outcome.lines).toEqual(writer.lines.slice(0, outcome.lines.length))
      blocked.heal()
      pass(2000)
      expect(log.failure()?.reason).toBeUndefined()
      write(1)
      pass(1100)
      expect(writer.acked).toBe(writer.lines.length)
      expect(writer.durable).toBe(writer.lines.length)
      log.abandon()
      const crashed = outcomeOf(disk.afterCrash(random), options)
      expect("lines" in crashed && crashed.lines).toEqual(writer.lines)
    })
  })

  it("everysec: a power cut at any call of the repair loses nothing below the mark and is never called damage", () => {
    forSeeds(scaled(60), (random) => {
      const { disk, pass, options, write, writer } = start("everysec", { segmentBytes: 4096 })
      for (let i = random.between(1, 8); i > 0; i--) {
        write(random.between(1, 3))
        if (random.chance(0.5)) pass(1100)
      }
      disk.fail({ operation: "fdatasync", file: /\.evl$/, times: random.between(1, 2) })
      write(3)
      const states: Array<{ after: SimDisk; durable: number; call: string }> = []
      disk.onOperation = (operation, name, call) => {
        states.push({ after: disk.afterCrash(random), durable: writer.durable, call: `${call} ${operation} ${name}` })
      }
      pass(1100)
      write(1)
      pass(2100)
      for (const { after, call, durable } of states) {
        const outcome = outcomeOf(after, options)
        if (!("lines" in outcome)) throw new Error(`cut at ${call}: ${outcome.message}\n${disk.history()}`)
        expect(outcome.lines, `cut at ${call}`).toEqual(writer.lines.slice(0, outcome.lines.length))
        expect(outcome.lines.length, `cut at ${call}`).toBeGreaterThanOrEqual(durable)
      }
    })
  })

  it("an append that fails with EIO counts as a failed fsync", () => {
    const always = start("always")
    always.write()
    always.disk.runPending()
    always.disk.fail({ operation: "write", file: /\.evl$/, code: "EIO" })
    always.write()
    always.disk.runPending()
    always.writer.tick()
    expect(always.writer.fatal).toBeDefined()

    const everysec = start("everysec")
    everysec.write(2)
    everysec.pass(1100)
    everysec.write(1)
    everysec.disk.fail({ operation: "write", file: /\.evl$/, code: "EIO" })
    everysec.write(1)
    everysec.pass(2000)
    expect(everysec.warnings.join("\n")).toMatch(/EIO/)
    expect(everysec.log.failure()).toBeUndefined()
    expect(everysec.writer.acked).toBe(everysec.writer.lines.length)
    expect(everysec.writer.durable).toBe(everysec.writer.lines.length)
    everysec.log.abandon()
    forSeeds(20, (cut) => expect(everysec.reopened(everysec.disk.afterCrash(cut)).lines).toEqual(everysec.writer.lines))
  })
})

describe("a segment that cannot be rotated", () => {
  it("is kept up to twice its size, then writes are refused until it can", () => {
    const { disk, log, pass, reopened, write, writer, active } = start("everysec", { segmentBytes: 4096 })
    write(1)
    const first = active()
    const blocked = disk.fail({ operation: "open", file: /\.tmp$/, times: Infinity, code: "EMFILE" })
    let turns = 0
    for (; turns < 400 && log.failure() === undefined; turns++) {
      write(1)
      if (turns % 10 === 0) pass(50)
    }
    expect(log.failure(), "refused in the end").toBeDefined()
    expect(active()).toBe(first)
    const size = disk.bytes(first).length
    expect(size).toBeGreaterThan(4096)
    expect(size).toBeLessThanOrEqual(2 * 4096 + 600)
    pass(1000)
    blocked.heal()
    pass(2000)
    expect(log.failure()?.reason).toBeUndefined()
    write(1)
    pass(1100)
    expect(writer.acked).toBe(writer.lines.length)
    expect(active()).not.toBe(first)
    log.abandon()
    expect(reopened().lines).toEqual(writer.lines)
  })

  it("for a moment only costs nothing", () => {
    const { disk, log, pass, reopened, write, writer, active } = start("everysec", { segmentBytes: 4096 })
    const first = active()
    disk.fail({ operation: "open", file: /\.tmp$/, code: "EMFILE" })
    for (let i = 0; i < 100; i++) {
      expect(log.failure()).toBeUndefined()
      write(1)
      pass(50)
    }
    expect(active()).not.toBe(first)
    log.abandon()
    expect(reopened().lines).toEqual(writer.lines)
  })
})

describe("a manifest that cannot be written", () => {
  it("stays as it was, leaves no temporary, and writes go on", () => {
    for (const operation of ["open", "write", "fsync", "rename"] as const) {
      const { disk, log, pass, reopened, write, writer } = start("everysec", { segmentBytes: 4096 })
      write(1)
      pass(1100)
      const before = disk.bytes("MANIFEST")
      const blocked = disk.fail({ operation, file: /^MANIFEST/, times: Infinity, code: "EIO" })
      for (let i = 0; i < 60; i++) {
        write(1)
        pass(100)
        expect(log.failure(), `${operation} fails`).toBeUndefined()
      }
      expect(segmentsOf(disk.files()).length).toBeGreaterThan(1)
      const kept = disk.exists("MANIFEST") ? disk.bytes("MANIFEST") : disk.bytes("MANIFEST.prev")
      expect(kept).toEqual(before)
      expect(disk.files()).not.toContain("MANIFEST.tmp")
      const killed = disk.settled()
      expect(reopened(killed).lines).toEqual(writer.lines)
      blocked.heal()
      pass(1000)
      log.close()
      expect(reopened().lines).toEqual(writer.lines)
    }
  })
})

describe("a load whose reads fail", () => {
  it("tries again, and refuses with exit code 3 after the third time", () => {
    const { disk, log, options, write, writer, clock } = start("everysec")
    write(5)
    log.close()
    for (const times of [1, 2]) {
      const copy = disk.settled()
      copy.fail({ operation: "read", file: /\.evl$/, times })
      const outcome = outcomeOf(copy, options, clock)
      expect("lines" in outcome && outcome.lines, `${times} failing reads`).toEqual(writer.lines)
    }
    const copy = disk.settled()
    const lasting = copy.fail({ operation: "read", file: /\.evl$/, times: Infinity })
    const outcome = outcomeOf(copy, options, clock)
    expect(outcome.verdict).toBe("corrupt")
    expect("error" in outcome && outcome.error).toMatchObject({ exitCode: 3 })
    expect(lasting.failed()).toBe(3)
    lasting.heal()
    const healed = outcomeOf(copy, options, clock)
    expect("lines" in healed && healed.lines).toEqual(writer.lines)
  })
})

describe("a slow disk", () => {
  it("everysec: never more than two seconds of acknowledged writes are unsynced", () => {
    let delayed = 0
    forSeeds(30, (random) => {
      const { disk, log, pass, write, writer, options } = start("everysec")
      for (let i = 0; i < 200; i++) {
        if (log.failure() === undefined) write(1)
        pass(random.pick([50, 100, 50]), false)
        if (random.chance(0.02)) disk.runPending(1)
        writer.observe()
        if (writer.acked > writer.durable) {
          const span = writer.releasedAt[writer.acked - 1]! - writer.releasedAt[writer.durable]!
          expect(span, "time over which unsynced writes were acknowledged").toBeLessThanOrEqual(2000)
        }
      }
      disk.runPending()
      pass(2500)
      expect(log.failure()?.reason).toBeUndefined()
      delayed += log.status().delayedFsyncs
      const outcome = outcomeOf(disk.settled(), options)
      expect("lines" in outcome && outcome.lines).toEqual(writer.lines)
    })
    expect(delayed, "writes that had to wait").toBeGreaterThan(30)
  })

  it("always: replies wait for the sync that covers them, one sync at a time, and writes go on meanwhile", () => {
    const { disk, write, writer } = start("always")
    write(2)
    expect(writer.acked).toBe(0)
    write(2)
    write(2)
    expect(writer.acked).toBe(0)
    expect(disk.pending).toBe(1)
    disk.runPending()
    writer.observe()
    expect(writer.acked).toBe(2)
    expect(disk.pending, "the frames that came meanwhile share the next sync").toBe(1)
    disk.runPending()
    writer.observe()
    expect(writer.acked).toBe(6)
    expect(disk.pending).toBe(0)
  })
})
