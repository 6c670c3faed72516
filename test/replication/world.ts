/**
 * Servers that replicate over links the test holds in its hands: real logs on simulated disks, real executors, feeds and
 * followers; bytes move when the test says so, in pieces of any size, and links are cut and bytes damaged at any place.
 */
import type { ControlPorts } from "../../src/commands/executor/executor-ports.ts"
import { CommandExecutor } from "../../src/commands/executor/executor.ts"
import type { StreamOutlet, StreamOwner } from "../../src/commands/ports.ts"
import type { FollowTarget } from "../../src/commands/replication/port.ts"
import { CommandTable } from "../../src/commands/table.ts"
import { commandName } from "../../src/log/commands.ts"
import { eachRun } from "../../src/log/following-writer.ts"
import { type LogOptions, type OpenedLog, openLog } from "../../src/log/store.ts"
import { ReplyBuffer } from "../../src/net/resp/encoder.ts"
import { noReply, ReplyError, Status } from "../../src/net/resp/reply.ts"
import { CheckpointRun } from "../../src/persistence/checkpoint-run.ts"
import { StartUp } from "../../src/persistence/start-up.ts"
import { CheckpointWalk } from "../../src/projections/checkpoint.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import type { Dial, LinkEvents } from "../../src/replication/dial.ts"
import { RedisTaker } from "../../src/replication/redis-taker.ts"
import { Replication, type ReplicationSettings } from "../../src/replication/replication.ts"
import { readThrough } from "../support/checkpoint-world.ts"
import { argvOf, TestConnection } from "../support/harness.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { randomRequest, randomTransaction, workloadDatabases } from "../support/workload.ts"

/** What may go wrong with the bytes from primary to replica, counted over the whole link. */
export interface Fault {
  /** The link ends before this byte. */
  readonly cutAt?: number
  /** One bit of this byte is turned. */
  readonly flipAt?: number
}

/** One link between two servers. */
export class SimLink {
  readonly events: LinkEvents
  readonly owner: SimServer
  readonly target: SimServer
  /** Bytes on their way to the replica, and to the primary. */
  down: Array<Buffer> = []
  up: Array<Buffer> = []
  /** Bytes that have come down. */
  passed = 0
  open = true
  reading = true
  /** What the replica says does not arrive. */
  silent = false
  fault: Fault
  private readonly connection: SimConnection

  constructor(owner: SimServer, target: SimServer, events: LinkEvents, id: number, fault: Fault) {
    this.owner = owner
    this.target = target
    this.events = events
    this.fault = fault
    this.connection = new SimConnection(id, target, this)
  }

  get waiting(): number {
    return this.down.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  /** Ends it; both ends hear of it. */
  cut(): void {
    if (!this.open) return
    this.open = false
    this.down = []
    this.up = []
    this.connection.owner?.closed()
    if (this.owner.alive) this.events.closed("cut")
  }

  /** Moves up to so many bytes each way; false when there was nothing to move. */
  move(bytes: number): boolean {
    let moved = false
    if (this.silent) this.up = []
    if (this.up.length > 0) {
      moved = true
      const chunk = this.take(this.up, bytes)
      if (this.target.alive) this.connection.receive(chunk)
    }
    if (!this.open || this.down.length === 0 || !this.reading) return moved
    const { cutAt = Infinity, flipAt = -1 } = this.fault
    if (this.passed >= cutAt) {
      this.cut()
      return true
    }
    const chunk = this.take(this.down, Math.min(bytes, cutAt - this.passed))
    const at = flipAt - this.passed
    if (at >= 0 && at < chunk.length) chunk[at]! ^= 1 << (flipAt % 8)
    this.passed += chunk.length
    const before = this.waiting
    this.events.received(chunk, chunk.length)
    if (before === 0 && this.open) this.connection.owner?.drained()
    return true
  }

  private take(queue: Array<Buffer>, bytes: number): Buffer {
    const first = queue[0]!
    if (first.length <= bytes) {
      queue.shift()
      return Buffer.from(first)
    }
    queue[0] = first.subarray(bytes)
    return Buffer.from(first.subarray(0, bytes))
  }
}

/** The primary's end of a link: requests in, replies or a stream out. */
class SimConnection extends TestConnection {
  owner: StreamOwner | undefined = undefined
  private readonly server: SimServer
  private readonly link: SimLink
  private pending = ""

  constructor(id: number, server: SimServer, link: SimLink) {
    super(id, 0)
    this.server = server
    this.link = link
  }

