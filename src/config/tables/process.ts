/** The process itself: its files, its messages, its end, and what Redis does with the operating system. */
import { accepted, immutable, refused, works } from "../parameter.ts"
import { oomScores, shutdownOptions } from "../value-lists.ts"
import { clamped, int, integer, long, oneOf, text, textLike, yesNo } from "../values.ts"

const noPinning = "threads are not pinned; use taskset or the service manager's CPU affinity"
const noCrashReports = "a crash is reported by the run-time"
const oneFamily = "the kernel decides; set OOMScoreAdjust in the service manager"
const noSyslog = "messages go to standard output or to logfile; a service manager passes them on"

/** The variables of a process title, in braces; those that are empty while there is nothing to fill them. */
const titleVariables = ["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"]
const emptyVariables = ["title", "unixsocket"]

/** Whether a template knows its variables and leaves something to show. */
const isTitle = (template: string): boolean => {
  const names = [...template.matchAll(/\{([^}]*)(\}?)/g)]
  const rest = template.replaceAll(/\{([^}]*)\}/g, (_, name: string) => emptyVariables.includes(name) ? "" : name)
  return names.every(([, name, end]) => end === "}" && titleVariables.includes(name!)) &&
    rest.replaceAll(" ", "") !== ""
}

export const processTable = {
  "daemonize": refused(yesNo, false, "it stays in the foreground; run it under a service manager or with '&'", {
    ...immutable,
    tolerated: true
  }),
  "supervised": accepted(
    oneOf("upstart", "systemd", "auto", "no"),
    "no",
    "it stays in the foreground, which every service manager can supervise (systemd: Type=exec)",
    immutable
  ),
  "pidfile": works(text, "", "file that holds the process id while the server runs", immutable),
  "logfile": works(text, "", "file that messages are appended to; empty for standard output", immutable),
  "loglevel": works(oneOf("debug", "verbose", "notice", "warning"), "notice", "which messages are written"),
  "syslog-enabled": refused(yesNo, false, noSyslog, immutable),
  "syslog-ident": accepted(text, "redis", noSyslog, immutable),
  "syslog-facility": accepted(
    oneOf("user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
    "local0",
    noSyslog,
    immutable
  ),
  "databases": works(integer(1, int), 16, "number of databases", immutable),
  "always-show-logo": accepted(yesNo, false, "there is no logo", immutable),
  "set-proc-title": accepted(yesNo, true, "the process keeps its title", immutable),
  "proc-title-template": accepted(
    textLike(
      "text with {variables}",
      isTitle,
      "template format is invalid or contains unknown variables"
    ),
    "{title} {listen-addr} {server-mode}",
    "the process keeps its title"
  ),
  "locale-collate": accepted(text, "", "text is compared byte by byte"),
  "hz": accepted(clamped(1, 500), 10, "background work runs as the event loop has time for it"),
  "dynamic-hz": accepted(yesNo, true, "background work runs as the event loop has time for it"),
  "shutdown-timeout": works(
    integer(0, int),
    10,
    "seconds the end of a primary waits until its replicas have everything"
  ),
  "shutdown-on-sigint": accepted(shutdownOptions, ["default"], "every shutdown seals the log first"),
  "shutdown-on-sigterm": accepted(shutdownOptions, ["default"], "every shutdown seals the log first"),
  "busy-reply-threshold": accepted(integer(0, long), 5000, "there are no scripts to interrupt", {
    aliases: ["lua-time-limit"]
  }),
  "propagation-error-behavior": accepted(
    oneOf("ignore", "panic", "panic-on-replicas"),
    "ignore",
    "what comes from a primary is written to the log as it is; what cannot be is refused"
  ),
  "ignore-warnings": accepted(text, "", "no warning keeps the server from starting"),
  "crash-log-enabled": accepted(yesNo, true, noCrashReports),
  "crash-memcheck-enabled": accepted(yesNo, true, noCrashReports),
  "disable-thp": accepted(yesNo, true, "huge pages are left as the system has them", immutable),
  "oom-score-adj": refused(oneOf("no", "yes", "relative", "absolute"), "no", oneFamily),
  "oom-score-adj-values": accepted(oomScores, [0, 200, 800], oneFamily),
  "server_cpulist": accepted(text, "", noPinning, immutable),
  "bio_cpulist": accepted(text, "", noPinning, immutable),
  "aof_rewrite_cpulist": accepted(text, "", noPinning, immutable),
  "bgsave_cpulist": accepted(text, "", noPinning, immutable),
  "aclfile": refused(
    text,
    "",
    "there are no users but the default one, so rules in a file would not be obeyed",
    immutable
  ),
  "acl-pubsub-default": accepted(
    oneOf("allchannels", "resetchannels"),
    "resetchannels",
    "there are no users but the default one"
  ),
  "acllog-max-len": accepted(integer(0, long), 128, "there are no users but the default one")
} as const
