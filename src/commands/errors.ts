import { ReplyError } from "../net/resp/reply.ts"

/** The refusals that several commands share, word for word as Redis gives them. */
export const errors = {
  syntax: new ReplyError("ERR syntax error"),
  wrongType: new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value"),
  notInteger: new ReplyError("ERR value is not an integer or out of range"),
  notFloat: new ReplyError("ERR value is not a valid float"),
  overflow: new ReplyError("ERR increment or decrement would overflow"),
  nanOrInfinity: new ReplyError("ERR increment would produce NaN or Infinity"),
  noSuchKey: new ReplyError("ERR no such key"),
  sameObject: new ReplyError("ERR source and destination objects are the same"),
  outOfRange: new ReplyError("ERR index out of range"),
  dbIndex: new ReplyError("ERR DB index is out of range"),
  invalidDb: new ReplyError("ERR invalid DB index"),
  stringTooLong: new ReplyError("ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
  noAuth: new ReplyError("NOAUTH Authentication required."),
  writesPaused: new ReplyError("ERR writes are held back by CLIENT PAUSE; ask again"),
  saveFailed: new ReplyError(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may "
      + "modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
      + "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
      + "error."
  ),
  loading: new ReplyError("LOADING Redis is loading the dataset in memory"),
  invalidCursor: new ReplyError("ERR invalid cursor"),
  outOfMemory: new ReplyError("OOM command not allowed when used memory > 'maxmemory'.")
} as const

/** "invalid expire time in 'set' command", with the name of the command as Redis prints it. */
export const invalidExpire = (command: string): ReplyError =>
  new ReplyError(`ERR invalid expire time in '${command.toLowerCase()}' command`)

/** "wrong number of arguments for 'set' command"; subcommands are named container|sub. */
export const wrongArity = (command: string): ReplyError =>
  new ReplyError(`ERR wrong number of arguments for '${command.toLowerCase()}' command`)

/** The refusal of a container that does not know the subcommand; `sub` is shown up to its first NUL, as C does. */
export const unknownSubcommand = (container: string, sub: string): ReplyError =>
  new ReplyError(
    `ERR unknown subcommand '${sub.split("\0", 1)[0]!.slice(0, 128)}'. Try ${container.toUpperCase()} HELP.`
  )

/** The refusal of a subcommand that checks the number of its arguments itself; `sub` as the client wrote it. */
export const malformedSubcommand = (container: string, sub: string): ReplyError =>
  new ReplyError(`ERR unknown subcommand or wrong number of arguments for '${sub}'. Try ${container} HELP.`)
