// The slider of epochs: it chooses the version of a model that the page shows.

import { create } from "./elements.js";
import { LearningCurve } from "./learning_curve.js";

/**
 * Return the kept epochs of a model, in order: {epoch, version}.
 *
 * @param versions The numbers of its versions as strings, of which the greatest is the newest.
 * @param current The epoch of the newest version.
 */
export function findEpochs(versions, current) {
  const newest = Math.max(...versions.map(Number));
  return versions
    .map((version) => ({ version, epoch: current - newest + Number(version) }))
    .filter(({ epoch }) => epoch >= 0)
    .sort((one, other) => one.epoch - other.epoch);
}

export class EpochSlider {
  /**
   * @param element The element that the slider is added to.
   * @param epochs What `findEpochs` returns.
   * @param history What `ModelInside.history` returns.
   * @param onChange Function that is called with the chosen {epoch, version}.
   */
  constructor(element, epochs, history, onChange) {
    this.epochs = epochs;
    this.examples = "test_accuracy" in history ? "test" : "validation";
    this.accuracy = history[`${this.examples}_accuracy`];
    this.input = create("input", { type: "range", id: "epoch", min: "0", max: String(epochs.length - 1), step: "1" });
    this.input.value = this.input.max;
    this.text = create("output", { htmlFor: "epoch" });
    this.curves = [
      new LearningCurve("Accuracy", [
        { name: `${this.examples} accuracy`, className: "test", values: this.accuracy },
      ], (value) => `${(100 * value).toFixed(1)} %`),
      new LearningCurve("Loss", [
        { name: "training loss", className: "train", values: history.train_loss },
        { name: `${this.examples} loss`, className: "test", values: history[`${this.examples}_loss`] },
      ], (value) => value.toFixed(2)),
    ];
    element.replaceChildren(
      create("div", { className: "epoch-choice" },
        create("label", { htmlFor: "epoch" }, create("strong", {}, "How it learned")),
        this.input, this.text),
      createFigure(this.curves[0], [["test", `${this.examples} accuracy`]]),
      createFigure(this.curves[1], [["train", "training loss"], ["test", `${this.examples} loss`]]),
    );
    this.input.addEventListener("input", () => {
      this.#show();
      onChange(this.chosen);
    });
    this.#show();
  }

  get chosen() {
    return this.epochs[Number(this.input.value)];
  }

  #show() {
    const { epoch } = this.chosen;
    const accuracy = this.accuracy[epoch];
    const result = accuracy < 0 ? "" : `: ${this.examples} accuracy ${(100 * accuracy).toFixed(1)} %`; // -1 is none
    const text = describeEpoch(epoch, this.epochs) + result;
    this.text.value = text;
    this.input.setAttribute("aria-valuetext", text);
    for (const curve of this.curves) curve.mark(epoch);
  }
}

/** Return an epoch in words: untrained, after an epoch, or trained. */
export function describeEpoch(epoch, epochs) {
  if (epoch === 0) return "Untrained";
  return epoch === epochs.at(-1).epoch ? `Trained, ${epoch} ${epoch === 1 ? "epoch" : "epochs"}` : `After epoch ${epoch}`;
}

function createFigure(curve, names) {
  const texts = names.map(([className, name]) => create("span", { className: `key ${className}` }, name));
  return create("figure", {}, curve.element, create("figcaption", {}, ...texts));
}
