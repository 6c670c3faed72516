/** What GEOSEARCH, GEORADIUS and their kin are asked. */
import { ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { scoreOf } from "../../projections/sorted-set-read.ts"
import type { Shape } from "../../projections/structures/geohash-shape.ts"
import { Place, placeOfScore } from "../../projections/structures/geohash.ts"
import { double } from "../arguments-double.ts"
import { int64, isWord, shown } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import type { Argv } from "../define.ts"
import { errors } from "../errors.ts"
import { metresOf, readPlace } from "./arguments.ts"

const noMember = new ReplyError("ERR could not decode requested zset member")
const badRadius = new ReplyError("ERR need numeric radius")
const badWidth = new ReplyError("ERR need numeric width")
const badHeight = new ReplyError("ERR need numeric height")
const negativeRadius = new ReplyError("ERR radius cannot be negative")
const negativeSide = new ReplyError("ERR height or width cannot be negative")
const badCount = new ReplyError("ERR COUNT must be > 0")
const anyNeedsCount = new ReplyError("ERR the ANY argument requires COUNT argument")

/** How a command of the family is written. */
export interface Form {
  /** Where the key that is searched stands. */
  readonly keyAt: number
  /** What follows it: center and radius in fixed places, a member and a radius, or options for both. */
  readonly center: "place" | "member" | "options"
  /** Where results are kept: nowhere, where STORE or STOREDIST say, or at the first argument. */
  readonly keeps: "never" | "option" | "always"
}

/** A search as it is to be done. */
export interface Search {
  /** Undefined where there is no key to search, so that nobody knows where a member is. */
  readonly shape: Shape | undefined
  /** Metres of the unit that distances are answered in. */
  readonly unit: number
  /** Results at most, 0 for all. */
  readonly count: number
  /** Any results will do, not only the nearest. */
  readonly any: boolean
  readonly order: "none" | "ascending" | "descending"
  readonly withDistance: boolean
  readonly withScore: boolean
  readonly withPlace: boolean
  /** Where the results go; undefined when they are answered. */
  readonly destination: Slice | undefined
  /** Scores of what is kept are distances, not places. */
  readonly keepDistances: boolean
}

const place = new Place()

/** Reads one request. */
class Reader {
  private readonly d: Decision
  private readonly argv: Argv
  private readonly form: Form
  private readonly p: Pointer
  private center: "none" | "member" | "place" = "none"
  private area: "none" | "circle" | "box" = "none"
  private longitude = 0
  private latitude = 0
  private radius = 0
  private width = 0
  private height = 0
  private unit = 1
  private count = 0
  private any = false
  private order: Search["order"] = "none"
  private withDistance = false
  private withScore = false
  private withPlace = false
  private destination: Slice | undefined = undefined
  private keepDistances = false

  /** @param p the sorted set that is searched, 0 when there is none */
  constructor(d: Decision, argv: Argv, form: Form, p: Pointer) {
    this.d = d
    this.argv = argv
    this.form = form
    this.p = p
  }

  read(): Search {
    const { argv, form } = this
    const { center, keyAt, keeps } = form
    if (keeps === "always") this.destination = argv.at(1)
    if (center === "place") {
      this.fromPlace(keyAt + 1)
      this.byRadius(keyAt + 3)
    } else if (center === "member" && this.p !== 0) {
      this.fromMember(keyAt + 1)
      this.byRadius(keyAt + 2)
    }
    this.options(keyAt + (center === "place" ? 5 : center === "member" ? 4 : 1))
    this.check()
    const { any, count, destination, keepDistances, latitude, longitude, order, unit } = this
    const isBox = this.area === "box"
    const shape = {
      longitude,
      latitude,
      isBox,
      radius: isBox ? 0 : this.radius * unit,
      width: isBox ? this.width * unit : 0,
      height: isBox ? this.height * unit : 0
    }
    return {
      shape: this.p === 0 ? undefined : shape,
      unit,
      count,
      any,
      // The nearest are meant where not all are wanted.
      order: count !== 0 && order === "none" && !any ? "ascending" : order,
      withDistance: this.withDistance,
      withScore: this.withScore,
      withPlace: this.withPlace,
      destination,
      keepDistances
    }
  }

  private options(from: number): void {
    const { argv } = this
    for (let i = from; i < argv.length; i++) i += this.option(i, argv.length - i - 1)
  }

  /** Reads the option at word `at`, behind which `left` words are left; returns how many of them belong to it. */
  private option(at: number, left: number): number {
    const { argv, form } = this
    const word = argv.at(at)
    const byOptions = form.center === "options"
    if (isWord(word, "WITHDIST")) this.withDistance = true
    else if (isWord(word, "WITHHASH")) this.withScore = true
    else if (isWord(word, "WITHCOORD")) this.withPlace = true
    else if (isWord(word, "ANY")) this.any = true
    else if (isWord(word, "ASC")) this.order = "ascending"
    else if (isWord(word, "DESC")) this.order = "descending"
    else if (left >= 1 && isWord(word, "COUNT")) {
      const count = int64(argv.at(at + 1))
      if (count <= 0) throw badCount
      this.count = Number(count)
      return 1
    } else if (left >= 1 && form.keeps === "option" && (isWord(word, "STORE") || isWord(word, "STOREDIST"))) {
      this.destination = argv.at(at + 1)
      this.keepDistances = word.length > 5
      return 1
    } else if (left >= 1 && byOptions && this.center !== "place" && isWord(word, "FROMMEMBER")) {
      if (this.p !== 0) this.fromMember(at + 1)
      this.center = "member"
      return 1
    } else if (left >= 2 && byOptions && this.center !== "member" && isWord(word, "FROMLONLAT")) {
      this.fromPlace(at + 1)
      this.center = "place"
      return 2
    } else if (left >= 2 && byOptions && this.area !== "box" && isWord(word, "BYRADIUS")) {
      this.byRadius(at + 1)
      return 2
    } else if (left >= 3 && byOptions && this.area !== "circle" && isWord(word, "BYBOX")) {
      this.byBox(at + 1)
      return 3
    } else if (form.keeps === "always" && isWord(word, "STOREDIST")) this.keepDistances = true
    else throw errors.syntax
    return 0
  }

  private fromPlace(at: number): void {
    readPlace(this.argv.at(at), this.argv.at(at + 1), place)
    this.longitude = place.longitude
    this.latitude = place.latitude
  }

  private fromMember(at: number): void {
    const score = scoreOf(this.d.db, this.p, this.argv.at(at))
    if (score === undefined) throw noMember
    placeOfScore(score, place)
    this.longitude = place.longitude
    this.latitude = place.latitude
  }

  private byRadius(at: number): void {
    const radius = double(this.argv.at(at), badRadius)
    if (radius < 0) throw negativeRadius
    this.radius = radius
    this.unit = metresOf(this.argv.at(at + 1))
    this.area = "circle"
  }

  private byBox(at: number): void {
    const width = double(this.argv.at(at), badWidth)
    const height = double(this.argv.at(at + 1), badHeight)
    if (width < 0 || height < 0) throw negativeSide
    this.width = width
    this.height = height
    this.unit = metresOf(this.argv.at(at + 2))
    this.area = "box"
  }

  /** Refuses options that do not go together. */
  private check(): void {
    const { argv, form } = this
    if (this.destination !== undefined && (this.withDistance || this.withScore || this.withPlace)) {
      const what = form.keeps === "always" ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS"
      throw new ReplyError(`ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`)
    }
    if (form.center === "options" && this.center === "none") {
      throw new ReplyError(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${shown(argv.at(0))}`)
    }
    if (form.center === "options" && this.area === "none") {
      throw new ReplyError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${shown(argv.at(0))}`)
    }
    if (this.any && this.count === 0) throw anyNeedsCount
  }
}

/** Reads a request; `p` is the sorted set it searches, 0 when there is none. */
export const readSearch = (d: Decision, argv: Argv, form: Form, p: Pointer): Search =>
  new Reader(d, argv, form, p).read()
