// A square of cells with ticks at its borders, as in the homework's pictures.

export class Board {
  /**
   * @param element Where it goes.
   * @param size How many cells a side has.
   */
  constructor(element, size) {
    this.size = size;
    this.cells = document.createElement("div");
    this.cells.className = "cells";
    this.cells.style.setProperty("--size", size);
    const area = element.appendChild(document.createElement("div"));
    area.className = "area";
    area.append(this.cells, ...this.#ticks());
    this.frames = [];
  }

  /** Frame squares of cells: an array of {row, column, side}. */
  frame(squares) {
    for (const frame of this.frames) frame.remove();
    this.frames = squares.map(({ row, column, side }) => {
      const frame = document.createElement("div");
      frame.className = "frame";
      frame.setAttribute("aria-hidden", "true");
      frame.style.left = this.#share(column);
      frame.style.top = this.#share(row);
      frame.style.width = frame.style.height = this.#share(side);
      return frame;
    });
    this.cells.after(...this.frames);
  }

  #share(cells) {
    return `${(100 * cells) / this.size}%`;
  }

  #ticks() {
    const ticks = [];
    for (let place = 0; place < this.size; place += 5) {
      for (const [kind, edge] of [["above", "left"], ["beside", "top"]]) {
        const tick = document.createElement("span");
        tick.className = `tick ${kind}`;
        tick.setAttribute("aria-hidden", "true");
        tick.style[edge] = this.#share(place + 0.5);
        tick.textContent = place;
        ticks.push(tick);
      }
    }
    return ticks;
  }
}
