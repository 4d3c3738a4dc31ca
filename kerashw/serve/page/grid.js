// The grid to draw diagonals on: an ARIA grid in which one cell at a time can have the focus.

import { Board } from "./board.js";
import { eventsOf } from "./pointers.js";
import { Stroke } from "./stroke.js";

const SIZE = 20;
const MOVES = {
  ArrowLeft: ([row, column]) => [row, column - 1],
  ArrowRight: ([row, column]) => [row, column + 1],
  ArrowUp: ([row, column]) => [row - 1, column],
  ArrowDown: ([row, column]) => [row + 1, column],
  Home: ([row]) => [row, 0],
  End: ([row]) => [row, SIZE - 1],
};

export class Grid {
  /**
   * @param element The element that the grid is added to.
   * @param onChange Function that is called after each change.
   */
  constructor(element, onChange) {
    this.onChange = onChange;
    this.pixels = Array.from({ length: SIZE }, () => Array(SIZE).fill(false));
    this.board = new Board(element, SIZE);
    this.position = [0, 0]; // the cell that has the focus
    this.stroke = null; // the stroke of the pointer while it is down
    const { cells } = this.board;
    cells.setAttribute("role", "grid");
    cells.setAttribute("aria-labelledby", "grid-name");
    cells.setAttribute("aria-multiselectable", "true");
    this.elements = this.pixels.map((row, number) => this.#createRow(row, number));
    this.#cell(this.position).tabIndex = 0;
    this.#listenToPointers(cells);
    cells.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Replace the drawing: set the pixels at these positions [row, column], and no others. */
  draw(positions) {
    this.pixels.forEach((row, r) => row.forEach((_, c) => this.#set([r, c], false)));
    for (const position of positions) this.#set(position, true);
    this.onChange();
  }

  #createRow(values, row) {
    const element = document.createElement("div");
    element.setAttribute("role", "row");
    this.board.cells.append(element);
    return values.map((_, column) => {
      const cell = element.appendChild(document.createElement("div"));
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-label", `row ${row}, column ${column}`);
      cell.setAttribute("aria-selected", "false");
      cell.tabIndex = -1;
      return cell;
    });
  }

  #cell([row, column]) {
    return this.elements[row]?.[column];
  }

  #set([row, column], value) {
    if (this.pixels[row][column] === value) return;
    this.pixels[row][column] = value;
    this.elements[row][column].setAttribute("aria-selected", String(value));
  }

  #paint(position, value) {
    if (this.pixels[position[0]][position[1]] === value) return;
    this.#set(position, value);
    this.onChange();
  }

  #focus(position) {
    if (!this.#cell(position)) return;
    this.#cell(this.position).tabIndex = -1;
    this.position = position;
    this.#cell(position).tabIndex = 0;
    this.#cell(position).focus({ preventScroll: this.stroke !== null });
  }

  #onKey(event) {
    const [row, column] = this.position;
    if (event.key === " " || event.key === "Enter") {
      this.#paint(this.position, !this.pixels[row][column]);
    } else if (event.key in MOVES && !event.ctrlKey && !event.altKey && !event.metaKey) {
      this.#focus(MOVES[event.key](this.position));
    } else {
      return;
    }
    event.preventDefault();
  }

  #listenToPointers(cells) {
    const pointOf = ({ clientX, clientY }) => {
      const { left, top, width, height } = cells.getBoundingClientRect();
      return [(SIZE * (clientX - left)) / width, (SIZE * (clientY - top)) / height];
    };
    let original; // the pixels before the stroke
    let value; // what the stroke sets them to
    const paint = () => this.#paintStroke(original, value);
    cells.addEventListener("pointerdown", (event) => {
      const stroke = new Stroke(pointOf(event));
      const [[column, row]] = stroke.cells;
      if (!event.isPrimary || event.button !== 0 || !this.#cell([row, column])) return;
      cells.setPointerCapture(event.pointerId);
      event.preventDefault();
      original = this.pixels.map((row) => [...row]);
      value = !original[row][column];
      this.stroke = stroke;
      this.#focus([row, column]);
      paint();
    });
    cells.addEventListener("pointermove", (event) => {
      if (!this.stroke || !event.isPrimary) return;
      for (const each of eventsOf(event)) this.stroke.moveTo(pointOf(each));
      paint();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      cells.addEventListener(end, () => {
        this.stroke = null;
      });
    }
  }

  /** Show the original pixels, with a value in the cells of the stroke. */
  #paintStroke(original, value) {
    const pixels = original.map((row) => [...row]);
    for (const [column, row] of this.stroke.cells) {
      if (this.#cell([row, column])) pixels[row][column] = value;
    }
    if (String(pixels) === String(this.pixels)) return;
    pixels.forEach((row, r) => row.forEach((each, c) => this.#set([r, c], each)));
    this.onChange();
  }
}
