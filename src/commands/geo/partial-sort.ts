/**
 * Sorting so far that the first few stand in their places: quicksort as Bentley and McIlroy describe it ("Engineering a
 * sort function", 1993), leaving alone the parts that lie wholly behind. What compares equal comes out in the order in
 * which Redis has it, which sorts like this too: an algorithm that keeps equals in their order would show other members.
 */

/** Negative, zero or positive as the first comes before, with or after the second. */
type Compare = (a: number, b: number) => number

/** So few are sorted by insertion. */
const fewItems = 7
/** Of more than this the pivot is a median of medians. */
const manyItems = 40

/** The place of the middle one of three. */
const median = (items: Array<number>, a: number, b: number, c: number, compare: Compare): number => {
  const [x, y, z] = [items[a]!, items[b]!, items[c]!]
  if (compare(x, y) < 0) return compare(y, z) < 0 ? b : compare(x, z) < 0 ? c : a
  return compare(y, z) > 0 ? b : compare(x, z) < 0 ? a : c
}

const swap = (items: Array<number>, a: number, b: number): void => {
  const item = items[a]!
  items[a] = items[b]!
  items[b] = item
}

/** Exchanges two runs of items. */
const swapRuns = (items: Array<number>, a: number, b: number, count: number): void => {
  for (let i = 0; i < count; i++) swap(items, a + i, b + i)
}

const pivotPlace = (items: Array<number>, from: number, count: number, compare: Compare): number => {
  let middle = from + (count >>> 1)
  if (count <= fewItems) return middle
  let low = from
  let high = from + count - 1
  if (count > manyItems) {
    const eighth = count >>> 3
    low = median(items, low, low + eighth, low + 2 * eighth, compare)
    middle = median(items, middle - eighth, middle, middle + eighth, compare)
    high = median(items, high - 2 * eighth, high - eighth, high, compare)
  }
  return median(items, low, middle, high, compare)
}

/** Sorts `count` items from `from` on as far as they have to do with places 0 to `last`. */
const sortPart = (items: Array<number>, from: number, count: number, last: number, compare: Compare): void => {
  for (;;) {
    if (count < fewItems) {
      for (let i = from + 1; i < from + count; i++) {
        for (let j = i; j > from && compare(items[j - 1]!, items[j]!) > 0; j--) swap(items, j, j - 1)
      }
      return
    }
    swap(items, from, pivotPlace(items, from, count, compare))
    const end = from + count
    // Equals of the pivot gather at both ends: [pivot, equal | less | … | greater | equal].
    let equalLow = from + 1
    let low = from + 1
    let high = end - 1
    let equalHigh = end - 1
    for (;;) {
      for (; low <= high; low++) {
        const order = compare(items[low]!, items[from]!)
        if (order > 0) break
        if (order === 0) swap(items, equalLow++, low)
      }
      for (; low <= high; high--) {
        const order = compare(items[high]!, items[from]!)
        if (order < 0) break
        if (order === 0) swap(items, high, equalHigh--)
      }
      if (low > high) break
      swap(items, low++, high--)
    }
    const less = low - equalLow
    const greater = equalHigh - high
    const equalsBefore = Math.min(equalLow - from, less)
    swapRuns(items, from, low - equalsBefore, equalsBefore)
    const equalsBehind = Math.min(greater, end - equalHigh - 1)
    swapRuns(items, low, end - equalsBehind, equalsBehind)
    if (less > 1 && from <= last) sortPart(items, from, less, last, compare)
    if (greater <= 1 || end - greater > last) return
    from = end - greater
    count = greater
  }
}

/** Brings those items to the front, and in order, that belong in the first `wanted` places. */
export const sortFirst = (items: Array<number>, wanted: number, compare: Compare): void =>
  sortPart(items, 0, items.length, wanted - 1, compare)
