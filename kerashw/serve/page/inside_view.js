// The view inside one model: its diagram, a unit or a map of it, the evidence, and its epochs.

import { latestOnly } from "./api.js";
import { Diagram } from "./diagram.js";
import { readColours } from "./diverging_colours.js";
import { create } from "./elements.js";
import { describeEpoch, EpochSlider, findEpochs } from "./epoch_slider.js";
import { Evidence } from "./evidence.js";
import { hasMaps, tilesOf } from "./layers.js";
import { MapDetail } from "./map_detail.js";
import { ModelInside, toImage } from "./model_inside.js";
import { whileOnScreen } from "./on_screen.js";
import { setText, UnitDetail } from "./unit_detail.js";

const HINT = "Point at a map or at a unit to see its weights. A click, a tap or the arrow keys choose it.";
const NOTHING = "Draw a digit on the sheet, and see here what the model computes.";

export class InsideView {
  /**
   * @param element The element whose content the view replaces.
   * @param model One of `fetchModels`.
   * @param labels The names of the classes.
   * @param onEpoch Function that is called with the version of a chosen epoch, undefined for the
   *   newest, and the epoch in words.
   */
  constructor(element, model, labels, onEpoch) {
    this.element = element;
    this.model = model;
    this.labels = labels;
    this.onEpoch = onEpoch;
    this.inside = new ModelInside(model);
    const [, height, width] = model.signatures.inside.inputs.image.shape;
    this.image = toImage(Array(height).fill(Array(width).fill(0))); // black
    this.drawing = null; // the newest, of `onDrawing`
    this.answer = null; // of `ModelInside.look`
    this.explanation = null; // of `ModelInside.explain`
    this.chosen = null; // what is shown in detail while nothing is hovered
    this.hovered = null;
    this.chosenClass = null; // null: the likeliest
    this.details = new Map(); // by the index of the layer
    this.closing = new AbortController();
    this.showDetail = latestOnly(() => this.#showDetail());
    this.showWeights = latestOnly(() => this.#showWeights());
    this.#createParts();
    this.colours = readColours(element);
    const { signal } = this.closing;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#repaint(), { signal });
  }

  #createParts() {
    this.status = create("p", { className: "faint", role: "status" });
    this.epochs = create("div", { className: "epochs", hidden: true });
    this.diagramPart = create("div", { className: "diagram" });
    this.detailPart = create("div", { className: "detail" });
    this.network = create("div", {}, create("p", { className: "faint" }, HINT), this.diagramPart);
    this.evidencePart = create("div", { className: "evidence" });
    this.element.replaceChildren(this.status, this.network, this.epochs, this.evidencePart);
    this.look = whileOnScreen(this.network, latestOnly((drawing) => this.#look(drawing)));
    this.explain = whileOnScreen(this.evidencePart, latestOnly((drawing) => this.#explain(drawing)));
  }

  /** Build the view of the model's layers, and show a drawing; null if there is none. */
  async start(drawing) {
    this.drawing = drawing;
    try {
      // The description of the layers comes with an answer, for which any image will do.
      const { layers } = await this.inside.look(this.image);
      if (!this.isClosed) this.#build(layers);
    } catch (error) {
      this.#fail(error);
    }
  }

  close() {
    this.closing.abort();
    this.element.replaceChildren();
  }

  get isClosed() {
    return this.closing.signal.aborted;
  }

  /** Show a drawing; null if there is none. */
  async update(drawing) {
    this.drawing = drawing;
    if (!this.layers) return;
    if (drawing) await Promise.all([this.look(drawing), this.explain(drawing)]);
    else this.#clear();
  }

  #build(layers) {
    const { image } = this;
    this.layers = layers;
    const onHover = (place) => this.#hover(place);
    const onChoose = (place) => this.#choose(place);
    this.diagram = new Diagram(this.diagramPart, layers, image, this.labels, onHover, onChoose);
    const chooseClass = (index) => onChoose({ layer: layers.length - 1, index });
    this.evidence = new Evidence(this.evidencePart, image, this.labels, this.#isOneLayer, chooseClass);
    if (this.#isOneLayer) {
      // The evidence is all that happens between the drawing and the classes.
      this.network.hidden = true;
      this.evidence.figure.append(this.diagram.classes.element);
      this.evidencePart.after(this.epochs);
    }
    this.#clear();
    this.update(this.drawing);
    this.showWeights();
    this.#startEpochs().catch((error) => this.#fail(error));
  }

  /** Whether the classes are weighted sums of the pixels. */
  get #isOneLayer() {
    return this.layers.length === 1;
  }

  async #startEpochs() {
    if (!this.model.signatures.history || this.model.versions.length < 2) return;
    const history = await this.inside.history();
    const epochs = findEpochs(this.model.versions, history.current);
    if (epochs.length < 2 || this.isClosed) return;
    this.epochs.hidden = false;
    new EpochSlider(this.epochs, epochs, history, (chosen) => {
      const version = chosen === epochs.at(-1) ? undefined : chosen.version;
      this.inside.version = version;
      this.onEpoch(version, describeEpoch(chosen.epoch, epochs));
      this.showWeights();
    });
  }

  async #look(drawing) {
    try {
      const answer = await this.inside.look(await this.inside.normalize(await drawing.png()));
      if (this.#isStale(drawing)) return;
      this.answer = answer;
      setText(this.status, "");
      await this.#paintAnswer();
    } catch (error) {
      if (!this.#isStale(drawing)) this.#fail(error);
    }
  }

  async #explain(drawing) {
    try {
      const explanation = await this.inside.explain(await this.inside.normalize(await drawing.png()));
      if (this.#isStale(drawing)) return;
      this.explanation = explanation;
      setText(this.status, "");
      this.#paintEvidence();
    } catch (error) {
      if (!this.#isStale(drawing)) this.#fail(error);
    }
  }

  #isStale(drawing) {
    return this.isClosed || !drawing.isCurrent();
  }

  #fail({ message }) {
    if (!this.layers) this.status.textContent = `No answer: ${message}`;
    else this.#clear(message.includes("has no digit") ? "The model finds no digit." : `No answer: ${message}`);
  }

  #clear(text = this.drawing ? "" : NOTHING) {
    this.answer = this.explanation = this.chosenClass = null;
    this.diagram.clear();
    this.evidence.clear();
    this.detailPart.replaceChildren();
    setText(this.status, text);
  }

  #paintAnswer() {
    this.chosen ??= { layer: 0, index: this.#strongestOf(0) };
    this.diagram.show(this.answer, this.colours);
    this.#showClasses(this.answer.probabilities);
    return this.showDetail();
  }

  /** Return the index of the unit or map of a layer that has the largest output. */
  #strongestOf(layer) {
    const { numbers } = this.answer.activations[layer];
    const largest = numbers.reduce((most, each, index) => (each > numbers[most] ? index : most), 0);
    return Math.floor((largest * tilesOf(this.layers[layer]).count) / numbers.length);
  }

  #paintEvidence() {
    const { hovered, explanation } = this;
    if (!explanation) return;
    const isOnClass = hovered?.layer === this.layers.length - 1;
    const shown = isOnClass ? hovered.index : this.#classOf(explanation.logits);
    const probabilities = this.evidence.show(explanation, shown, this.colours);
    if (this.#isOneLayer) this.#showClasses(probabilities);
  }

  #showClasses(probabilities) {
    const { classes } = this.diagram;
    classes.show(probabilities);
    classes.choose(this.#classOf(probabilities));
  }

  #repaint() {
    this.colours = readColours(this.element);
    if (this.answer) this.#paintAnswer();
    this.#paintEvidence();
    this.showWeights();
  }

