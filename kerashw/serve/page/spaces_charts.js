// The charts of Question 2: the path of W in both spaces, and the loss.

import { shortNumber } from "./numbers.js";
import { symbolOf } from "./spaces_plane.js";
import { createSvg, toPath } from "./svg.js";

const SIZE = 320; // the width of both charts
const MARGIN = 14;
const LOSS_HEIGHT = 190;

/**
 * Draw for each class the path of its row of W, without the constant, in both spaces.
 *
 * @param svg The element.
 * @param paths {class name: array of W, one for each step}.
 * @param step The number of the step that is marked.
 */
export function drawPaths(svg, paths, step) {
  const all = Object.values(paths).flat(2);
  const limit = Math.max(...all.flatMap(([x, y]) => [Math.abs(x), Math.abs(y)])) || 1;
  const scale = (SIZE / 2 - MARGIN) / limit;
  const toPixels = ([x, y]) => [SIZE / 2 + scale * x, SIZE / 2 - scale * y];
  const lines = Object.entries(paths).flatMap(([name, path]) =>
    path[0].flatMap((_, label) => [
      createSvg("path", { class: `${name} class-${label}`, d: toPath(path.map((W) => toPixels(W[label]))) }),
      createSvg("path", { class: `symbol ${name} class-${label}`, d: symbolOf(label), transform: `translate(${toPixels(path[step][label])})` }),
    ]),
  );
  const starts = Object.values(paths)[0][0].map((row) => {
    const [cx, cy] = toPixels(row);
    return createSvg("circle", { class: "start", cx, cy, r: 3 });
  });
  svg.setAttribute("viewBox", `0 0 ${SIZE} ${SIZE}`);
  const axes = createSvg("path", { class: "axis", d: `M${SIZE / 2} 0V${SIZE}M0 ${SIZE / 2}H${SIZE}` });
  const texts = [
    createText(`first entry →, to ±${shortNumber(limit)}`, SIZE, SIZE - 4, "end"),
    createText("second entry ↑", SIZE / 2 + 5, 10, "start"),
  ];
  svg.replaceChildren(axes, ...lines, ...starts, ...texts);
}

/**
 * Draw the losses of both spaces by step.
 *
 * @param svg The element.
 * @param losses {class name: array of losses, one for each step}.
 * @param step The number of the step that is marked.
 */
export function drawLosses(svg, losses, step) {
  const all = Object.values(losses);
  const highest = Math.max(...all.flat());
  const last = all[0].length - 1;
  const toPixels = (value, index) => [
    MARGIN + ((SIZE - 2 * MARGIN) * index) / last,
    LOSS_HEIGHT - 24 - ((LOSS_HEIGHT - 44) * value) / highest,
  ];
  const lines = Object.entries(losses).flatMap(([name, values]) => {
    const [cx, cy] = toPixels(values[step], step);
    return [createSvg("path", { class: name, d: toPath(values.map(toPixels)) }), createSvg("circle", { class: name, cx, cy, r: 4 })];
  });
  const [x] = toPixels(0, step);
  const axes = createSvg("path", { class: "axis", d: `M${MARGIN} 10V${LOSS_HEIGHT - 24}H${SIZE - MARGIN}M${x} 10V${LOSS_HEIGHT - 24}` });
  const texts = [
    createText(`loss ${shortNumber(highest)}`, MARGIN + 4, 12, "start"),
    createText("0", MARGIN, LOSS_HEIGHT - 8, "middle"),
    createText(`${last} steps`, SIZE - MARGIN, LOSS_HEIGHT - 8, "end"),
  ];
  svg.setAttribute("viewBox", `0 0 ${SIZE} ${LOSS_HEIGHT}`);
  svg.replaceChildren(axes, ...texts, ...lines);
}

function createText(content, x, y, anchor) {
  return createSvg("text", { x, y, "text-anchor": anchor }, content);
}
