// One unit of a dense layer: its weights as a picture, and the inputs times the weights.

import { create } from "./elements.js";
import { zoomOf } from "./layers.js";
import { TilePicture } from "./tile_picture.js";
import { explainSum, format } from "./weighted_sum.js";

export class UnitDetail {
  /**
   * @param layers The layers of the model.
   * @param index The index of the unit's layer.
   * @param tiles The tiles of the unit's weights; undefined if it has none.
   * @param labels The names of the units; undefined if they have none.
   */
  constructor(layers, index, tiles, labels) {
    this.layer = layers[index];
    this.index = index;
    this.labels = labels;
    this.title = create("h3");
    this.text = create("p", { className: "numbers" });
    this.element = create("div", { className: "detail-body" }, create("div", { role: "status" }, this.title), this.text);
    if (tiles) this.element.append(this.#createPictures(tiles, layers[index - 1]));
  }

  #createPictures(tiles, before) {
    this.source = before ? `outputs of ${before.name}` : "pixels of the drawing";
    this.weights = new TilePicture(tiles, { zoom: zoomOf(tiles) });
    this.products = new TilePicture(tiles, { zoom: zoomOf(tiles) });
    return create("div", { className: "pictures" },
      createFigure(this.weights, `Its weights over the ${this.source}: orange excites it, blue inhibits it`),
      createFigure(this.products, `The ${this.source} × its weights: what speaks for it now, and against it`));
  }

  show({ index }, { image, activations }, weights, colours) {
    const { name } = this.layer;
    const output = this.labels ? undefined : activations[this.index].numbers[index];
    setText(this.title, this.labels ? `Class ${this.labels[index]} in ${name}` : `Unit ${index} of ${name}`);
    const texts = this.labels ? [] : [`Its output is ${format(output)}.`];
    if (this.weights) {
      const inputs = this.index ? activations[this.index - 1].numbers : image.numbers;
      texts.push(this.#showWeights(index, weights[name], inputs, output, colours));
    }
    setText(this.text, texts.join(" "));
  }

  /** Show the weights and the products, and return their sum in words. */
  #showWeights(index, { numbers, scale, bias }, inputs, output, colours) {
    const { name, activation } = this.layer;
    const products = numbers.map((weight, each) => weight * inputs[each]);
    const largest = products.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    this.weights.paint(numbers, scale, colours.signed, true);
    this.weights.label = `The weights of unit ${index} of ${name}, from ${format(-scale)} to ${format(scale)}`;
    this.products.paint(products, largest, colours.signed, true);
    this.products.label = `The ${this.source} times these weights, from ${format(-largest)} to ${format(largest)}`;
    return explainSum(products, bias, activation, output);
  }
}

export function createFigure(picture, caption) {
  return create("figure", {}, picture.element, create("figcaption", {}, caption));
}

/** Set a text only if it changes, so that it is announced once. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
