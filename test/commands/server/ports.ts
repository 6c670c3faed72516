import { ClientState } from "../../../src/commands/client.ts"
import type { ClientsPort, ConnectionPort, PersistencePort, ServerPort } from "../../../src/commands/ports.ts"
import type { ReplicationPort } from "../../../src/commands/replication/port.ts"
import { load } from "../../../src/config/config.ts"
import { makeConfigPort } from "../../../src/net/config-port.ts"
import { Harness, TestConnection } from "../../support/harness.ts"

/** Connections of a test: the harness's own and as many as it adds. */
export class TestClients implements ClientsPort {
  readonly connections: Array<ConnectionPort> = []
  rejected = 0
  paused: readonly [number, "write" | "all"] | undefined
  get accepted(): number {
    return this.connections.length
  }
  get count(): number {
    return this.connections.length
  }
  get blockedCount(): number {
    return this.connections.filter((connection) => connection.blocked).length
  }
  all(): Iterable<ConnectionPort> {
    return this.connections
  }
  byId(id: number): ConnectionPort | undefined {
    return this.connections.find((connection) => connection.client.clientId === id)
  }
  pause(untilMs: number, mode: "write" | "all"): void {
    this.paused = [untilMs, mode]
  }
  unpause(): void {
    this.paused = undefined
  }
  add(id: number, now: number): TestConnection {
    const connection = new TestConnection(id, now)
    this.connections.push(connection)
    return connection
  }
}

/** What a test server was asked to do, in order. */
export type Asked = Array<string>

/** Checkpoints of a test: only what was asked is noted. */
export const testPersistence = (
  asked: Asked
): { -readonly [Name in keyof PersistencePort]: PersistencePort[Name] } => ({
  save: () => {
    asked.push("save")
    return undefined
  },
  backgroundSave: (schedule) => {
    asked.push(`background save ${schedule}`)
    return schedule ? "scheduled" : "started"
  },
  rewrite: () => {
    asked.push("rewrite")
    return "started"
  },
  cancel: () => {
    asked.push("cancel")
    return "none"
  },
  beforeShutdown: () => true,
  lastSave: () => 1_699_999_000,
  reload: (save) => {
    asked.push(`reload ${save}`)
    return undefined
  },
  status: () => ({
    loading: undefined,
    changesSinceLastSave: 3,
    save: { inProgress: false, ok: true, lastSeconds: -1, currentSeconds: -1, count: 0 },
    rewrite: {
      inProgress: true,
      scheduled: false,
      ok: true,
      lastSeconds: 2,
      currentSeconds: 1,
      count: 4,
      failuresInARow: 0
    },
    keysProcessed: 5,
    keysTotal: 10,
    keysLoaded: 7,
    lastSaveAt: 1_699_999_000,
    checkpoints: [{ sequence: 2, bytes: 600, created: 1_699_999_000_000 }]
  })
})

/** A primary by itself. */
const testReplication: ReplicationPort = {
  leaving: { begin: (done) => done(), abort: () => false },
  status: () => ({
    primary: undefined,
    replicas: [],
    goodReplicas: undefined,
    failover: "no-failover",
    epoch: 1,
    replicationId: "b".repeat(40),
    secondId: "0".repeat(40),
    secondLsn: -1,
    lsn: 300,
    oldestLsn: 0,
    fullSyncs: 0,
    partialSyncs: 0,
    refusedPartialSyncs: 0,
    setAsideBatches: 0,
    setAsideBytes: 0,
    inputBytes: 0,
    outputBytes: 0
  }),
  follow: () => "started",
  lead: () => undefined,
  describe: (_connection, option) => option === "listening-port",
  acknowledge: () => {},
  serve: () => "served",
  wait: (_connection, { durable }) => durable ? [1, 0] : 0,
  failover: () => undefined,
  segment: () => null,
  sync: () => null,
  abortFailover: () => false
}

const testServer = (now: () => number, asked: Asked, persistence: PersistencePort): ServerPort => ({
  version: "0.1.0",
  redisVersion: "7.4.0",
  runId: "a".repeat(40),
  pid: 42,
  tcpPort: 6379,
  executable: "/usr/bin/annals",
  configFile: "",
  os: "Linux 6.1 x86_64",
  runtime: "node v26",
  systemMemory: 1 << 30,
  startedAt: 1_699_999_990_000,
  nowMicros: () => now() * 1000 + 7,
  memory: () => ({ rss: 50_000_000, heapUsed: 10_000_000, heapTotal: 20_000_000, external: 5_000_000 }),
  cpu: () => ({ user: 1.5, system: 0.25 }),
  logStatus: () => ({
    sequence: 3,
    time: 1_699_999_999_000,
    lsn: 300,
    durableLsn: 200,
    oldestSequence: 1,
    segments: 1,
    bytes: 400,
    originalBytes: 900,
    compressedSegments: 1,
    tornBytes: 0,
    chainHead: "ab",
    lastWriteOk: true,
    fsyncs: 2,
    fsyncPending: true,
    delayedFsyncs: 0
  }),
  resetTraffic: () => void asked.push("reset traffic"),
  traffic: () => ({
    reads: 5,
    writes: 6,
    inputBytes: 10,
    outputBytes: 20,
    instantaneousInputKbps: 0.5,
    instantaneousOutputKbps: 1.25,
    instantaneousOps: 3.6
  }),
  shutdown: (options) => asked.push(`shutdown ${JSON.stringify(options)}`) > 0,
  abortShutdown: () => false,
  sleep: (ms) => void asked.push(`sleep ${ms}`),
  persistence,
  replication: testReplication,
  setActiveExpire: (on) => void asked.push(`active expire ${on}`),
  activeExpire: true
})

/** A harness whose control commands work: real configuration, connections and a server that notes what it is asked. */
export const controlHarness = (...args: ReadonlyArray<string>) => {
  const clients = new TestClients()
  const asked: Asked = []
  const holder: { harness?: Harness } = {}
  const config = load(["--enable-debug-command", "local", ...args], {})
  const persistence = testPersistence(asked)
  const harness = new Harness({
    clients,
    config: makeConfigPort(config),
    server: testServer(() => holder.harness?.now ?? 0, asked, persistence)
  })
  holder.harness = harness
  clients.connections.push(harness.connection)
  return { harness, clients, asked, config, persistence, client: harness.connection.client satisfies ClientState }
}
