/** Who put which element where it is: names, with their elements and the batches that they came with, moved as events say. */
import type { Origin } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import type { Slice } from "../projections/memory/slice.ts"

/** A batch, as it is answered for. */
export interface Mark {
  readonly sequence: number
  /** Unix milliseconds. */
  readonly time: number
  readonly origin: Origin
  readonly command: string | null
  readonly user: string | null
  readonly address: string | null
  readonly client: string | null
}

/** What is known about the value of one name. */
interface Credit {
  /** Of a string; and of elements that nobody named since. */
  whole: Mark | undefined
  /** By field, member or id (Latin-1). */
  elements: Map<string, Mark>
  /** Of a list, by place. */
  places: Array<Mark | undefined>
}

/** Credits of some names, in every database. */
export class Credits {
  private readonly known: ReadonlySet<string>
  private databases = new Map<number, Map<string, Credit>>()
  private withPlaces = true
  constructor(known: ReadonlySet<string>) {
    this.known = known
  }

  /** Where the beginning is not known, nobody can count the places of a list. */
  forgetPlaces(): void {
    this.withPlaces = false
  }

  /** Who answers for an element: a name, a place in a list, or undefined for the value as a whole. */
  of(db: number, name: string, element: string | number | undefined): Mark | undefined {
    const credit = this.databases.get(db)?.get(name)
    if (credit === undefined) return undefined
    if (typeof element === "number") return this.withPlaces ? credit.places[element] : undefined
    return element === undefined ? credit.whole : credit.elements.get(element) ?? credit.whole
  }

  private database(db: number): Map<string, Credit> {
    let database = this.databases.get(db)
    if (database === undefined) this.databases.set(db, database = new Map())
    return database
  }

  private at(db: number, key: Slice): Credit | undefined {
    const name = key.latin1()
    if (!this.known.has(name)) return undefined
    const database = this.database(db)
    let credit = database.get(name)
    if (credit === undefined) database.set(name, credit = { whole: undefined, elements: new Map(), places: [] })
    return credit
  }

  private put(db: number, key: Slice, credit: Credit | undefined): void {
    const name = key.latin1()
    if (!this.known.has(name)) return
    if (credit === undefined) this.database(db).delete(name)
    else this.database(db).set(name, credit)
  }

  /** Takes an event into account. */
  apply(db: number, event: Event, mark: Mark): void {
    switch (event._tag) {
      case "KeyDeleted":
      case "KeyExpired":
      case "KeyEvicted":
        return this.put(db, event.key, undefined)
      case "KeyRenamed": {
        const credit = this.database(db).get(event.key.latin1())
        this.put(db, event.key, undefined)
        return this.put(db, event.to, credit)
      }
      case "KeyCopied": {
        const credit = this.database(db).get(event.key.latin1())
        return this.put(event.toDb, event.to, credit === undefined ? undefined : copyOf(credit))
      }
      case "KeyMoved": {
        const credit = this.database(db).get(event.key.latin1())
        this.put(db, event.key, undefined)
        return this.put(event.toDb, event.key, credit)
      }
      case "DatabaseFlushed":
        return this.database(db).clear()
      case "KeyspaceFlushed":
        return this.databases.clear()
      case "DatabasesSwapped": {
        const first = this.database(event.first)
        this.databases.set(event.first, this.database(event.second))
        this.databases.set(event.second, first)
        return
      }
      default: {
        const credit = this.at(db, event.key)
        if (credit !== undefined) this.change(credit, event, mark)
      }
    }
  }

  private change(credit: Credit, event: Event, mark: Mark): void {
    const { elements, places } = credit
    const name = (slices: ReadonlyArray<Slice>): void => {
      for (const slice of slices) elements.set(slice.latin1(), mark)
    }
    switch (event._tag) {
      case "StringSet":
      case "StringsCombined":
        elements.clear()
        places.length = 0
        credit.whole = mark
        return
      case "StringIncremented":
      case "StringFloatIncremented":
      case "StringAppended":
      case "StringRangeSet":
      case "StringSpliced":
      case "CollectionRestored":
        credit.whole = mark
        return
      case "ListPushed": {
        const marks = event.elements.map(() => mark)
        if (event.side === "left") credit.places = [...marks, ...places]
        else places.push(...marks)
        return
      }
      case "ListPopped":
        places.splice(
          event.side === "left" ? 0 : Math.max(0, places.length - event.elements.length),
          event.elements.length
        )
        return
      case "ListElementSet":
        places[event.index] = mark
        return
      case "ListElementInserted":
        places.splice(event.index, 0, mark)
        return
      case "ListElementsRemoved": {
        const gone = new Set(event.indexes)
        credit.places = places.filter((_, index) => !gone.has(index))
        return
      }
      case "ListTrimmed":
        credit.places = places.slice(event.start, event.stop + 1)
        return
      case "SetMembersAdded":
      case "SortedSetMembersScored":
        return name(event.members)
      case "SetMembersRemoved":
      case "SortedSetMembersRemoved":
        for (const member of event.members) elements.delete(member.latin1())
        return
      case "HashFieldsSet":
      case "HashFieldsUpdated":
        return name(event.pairs.filter((_, i) => i % 2 === 0))
      case "HashFieldsDeleted":
      case "HashFieldsExpired":
        for (const field of event.fields) elements.delete(field.latin1())
        return
      case "StreamEntryAdded":
        elements.set(String(event.id), mark)
        return
      default:
    }
  }
}

const copyOf = ({ elements, places, whole }: Credit): Credit => ({
  whole,
  elements: new Map(elements),
  places: places.slice()
})
