/** SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE and INFO persistence: words and replies as of Redis 7.0.15. */
import { describe, expect, it } from "vitest"
import { controlHarness } from "./ports.ts"

describe("commands about checkpoints", () => {
  it("answer as Redis does", () => {
    const { asked, harness } = controlHarness()
    const answers = [
      ["SAVE"],
      ["SAVE", "x"],
      ["BGSAVE"],
      ["bgsave", "schedule"],
      ["BGSAVE", "CANCEL"],
      ["BGSAVE", "x"],
      ["BGSAVE", "SCHEDULE", "x"],
      ["BGREWRITEAOF"],
      ["BGREWRITEAOF", "x"],
      ["LASTSAVE"],
      ["LASTSAVE", "x"],
      ["DEBUG", "RELOAD"],
      ["DEBUG", "RELOAD", "nosave"],
      ["DEBUG", "RELOAD", "MERGE"],
      ["DEBUG", "RELOAD", "x"],
      ["DEBUG", "LOADAOF"]
    ].map((words) => `${words.join(" ")} → ${harness.run(...words).trim()}`)
    expect(answers).toMatchInlineSnapshot(`
      [
        "SAVE → +OK",
        "SAVE x → -ERR wrong number of arguments for 'save' command",
        "BGSAVE → +Background saving started",
        "bgsave schedule → +Background saving scheduled",
        "BGSAVE CANCEL → -ERR Background saving is currently not in progress or scheduled",
        "BGSAVE x → -ERR syntax error",
        "BGSAVE SCHEDULE x → -ERR syntax error",
        "BGREWRITEAOF → +Background append only file rewriting started",
        "BGREWRITEAOF x → -ERR wrong number of arguments for 'bgrewriteaof' command",
        "LASTSAVE → :1699999000",
        "LASTSAVE x → -ERR wrong number of arguments for 'lastsave' command",
        "DEBUG RELOAD → +OK",
        "DEBUG RELOAD nosave → +OK",
        "DEBUG RELOAD MERGE → -ERR DEBUG RELOAD MERGE is refused: the data must stay the fold of the log",
        "DEBUG RELOAD x → -ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
        "DEBUG LOADAOF → +OK",
      ]
    `)
    expect(asked).toMatchInlineSnapshot(`
      [
        "save",
        "background save false",
        "background save true",
        "cancel",
        "rewrite",
        "reload true",
        "reload false",
        "reload false",
      ]
    `)
  })

  it("are refused where they cannot be had", () => {
    const { harness, persistence } = controlHarness()
    persistence.save = () => "Background save already in progress"
    persistence.rewrite = () => "running"
    persistence.reload = () => "the disk is full"
    const answers: Array<string> = []
    for (const answer of ["running", "other", "scheduled"] as const) {
      persistence.backgroundSave = () => answer
      answers.push(harness.run("BGSAVE"))
    }
    for (const answer of ["cancelled", "unscheduled"] as const) {
      persistence.cancel = () => answer
      answers.push(harness.run("BGSAVE", "CANCEL"))
    }
    for (const words of [["SAVE"], ["BGREWRITEAOF"], ["DEBUG", "RELOAD"]]) answers.push(harness.run(...words))
    persistence.rewrite = () => "other"
    answers.push(harness.run("BGREWRITEAOF"))
    expect(answers.map((answer) => answer.trim())).toMatchInlineSnapshot(`
      [
        "-ERR Background save already in progress",
        "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
        "+Background saving scheduled",
        "+Background saving cancelled",
        "+Scheduled background saving cancelled",
        "-ERR Background save already in progress",
        "-ERR Background append only file rewriting already in progress",
        "-ERR Error trying to load the data: the disk is full",
        "+Background append only file rewriting scheduled",
      ]
    `)
  })

  it("show in INFO what is under way", () => {
    const { harness, persistence } = controlHarness()
    expect(harness.run("INFO", "persistence").split("\r\n").slice(1)).toMatchInlineSnapshot(`
      [
        "# Persistence",
        "loading:0",
        "async_loading:0",
        "current_cow_peak:0",
        "current_cow_size:0",
        "current_cow_size_age:0",
        "current_fork_perc:0.00",
        "current_save_keys_processed:5",
        "current_save_keys_total:10",
        "rdb_changes_since_last_save:3",
        "rdb_bgsave_in_progress:0",
        "rdb_last_save_time:1699999000",
        "rdb_last_bgsave_status:ok",
        "rdb_last_bgsave_time_sec:-1",
        "rdb_current_bgsave_time_sec:-1",
        "rdb_saves:0",
        "rdb_last_cow_size:0",
        "rdb_last_load_keys_expired:0",
        "rdb_last_load_keys_loaded:7",
        "aof_enabled:1",
        "aof_rewrite_in_progress:1",
        "aof_rewrite_scheduled:0",
        "aof_last_rewrite_time_sec:2",
        "aof_current_rewrite_time_sec:1",
        "aof_last_bgrewrite_status:ok",
        "aof_rewrites:4",
        "aof_rewrites_consecutive_failures:0",
        "aof_last_write_status:ok",
        "aof_last_cow_size:0",
        "module_fork_in_progress:0",
        "module_fork_last_cow_size:0",
        "aof_current_size:400",
        "aof_base_size:600",
        "aof_pending_rewrite:0",
        "aof_buffer_length:0",
        "aof_pending_bio_fsync:1",
        "aof_delayed_fsync:0",
        "checkpoints:1",
        "checkpoint_sequence:2",
        "checkpoint_bytes:600",
        "",
        "",
      ]
    `)
    const status = persistence.status()
    persistence.status = () => ({
      ...status,
      loading: { startedAt: 1_700_000_000, totalBytes: 4000, loadedBytes: 1000, etaSeconds: 6 }
    })
    expect(harness.run("INFO", "persistence").split("\r\n").filter((line) => line.startsWith("loading")))
      .toMatchInlineSnapshot(`
        [
          "loading:1",
          "loading_start_time:1700000000",
          "loading_total_bytes:4000",
          "loading_loaded_bytes:1000",
          "loading_loaded_perc:25.00",
          "loading_eta_seconds:6",
        ]
      `)
  })

  it("are refused with LOADING while the data is loaded, unless they do not need it", () => {
    const { harness } = controlHarness()
    harness.run("SET", "k", "v", "PX", "1")
    harness.executor.loading = true
    harness.now += 10
    const loading = "-LOADING Redis is loading the dataset in memory\r\n"
    for (const words of [["GET", "k"], ["SET", "k", "v"], ["PING"], ["BGSAVE"], ["SAVE"], ["DBSIZE"]]) {
      expect(harness.run(...words)).toBe(loading)
    }
    for (
      const words of [["INFO"], ["LASTSAVE"], ["HELLO"], ["COMMAND", "COUNT"], ["CONFIG", "GET", "save"], ["TIME"]]
    ) {
      expect(harness.run(...words)).not.toMatch(/^-LOADING/)
    }
    // Nothing happens by itself either, and what is looked at does not die.
    expect(harness.executor.expire(5)).toBe(false)
    expect(harness.run("DEBUG", "OBJECT", "k")).toBe("-ERR no such key\r\n")
    expect(harness.batches.length).toBe(1)
    harness.executor.loading = false
    expect(harness.run("GET", "k")).toBe("$-1\r\n")
    expect(harness.batches.length).toBe(2)
  })
})
