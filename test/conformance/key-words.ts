/** Random requests about commands: names, and words that mean something where keys are looked for. */
import * as Fc from "fast-check"
import type { Command } from "../../src/commands/define.ts"

const keys = ["a", "b", "key:1", "", "\xff\0\r\n", "STORE", "streams"]
const counts = ["0", "1", "2", "3", "-1", "01", "+1", "1.0", "9223372036854775807", "99999999999999999999", "x"]
const options =
  ("STORE STOREDIST STREAMS KEYS GET BY LIMIT AUTH AUTH2 GROUP COUNT BLOCK NOACK OVERFLOW WRAP WEIGHTS SAMPLES EX NX " +
    "IDX MATCH SET INCRBY COPY REPLACE ASC ALPHA get Keys sTore").split(" ")

const word = Fc.oneof(
  { weight: 4, arbitrary: Fc.constantFrom(...keys) },
  { weight: 2, arbitrary: Fc.constantFrom(...counts) },
  { weight: 4, arbitrary: Fc.constantFrom(...options) }
)

/** Names of commands and subcommands as words of a request. */
export const namesOf = (commands: ReadonlyArray<Command>): ReadonlyArray<ReadonlyArray<string>> =>
  commands.flatMap((command) =>
    "subcommands" in command
      ? [[command.name], ...command.subcommands.map((sub) => [command.name, sub.name])]
      : [[command.name]]
  )

const cased = (name: string): Fc.Arbitrary<string> =>
  Fc.oneof({ weight: 5, arbitrary: Fc.constant(name) }, Fc.constant(name.toLowerCase()))

/** A request: the name of a command that may be wrong, and up to nine words, with arguments about as many as it takes. */
export const requests = (names: ReadonlyArray<ReadonlyArray<string>>): Fc.Arbitrary<ReadonlyArray<string>> =>
  Fc.tuple(
    Fc.oneof(
      { weight: 30, arbitrary: Fc.constantFrom(...names).chain((name) => Fc.tuple(...name.map(cased))) },
      { weight: 1, arbitrary: Fc.constantFrom(["NOSUCH"], [""], ["OBJECT", "NOSUCH"], ["GET|GET"], ["object|freq"]) }
    ),
    Fc.array(word, { minLength: 1, maxLength: 9, size: "max" })
  ).map(([name, words]) => [...name, ...words])

const subcommands: ReadonlyArray<ReadonlyArray<string>> = [
  ...["ENCODING", "FREQ", "IDLETIME", "REFCOUNT", "HELP"].map((sub) => ["OBJECT", sub]),
  ...["GET", "SET", "RESETSTAT", "HELP"].map((sub) => ["CONFIG", sub]),
  ...["ID", "INFO", "SETNAME", "PAUSE", "NO-EVICT", "UNBLOCK"].map((sub) => ["CLIENT", sub]),
  ...["COUNT", "INFO", "DOCS", "LIST", "GETKEYS", "GETKEYSANDFLAGS"].map((sub) => ["COMMAND", sub]),
  ["MEMORY", "USAGE"]
]

/** Whatever can be asked with COMMAND about commands that both servers have and no version has changed since. */
export const introspection = (commands: ReadonlyArray<string>): Fc.Arbitrary<ReadonlyArray<string>> => {
  const names = [...commands.map((name) => [name]), ...subcommands]
  // The notes on their keys are Annals' own words.
  const described = names.filter(([name]) => name !== "SET" && name !== "GETEX")
  const oneName = Fc.oneof(
    { weight: 8, arbitrary: Fc.constantFrom(...described).chain((name) => cased(name.join("|"))) },
    { weight: 1, arbitrary: Fc.constantFrom("nosuch", "", "get|get", "config|nosuch", "config|get|x", "a\r\nb") }
  )
  const filter = Fc.constantFrom(
    ["FILTERBY"],
    ["FILTERBY", "PATTERN"],
    ["FILTERBY", "PATTERN", "a", "b"],
    ["FILTERBY", "pattern", "getr*"],
    ["FILTERBY", "PATTERN", "[gG]ET"],
    ["FILTERBY", "PATTERN", "nosuch*"],
    ["filterby", "MODULE", "nosuch"],
    ["FILTERBY", "ACLCAT", "nosuch"],
    ["FILTERBY", "NOSUCH", "x"],
    ["NOSUCH", "MODULE", "x"],
    ["x"]
  )
  return Fc.oneof(
    { weight: 6, arbitrary: requests(names).map((words) => ["COMMAND", "GETKEYS", ...words]) },
    { weight: 6, arbitrary: requests(names).map((words) => ["COMMAND", "GETKEYSANDFLAGS", ...words]) },
    {
      weight: 4,
      arbitrary: Fc.array(oneName, { minLength: 1, maxLength: 4 }).map((all) => ["COMMAND", "INFO", ...all])
    },
    { weight: 2, arbitrary: filter.map((words) => ["COMMAND", "LIST", ...words]) },
    {
      weight: 1,
      arbitrary: Fc.constantFrom(
        ["COMMAND", "NOSUCH"],
        ["COMMAND", "COUNT", "x"],
        ["COMMAND", "HELP", "x"],
        ["COMMAND", "DOCS", "nosuch"],
        ["COMMAND", "GETKEYS"],
        ["COMMAND", "GETKEYS", "GET"],
        ["COMMAND", "GETKEYSANDFLAGS", "GET"]
      )
    }
  )
}
