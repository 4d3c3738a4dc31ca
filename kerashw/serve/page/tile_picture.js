// A picture of numbers in tiles: the maps or the units of a layer, their weights, a heat map.

import { levelOf } from "./diverging_colours.js";
import { create } from "./elements.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export class TilePicture {
  /**
   * @param tiles {count, height, width, columns}: the number of tiles, the numbers of each, and
   *   the tiles in a row.
   * @param zoom The pixels of the canvas for a side of a number.
   * @param gap The pixels of the canvas between two tiles.
   */
  constructor(tiles, { zoom = 1, gap = tiles.count > 1 ? 1 : 0 } = {}) {
    this.tiles = tiles;
    this.zoom = zoom;
    this.pitch = [tiles.height * zoom + gap, tiles.width * zoom + gap];
    this.rows = Math.ceil(tiles.count / tiles.columns);
    this.canvas = create("canvas", {
      width: tiles.columns * this.pitch[1] - gap,
      height: this.rows * this.pitch[0] - gap,
      role: "img",
    });
    this.frame = create("div", { className: "frame", hidden: true, "aria-hidden": "true" });
    this.element = create("div", { className: "picture" }, this.canvas, this.frame);
  }

  set label(text) {
    if (text !== this.canvas.getAttribute("aria-label")) this.canvas.setAttribute("aria-label", text);
  }

  clear() {
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.frame.hidden = true;
  }

  /**
   * Draw the numbers, one tile after the other.
   *
   * @param scale The largest absolute value of a number.
   * @param colours A table of `readColours`.
   */
  paint(numbers, scale, colours, isSigned) {
    const { count, height, width, columns } = this.tiles;
    const { canvas, zoom, pitch } = this;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    let next = 0;
    for (let tile = 0; tile < count; tile += 1) {
      const corner = Math.floor(tile / columns) * pitch[0] * canvas.width + (tile % columns) * pitch[1];
      for (let row = 0; row < height; row += 1) {
        for (let column = 0; column < width; column += 1) {
          const colour = colours[levelOf(numbers[next], scale, isSigned)];
          const start = corner + row * zoom * canvas.width + column * zoom;
          for (let line = 0; line < zoom; line += 1) {
            const left = start + line * canvas.width;
            pixels.fill(colour, left, left + zoom);
          }
          next += 1;
        }
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** Put the frame around a tile; null hides it. */
  markTile(index) {
    if (index === null) {
      this.frame.hidden = true;
      return;
    }
    const { columns, height, width } = this.tiles;
    const [row, column] = [Math.floor(index / columns), index % columns];
    this.#mark(row * this.pitch[0], column * this.pitch[1], height * this.zoom, width * this.zoom);
  }

  /** Put the frame around {row, column, height, width} of a single tile; null hides it. */
  markRegion(region) {
    this.frame.hidden = !region;
    if (!region) return;
    const top = Math.max(0, region.row);
    const left = Math.max(0, region.column);
    const bottom = Math.min(this.tiles.height, region.row + region.height);
    const right = Math.min(this.tiles.width, region.column + region.width);
    this.#mark(...[top, left, bottom - top, right - left].map((each) => each * this.zoom));
  }

  #mark(top, left, height, width) {
    const { style } = this.frame;
    this.frame.hidden = false;
    style.top = `${(100 * top) / this.canvas.height}%`;
    style.left = `${(100 * left) / this.canvas.width}%`;
    style.height = `${(100 * height) / this.canvas.height}%`;
    style.width = `${(100 * width) / this.canvas.width}%`;
  }

  /**
   * Let a pointer or the arrow keys choose a tile.
   *
   * @param role The role of the canvas in words, such as "feature maps".
   * @param onHover Function that is called with the tile under a mouse, or null: {index, row,
   *   column}, the position of the number within the tile.
   * @param onChoose Function that is called with the tile that is clicked, tapped or reached by a
   *   key; by a key, the row and column are undefined.
   */
  listen(role, onHover, onChoose) {
    const { canvas } = this;
    this.chosen = 0;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", role);
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") onHover(this.#tileAt(event));
    });
    canvas.addEventListener("pointerleave", () => onHover(null));
    canvas.addEventListener("click", (event) => {
      const tile = this.#tileAt(event);
      if (!tile) return;
      this.chosen = tile.index;
      onChoose(tile);
    });
    canvas.addEventListener("focus", () => {
      if (canvas.matches(":focus-visible")) onChoose({ index: this.chosen });
    });
    canvas.addEventListener("keydown", (event) => {
      const index = this.#nextTile(event);
      if (index === null) return;
      event.preventDefault();
      this.chosen = index;
      onChoose({ index });
    });
  }

  #tileAt({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const y = Math.floor(((clientY - top) / height) * this.canvas.height);
    const x = Math.floor(((clientX - left) / width) * this.canvas.width);
    const [down, right] = [Math.floor(y / this.pitch[0]), Math.floor(x / this.pitch[1])];
    const index = down * this.tiles.columns + right;
    if (y < 0 || x < 0 || right >= this.tiles.columns || index >= this.tiles.count) return null;
    const row = Math.floor((y - down * this.pitch[0]) / this.zoom);
    const column = Math.floor((x - right * this.pitch[1]) / this.zoom);
    return {
      index,
      row: Math.min(row, this.tiles.height - 1), // the gap belongs to the tile before it
      column: Math.min(column, this.tiles.width - 1),
    };
  }

  #nextTile({ key, ctrlKey, altKey, metaKey }) {
    if (ctrlKey || altKey || metaKey) return null;
    const { count, columns } = this.tiles;
    if (key === "Home") return 0;
    if (key === "End") return count - 1;
    if (!MOVES[key]) return null;
    const [down, right] = MOVES[key];
    const column = (this.chosen % columns) + right;
    const index = this.chosen + down * columns + right;
    return column < 0 || column >= columns || index < 0 || index >= count ? this.chosen : index;
  }
}
