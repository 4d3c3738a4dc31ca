// A stroke over a board of cells: a path one cell wide, whose cells touch at a side or a corner.

const STEP = 1 / 8; // the distance between the examined points of a line, in cells
const OVERLAP = 0.1; // how far a point must be beyond a side to be in the next cell, in cells
const MIN_LENGTH = 0.25; // the length from which a movement has a direction, in cells

export class Stroke {
  /** @param point The first point [x, y], in cells from the upper left corner of the board. */
  constructor(point) {
    this.point = point;
    this.path = [point.map(Math.floor)]; // cells [column, row]
    this.points = [point]; // the examined points in the last cell
    this.isCut = false; // whether the stroke perhaps only cuts a corner of the last cell
  }

  /** The cells [column, row], which are not all on the board if the stroke leaves it. */
  get cells() {
    return this.isCut ? this.path.slice(0, -1) : this.path;
  }

  /** Continue the stroke in a straight line. */
  moveTo(point) {
    const from = this.point;
    const distances = point.map((each, axis) => each - from[axis]);
    const steps = Math.ceil(Math.max(...distances.map(Math.abs)) / STEP);
    for (let step = 1; step <= steps; step += 1) {
      this.#visit(from.map((each, axis) => each + (distances[axis] * step) / steps));
    }
    this.point = point;
  }

  #visit(point) {
    const [last, before] = [this.path.at(-1), this.path.at(-2)];
    const cell = point.map((each, axis) => nextCell(each, last[axis]));
    this.points.push(point);
    if (`${cell}` === `${last}`) {
      if (isAlongASide(this.points[0], point)) this.isCut = false;
      return;
    }
    // A line of 45° cuts the cell at one side of each corner between its own cells.
    if (before && isDiagonal(before, cell) && !isBent(this.points)) this.path.pop();
    const wasDiagonal = this.path.length > 1 && isDiagonal(...this.path.slice(-2));
    this.path.push(cell);
    this.isCut = wasDiagonal && !isDiagonal(...this.path.slice(-2));
    this.points = [point];
  }
}

/** Return the column or row of a coordinate, which stays the last one near its border. */
function nextCell(coordinate, last) {
  const isNear = coordinate > last - OVERLAP && coordinate < last + 1 + OVERLAP;
  return isNear ? last : Math.floor(coordinate);
}

/** Return whether two cells touch at a corner. */
function isDiagonal(cell, other) {
  return cell.every((each, axis) => Math.abs(each - other[axis]) === 1);
}

/** Return whether a movement is rather horizontal or vertical than at 45°. */
function isAlongASide(from, to) {
  const [short, long] = from.map((each, axis) => Math.abs(to[axis] - each)).sort((a, b) => a - b);
  return long >= MIN_LENGTH && short <= long / 2;
}

/** Return whether a movement turns: whether a point is far from the line through its ends. */
function isBent(points) {
  const [start, end] = [points[0], points.at(-1)];
  const [dx, dy] = end.map((each, axis) => each - start[axis]);
  const distances = points.map(([x, y]) => Math.abs(dx * (y - start[1]) - dy * (x - start[0])));
  return Math.max(...distances) > MIN_LENGTH * Math.hypot(dx, dy);
}
