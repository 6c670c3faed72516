/** PUBSUB: which channels and patterns have subscribers, and how many. */
import type { Reply } from "../../net/resp/reply.ts"
import { matchGlob } from "../../projections/structures/glob.ts"
import { shown } from "../arguments.ts"
import { type Argv, defineContainer, defineControl } from "../define.ts"
import { malformedSubcommand } from "../errors.ts"
import { help } from "../help.ts"
import type { Topics } from "./topics.ts"

const facts = { group: "pubsub", flags: ["pubsub", "loading", "stale"] } as const

const namesIn = (topics: Topics, argv: Argv): Reply => {
  if (argv.length > 3) throw malformedSubcommand("PUBSUB", shown(argv.at(1)))
  const { all } = topics
  if (argv.length === 2) return all.map(({ slice }) => slice)
  const pattern = argv.at(2)
  return all.filter(({ slice }) => matchGlob(pattern, slice)).map(({ slice }) => slice)
}

const countsIn = (topics: Topics, argv: Argv): Reply => {
  const counts: Array<Reply> = []
  for (let i = 2; i < argv.length; i++) counts.push(argv.at(i), topics.find(argv.at(i))?.subscribers.length ?? 0)
  return counts
}

const channels = defineControl({
  ...facts,
  name: "CHANNELS",
  since: "2.8.0",
  summary: "Lists the channels that have subscribers.",
  complexity: "O(N), N being those channels",
  syntax: "[pattern]",
  arity: -2,
  run: ({ subscriptions }, argv) => namesIn(subscriptions.channels, argv)
})

const shardChannels = defineControl({
  ...facts,
  name: "SHARDCHANNELS",
  since: "7.0.0",
  summary: "Lists the shard channels that have subscribers.",
  complexity: "O(N), N being those channels",
  syntax: "[pattern]",
  arity: -2,
  run: ({ subscriptions }, argv) => namesIn(subscriptions.shardChannels, argv)
})

const numSub = defineControl({
  ...facts,
  name: "NUMSUB",
  since: "2.8.0",
  summary: "Tells how many subscribers channels have, patterns not counted.",
  complexity: "O(N), N being the channels given",
  syntax: "[channel ...]",
  arity: -2,
  run: ({ subscriptions }, argv) => countsIn(subscriptions.channels, argv)
})

const shardNumSub = defineControl({
  ...facts,
  name: "SHARDNUMSUB",
  since: "7.0.0",
  summary: "Tells how many subscribers shard channels have.",
  complexity: "O(N), N being the channels given",
  syntax: "[shardchannel ...]",
  arity: -2,
  run: ({ subscriptions }, argv) => countsIn(subscriptions.shardChannels, argv)
})

const numPat = defineControl({
  ...facts,
  name: "NUMPAT",
  since: "2.8.0",
  summary: "Tells how many patterns have subscribers, each counted once.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  run: ({ subscriptions }) => subscriptions.patterns.size
})

export const pubsub = defineContainer({
  name: "PUBSUB",
  since: "2.8.0",
  group: "pubsub",
  summary: "Commands about subscriptions.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    channels,
    numPat,
    numSub,
    shardChannels,
    shardNumSub,
    help("PUBSUB", "pubsub", [
      ["CHANNELS [<pattern>]", "List the channels that have subscribers; those that fit <pattern> if one is given."],
      ["NUMPAT", "Tell how many patterns have subscribers."],
      ["NUMSUB [<channel> ...]", "Tell how many subscribers each channel has, patterns not counted."],
      ["SHARDCHANNELS [<pattern>]", "List the shard channels that have subscribers."],
      ["SHARDNUMSUB [<shardchannel> ...]", "Tell how many subscribers each shard channel has."]
    ], { since: "6.2.0" })
  ]
})
