// What a model's description of its layers says: how to draw them, and what their numbers look at.

const UNIT_ZOOM = 8;

/** Whether the layer has feature maps, rather than units. */
export function hasMaps({ shape }) {
  return shape.length === 3;
}

/** Return the tiles of the outputs of a layer, as `TilePicture` takes them. */
export function tilesOf({ shape, columns }) {
  if (shape.length === 3) {
    const [height, width, count] = shape;
    return { count, height, width, columns };
  }
  return { count: shape[0], height: 1, width: 1, columns };
}

/** Return the zoom of a picture of tiles: numbers that are tiles of their own are larger. */
export function zoomOf({ height, width }) {
  return height * width === 1 ? UNIT_ZOOM : 1;
}

/** Return the kind of a layer in words, such as "Conv2D 3×3, relu". */
export function describeKind({ kind, kernel, activation }) {
  const size = kernel ? ` ${kernel.join("×")}` : "";
  return kind + size + (activation ? `, ${activation}` : "");
}

/** Return the size of a layer in words, such as "32 maps of 26×26". */
export function describeSize({ shape }) {
  if (shape.length === 1) return `${shape[0]} units`;
  const [height, width, count] = shape;
  return `${count} ${count === 1 ? "map" : "maps"} of ${height}×${width}`;
}

/**
 * Return the region {row, column, height, width} of the image that a number of a map depends on.
 *
 * @param layers The layers from the image to that of the map.
 * @param image {height, width} of the image.
 * @param position {row, column} of the number.
 */
export function regionOf(layers, image, { row, column }) {
  let region = { row, column, height: 1, width: 1 };
  for (let index = layers.length - 1; index >= 0; index -= 1) {
    const input = index ? sidesOf(layers[index - 1]) : [image.height, image.width];
    region = regionOfInput(layers[index], input, region);
  }
  return region;
}

/** Return the region of a layer's input that a region of its output depends on. */
export function regionOfInput(layer, input, region) {
  if (!layer.kernel) return region;
  const output = sidesOf(layer);
  const [rows, columns] = layer.kernel.map((size, axis) => {
    const { stride, padding } = steps(size, input[axis], output[axis]);
    return [stride, padding, size];
  });
  return {
    row: region.row * rows[0] - rows[1],
    column: region.column * columns[0] - columns[1],
    height: (region.height - 1) * rows[0] + rows[2],
    width: (region.width - 1) * columns[0] + columns[2],
  };
}

function sidesOf({ shape }) {
  return shape.slice(0, 2);
}

/** Return the stride and the padding at the start with which a kernel gives an output's size. */
function steps(size, input, output) {
  for (let stride = 1; stride <= input; stride += 1) {
    if (Math.floor((input - size) / stride) + 1 === output) return { stride, padding: 0 };
    if (Math.ceil(input / stride) === output) {
      const padding = Math.max(0, (output - 1) * stride + size - input);
      return { stride, padding: Math.floor(padding / 2) };
    }
  }
  return { stride: 1, padding: 0 };
}
