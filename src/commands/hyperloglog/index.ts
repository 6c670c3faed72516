import type { Command } from "../define.ts"
import { pfadd } from "./add.ts"
import { pfcount } from "./count.ts"
import { pfdebug } from "./debug.ts"
import { pfmerge } from "./merge.ts"
import { pfselftest } from "./self-test.ts"

/** The commands over HyperLogLogs, which are strings. */
export const hyperLogLogCommands: ReadonlyArray<Command> = [pfadd, pfcount, pfdebug, pfmerge, pfselftest]
