import { describe, expect, it } from "vitest"
import { openLog, type SyncPolicy } from "../../src/log/store.ts"
import { breach, Life, PowerCut } from "../support/log-life.ts"
import { FakeClock, linesOf, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random, scaled } from "../support/random.ts"
import type { SimDisk } from "../support/sim-disk.ts"

/**
 * Power cuts at any call of the disk, leaving any state POSIX allows. Whatever is left, the log opens without calling it
 * damage, holds a prefix of what was written, whole batches only, and all of what was promised.
 */

const policies: ReadonlyArray<SyncPolicy> = ["always", "everysec", "no"]

/** A recovered log must be as good as any: it opens again, takes writes and closes cleanly. */
const usableAgain = (disk: SimDisk, policy: SyncPolicy, expected: ReadonlyArray<string>, seed: number): void => {
  const clock = new FakeClock(1_790_000_500_000)
  const options = logOptions({ policy })
  const writer = new Writer(openLog(disk, clock, options), clock, new Random(seed))
  expect(writer.log.recovery.verdict, "opened again").not.toBe("torn")
  expect(writer.log.recovery.tornBytes).toBe(0)
  for (let i = 0; i < 3; i++) writer.append(2)
  writer.commit()
  disk.runPending()
  writer.log.close()
  disk.runPending()
  const outcome = outcomeOf(disk, options, clock)
  if (!("lines" in outcome)) throw new Error(`after recovery and a clean close: ${outcome.message}`)
  expect(outcome.verdict).toBe("clean")
  expect(outcome.lines.slice(0, expected.length)).toEqual(expected)
  expect(outcome.lines.slice(expected.length)).toEqual(writer.lines.slice(expected.length))
}

describe("power cuts", () => {
  for (const policy of [...policies, "changing"] as const) {
    it(`${policy}: every crash state recovers to a prefix with all that was promised`, () => {
      let states = 0
      const verdicts = { new: 0, clean: 0, torn: 0 }
      for (let seed = 1; states < scaled(5000); seed++) {
        forSeeds(1, (random) => {
          const life = new Life(random, policy === "changing" ? "everysec" : policy, 0.12)
          life.changing = policy === "changing"
          const steps = random.between(5, 60)
          for (let step = 0; step <= steps; step++) {
            if (step > 0) life.step()
            if (random.chance(0.2)) life.capture()
            for (const state of life.drain()) {
              const outcome = outcomeOf(state.disk, life.options)
              const wrong = breach(state, outcome, policy, life.writer.lines)
              if (wrong !== undefined) {
                throw new Error(
                  `step ${step}, cut at ${state.during}: ${wrong}\n` +
                    `written to the end:\n${life.disk.history()}\nrecovery:\n${state.disk.history()}`
                )
              }
              if (!("lines" in outcome)) return
              verdicts[outcome.verdict]++
              states++
              if (states % 10 === 0) usableAgain(state.disk, life.writer.policy, outcome.lines, seed)
            }
          }
          life.writer.log.abandon()
        }, { first: seed })
      }
      expect(verdicts.clean).toBeGreaterThan(500)
      expect(verdicts.torn).toBeGreaterThan(500)
    })
  }

  it("during recovery, and during the recovery from that, change nothing about what is recovered", () => {
    let cuts = 0
    forSeeds(scaled(2000), (random, seed) => {
      const policy = random.pick(policies)
      const life = new Life(random, policy)
      for (let step = random.between(3, 25); step > 0; step--) life.step()
      for (let i = random.between(1, 6); i > 0 && life.writer.log.failure() === undefined; i--) life.writer.append(2)
      life.writer.commit()
      let disk = life.disk.afterCrash(random)
      life.writer.log.abandon()
      const expected = outcomeOf(disk.settled(), life.options)
      if (!("lines" in expected)) throw new Error(expected.message)
      for (let depth = 1; depth <= 3; depth++) {
        const whole = disk.settled()
        openLog(whole, new FakeClock(), life.options).abandon()
        const at = random.between(1, whole.calls)
        const trial = disk.settled()
        trial.onOperation = (_operation, _name, call) => {
          if (call >= at) throw new PowerCut(`power cut at call ${at}`)
        }
        try {
          openLog(trial, new FakeClock(), life.options).abandon()
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error
        }
        disk = trial.afterCrash(random)
        cuts++
        const again = outcomeOf(disk.settled(), life.options)
        if (!("lines" in again)) throw new Error(`depth ${depth}, call ${at}: ${again.message}\n${trial.history()}`)
        expect(again.lines, `depth ${depth}, call ${at}`).toEqual(expected.lines)
      }
      if (seed % 10 === 0) {
        const log = openLog(disk, new FakeClock(), life.options)
        expect(linesOf(log)).toEqual(expected.lines)
        log.abandon()
        usableAgain(disk, policy, expected.lines, seed)
      }
    })
    expect(cuts).toBe(scaled(6000))
  })

  it("at each call of one recovery in turn", () => {
    forSeeds(scaled(12), (random) => {
      const life = new Life(random, "everysec")
      for (let step = 0; step < 30; step++) life.step()
      for (let i = 0; i < 3 && life.writer.log.failure() === undefined; i++) life.writer.append()
      life.writer.commit()
      const disk = life.disk.afterCrash(random)
      const whole = disk.settled()
      const expected = outcomeOf(whole, life.options)
      if (!("lines" in expected)) throw new Error(expected.message)
      const probe = disk.settled()
      openLog(probe, new FakeClock(), life.options).abandon()
      for (let at = 1; at <= probe.calls; at++) {
        const trial = disk.settled()
        trial.onOperation = (_operation, _name, call) => {
          if (call >= at) throw new PowerCut(`power cut at call ${at}`)
        }
        try {
          openLog(trial, new FakeClock(), life.options).abandon()
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error
        }
        for (let variant = 0; variant < 3; variant++) {
          const again = outcomeOf(trial.afterCrash(random), life.options)
          if (!("lines" in again)) throw new Error(`call ${at}: ${again.message}`)
          expect(again.lines, `call ${at}`).toEqual(expected.lines)
        }
      }
    })
  })
})