  /** Return the chosen class, or the one with the largest number. */
  #classOf(numbers) {
    return this.chosenClass ?? numbers.indexOf(Math.max(...numbers));
  }

  #hover(place) {
    const classes = this.layers.length - 1;
    const touchesClass = [this.hovered?.layer, place?.layer].includes(classes);
    this.hovered = place;
    if (touchesClass) this.#paintEvidence();
    this.showDetail();
  }

  #choose(place) {
    this.hovered = null;
    this.chosen = place;
    if (place.layer === this.layers.length - 1) {
      this.chosenClass = place.index;
      this.diagram.classes.choose(place.index);
      this.#paintEvidence();
    }
    this.showDetail();
  }

  /** Show the hovered or the chosen unit or map, with its weights. */
  async #showDetail() {
    const place = this.hovered ?? this.chosen;
    if (!this.answer || this.#isOneLayer) return;
    try {
      const [weights] = await this.inside.weightsOf([place.index], this.layers);
      if (this.isClosed || !this.answer) return;
      const detail = this.#detailOf(place.layer, weights);
      this.shown = place;
      const region = detail.show(place, this.answer, weights, this.colours);
      if (this.detailPart.firstChild !== detail.element) this.detailPart.replaceChildren(detail.element);
      const column = this.diagram.columns[place.layer];
      if (column.nextElementSibling !== this.detailPart) column.after(this.detailPart);
      this.diagram.mark(place, region ?? null);
    } catch (error) {
      setText(this.status, `No answer: ${error.message}`);
    }
  }

  #detailOf(index, weights) {
    const { layers, image, labels } = this;
    if (!this.details.has(index)) {
      const tiles = weights[layers[index].name]?.tiles;
      const onPixel = (act) => (pixel) => act(pixel && { ...this.shown, ...pixel });
      const detail = hasMaps(layers[index])
        ? new MapDetail(layers, index, image, tiles, onPixel((place) => this.#hover(place)), onPixel((place) => this.#choose(place)))
        : new UnitDetail(layers, index, tiles, index === layers.length - 1 ? labels : undefined);
      this.details.set(index, detail);
    }
    return this.details.get(index);
  }

  async #showWeights() {
    if (!this.#isOneLayer) {
      await this.showDetail();
      return;
    }
    try {
      const units = this.labels.map((_, index) => index);
      const weights = await this.inside.weightsOf(units, this.layers);
      const [{ name }] = this.layers;
      if (!this.isClosed) this.evidence.showWeights(weights.map((each) => each[name]), this.colours);
    } catch (error) {
      setText(this.status, `No answer: ${error.message}`);
    }
  }
}
