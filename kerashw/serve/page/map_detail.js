// One map of a convolution or a pooling layer: enlarged, with its kernels and what a pixel looks at.

import { levelOf, toCss } from "./diverging_colours.js";
import { create } from "./elements.js";
import { regionOf, regionOfInput, tilesOf } from "./layers.js";
import { TilePicture } from "./tile_picture.js";
import { createFigure, setText } from "./unit_detail.js";
import { explainSum, format } from "./weighted_sum.js";

const KERNEL_ZOOM = 6;
const MOST_NUMBERS = 25; // of a kernel that is shown as numbers

export class MapDetail {
  /**
   * @param layers The layers of the model.
   * @param index The index of the map's layer.
   * @param image {height, width} of the image.
   * @param tiles The tiles of the map's kernels; undefined if it has none.
   * @param onHover Function that is called with the position {row, column} in the enlarged map that
   *   a mouse is on, or null.
   * @param onChoose Function that is called with the position that is clicked, tapped or reached by
   *   a key.
   */
  constructor(layers, index, image, tiles, onHover, onChoose) {
    this.layers = layers.slice(0, index + 1);
    this.layer = layers[index];
    this.image = image;
    this.before = layers[index - 1];
    this.input = this.before ? tilesOf(this.before) : { ...image, count: 1, columns: 1 };
    this.title = create("h3");
    this.text = create("p", { className: "numbers" });
    this.place = new TilePicture({ ...image, count: 1, columns: 1 });
    const { height, width } = tilesOf(this.layer);
    this.map = new TilePicture({ count: height * width, height: 1, width: 1, columns: width }, { gap: 0 });
    const positionOf = (tile) => tile && { row: Math.floor(tile.index / width), column: tile.index % width };
    this.map.listen("feature map", (tile) => onHover(positionOf(tile)), (tile) => onChoose(positionOf(tile)));
    const pictures = create("div", { className: "pictures" }, createFigure(this.map, "The map, enlarged: point at a pixel"));
    if (tiles) pictures.append(this.#createKernel(tiles));
    pictures.append(createFigure(this.place, "The place in the drawing that the marked pixel looks at"));
    this.element = create("div", { className: "detail-body" }, create("div", { role: "status" }, this.title), this.text, pictures);
  }

  #createKernel(tiles) {
    const size = this.layer.kernel.join("×");
    if (tiles.count * tiles.height * tiles.width > MOST_NUMBERS) {
      this.kernel = new TilePicture(tiles, { zoom: KERNEL_ZOOM, gap: KERNEL_ZOOM / 2 });
      return createFigure(this.kernel, `Its ${tiles.count} kernels of ${size}, one for each map of ${this.before.name}`);
    }
    this.cells = Array.from({ length: tiles.height * tiles.width }, () => create("span"));
    this.grid = create("div", { className: "kernel-numbers", role: "img" }, ...this.cells);
    this.grid.style.setProperty("--size", tiles.width);
    return create("figure", {}, this.grid, create("figcaption", {}, `Its kernel of ${size}: orange excites it, blue inhibits it`));
  }

  /** Show a map, and return the region of the drawing that its marked pixel looks at. */
  show({ index, row, column }, { image, activations }, weights, colours) {
    const { name, kind, signed } = this.layer;
    const { height, width } = tilesOf(this.layer);
    const { numbers, scale } = activations[this.layers.length - 1];
    const map = numbers.subarray(index * height * width, (index + 1) * height * width);
    const brightest = map.reduce((most, each, position) => (each > map[most] ? position : most), 0);
    const pixel = row === undefined ? brightest : row * width + column;
    const position = { row: Math.floor(pixel / width), column: pixel % width };
    const region = regionOf(this.layers, this.image, position);
    this.map.paint(map, scale, signed ? colours.signed : colours.bright, Boolean(signed));
    this.map.chosen = pixel;
    this.map.markTile(pixel);
    this.map.label = `Map ${index} of ${name}, enlarged. The arrow keys choose a pixel.`;
    this.place.paint(image.numbers, 1, colours.grey, false);
    this.place.markRegion(region);
    this.place.label = `The marked pixel looks at ${region.height}×${region.width} pixels of the drawing from row ${region.row}, column ${region.column}`;
    setText(this.title, `Map ${index} of ${name}`);
    const which = row === undefined ? "The brightest pixel, in" : "The pixel in";
    const inputs = this.before ? activations[this.layers.length - 2].numbers : image.numbers;
    const sum = this.grid || this.kernel ? this.#showKernel(weights[name], position, inputs, map[pixel], colours) : this.#describePooling(kind, index);
    setText(this.text, `${which} row ${position.row}, column ${position.column}: ${format(map[pixel])}. ${sum}`);
    return region;
  }

  #showKernel({ numbers, scale, bias }, position, inputs, output, colours) {
    if (this.kernel) {
      this.kernel.paint(numbers, scale, colours.signed, true);
      this.kernel.label = `The kernels, from ${format(-scale)} to ${format(scale)}`;
    } else {
      this.cells.forEach((cell, index) => {
        cell.textContent = format(numbers[index]);
        const { background, text } = toCss(colours.signed[levelOf(numbers[index], scale, true)]);
        cell.style.backgroundColor = background;
        cell.style.color = text;
      });
      this.grid.setAttribute("aria-label", `The kernel, row by row: ${Array.from(numbers, (each) => format(each)).join(", ")}`);
    }
    const products = this.#multiply(numbers, inputs, position);
    return explainSum(products, bias, this.layer.activation, output);
  }

  /** Return the products of the kernels and the inputs that the pixel looks at. */
  #multiply(numbers, inputs, position) {
    const { count, height, width } = this.input;
    const [rows, columns] = this.layer.kernel;
    const region = regionOfInput(this.layer, [height, width], { ...position, height: 1, width: 1 });
    return numbers.map((weight, index) => {
      const map = Math.floor(index / (rows * columns)) % count;
      const row = region.row + (Math.floor(index / columns) % rows);
      const column = region.column + (index % columns);
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      return isInside ? weight * inputs[(map * height + row) * width + column] : 0;
    });
  }

  #describePooling(kind, index) {
    const size = this.layer.kernel?.join("×");
    const verb = kind.startsWith("Max") ? "largest" : "mean";
    return size ? `It is the ${verb} of ${size} pixels of map ${index} of ${this.before?.name ?? "the drawing"}.` : "";
  }
}