  override handOver(owner?: StreamOwner): StreamOutlet {
    const { link } = this
    this.owner = owner
    return {
      get waiting() {
        return link.waiting
      },
      send: (bytes, length) => void link.down.push(Buffer.from(bytes.subarray(0, length))),
      destroy: () => link.cut()
    }
  }

  override kill(): void {
    this.link.cut()
  }

  receive(bytes: Buffer): void {
    this.pending += bytes.toString("latin1")
    for (;;) {
      const head = /^\*(\d+)\r\n/.exec(this.pending)
      if (head === null) return
      let at = head[0].length
      const words: Array<string> = []
      for (let i = 0; i < Number(head[1]); i++) {
        const length = /^\$(\d+)\r\n/.exec(this.pending.slice(at))
        if (length === null) return
        const start = at + length[0].length
        at = start + Number(length[1]) + 2
        if (this.pending.length < at) return
        words.push(this.pending.slice(start, at - 2))
      }
      this.pending = this.pending.slice(at)
      this.answerTo(words)
    }
  }

  private answerTo(words: ReadonlyArray<string>): void {
    const { replication } = this.server
    const [name, option = "", value = ""] = words
    const say = (text: string): void => void this.link.down.push(Buffer.from(`${text}\r\n`))
    if (name === "PING") say("+PONG")
    else if (name === "AUTH") say("+OK")
    else if (name === "REPLCONF" && option === "ACK") replication.acknowledge(this, Number(value), Number(words[4]))
    else if (name === "REPLCONF") say(replication.describe(this, option, value) ? "+OK" : "-ERR")
    else if (name === "LOG.FOLLOW") {
      const reply = replication.serve(this, words.slice(1))
      if (reply instanceof Status || reply instanceof ReplyError) {
        this.link.down.push(Buffer.from(reply.encoded))
      } else if (reply !== noReply) throw new Error("an answer of another kind")
    } else say("-ERR unknown command")
  }
}

/** Of all servers: to make one takes longer than most of what a test does with it. */
const table = new CommandTable()

/** One server. */
export class SimServer {
  readonly name: number
  readonly world: World
  disk: SimDisk
  log!: OpenedLog
  keyspace!: Keyspace
  executor!: CommandExecutor
  replication!: Replication
  alive = true
  /** Sequences of batches that were folded because they came from a primary, in order. */
  folded: Array<number> = []
  readonly options: LogOptions
  readonly settings: { -readonly [Name in keyof ReplicationSettings]: ReplicationSettings[Name] } = {
    timeoutMs: 60_000,
    pingMs: 10_000,
    minReplicas: 0,
    maxLagMs: 10_000,
    serveStale: true,
    wholeLogBytes: 1 << 20,
    shutdownMs: 10_000
  }
  readonly warnings: Array<string> = []
  /** Full syncs whose checkpoint was loaded as it came. */
  loadedOnArrival = 0
  /** Messages that came from a primary, and the sequence this server was at then. */
  heard: Array<readonly [to: string, channel: string, text: string, sequence: number]> = []
  /** Checkpoints that replication asks for are made a step per turn. */
  slowCheckpoints = false
  checkpointRun: CheckpointRun | undefined = undefined
  lastFailed = false
  /** A checkpoint that replication asked for is to be made. */
  saving = false
  private later: Array<() => void> = []
  private readonly out = new ReplyBuffer()
  private readonly connection = new TestConnection(1, 0)

  constructor(world: World, name: number, options: Partial<LogOptions> = {}) {
    this.world = world
    this.name = name
    this.disk = new SimDisk()
    const ids = new Random(1000 * (name + 1))
    this.options = logOptions({ randomId: () => ids.bytes(36), ...options })
    this.open()
  }

