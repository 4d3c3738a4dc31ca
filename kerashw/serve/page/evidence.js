// The evidence in a drawing for and against each class, and how it adds up to the logit.

import { create } from "./elements.js";
import { TilePicture } from "./tile_picture.js";
import { createFigure, setText } from "./unit_detail.js";
import { addUp, format, sumBySign } from "./weighted_sum.js";

const METHOD = "Integrated Gradients (Sundararajan et al., 2017)";
const ROWS = ["for", "against", "start", "logit", "probability"];

export class Evidence {
  /**
   * @param element The element that the evidence is added to.
   * @param image {height, width} of the image.
   * @param labels The names of the classes.
   * @param isOneLayer Whether the classes are weighted sums of the pixels, so that their weights
   *   are pictures too.
   * @param onChoose Function that is called with a class that is clicked.
   */
  constructor(element, image, labels, isOneLayer, onChoose) {
    this.labels = labels;
    this.isOneLayer = isOneLayer;
    const tiles = { ...image, count: 1, columns: 1 };
    this.drawing = new TilePicture(tiles);
    this.drawing.canvas.setAttribute("aria-hidden", "true");
    this.heat = new TilePicture(tiles);
    this.heat.element.prepend(this.drawing.canvas);
    this.heat.element.classList.add("heat");
    this.method = create("figcaption");
    this.scale = createLegend();
    this.classes = labels.map((label, index) => this.#createClass(label, index, tiles, onChoose));
    this.figure = create("figure", { className: "heat-figure" }, this.heat.element, this.scale.element, this.method);
    const start = isOneLayer
      ? "Each pixel is multiplied by its weight. The products for and against a digit and the bias add up to its logit; softmax makes probabilities of the logits."
      : "Each pixel of the drawing speaks for or against each class. All of it is added to the logit of a black image; softmax makes probabilities of the logits.";
    element.replaceChildren(
      create("h3", {}, "Evidence for and against each class"),
      create("p", { className: "faint" }, start),
      create("div", { className: "evidence-body" },
        this.figure,
        create("div", { className: "class-evidences" }, ...this.classes.map((each) => each.element))),
    );
    this.clear();
  }

  #createClass(label, index, tiles, onChoose) {
    const picture = new TilePicture(tiles);
    const weights = this.isOneLayer ? new TilePicture(tiles) : null;
    const start = this.isOneLayer ? "bias" : "black image";
    const numbers = ROWS.map((name) => {
      const value = create("dd");
      const term = create("dt", {}, name === "start" ? start : name);
      return { row: create("div", { className: name }, term, value), value };
    });
    const pictures = create("div", { className: "pair" });
    if (weights) pictures.append(createFigure(weights, "weights"), createFigure(picture, "× drawing"));
    else pictures.append(picture.element);
    const element = create("div", { className: "class-evidence" },
      create("h4", {}, label), pictures, create("dl", {}, ...numbers.map(({ row }) => row)));
    element.addEventListener("click", () => onChoose(index));
    return { element, picture, weights, values: numbers.map(({ value }) => value) };
  }

  /** Show the weights of each class: {numbers, scale}. */
  showWeights(weights, colours) {
    const scale = Math.max(...weights.map((each) => each.scale));
    this.classes.forEach(({ weights: picture }, index) => {
      picture.paint(weights[index].numbers, scale, colours.signed, true);
      picture.label = `Weights of ${this.labels[index]}, from ${format(-scale)} to ${format(scale)}`;
    });
  }

  /**
   * Show the evidence.
   *
   * @param explanation What `ModelInside.explain` returns.
   * @param chosen The class of the heat map.
   * @returns The probabilities of the classes.
   */
  show({ image, pictures, scale, sums, logits, baseline }, chosen, colours) {
    const probabilities = softmax(logits);
    this.drawing.paint(image.numbers, 1, colours.grey, false);
    this.heat.paint(pictures[chosen], scale, colours.overlay, true);
    this.scale.show(scale, colours);
    const label = this.labels[chosen];
    this.heat.label = `Heat map over the drawing: what speaks for ${label} is orange, what speaks against it is blue`;
    setText(this.method, this.#describe(label, sums[chosen], baseline[chosen], logits[chosen]));
    this.classes.forEach(({ element, picture, values }, index) => {
      const sum = sumBySign(pictures[index]);
      // The pictures are rounded to 127 levels; their sums are corrected to the exact ones.
      const error = logits[index] - baseline[index] - sum.support - sum.against;
      const texts = addUp(sum.against + error / 2, baseline[index], logits[index]);
      [...texts, `${(100 * probabilities[index]).toFixed(1)} %`].forEach((text, row) => {
        values[row].textContent = text;
      });
      element.classList.toggle("chosen", index === chosen);
      picture.paint(pictures[index], scale, colours.signed, true);
      picture.label = `Evidence for ${this.labels[index]}: ${texts[0]} for, ${texts[1]} against`;
    });
    return probabilities;
  }

  clear() {
    for (const picture of [this.drawing, this.heat, ...this.classes.map((each) => each.picture)]) {
      picture.clear();
      picture.label = "Nothing is drawn yet";
    }
    this.method.textContent = this.isOneLayer ? "" : METHOD;
    this.scale.show(null);
    for (const { element, values } of this.classes) {
      element.classList.remove("chosen");
      for (const value of values) value.textContent = "";
    }
  }

  #describe(label, sum, baseline, logit) {
    const start = this.isOneLayer ? "bias" : "logit of a black image";
    const [sumCents, ...others] = [sum, baseline, logit].map((each) => Math.round(100 * each));
    const isExact = sumCents + others[0] === others[1];
    const total = `${format(sum)} with the ${start} ${format(baseline)} ${isExact ? "is" : "is about"} the logit ${format(logit)}`;
    const method = this.isOneLayer ? "Weight × pixel" : METHOD;
    return `${method} for ${label}: its sum ${total}.`;
  }
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = logits.map((each) => Math.exp(each - largest));
  const total = powers.reduce((sum, each) => sum + each);
  return powers.map((each) => each / total);
}

function createLegend() {
  const bar = new TilePicture({ count: 1, height: 1, width: 255, columns: 1 });
  const ends = create("div", { className: "scale-ends" });
  bar.label = "From against, in blue, over zero to for, in orange";
  const levels = Float32Array.from({ length: 255 }, (_, index) => (index - 127) / 127);
  return {
    element: create("div", { className: "scale" }, bar.element, ends),
    show(scale, colours) {
      if (colours) bar.paint(levels, 1, colours.signed, true);
      const texts = scale === null ? [] : [`against ${format(-scale)}`, "0", `for ${format(scale)}`];
      if (texts.join() === ends.dataset.texts) return;
      ends.dataset.texts = texts.join();
      ends.replaceChildren(...texts.map((text) => create("span", {}, text)));
    },
  };
}
