/** What is kept on disk: the log, its checkpoints and its history. Names beginning with `log-` are this server's own. */
import { resolve } from "node:path"
import { accepted, immutable, needs, refused, works } from "../parameter.ts"
import { retention, saveRules } from "../value-lists.ts"
import { bytes, int, integer, oneOf, text, yesNo } from "../values.ts"

const mb = 1024 * 1024
const noFork = "no child process ever rewrites the log"
const noRdb = "there are no RDB files; the log holds every write"
const ownNames = "segments of the log are named after their first sequence"

export const persistence = {
  "dir": works({ ...text, write: (path) => resolve(path) }, "./data", "directory of the log", {
    guarded: true,
    fixedBecause: "the log stays in the directory in which it was opened"
  }),
  "appendonly": refused(yesNo, true, "the log is the data here: it is always on and cannot be turned off", {
    tolerated: true
  }),
  "appendfsync": works(oneOf("everysec", "always", "no"), "everysec", "when the log is synced to disk"),
  "appendfilename": accepted(text, "appendonly.aof", ownNames, immutable),
  "appenddirname": accepted(text, "appendonlydir", ownNames, immutable),
  "dbfilename": accepted(text, "dump.rdb", noRdb, { guarded: true }),
  "save": works(
    saveRules,
    [{ seconds: 3600, changes: 1 }, { seconds: 300, changes: 100 }, { seconds: 60, changes: 10_000 }],
    "a checkpoint is made after so many seconds with at least so many batches written; with any rule, at shutdown too"
  ),
  "no-appendfsync-on-rewrite": accepted(yesNo, false, noFork),
  "auto-aof-rewrite-percentage": needs(
    "checkpoints",
    integer(0, int),
    100,
    "a checkpoint is made when the log since the last one has grown to so many percent of its size; 0 for never"
  ),
  "auto-aof-rewrite-min-size": needs(
    "checkpoints",
    bytes(0),
    512 * mb,
    "bytes of log since the last checkpoint below which none is made because of growth"
  ),
  "aof-load-truncated": refused(yesNo, true, "the unfinished end of a log is always moved aside and reported"),
  "aof-load-corrupt-tail-max-size": refused(
    bytes(0),
    0,
    "a log damaged before its end is never shortened by itself; use annals salvage"
  ),
  "aof-use-rdb-preamble": accepted(yesNo, true, noRdb),
  "aof-timestamp-enabled": accepted(yesNo, false, "every batch of the log carries its time"),
  "aof-disable-auto-gc": accepted(yesNo, false, noFork),
  "aof-rewrite-incremental-fsync": accepted(yesNo, true, noFork),
  "rdbcompression": accepted(yesNo, true, noRdb),
  "rdbchecksum": accepted(yesNo, true, "everything on disk carries checksums", immutable),
  "rdb-del-sync-files": accepted(yesNo, false, noRdb),
  "rdb-save-incremental-fsync": accepted(yesNo, true, noRdb),
  "stop-writes-on-bgsave-error": works(
    yesNo,
    true,
    "with save rules, writes stop after a checkpoint has failed; when the log cannot be written they always do"
  ),
  "sanitize-dump-payload": accepted(oneOf("no", "yes", "clients"), "no", "every payload of RESTORE is checked in full"),
  "log-segment-bytes": works(
    bytes(4096, 2048 * mb),
    64 * mb,
    "size at which a segment of the log is sealed and the next begun",
    immutable
  ),
  "log-sync-idle-ms": works(
    integer(10, 60_000),
    200,
    "milliseconds without writes after which everysec syncs early",
    immutable
  ),
  "log-compression": needs("compression", yesNo, true, "sealed segments but the newest two are compressed"),
  "history-retention": needs(
    "retention",
    retention,
    { by: "for-ever" },
    "how much history is kept; only what every checkpoint covers is dropped"
  ),
  "history-memory": works(
    bytes(1 * mb, Number.MAX_SAFE_INTEGER),
    1024 * mb,
    "bytes of memory that data of past moments (LOG.ASOF, LOG.DIFF, LOG.DIGEST, LOG.UNDO) may take"
  ),
  "history-checkpoint-bytes": works(
    bytes(0),
    32 * mb,
    "bytes of log between checkpoints kept for data of past moments, or their own size if that is more; 0: the newest two only",
    immutable
  ),
  "multi-on-error": needs(
    "transactionRollback",
    oneOf("continue", "abort"),
    "continue",
    "whether EXEC goes on after a command that fails, or undoes everything"
  ),
  "replica-ignore-disk-write-errors": accepted(yesNo, false, "a replica takes in nothing that its log has not taken")
} as const
