/**
 * Which cells of the plane have to be looked through to find all places within a shape. As in Redis, whose order of
 * results follows from it, they are the cell of the center, at a size that goes with the shape's, and its eight neighbours
 * as far as the shape reaches into them. Where that is not enough (over a pole, or at the meridian of 180° itself, whose
 * places have a column of their own), the missing cells come after these.
 */
import { degrees, earthRadius, radians } from "./geohash-distance.ts"
import type { Bounds, Shape } from "./geohash-shape.ts"
import { cosine } from "./geohash-trigonometry.ts"
import { columnOf, fullSteps, latitudeLimit, longitudeLimit, rowOf, southOf, westOf } from "./geohash.ts"

/** Cells in the order in which they are looked through: the first to the last one's column and row. */
export interface Cells {
  readonly steps: number
  readonly columns: Array<number>
  readonly rows: Array<number>
}

/** Half the length of the equator on the map that all this is about, in metres. */
const halfMap = 20037726.37

/** How often to halve the plane so that nine cells surely hold a circle; towards the poles cells become narrow. */
const stepsFor = (radius: number, latitude: number): number => {
  if (radius === 0) return fullSteps
  let steps = -1
  for (let reach = radius; reach < halfMap; reach *= 2) steps++
  const height = Math.abs(latitude)
  if (height > 66) steps -= height > 80 ? 2 : 1
  return Math.min(fullSteps, Math.max(1, steps))
}

/** About where a shape lies. Over a pole this is wrong, but the choice of cells is to be that of Redis. */
const roughBounds = ({ height, isBox, latitude, longitude, radius, width }: Shape): Bounds => {
  const up = degrees((isBox ? height / 2 : radius) / earthRadius)
  const across = (isBox ? width / 2 : radius) / earthRadius
  // The side of the hemisphere's pole is the one that takes more degrees.
  const side = latitude < 0 ? latitude - up : latitude + up
  const aside = degrees(across / cosine(radians(side)))
  return { west: longitude - aside, east: longitude + aside, south: latitude - up, north: latitude + up }
}

/** A cell's neighbours to the west and east of its column, to the south and north of its row. */
interface Around {
  readonly west: number
  readonly east: number
  readonly south: number
  readonly north: number
}

const around = (column: number, row: number, steps: number): Around => {
  const last = 2 ** steps - 1
  return { west: column - 1 & last, east: column + 1 & last, south: row - 1 & last, north: row + 1 & last }
}

/** Whether a neighbour ends before the shape does, which is so too where it lies at the other end of the plane. */
const fallsShort = (near: Around, steps: number, bounds: Bounds): boolean =>
  southOf(near.north + 1, steps) < bounds.north || southOf(near.south, steps) > bounds.south ||
  westOf(near.east + 1, steps) < bounds.east || westOf(near.west, steps) > bounds.west

/** The cells to look through for a shape, which surely keeps within these bounds. */
export const cellsOf = (shape: Shape, within: Bounds): Cells => {
  const { height, isBox, latitude, longitude, radius, width } = shape
  const bounds = roughBounds(shape)
  const reach = isBox ? Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) : radius
  let steps = stepsFor(reach, latitude)
  let column = columnOf(longitude, steps)
  let row = rowOf(latitude, steps)
  let near = around(column, row, steps)
  if (steps > 1 && fallsShort(near, steps, bounds)) {
    steps--
    column = columnOf(longitude, steps)
    row = rowOf(latitude, steps)
    near = around(column, row, steps)
  }
  // Neighbours that the shape does not reach are left out. Of the largest cells all are taken: they are but four.
  const all = steps < 2
  const south = all || !(southOf(row, steps) < bounds.south)
  const north = all || !(southOf(row + 1, steps) > bounds.north)
  const west = all || !(westOf(column, steps) < bounds.west)
  const east = all || !(westOf(column + 1, steps) > bounds.east)
  const cells: Cells = { steps, columns: [column], rows: [row] }
  if (north) add(cells, column, near.north)
  if (south) add(cells, column, near.south)
  if (east) add(cells, near.east, row)
  if (west) add(cells, near.west, row)
  if (north && east) add(cells, near.east, near.north)
  if (north && west) add(cells, near.west, near.north)
  if (south && east) add(cells, near.east, near.south)
  if (south && west) add(cells, near.west, near.south)
  addMissing(cells, within)
  return cells
}

const add = ({ columns, rows }: Cells, column: number, row: number): void => {
  for (let i = 0; i < columns.length; i++) if (columns[i] === column && rows[i] === row) return
  columns.push(column)
  rows.push(row)
}

/** Adds the cells that a shape may reach and that are not there yet. */
const addMissing = (cells: Cells, { east, north, south, west }: Bounds): void => {
  const { steps } = cells
  const count = 2 ** steps
  const isRound = !(east - west < 360)
  // The column, and row, behind the last one has the places of that meridian, or parallel, itself.
  const overEdge = isRound || west <= -longitudeLimit || east >= longitudeLimit
  const firstColumn = isRound ? 0 : Math.floor((west + longitudeLimit) / 360 * count)
  const lastColumn = isRound ? count - 1 : Math.floor((east + longitudeLimit) / 360 * count)
  const firstRow = rowOf(Math.max(-latitudeLimit, south), steps)
  const lastRow = rowOf(Math.min(latitudeLimit, north), steps)
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) add(cells, column & count - 1, row)
    if (overEdge) add(cells, count, row)
  }
}
