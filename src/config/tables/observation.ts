/** What the server notes about its own work. */
import { accepted, needs } from "../parameter.ts"
import { keyspaceEvents, percentiles } from "../value-lists.ts"
import { integer, long, yesNo } from "../values.ts"

export const observation = {
  "slowlog-log-slower-than": needs(
    "slowLog",
    integer(-1, long),
    10_000,
    "microseconds from which on a command is noted; -1 for never"
  ),
  "slowlog-max-len": needs("slowLog", integer(0, long), 128, "length of the list of slow commands"),
  "latency-monitor-threshold": needs(
    "latencyMonitor",
    integer(0, long),
    0,
    "milliseconds from which on a delay is noted; 0 for never"
  ),
  "latency-tracking": needs("latencyTracking", yesNo, true, "whether the time of each command is counted"),
  "latency-tracking-info-percentiles": needs(
    "latencyTracking",
    percentiles,
    [50, 99, 99.9],
    "percentiles shown by INFO latencystats"
  ),
  "notify-keyspace-events": needs("keyspaceEvents", keyspaceEvents, "", "which events are published to subscribers"),
  "hide-user-data-from-log": accepted(yesNo, false, "messages never show keys or values")
} as const
