// A square of cells with numbered ticks at two sides, as in the homework's pictures.

export class Board {
  /**
   * @param element The element that the board is added to.
   * @param size The number of cells of a side.
   */
  constructor(element, size) {
    this.size = size;
    this.cells = document.createElement("div");
    this.cells.className = "cells";
    this.cells.style.setProperty("--size", size);
    const area = element.appendChild(document.createElement("div"));
    area.className = "area";
    area.append(this.cells, ...this.#createTicks());
    this.frames = [];
  }

  /** Replace the frames: an array of {row, column, side}, in cells. */
  setFrames(squares) {
    for (const frame of this.frames) frame.remove();
    this.frames = squares.map(({ row, column, side }) => {
      const frame = document.createElement("div");
      frame.className = "frame";
      frame.setAttribute("aria-hidden", "true");
      frame.style.left = this.#percent(column);
      frame.style.top = this.#percent(row);
      frame.style.width = frame.style.height = this.#percent(side);
      return frame;
    });
    this.cells.after(...this.frames);
  }

  #percent(cells) {
    return `${(100 * cells) / this.size}%`;
  }

  #createTicks() {
    const ticks = [];
    for (let index = 0; index < this.size; index += 5) {
      for (const [kind, edge] of [["above", "left"], ["beside", "top"]]) {
        const tick = document.createElement("span");
        tick.className = `tick ${kind}`;
        tick.setAttribute("aria-hidden", "true");
        tick.style[edge] = this.#percent(index + 0.5);
        tick.textContent = index;
        ticks.push(tick);
      }
    }
    return ticks;
  }
}
