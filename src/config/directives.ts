/** Directives of redis.conf that are no parameters: CONFIG GET does not know them. */

/** Directives without effect since long ago, which Redis itself still reads past. */
export const ignoredDirectives: ReadonlySet<string> = new Set(["list-max-ziplist-entries", "list-max-ziplist-value"])

/** Directives that cannot be obeyed here, and why. */
export const unavailableDirectives: ReadonlyMap<string, string> = new Map([
  ["loadmodule", "modules are programs for Redis itself and cannot be loaded here"],
  ["rename-command", "commands keep their names here"],
  ["user", "there are no users but the default one here; set its password with requirepass"],
  ["sentinel", "this program has no Sentinel mode"]
])
