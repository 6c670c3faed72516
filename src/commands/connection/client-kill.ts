/** CLIENT KILL: the old form names one address, the new one filters. */
import { ok, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import type { ConnectionPort, Control } from "../ports.ts"
import { clientType, typeOf } from "./client-list.ts"

const noSuchClient = new ReplyError("ERR No such client")
const badId = new ReplyError("ERR client-id should be greater than 0")
const ageNotInteger = new ReplyError("ERR maxage is not an integer or out of range")
const badAge = new ReplyError("ERR maxage should be greater than 0")

/** Which connections a KILL means; every option given must fit. */
interface Filter {
  readonly tests: Array<(connection: ConnectionPort) => boolean>
  skipMe: boolean
}

const clientId = (arg: Slice): number => {
  const id = parseInt64Slice(arg)
  if (id === undefined || id <= 0) throw badId
  return Number(id)
}

const maxAgeMs = (arg: Slice): number => {
  const age = parseInt64Slice(arg)
  if (age === undefined) throw ageNotInteger
  if (age <= 0) throw badAge
  return Number(age) * 1000
}

const readOption = (filter: Filter, option: Slice, value: Slice, now: number): void => {
  const { tests } = filter
  if (isWord(option, "ID")) {
    const id = clientId(value)
    tests.push(({ client }) => client.clientId === id)
  } else if (isWord(option, "MAXAGE")) {
    const age = maxAgeMs(value)
    tests.push(({ client }) => now - client.connectedAt >= age)
  } else if (isWord(option, "TYPE")) {
    const type = clientType(value)
    tests.push((connection) => typeOf(connection) === type)
  } else if (isWord(option, "ADDR")) {
    const address = value.utf8()
    tests.push(({ client }) => client.address === address)
  } else if (isWord(option, "LADDR")) {
    const address = value.utf8()
    tests.push(({ client }) => client.localAddress === address)
  } else if (isWord(option, "USER")) {
    const user = value.utf8()
    if (user !== "default") throw new ReplyError(`ERR No such user '${user}'`)
    tests.push(({ client }) => client.user === user)
  } else if (isWord(option, "SKIPME")) {
    filter.skipMe = isWord(value, "YES")
    if (!filter.skipMe && !isWord(value, "NO")) throw errors.syntax
  } else throw errors.syntax
}

const readFilter = (argv: Argv, now: number): Filter => {
  if (argv.length === 3) {
    const address = argv.at(2).utf8()
    return { tests: [({ client }) => client.address === address], skipMe: false }
  }
  const filter: Filter = { tests: [], skipMe: true }
  for (let i = 2; i < argv.length; i += 2) {
    if (i + 1 >= argv.length) throw errors.syntax
    readOption(filter, argv.at(i), argv.at(i + 1), now)
  }
  return filter
}

/** Closes what fits; its own connection only after the reply. Returns how many. */
const killMatching = ({ clients, connection: me }: Control, filter: Filter): number => {
  // Closing takes a connection out of the registry: choose first.
  const chosen = [...clients.all()].filter((connection) =>
    !(filter.skipMe && connection === me) && filter.tests.every((fits) => fits(connection))
  )
  for (const connection of chosen) {
    if (connection === me) connection.closeAfterReply()
    else connection.kill()
  }
  return chosen.length
}

export const kill = defineControl({
  name: "KILL",
  since: "2.4.0",
  group: "connection",
  summary: "Closes connections.",
  complexity: "O(N), N being the open connections",
  syntax: "<filter: ip:port!2.8.12 | <new-format: [ID client-id@2.8.12] | [TYPE <normal_master_slave_pubsub: "
    + "NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB>@2.8.12] | [USER username] | [ADDR ip:port] | "
    + "[LADDR ip:port@6.2.0] | [SKIPME yes/no] | [MAXAGE maxage@7.4.0]> ...>",
  history: [
    ["2.8.12", "Filters by name and value."],
    ["2.8.12", "`ID`."],
    ["3.2.0", "`TYPE master`."],
    ["5.0.0", "`TYPE replica`; `slave` means the same."],
    ["6.2.0", "`LADDR`."],
    ["7.4.0", "`MAXAGE`."]
  ],
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  run: (control, argv) => {
    const killed = killMatching(control, readFilter(argv, control.d.now))
    if (argv.length > 3) return killed
    if (killed === 0) throw noSuchClient
    return ok
  }
})