  /** Opens what is on the disk, as a start does. */
  open(): void {
    const { clock } = this.world
    this.alive = true
    this.later = []
    this.log = openLog(this.disk, clock, this.options)
    this.keyspace = new Keyspace(workloadDatabases, { k0: this.name, k1: 2 })
    new StartUp({ keyspace: this.keyspace, log: this.log, store: this.log.checkpoints, warn: () => {} }).run()
    const ports = { now: () => clock.now(), monotonic: () => clock.monotonic() }
    const executor = new CommandExecutor({ ...ports, keyspace: this.keyspace, seed: this.name, log: this.log, table })
    this.executor = executor
    executor.attach({} as ControlPorts)
    let next = this.log.sequence()
    this.replication = new Replication({
      mirror: this.log.mirror,
      dial: this.world.dialFrom(this),
      ...ports,
      settings: () => ({
        timeoutMs: this.settings.timeoutMs,
        user: "",
        password: "",
        listeningPort: this.name,
        announceAddress: ""
      }),
      replicationSettings: () => this.settings,
      gate: executor.gate,
      fold: (batch) => {
        this.folded.push(++next)
        const command = commandName(batch.command) ?? ""
        eachRun(batch, (db, events, count) => executor.fold(batch.time, db, events, count, command))
      },
      folded: () => void this.log.commit(),
      blank: (seed) => this.keyspace.databases.every(({ size }) => size === 0) ? this.keyspace.blank(seed) : undefined,
      reload: (done, given) => {
        const { log } = this
        const fresh = given?.keyspace ?? this.keyspace.blank()
        const loaded = given?.sequence
        if (given !== undefined) this.loadedOnArrival++
        new StartUp({ keyspace: fresh, log, store: log.checkpoints, warn: () => {}, loaded }).run()
        this.keyspace.adopt(fresh)
        next = this.log.sequence()
        this.later.push(done)
      },
      later: (run) => void this.later.push(run),
      taker: new RedisTaker({
        disk: this.disk,
        keyspace: this.keyspace,
        log: this.log,
        ...ports,
        seed: this.name,
        fold: (time, db, events, count) => executor.fold(time, db, events, count, "restore"),
        noticing: () => {},
        settle: () => void this.log.commit(),
        publish: () => {},
        warn: () => {}
      }),
      forRedis: {
        keyspace: this.keyspace,
        head: this.log.sequence,
        read: this.log.read,
        openCheckpoint: (info) => this.log.checkpoints.open(info.sequence),
        mark: () => "m".repeat(40)
      },
      underWay: () => {
        const run = this.checkpointRun
        return run?.unpublished === true ? { writer: run.writer, counts: run.walk.databases } : undefined
      },
      checkpoint: (ask) => {
        if (this.slowCheckpoints) {
          if (ask && this.checkpointRun === undefined) this.beginCheckpoint()
          return this.checkpointRun === undefined ? this.lastFailed ? "failed" : "made" : "busy"
        }
        if (ask) {
          this.saving = true
          this.later.push(() => {
            this.checkpoint()
            this.saving = false
          })
        }
        return this.saving ? "busy" : "made"
      },
      flush: () => void this.log.commit(),
      afterCommit: (run) => void this.later.push(run),
      deliver: (to, channel, text) => void this.heard.push([to, channel.latin1(), text.latin1(), this.sequence]),
      onPublish: (listener) => {
        executor.subscriptions.relay = listener
      },
      noted: () => {},
      unblockAll: () => executor.waiters.unblockAll(),
      waits: executor.waiters.others,
      waitClock: () => executor.monotonic(),
      linked: () => () => {},
      pauseWrites: () => {
        executor.pause = "write"
      },
      unpause: () => {
        executor.pause = "none"
      },
      report: () => {},
      warn: (text) => void this.warnings.push(text)
    })
    this.replication.begin()
  }

  /** kill -9, and with `power` a power cut. */
  crash(random: Random, power: boolean): void {
    this.alive = false
    for (const link of this.world.links) if (link.target === this || link.owner === this) link.cut()
    if (power) this.disk = this.disk.afterCrash(random)
    else this.disk.kill()
  }

  /** False when the disk is too busy with a sync to begin at once. */
  follow(target: SimServer, more: Partial<FollowTarget> = {}): boolean {
    const answer = this.replication.follow({ host: "sim", port: target.name, delayMs: 0, until: undefined, ...more })
    return typeof answer === "string"
  }

  run(...words: ReadonlyArray<string>): string {
    this.executor.beginChunk()
    this.executor.execute(this.connection, argvOf(words), this.out)
    this.executor.endChunk()
    return Buffer.concat(this.out.take().map((chunk) => Buffer.from(chunk))).toString("latin1")
  }

  /** Random requests, a commit after every few. */
  work(random: Random, requests: number): void {
    const { clock } = this.world
    for (let i = 0; i < requests; i++) {
      if (random.chance(0.1)) this.connection.client.db = random.below(workloadDatabases)
      if (random.chance(0.05)) { for (const request of randomTransaction(random, clock.now())) this.run(...request) }
      else this.run(...randomRequest(random, clock.now()))
      if (random.chance(0.2)) clock.advance(random.below(50))
      if (random.chance(0.05)) this.executor.expire(1)
      if (random.chance(0.3)) this.log.commit()
    }
    this.log.commit()
  }

