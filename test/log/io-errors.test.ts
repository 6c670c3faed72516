import { describe, expect, it } from "vitest"
import { DiskError } from "../../src/log/disk.ts"
import { type OpenedLog, openLog, type SyncPolicy } from "../../src/log/store.ts"
import { FakeClock, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { type Operation, SimDisk } from "../support/sim-disk.ts"

/**
 * Every call of the disk fails in turn, once or for good, with every errno, in every phase of a log's life. Nothing but
 * typed errors comes out; what had been acknowledged stays; when the disk is well again so is the log, without a restart
 * except where the contract says that the process ends.
 */

const errnos = ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EMFILE", "EACCES", "EINTR", "short"] as const
type Errno = typeof errnos[number]

const faulty: ReadonlyArray<Operation> = [
  "open",
  "write",
  "read",
  "fdatasync",
  "fsync",
  "stat",
  "truncate",
  "list",
  "rename",
  "unlink",
  "makeFolder",
  "syncFolder"
]

interface Scene {
  readonly policy: SyncPolicy
  readonly disk: SimDisk
  readonly clock: FakeClock
  writer: Writer | undefined
  readonly options: ReturnType<typeof logOptions>
  /** Batches that must be there whatever fails later. */
  base: ReadonlyArray<string>
}

const typed = (error: unknown): boolean =>
  error instanceof DiskError ||
  ["LogCorrupt", "LogFormatTooNew", "LogLocked"].includes((error as { _tag: string })._tag)

const write = (scene: Scene, frames: number): void => {
  const { writer } = scene
  for (let i = 0; i < frames && writer!.log.failure() === undefined; i++) {
    writer!.append(2)
    writer!.append(1)
    writer!.commit()
    scene.disk.runPending()
    writer!.observe()
  }
}

const pass = (scene: Scene, ms: number): void => {
  for (let left = ms; left > 0; left -= 50) {
    scene.clock.advance(50)
    scene.writer!.tick()
    scene.disk.runPending()
    scene.writer!.observe()
  }
}

const open = (scene: Scene): void => {
  const log: OpenedLog = openLog(scene.disk, scene.clock, scene.options)
  if (scene.writer === undefined) scene.writer = new Writer(log, scene.clock, new Random(4))
  else scene.writer.adopt(log)
}

/** Prepares a disk without faults; what follows runs with them. */
const scenarios: Readonly<Record<string, { prepare: (scene: Scene) => void; run: (scene: Scene) => void }>> = {
  "a new log": { prepare: () => {}, run: open },
  "opening a clean log": {
    prepare: (scene) => {
      open(scene)
      write(scene, 20)
      scene.writer!.log.close()
    },
    run: open
  },
  "opening a torn log": {
    prepare: (scene) => {
      open(scene)
      write(scene, 20)
      scene.writer!.log.abandon()
      const name = scene.disk.files().filter((file) => file.endsWith(".evl")).at(-1)!
      scene.disk.put(name, Buffer.concat([scene.disk.bytes(name), Buffer.from("EV1 half a frame")]))
    },
    run: open
  },
  "writing": {
    prepare: open,
    run: (scene) => {
      write(scene, 6)
      pass(scene, 100)
    }
  },
  "writing across rotations": {
    prepare: (scene) => {
      open(scene)
      write(scene, 10)
    },
    run: (scene) => {
      write(scene, 40)
      pass(scene, 1200)
    }
  },
  "syncing": {
    prepare: (scene) => {
      open(scene)
      write(scene, 3)
    },
    run: (scene) => {
      write(scene, 2)
      pass(scene, 2500)
      write(scene, 2)
      pass(scene, 1100)
    }
  },
  "reading": {
    prepare: (scene) => {
      open(scene)
      write(scene, 40)
      pass(scene, 1200)
    },
    run: (scene) => {
      try {
        for (const _ of scene.writer!.log.read(1));
      } catch (error) {
        if (!typed(error)) throw error
      }
      write(scene, 2)
    }
  },
  "closing": {
    prepare: (scene) => {
      open(scene)
      write(scene, 10)
    },
    run: (scene) => {
      try {
        scene.writer!.log.close()
      } catch (error) {
        if (!typed(error)) throw error
      }
    }
  }
}

const policies: ReadonlyArray<SyncPolicy> = ["always", "everysec"]

/** One cell: the N-th call fails. Returns false once the scenario makes fewer than N such calls. */
const cell = (
  name: string,
  policy: SyncPolicy,
  operation: Operation,
  errno: Errno,
  lasting: boolean,
  nth: number
): boolean => {
  const scene: Scene = {
    policy,
    disk: new SimDisk(),
    clock: new FakeClock(),
    writer: undefined,
    options: logOptions({ policy, segmentBytes: 4096 }),
    base: []
  }
  const { disk, clock } = scene
  scenarios[name]!.prepare(scene)
  scene.base = scene.writer?.lines.slice(0, scene.writer.acked) ?? []
  const planted = disk.fail({
    operation,
    nth,
    times: lasting ? Infinity : 1,
    ...(errno === "short" ? { short: 3 } : { code: errno })
  })
  let refused: unknown
  try {
    scenarios[name]!.run(scene)
  } catch (error) {
    if (!typed(error)) throw error
    refused = error
  }
  const happened = planted.failed() > 0
  planted.heal()
  const { writer } = scene
  if (refused !== undefined && happened && name.startsWith("opening")) {
    // A load that cannot read reports damage only after it has tried again; anything else is the disk's own error.
    const tag = (refused as { _tag?: string })._tag
    if (tag === "LogCorrupt" && operation !== "read") throw refused
    if (operation === "read" && !lasting) throw new Error("one failing read was not tried again", { cause: refused })
  }
  const acked = writer?.acked ?? 0
  const lines = writer?.lines ?? []
  const mayEnd = writer !== undefined && (name === "closing" || writer.fatal !== undefined)
  if (refused === undefined && writer !== undefined && !mayEnd) {
    // The log must recover by itself within two seconds of simulated time.
    pass(scene, 2000)
    if (writer.fatal === undefined) {
      const failure = writer.log.failure()
      if (failure !== undefined) throw new Error(`still refusing writes: ${failure.reason}`)
      writer.append(1)
      writer.commit()
      disk.runPending()
      pass(scene, 1200)
      if (writer.fatal === undefined && writer.acked !== lines.length) {
        throw new Error(`acknowledged ${writer.acked} of ${lines.length} batches after the disk was well again`)
      }
    }
  }
  const ackedAtEnd = Math.max(acked, writer?.acked ?? 0)
  writer?.log.abandon()
  const afterPower = disk.afterCrash(new Random(nth * 31 + operation.length))
  const durable = writer?.durable ?? 0
  disk.kill()
  for (const [what, state, least] of [["kill -9", disk, ackedAtEnd], ["a power cut", afterPower, durable]] as const) {
    const outcome = outcomeOf(state, scene.options, clock)
    if (!("lines" in outcome)) throw new Error(`after ${what}: ${outcome.message}`)
    if (outcome.lines.length < least) {
      throw new Error(`after ${what}: ${outcome.lines.length} batches, ${least} promised`)
    }
    for (let i = 0; i < outcome.lines.length; i++) {
      if (outcome.lines[i] !== lines[i]) {
        throw new Error(`after ${what}: batch ${i + 1} is ${outcome.lines[i]} instead of ${lines[i]}`)
      }
    }
    const again = outcomeOf(state, scene.options, clock)
    expect(again, `opened again after ${what}`).toMatchObject({
      verdict: outcome.lines.length === 0 ? expect.any(String) : "clean"
    })
  }
  const leftovers = disk.files().filter((file) => file.endsWith(".tmp"))
  if (leftovers.length > 1) throw new Error(`temporaries left behind: ${leftovers.join(" ")}`)
  return happened
}

describe("failing calls", () => {
  let cells = 0
  for (const name of Object.keys(scenarios)) {
    for (const policy of policies) {
      it(`while ${name}, ${policy}: each call, each errno, once and for good`, () => {
        const failures: Array<string> = []
        for (const operation of faulty) {
          for (const errno of errnos) {
            if (errno === "short" && operation !== "write") continue
            for (const lasting of [false, true]) {
              for (let nth = 1; nth < 400; nth++) {
                try {
                  if (!cell(name, policy, operation, errno, lasting, nth)) break
                  cells++
                } catch (error) {
                  const how = `${operation} no. ${nth} ${errno}${lasting ? " for good" : ""}`
                  failures.push(`${how}: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`)
                  if (failures.length > 40) throw new Error(failures.join("\n"), { cause: error })
                }
              }
            }
          }
        }
        expect(failures.join("\n")).toBe("")
      })
    }
  }
  it("covered the matrix", () => expect(cells).toBeGreaterThan(5000))
})
