/** Giving members places. The index is a sorted set whose scores stand for places; what is recorded are its events. */
import { Place, scoreOfPlace } from "../../projections/structures/geohash.ts"
import { isWord } from "../arguments.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { writableSortedSet } from "../sorted-set/access.ts"
import { type Options, plain, scoreMany, scoreOne } from "../sorted-set/add.ts"
import { readPlace } from "./arguments.ts"

const place = new Place()

const optionsOf = (argv: Argv): Options => {
  let at = 2
  let [onlyNew, onlyExisting, changes] = [false, false, false]
  for (; at < argv.length; at++) {
    if (isWord(argv.at(at), "NX")) onlyNew = true
    else if (isWord(argv.at(at), "XX")) onlyExisting = true
    else if (isWord(argv.at(at), "CH")) changes = true
    else break
  }
  if (at === argv.length || (argv.length - at) % 3 !== 0 || (onlyNew && onlyExisting)) throw errors.syntax
  return at === 2 ? plain : { ...plain, onlyNew, onlyExisting, changes, at }
}

const scoreAt = (argv: Argv, at: number): number => {
  readPlace(argv.at(at), argv.at(at + 1), place)
  return scoreOfPlace(place.longitude, place.latitude)
}

export const geoadd = defineCommand({
  name: "GEOADD",
  since: "3.2.0",
  group: "geo",
  summary: "Gives members places, adding those that are not there; answers how many are new.",
  complexity: "O(log N) for each member, N being the size of the sorted set.",
  syntax: "key [condition: NX | XX]@6.2.0 [change=CH@6.2.0] <longitude latitude member> ...",
  history: [["6.2.0", "The options `CH`, `NX` and `XX`."]],
  arity: -5,
  flags: ["write", "denyoom"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    const options = optionsOf(argv)
    const { at } = options
    const key = argv.at(1)
    if (argv.length - at === 3) {
      const score = scoreAt(argv, at)
      return scoreOne(d, key, writableSortedSet(d, key), argv.at(at + 2), score, options)
    }
    const scores: Array<number> = []
    for (let i = at; i < argv.length; i += 3) scores.push(scoreAt(argv, i))
    return scoreMany(d, argv, key, writableSortedSet(d, key), scores, options, 3)
  }
})
