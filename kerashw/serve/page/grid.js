// The grid to draw diagonals on: an ARIA grid in which one cell at a time can have the focus.

import { Board } from "./board.js";

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
    this.painting = null; // the value that the pointer paints while it is down; otherwise null
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
      cell.dataset.position = `${row} ${column}`;
      return cell;
    });
  }

  #cell([row, column]) {
    return this.elements[row]?.[column];
  }

  #set([row, column], value) {
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
    this.#cell(position).focus({ preventScroll: this.painting !== null });
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
    const positionOf = ({ clientX, clientY }) => {
      const position = document.elementFromPoint(clientX, clientY)?.dataset.position;
      return position?.split(" ").map(Number);
    };
    cells.addEventListener("pointerdown", (event) => {
      const position = event.isPrimary && event.button === 0 ? positionOf(event) : null;
      if (!position) return;
      cells.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.painting = !this.pixels[position[0]][position[1]];
      this.#focus(position);
      this.#paint(position, this.painting);
    });
    cells.addEventListener("pointermove", (event) => {
      if (this.painting === null || !event.isPrimary) return;
      const position = positionOf(event);
      if (position) this.#paint(position, this.painting);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      cells.addEventListener(end, () => {
        this.painting = null;
      });
    }
  }
}
