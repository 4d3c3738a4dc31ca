// The curves of a training: the test accuracy and the losses by epoch, with one epoch marked.

import { createSvg } from "./svg.js";

const [WIDTH, HEIGHT] = [300, 130]; // of the drawing, in its own units
const [LEFT, RIGHT, TOP, BOTTOM] = [54, 292, 10, 100]; // of the axes
const MISSING = -1; // what the history has where there is no number

export class LearningCurve {
  /**
   * @param title The name of the curves.
   * @param curves Objects {name, className, values}: a number for each epoch from 0, or -1.
   * @param formatTick Function from a number on the axis to its text.
   */
  constructor(title, curves, formatTick) {
    const numbers = curves.flatMap(({ values }) => values.filter((each) => each !== MISSING));
    this.range = [Math.min(...numbers), Math.max(...numbers)];
    this.last = Math.max(1, curves[0].values.length - 1);
    this.element = createSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img" });
    this.element.append(createSvg("title", {}, describe(title, curves, formatTick)));
    this.#drawAxes(formatTick);
    this.marker = createSvg("line", { class: "marker", y1: TOP, y2: BOTTOM });
    this.element.append(this.marker);
    this.dots = curves.map((curve) => this.#drawCurve(curve));
  }

  mark(epoch) {
    const x = this.#x(epoch);
    this.marker.setAttribute("x1", x);
    this.marker.setAttribute("x2", x);
    for (const { dot, values } of this.dots) {
      const isShown = values[epoch] !== MISSING;
      dot.setAttribute("visibility", isShown ? "visible" : "hidden");
      dot.setAttribute("cx", x);
      if (isShown) dot.setAttribute("cy", this.#y(values[epoch]));
    }
  }

  #x(epoch) {
    return LEFT + ((RIGHT - LEFT) * epoch) / this.last;
  }

  #y(value) {
    const [least, greatest] = this.range;
    return BOTTOM - ((BOTTOM - TOP) * (value - least)) / (greatest - least || 1);
  }

  #drawAxes(formatTick) {
    const path = `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`;
    this.element.append(createSvg("path", { class: "axes", d: path }));
    for (const value of this.range) {
      const at = { class: "tick-text", x: LEFT - 5, y: this.#y(value) + 4, "text-anchor": "end" };
      this.element.append(createSvg("text", at, formatTick(value)));
    }
    for (const epoch of [0, this.last]) {
      const at = { class: "tick-text", x: this.#x(epoch), y: BOTTOM + 15, "text-anchor": epoch ? "end" : "middle" };
      this.element.append(createSvg("text", at, String(epoch)));
    }
    const at = { class: "tick-text", x: (LEFT + RIGHT) / 2, y: BOTTOM + 15, "text-anchor": "middle" };
    this.element.append(createSvg("text", at, "epoch"));
  }

  #drawCurve({ className, values }) {
    const points = values.map((value, epoch) => (value === MISSING ? null : `${this.#x(epoch)} ${this.#y(value)}`));
    const line = createSvg("polyline", { class: `line ${className}`, points: points.filter(Boolean).join(" ") });
    const dot = createSvg("circle", { class: `dot ${className}`, r: 4 });
    this.element.append(line, dot);
    return { dot, values };
  }
}

function describe(title, curves, formatTick) {
  const ends = curves.map(({ name, values }) => {
    const known = values.filter((each) => each !== MISSING);
    return `${name} from ${formatTick(known[0])} to ${formatTick(known.at(-1))}`;
  });
  return `${title} by epoch: ${ends.join("; ")}`;
}
