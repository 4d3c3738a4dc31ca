// The requests that look inside one model, and their answers as numbers.

import { predict, predictColumns } from "./api.js";
import { hasMaps, tilesOf } from "./layers.js";
import { decodePng, readTiles } from "./png_tiles.js";

export class ModelInside {
  /** @param model One of `fetchModels`. */
  constructor({ name }) {
    this.name = name;
    this.version = undefined; // the newest
    this.weights = new Map(); // the promised weights of "version/unit"
    this.lastPng = null;
    this.lastImage = null; // the promised image of the last PNG
  }

  /**
   * Return the image that the model receives for a picture: {rows, height, width, numbers}, the
   * pixels from 0 to 255 in rows, and from 0 to 1 one after the other.
   *
   * @param png The picture in base64.
   */
  normalize(png) {
    if (png !== this.lastPng) {
      this.lastPng = png;
      // Images are normalized alike in all versions.
      this.lastImage = predict(this.name, "normalized", { b64: png }).then(({ prediction }) => toImage(prediction));
    }
    return this.lastImage;
  }

  /**
   * Return what the model computes from an image: {image, layers, activations, probabilities}. An
   * activation is {numbers, scale} of a layer.
   */
  async look(image) {
    const answer = await this.#predict("inside", image);
    const layers = JSON.parse(answer.layers);
    const activations = layers.map(async (layer, index) => {
      const scale = answer.scales[index];
      const output = answer[layer.output];
      if (!hasMaps(layer)) return { numbers: Float32Array.from(output), scale };
      const picture = await decodePng(output.b64);
      return { numbers: readTiles(picture, tilesOf(layer), scale, layer.signed), scale };
    });
    return { image, layers, activations: await Promise.all(activations), probabilities: answer.probabilities };
  }

  /**
   * Return the evidence in an image for each class: {image, pictures, scale, sums, logits,
   * baseline}.
   */
  async explain(image) {
    const { attributions_bytes: { b64 }, ...answer } = await this.#predict("attributions", image);
    const { height, width } = image;
    const tiles = { count: answer.sums.length, height, width };
    const numbers = readTiles(await decodePng(b64), tiles, answer.scale, true);
    const size = height * width;
    const pictures = answer.sums.map((_, index) => numbers.subarray(index * size, (index + 1) * size));
    return { ...answer, image, pictures };
  }

  /**
   * Return the weights into units of the layers that have a kernel: for each unit {layer: {numbers,
   * tiles, scale, bias}}.
   *
   * @param units The numbers of the units.
   * @param layers The layers of `look`.
   */
  async weightsOf(units, layers) {
    const { version } = this;
    const missing = units.filter((unit) => !this.weights.has(`${version}/${unit}`));
    if (missing.length) {
      const answer = predictColumns(this.name, "weights", { unit: missing }, version);
      missing.forEach((unit, row) => {
        const weights = answer.then(({ outputs }) => readWeights(outputs, row, layers));
        this.weights.set(`${version}/${unit}`, weights);
        weights.catch(() => this.weights.delete(`${version}/${unit}`));
      });
    }
    return Promise.all(units.map((unit) => this.weights.get(`${version}/${unit}`)));
  }

  /** Return the history of the epochs from 0: {train_loss, test_loss, …}, arrays. */
  async history() {
    const { outputs: first } = await predictColumns(this.name, "history", { epoch: [0] });
    const [count] = first.epochs;
    const epoch = Array.from({ length: count + 1 }, (_, index) => index);
    const { outputs } = await predictColumns(this.name, "history", { epoch });
    return { ...outputs, current: outputs.current_epoch[0] };
  }

  async #predict(signature, { rows }) {
    return (await predict(this.name, signature, { image: rows }, this.version)).prediction;
  }
}

/** Return an image of rows of pixels from 0 to 255. */
export function toImage(rows) {
  const numbers = Float32Array.from(rows.flat(), (grey) => grey / 255);
  return { rows, height: rows.length, width: rows[0].length, numbers };
}

async function readWeights(outputs, row, layers) {
  const described = JSON.parse(outputs.layers[row]);
  const entries = described.map(async ({ name, output, columns, tile: [height, width] }, column) => {
    const index = layers.findIndex((layer) => layer.name === name);
    const count = index > 0 ? layers[index - 1].shape.at(-1) : 1;
    const tiles = { count, height, width, columns };
    const scale = outputs.scales[row][column];
    const numbers = readTiles(await decodePng(outputs[output][row].b64), tiles, scale, true);
    return [name, { numbers, tiles, scale, bias: outputs.bias[row][column] }];
  });
  return Object.fromEntries(await Promise.all(entries));
}
