// The grid that diagonals are drawn on: an ARIA grid, of which one cell at a time takes the focus.

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
   * @param element Where it goes.
   * @param changed Called after every change.
   */
  constructor(element, changed) {
    this.changed = changed;
    this.pixels = Array.from({ length: SIZE }, () => Array(SIZE).fill(false));
    this.board = new Board(element, SIZE);
    this.place = [0, 0]; // of the cell that takes the focus
    this.painting = null; // the value that the pointer paints, while it is down
    const { cells } = this.board;
    cells.setAttribute("role", "grid");
    cells.setAttribute("aria-labelledby", "grid-name");
    cells.setAttribute("aria-multiselectable", "true");
    this.elements = this.pixels.map((row, number) => this.#newRow(row, number));
    this.#cell(this.place).tabIndex = 0;
    this.#listenToPointers(cells);
    cells.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Set the pixels at these places, [row, column] each, and no others. */
  draw(places) {
    this.pixels.forEach((row, r) => row.forEach((_, c) => this.#set([r, c], false)));
    for (const place of places) this.#set(place, true);
    this.changed();
  }

  #newRow(values, row) {
    const element = document.createElement("div");
    element.setAttribute("role", "row");
    this.board.cells.append(element);
    return values.map((_, column) => {
      const cell = element.appendChild(document.createElement("div"));
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-label", `row ${row}, column ${column}`);
      cell.setAttribute("aria-selected", "false");
      cell.tabIndex = -1;
      cell.dataset.place = `${row} ${column}`;
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

  #paint(place, value) {
    if (this.pixels[place[0]][place[1]] === value) return;
    this.#set(place, value);
    this.changed();
  }

  #focus(place) {
    if (!this.#cell(place)) return;
    this.#cell(this.place).tabIndex = -1;
    this.place = place;
    this.#cell(place).tabIndex = 0;
    this.#cell(place).focus({ preventScroll: this.painting !== null });
  }

  #onKey(event) {
    const [row, column] = this.place;
    if (event.key === " " || event.key === "Enter") {
      this.#paint(this.place, !this.pixels[row][column]);
    } else if (event.key in MOVES && !event.ctrlKey && !event.altKey && !event.metaKey) {
      this.#focus(MOVES[event.key](this.place));
    } else {
      return;
    }
    event.preventDefault();
  }

  #listenToPointers(cells) {
    const under = ({ clientX, clientY }) => {
      const place = document.elementFromPoint(clientX, clientY)?.dataset.place;
      return place?.split(" ").map(Number);
    };
    cells.addEventListener("pointerdown", (event) => {
      const place = event.isPrimary && event.button === 0 ? under(event) : null;
      if (!place) return;
      cells.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.painting = !this.pixels[place[0]][place[1]];
      this.#focus(place);
      this.#paint(place, this.painting);
    });
    cells.addEventListener("pointermove", (event) => {
      if (this.painting === null || !event.isPrimary) return;
      const place = under(event);
      if (place) this.#paint(place, this.painting);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      cells.addEventListener(end, () => {
        this.painting = null;
      });
    }
  }
}
