/** Every configuration parameter: name, kind, default, and whether it may change while the server runs. */
import {
  bytes,
  fileMode,
  integer,
  type Kind,
  oneOf,
  type OutputLimits,
  outputLimits,
  text,
  words,
  yesNo
} from "./values.ts"

/** One row of the table. */
export interface Parameter<T> {
  readonly kind: Kind<T>
  readonly initial: T
  /** Whether CONFIG SET may change it. */
  readonly mutable: boolean
  /** Names it is also known by. */
  readonly aliases?: ReadonlyArray<string>
  /** Values that cannot be had here, and why. */
  readonly refuse?: (value: T) => string | undefined
}

const fixed = <T>(kind: Kind<T>, initial: T, more: Partial<Parameter<T>> = {}): Parameter<T> => ({
  kind,
  initial,
  mutable: false,
  ...more
})
const live = <T>(kind: Kind<T>, initial: T, more: Partial<Parameter<T>> = {}): Parameter<T> => ({
  kind,
  initial,
  mutable: true,
  ...more
})

const mb = 1024 * 1024

/** Limits on waiting replies unless configured otherwise, as in Redis. */
const standardLimits: OutputLimits = {
  normal: { hard: 0, soft: 0, softSeconds: 0 },
  slave: { hard: 256 * mb, soft: 64 * mb, softSeconds: 60 },
  pubsub: { hard: 32 * mb, soft: 8 * mb, softSeconds: 60 }
}

/** The table. Names and meanings are those of redis.conf; those beginning with `log-` are this server's own. */
export const parameters = {
  "port": fixed(integer(0, 65_535), 6379),
  "bind": fixed(words, ["127.0.0.1", "-::1"]),
  "unixsocket": fixed(text, ""),
  "unixsocketperm": fixed(fileMode, 0),
  "tcp-backlog": fixed(integer(0, 0x7fff_ffff), 511),
  "dir": fixed(text, "./data"),
  "databases": fixed(integer(1, 0x7fff_ffff), 16),
  "appendonly": fixed(yesNo, true, {
    refuse: (on) => on ? undefined : "the log is the data here and cannot be turned off"
  }),
  "save": fixed(words, [], {
    refuse: (rules) =>
      rules.length === 0 ? undefined : "there are no checkpoints to make yet; the log already holds every write"
  }),
  "enable-debug-command": fixed(oneOf("no", "local", "yes"), "local"),
  "appendfsync": live(oneOf("everysec", "always", "no"), "everysec"),
  "daemonize": fixed(yesNo, false, {
    refuse: (on) =>
      on ? "run it under a service manager or with '&'; it does not put itself into the background" : undefined
  }),
  "loglevel": fixed(oneOf("debug", "verbose", "notice", "warning"), "notice"),
  "maxclients": live(integer(1, 0xffff_ffff), 10_000),
  "timeout": live(integer(0, 0x7fff_ffff), 0),
  "tcp-keepalive": live(integer(0, 0x7fff_ffff), 300),
  "protected-mode": live(yesNo, true),
  "requirepass": live(text, ""),
  "proto-max-bulk-len": live(bytes(mb, 1024 * mb), 512 * mb),
  "client-query-buffer-limit": live(bytes(mb), 1024 * mb),
  "client-output-buffer-limit": live(outputLimits, standardLimits),
  "maxmemory": live(bytes(0), 0),
  "maxmemory-policy": live(
    oneOf(
      "volatile-lru",
      "volatile-lfu",
      "volatile-random",
      "volatile-ttl",
      "volatile-lrm",
      "allkeys-lru",
      "allkeys-lfu",
      "allkeys-random",
      "allkeys-lrm",
      "noeviction"
    ),
    "noeviction"
  ),
  "maxmemory-samples": live(integer(1, 0x7fff_ffff), 5),
  "maxmemory-eviction-tenacity": live(integer(0, 100), 10),
  "lfu-log-factor": live(integer(0, 0x7fff_ffff), 10),
  "lfu-decay-time": live(integer(0, 0x7fff_ffff), 1),
  "multi-on-error": live(oneOf("continue", "abort"), "continue"),
  "log-segment-bytes": fixed(bytes(4096, 2048 * mb), 64 * mb),
  "log-sync-idle-ms": fixed(integer(10, 60_000), 200)
} as const

export type Parameters = typeof parameters
export type ParameterName = keyof Parameters
export type ValueOf<Name extends ParameterName> = Parameters[Name] extends Parameter<infer T> ? T : never

/** The row of a name in any case, by its own name or an alias. */
export const parameterNamed = (name: string): readonly [ParameterName, Parameter<unknown>] | undefined => {
  const wanted = name.toLowerCase()
  for (const [own, row] of Object.entries(parameters) as Array<[ParameterName, Parameter<unknown>]>) {
    if (own === wanted || row.aliases?.includes(wanted) === true) return [own, row]
  }
  return undefined
}
