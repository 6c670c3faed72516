/** Commands of Redis that are not served here, and why: whoever asks for one is told so. */

/** What there is of Redis and not here: names, or how names begin, with the reason. */
export interface NotServed {
  readonly names: ReadonlyArray<string>
  /** Names that begin so belong to it as well. */
  readonly prefixes?: ReadonlyArray<string>
  readonly reason: string
  /** The whole error, where Redis has one for servers that lack it. */
  readonly error?: string
}

/** Clients of a Redis Cluster know this answer, and go on without one. */
const noCluster = "ERR This instance has cluster support disabled"

export const notServed: ReadonlyArray<NotServed> = [
  {
    names: ["EVAL", "EVALSHA", "EVALSHA_RO", "EVAL_RO", "FCALL", "FCALL_RO", "FUNCTION", "SCRIPT"],
    reason: "there is no scripting here"
  },
  { names: ["ACL"], reason: "there are no users here but the default one, with the password of requirepass" },
  {
    names: ["ASKING", "CLUSTER", "READONLY", "READWRITE"],
    reason: "there are no clusters here",
    error: noCluster
  },
  {
    names: ["MODULE"],
    prefixes: ["BF.", "CF.", "CMS.", "FT.", "GRAPH.", "JSON.", "TDIGEST.", "TOPK.", "TS."],
    reason: "there are no modules here"
  },
  {
    names: [
      "VADD",
      "VCARD",
      "VDIM",
      "VEMB",
      "VGETATTR",
      "VINFO",
      "VISMEMBER",
      "VLINKS",
      "VRANDMEMBER",
      "VRANGE",
      "VREM",
      "VSETATTR",
      "VSIM"
    ],
    reason: "there are no vector sets here"
  },
  {
    names: [
      "ARCOUNT",
      "ARDEL",
      "ARDELRANGE",
      "ARGET",
      "ARGETRANGE",
      "ARGREP",
      "ARINFO",
      "ARINSERT",
      "ARLASTITEMS",
      "ARLEN",
      "ARMGET",
      "ARMSET",
      "ARNEXT",
      "AROP",
      "ARRING",
      "ARSCAN",
      "ARSEEK",
      "ARSET"
    ],
    reason: "there are no arrays here"
  },
  { names: ["MIGRATE"], reason: "DUMP and RESTORE move single keys, REPLICAOF and 'annals export' all of them" },
  {
    names: ["BACKUP"],
    reason: "'annals restore' copies a data directory as of any moment while the server runs"
  },
  { names: ["SENTINEL"], reason: "there is no Sentinel here; FAILOVER hands over to a replica" }
]

/** The error for a command that nobody here knows, if Redis knows it; undefined otherwise. */
export const refusalOf = (command: string): string | undefined => {
  const name = command.toUpperCase()
  for (const { error, names, prefixes, reason } of notServed) {
    if (!names.includes(name) && prefixes?.some((prefix) => name.startsWith(prefix)) !== true) continue
    return error ?? `ERR unknown command '${command}': ${reason}`
  }
  return undefined
}
