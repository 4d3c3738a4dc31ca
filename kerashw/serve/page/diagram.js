// The diagram of a network: the drawing, the outputs of each layer, and the probabilities.

import { ClassList } from "./class_list.js";
import { create } from "./elements.js";
import { describeKind, describeSize, hasMaps, tilesOf, zoomOf } from "./layers.js";
import { TilePicture } from "./tile_picture.js";

export class Diagram {
  /**
   * @param element The element that the diagram is added to.
   * @param layers The layers of the model; the units of the last one are the classes.
   * @param image {height, width} of the image.
   * @param labels The names of the classes.
   * @param onHover Function that is called with what a mouse is on, or null: {layer, index, row,
   *   column}, the layer's index, that of the map or the unit, and the position in the map.
   * @param onChoose Function that is called with what is clicked, tapped or reached by a key.
   */
  constructor(element, layers, image, labels, onHover, onChoose) {
    this.layers = layers;
    this.drawing = new TilePicture({ ...image, count: 1, columns: 1 });
    this.drawing.label = "The drawing as the model sees it";
    const title = `${image.height}×${image.width} pixels`;
    element.replaceChildren(createColumn("drawing", "Drawing", "", title, this.drawing.element));
    this.columns = []; // of the layers
    this.pictures = layers.slice(0, -1).map((layer, index) => {
      const picture = new TilePicture(tilesOf(layer), { zoom: zoomOf(tilesOf(layer)) });
      picture.label = `${layer.name}, ${describeKind(layer)}: ${describeSize(layer)}. The arrow keys choose one.`;
      picture.listen(
        hasMaps(layer) ? "feature maps" : "units",
        (tile) => onHover(tile && { layer: index, ...tile }),
        (tile) => onChoose({ layer: index, ...tile }),
      );
      const column = createColumn("layer", layer.name, describeKind(layer), describeSize(layer), picture.element);
      column.style.setProperty("--share", Math.max(picture.canvas.width, 130));
      this.columns.push(column);
      return picture;
    });
    const last = layers.length - 1;
    this.classes = new ClassList(
      labels,
      (index) => onHover(index === null ? null : { layer: last, index }),
      (index) => onChoose({ layer: last, index }),
    );
    const { name } = layers[last];
    this.columns.push(createColumn("last", name, describeKind(layers[last]), `${labels.length} classes`, this.classes.element));
    element.append(...this.columns);
  }

  /** Show the image and the activations of an answer; the classes are shown on their own. */
  show({ image, activations }, colours) {
    this.drawing.paint(image.numbers, 1, colours.grey, false);
    this.pictures.forEach((picture, index) => {
      const { numbers, scale } = activations[index];
      const isSigned = Boolean(this.layers[index].signed);
      picture.paint(numbers, scale, isSigned ? colours.signed : colours.bright, isSigned);
    });
  }

  clear() {
    for (const picture of [this.drawing, ...this.pictures]) picture.clear();
    this.classes.clear();
  }

  /** Mark a unit or a map, and the region of the drawing that it looks at. */
  mark({ layer, index }, region) {
    this.pictures.forEach((picture, number) => picture.markTile(number === layer ? index : null));
    this.drawing.markRegion(region);
  }
}

function createColumn(kind, name, type, size, content) {
  const head = create("div", { className: "layer-head" },
    create("strong", {}, name), create("span", {}, type), create("span", {}, size));
  return create("div", { className: `column ${kind}` }, head, content);
}
