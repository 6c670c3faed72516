import type { Command } from "../define.ts"
import { geoadd } from "./add.ts"
import { geodist, geohash, geopos } from "./position.ts"
import {
  georadius,
  georadiusbymember,
  georadiusbymemberReadOnly,
  georadiusReadOnly,
  geosearch,
  geosearchstore
} from "./search.ts"

/** All commands about places. */
export const geoCommands: ReadonlyArray<Command> = [
  geoadd,
  geodist,
  geohash,
  geopos,
  georadius,
  georadiusReadOnly,
  georadiusbymember,
  georadiusbymemberReadOnly,
  geosearch,
  geosearchstore
]