  checkpoint(): void {
    while (!this.log.sync(true)) { // a frame waits for a sync under way
      this.disk.runPending()
      this.log.tick()
    }
    const { chainHead, lsn, sequence } = this.log.status()
    const created = this.world.clock.now()
    const hashSeed = this.keyspace.seed
    const store = this.log.checkpoints
    const writer = store.begin({ sequence, lsn, created, chain: chainHead, hashSeed, blocking: true })
    const walk = new CheckpointWalk(this.keyspace, writer)
    while (!walk.slice(1000, 1 << 20));
    writer.end(walk.databases)
    writer.syncNow()
    writer.close()
    readThrough(store.readBack(writer))
    const steps = store.publishing(writer)
    while (steps.next().done !== true);
  }

  private beginCheckpoint(): void {
    const { keyspace, log, world: { clock } } = this
    const monotonic = () => clock.monotonic()
    const created = clock.now()
    this.checkpointRun = new CheckpointRun({
      keyspace,
      log,
      store: log.checkpoints,
      created,
      monotonic,
      blocking: false
    })
  }

  /** Goes on with the checkpoint that is being made, if one is. */
  stepCheckpoint(): void {
    if (this.checkpointRun?.step() !== "done") return
    this.lastFailed = this.checkpointRun.outcome?.kind !== "published"
    this.checkpointRun = undefined
  }

  /** What waits for the next turn runs. */
  turn(): boolean {
    const { later } = this
    this.later = []
    for (const run of later) run()
    return later.length > 0
  }

  get digest(): string {
    return stateDigest(this.keyspace)
  }

  get sequence(): number {
    return this.log.sequence()
  }

  get lsn(): number {
    return this.log.mirror.position.lsn
  }

  /** All frames there are, as bytes. */
  frames(): Buffer {
    const parts: Array<Buffer> = []
    const { mirror } = this.log
    const source = mirror.source(mirror.oldestLsn, undefined)!
    const piece = new Uint8Array(64 << 10)
    for (let n = source.read(piece); n > 0; n = source.read(piece)) parts.push(Buffer.from(piece.subarray(0, n)))
    source.close()
    return Buffer.concat(parts)
  }
}

/** All servers, their clock and what lies between them. */
export class World {
  readonly clock = new FakeClock()
  readonly servers: Array<SimServer> = []
  links: Array<SimLink> = []
  /** What happens to links dialled from now on, one after the other; without any nothing does. */
  faults: Array<Fault> = []
  /** Bytes per move. */
  piece = 1 << 16
  dials = 0

  server(options: Partial<LogOptions> = {}): SimServer {
    const server = new SimServer(this, this.servers.length, options)
    this.servers.push(server)
    return server
  }

  readonly dialFrom = (owner: SimServer): Dial => (_host, port, events) => {
    const target = this.servers[port]!
    const link = new SimLink(owner, target, events, ++this.dials + 10, this.faults.shift() ?? {})
    this.links.push(link)
    if (!target.alive) this.pendingCloses.push(link)
    else this.pendingOpens.push(link)
    return {
      send: (bytes) => void (link.open && link.up.push(Buffer.from(bytes))),
      pause: () => {
        link.reading = false
      },
      resume: () => {
        link.reading = true
      },
      close: () => link.cut(),
      localAddress: "sim:0"
    }
  }
  private pendingOpens: Array<SimLink> = []
  private pendingCloses: Array<SimLink> = []

  /** Moves bytes and lets turns pass once; false when nothing was left to do. */
  step(): boolean {
    let busy = false
    for (const link of this.pendingCloses.splice(0)) {
      busy = true
      link.cut()
    }
    for (const link of this.pendingOpens.splice(0)) {
      busy = true
      if (link.open) link.events.connected()
    }
    for (const link of this.links) if (link.open && link.move(this.piece)) busy = true
    this.links = this.links.filter((link) => link.open)
    for (const server of this.servers) if (server.alive && server.turn()) busy = true
    return busy
  }

  /** Lets everything happen that can without time passing. */
  settle(): void {
    for (let i = 0; this.step(); i++) if (i > 1_000_000) throw new Error("it never ends")
  }

  /** Time passes, in steps of 20 ms, and with it what it brings. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 20) {
      this.clock.advance(Math.min(20, left))
      for (const server of this.servers) {
        if (!server.alive) continue
        server.replication.tick()
        server.stepCheckpoint()
        server.log.tick()
        server.disk.runPending()
      }
      this.settle()
    }
  }
}
