/** DEBUG PROTOCOL: a sample of each kind of reply, with which clients test their parsers. */
import { Double, MapReply, Push, type Reply, ReplyError, SetReply, Verbatim } from "../../net/resp/reply.ts"
import { word } from "../arguments.ts"
import type { Argv } from "../define.ts"
import type { Control } from "../ports.ts"

const wrongName = new ReplyError(
  "ERR Wrong protocol type name. Please use one of the following: " +
    "string|integer|double|bignum|null|array|set|map|push|verbatim|true|false"
)

/** Kinds that the encoder knows; values are those Redis sends. */
const samples: Readonly<Record<string, Reply>> = {
  STRING: "Hello World",
  INTEGER: 12_345,
  DOUBLE: new Double(3.141),
  NULL: null,
  ARRAY: [0, 1, 2],
  SET: new SetReply([0, 1, 2]),
  MAP: new MapReply([[0, false], [1, true], [2, false]]),
  PUSH: new Push(["server-cpu-usage", 42]),
  VERBATIM: new Verbatim("This is a verbatim\nstring"),
  TRUE: true,
  FALSE: false
}

export const protocolSample = (_control: Control, argv: Argv): Reply => {
  const name = word(argv.at(2))
  if (!Object.hasOwn(samples, name)) throw wrongName
  return samples[name]!
}
