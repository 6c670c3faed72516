/** An executor over a log on a simulated disk, with checkpoints made by hand, slice by slice. */
import type { ControlPorts } from "../../src/commands/executor/executor-ports.ts"
import { CommandExecutor } from "../../src/commands/executor/executor.ts"
import type { CheckpointReader } from "../../src/log/checkpoint-reader.ts"
import type { CheckpointInfo } from "../../src/log/checkpoint-store.ts"
import type { CheckpointWriter } from "../../src/log/checkpoint-writer.ts"
import type { Disk } from "../../src/log/disk.ts"
import { type LogOptions, type OpenedLog, openLog } from "../../src/log/store.ts"
import { ReplyBuffer } from "../../src/net/resp/encoder.ts"
import { CheckpointLoad } from "../../src/projections/checkpoint-load.ts"
import { CheckpointWalk } from "../../src/projections/checkpoint.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { replay } from "../../src/projections/replay.ts"
import { argvOf, TestConnection } from "./harness.ts"
import { FakeClock, logOptions } from "./log-writer.ts"
import type { Random } from "./random.ts"
import { randomRequest, randomTransaction, workloadDatabases } from "./workload.ts"

/** A checkpoint under way. */
export interface Running {
  readonly sequence: number
  /** What it has to hold. */
  readonly digest: string
  readonly writer: CheckpointWriter
  readonly walk: CheckpointWalk
}

/** See the head of this file. */
export class CheckpointWorld {
  readonly clock = new FakeClock()
  readonly random: Random
  readonly disk: Disk
  readonly options: LogOptions
  readonly log: OpenedLog
  readonly keyspace: Keyspace
  readonly executor: CommandExecutor
  readonly connection: TestConnection
  private readonly out = new ReplyBuffer()

  constructor(random: Random, disk: Disk, options: Partial<LogOptions> = {}) {
    this.random = random
    this.disk = disk
    this.options = logOptions({ policy: "no", segmentBytes: 16_384, ...options })
    this.log = openLog(disk, this.clock, this.options)
    this.keyspace = new Keyspace(workloadDatabases, { k0: random.uint32(), k1: random.uint32() })
    replay(this.keyspace, this.log.read(1))
    this.executor = new CommandExecutor({
      keyspace: this.keyspace,
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      seed: random.uint32(),
      log: this.log
    })
    this.executor.attach({} as ControlPorts) // none of the workload's commands asks for them
    this.connection = new TestConnection(1, this.clock.now())
  }

  run(...words: ReadonlyArray<string>): string {
    this.executor.beginChunk()
    this.executor.execute(this.connection, argvOf(words), this.out)
    this.executor.endChunk()
    return Buffer.concat(this.out.take().map((chunk) => Buffer.from(chunk))).toString("latin1")
  }

  /** Some random requests, expiry included. */
  work(requests: number): void {
    const { clock, random } = this
    for (let i = 0; i < requests; i++) {
      if (random.chance(0.1)) this.connection.client.db = random.below(workloadDatabases)
      if (!random.chance(0.05)) this.run(...randomRequest(random, clock.now()))
      else for (const request of randomTransaction(random, clock.now())) this.run(...request)
      if (random.chance(0.1)) clock.advance(random.below(100))
      if (random.chance(0.02)) this.executor.expire(1)
    }
    this.log.commit()
  }

  begin(blocking: boolean): Running {
    this.log.commit()
    const { chainHead, lsn, sequence } = this.log.status()
    const writer = this.log.checkpoints.begin({
      sequence,
      lsn,
      created: this.clock.now(),
      chain: chainHead,
      hashSeed: this.keyspace.seed,
      blocking
    })
    const walk = new CheckpointWalk(this.keyspace, writer)
    return { sequence, digest: stateDigest(this.keyspace), writer, walk }
  }

  /** The steps after the walk, all at once. */
  publish({ walk, writer }: Running): CheckpointInfo {
    writer.end(walk.databases)
    writer.syncNow()
    writer.close()
    if (writer.failure !== undefined) throw writer.failure
    if (!this.log.sync(true)) throw new Error("the log cannot be synced")
    readThrough(this.log.checkpoints.readBack(writer))
    const steps = this.log.checkpoints.publishing(writer)
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
  }

  /** A checkpoint without anything in between. */
  checkpoint(): CheckpointInfo {
    const running = this.begin(true)
    while (!running.walk.slice(1000, 1 << 20));
    return this.publish(running)
  }

  /** What a checkpoint holds, under the same or another hash key. */
  load(sequence: number, sameKey = true): Keyspace {
    const reader = this.log.checkpoints.open(sequence)
    const seed = sameKey ? reader.header.hashSeed : { k0: this.random.uint32(), k1: 3 }
    const keyspace = new Keyspace(this.random.pick([1, workloadDatabases, 16]), seed)
    try {
      const load = new CheckpointLoad(keyspace, reader)
      while (!load.slice());
    } finally {
      reader.close()
    }
    return keyspace
  }
}

/** Reads all frames of a checkpoint, and closes it. */
export const readThrough = (reader: CheckpointReader): void => {
  try {
    while (reader.next());
  } finally {
    reader.close()
  }
}
