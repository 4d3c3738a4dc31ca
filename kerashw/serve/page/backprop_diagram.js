// The diagram of Question 1's network or of its dual: a box for each node, arrows, and numbers.

import { shortNumber } from "./numbers.js";
import { createSvg, toPath } from "./svg.js";

const WIDTH = 372;
const COLUMNS = [60, 186, 312]; // the centres
const HALF = 57; // half of the width of a box
const ROW = 86;
const TOP = 8;
const LINE = 15;
const CELL = 34; // the width of a number beside an arrow
const LANES = { y: 84, z: 60, w: 36 }; // where the arrows of A go down
// Of each node: column, row, formula, name of its signal in the dual network.
const NODES = {
  A: [0, 0, "A", "∂L/∂A"],
  x: [1, 0, "x", "∂L/∂x"],
  B: [2, 0, "B", "∂L/∂B"],
  y: [1, 1, "y = A x", "g_y"],
  v: [2, 1, "v = B x", "g_v"],
  u: [1, 2, "u = σ(y)", "g_u"],
  s: [1, 3, "s = u ⊙ v", "g_s"],
  z: [1, 4, "z = A s", "g_z"],
  w: [1, 5, "w = A z", "g_w"],
  L: [1, 6, "L = ‖w‖²", "∂L/∂L"],
};
// Arrows of the network, from top to bottom: start, end, label of the dual's linear map, and the
// key of that map's numbers.
const ARROWS = [
  ["A", "y", "· xᵀ", "x"],
  ["A", "z", "· sᵀ", "s"],
  ["A", "w", "· zᵀ", "z"],
  ["x", "y", "Aᵀ ·", "A"],
  ["x", "v", "Bᵀ ·", "B"],
  ["B", "v", "· xᵀ", "x"],
  ["y", "u", "σ′(y) ⊙", "slope"],
  ["v", "s", "u ⊙", "u"],
  ["u", "s", "v ⊙", "v"],
  ["s", "z", "Aᵀ ·", "A"],
  ["z", "w", "Aᵀ ·", "A"],
  ["w", "L", "2w ·", "g_w"],
];

export class BackpropDiagram {
  /**
   * @param svg The element.
   * @param isDual Whether the arrows go up, with labels.
   */
  constructor(svg, isDual) {
    this.svg = svg;
    this.isDual = isDual;
    svg.setAttribute("role", "img");
  }

  /**
   * Draw the network.
   *
   * @param numbers {name: numbers} of the nodes.
   * @param maps {key: numbers} of the linear maps, in the dual network: of A and B the transposed
   *   matrices.
   * @param arrived Function from the name of a node, or of two that an arrow connects, to whether
   *   its numbers are there.
   */
  show(numbers, maps = {}, arrived = () => true) {
    const size = numbers.x.length;
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${placeBox("L", NODES.L[0], NODES.L[1], size).bottom + TOP}`);
    const boxes = Object.fromEntries(
      Object.entries(NODES).map(([name, [column, row]]) => [name, placeBox(name, column, row, size)]),
    );
    const parts = ARROWS.map((arrow) => this.#drawArrow(arrow, boxes, maps, arrived));
    for (const name of Object.keys(NODES)) {
      parts.push(this.#drawBox(name, boxes[name], numbers[name], arrived(name)));
    }
    this.svg.replaceChildren(this.#createMarkers(), ...parts);
    const texts = Object.keys(NODES).filter((name) => arrived(name)).map((name) => {
      return `${NODES[name][this.isDual ? 3 : 2]}: ${[numbers[name]].flat(2).map(shortNumber).join(", ")}`;
    });
    const title = this.isDual ? "The dual network, from L up" : "The network, from x, A and B down";
    this.svg.setAttribute("aria-label", `${title}. ${texts.join(". ")}`);
  }

  #createMarkers() {
    const markers = ["ink", "mark"].map((colour) =>
      createSvg(
        "marker",
        { id: `${this.svg.id}-${colour}`, class: colour, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" },
        createSvg("path", { d: "M0 0L8 4L0 8Z" }),
      ),
    );
    return createSvg("defs", {}, ...markers);
  }

  #drawBox(name, { x, top, height }, numbers, isThere) {
    const [, , formula, signal] = NODES[name];
    const kind = name === "A" ? "box entries" : "box";
    const group = createSvg("g", { class: isThere ? kind : `${kind} waiting`, "data-node": name });
    group.append(
      createSvg("rect", { x: x - HALF, y: top, width: 2 * HALF, height, rx: 6 }),
      createName(this.isDual ? signal : formula, x, top + 16),
    );
    if (isThere) group.append(...createNumbers(numbers, x, top + 34, 2 * HALF - 8));
    return group;
  }

  #drawArrow([from, to, label, map], boxes, maps, arrived) {
    const isEntry = from === "A";
    const isThere = arrived(from, to);
    const group = createSvg("g", { class: `arrow${isEntry ? " entries" : ""}${isThere ? "" : " waiting"}`, "data-arrow": `${from}-${to}` });
    const corners = route(from, to, boxes);
    if (this.isDual) corners.reverse();
    const marker = `url(#${this.svg.id}-${isEntry ? "mark" : "ink"})`;
    group.append(createSvg("path", { d: toPath(corners), "marker-end": marker }));
    if (this.isDual) group.append(...labelArrow(from, to, label, maps[map], boxes));
    return group;
  }
}

function placeBox(name, column, row, size) {
  const height = name === "A" || name === "B" ? 27 + LINE * size : 44;
  const top = TOP + row * ROW + (row && LINE * (size - 1)); // the matrices of row 0 grow
  return { x: COLUMNS[column], top, height, bottom: top + height, middle: top + height / 2 };
}

/** Return the corners of an arrow of the network, from top to bottom. */
function route(from, to, boxes) {
  const [start, end] = [boxes[from], boxes[to]];
  if (from === "A") {
    const lane = LANES[to];
    return [[lane, start.bottom], [lane, end.middle], [end.x - HALF, end.middle]];
  }
  if (from === "v") return [[start.x, start.bottom], [start.x, end.middle], [end.x + HALF, end.middle]];
  if (from === "x" && to === "v") return [[start.x + 36, start.bottom], [end.x - 36, end.top]];
  return [[start.x, start.bottom], [end.x, end.top]];
}

function labelArrow(from, to, label, numbers, boxes) {
  const [start, end] = [boxes[from], boxes[to]];
  const text = (content, x, y, anchor = "start", kind = "label") => {
    return createSvg("text", { x, y, "text-anchor": anchor, class: kind }, content);
  };
  // Beside arrows to the inputs there is room for a single number.
  const [single] = numbers.length === 1 ? numbers.flat().map((value) => ` ${shortNumber(value)}`) : [""];
  if (from === "A") {
    const x = end.x - HALF - 2;
    return [text(label + single, x, end.middle - 6, "end"), text(`entry at ${to}`, x, end.middle + 14, "end")];
  }
  if (from === "x" && to === "v") return [text(label + single, single ? 200 : 224, end.top - 10)];
  if (from === "v") {
    const lines = numbers.map((value, index) => {
      return text(shortNumber(value), start.x + 8, start.bottom + 38 + LINE * index, "start", "value");
    });
    return [text(label, start.x + 8, start.bottom + 22), ...lines];
  }
  const middle = (start.bottom + end.top) / 2;
  if (from === "x") return [text(label + single, start.x - 8, middle + 4, "end")];
  if (from === "B") return [text(label + single, start.x + 8, middle + 10)];
  if (Array.isArray(numbers[0])) {
    const size = numbers.length;
    const first = middle + 5 - ((LINE - 2) * (size - 1)) / 2;
    const rows = numbers.flatMap((row, index) => {
      return createNumbers(row, start.x + 46 + (CELL / 2) * size, first + (LINE - 2) * index, CELL * size);
    });
    return [text(label, start.x + 8, middle + 5), ...rows];
  }
  const width = CELL * numbers.length;
  return [text(label, start.x + 8, middle - 2), ...createNumbers(numbers, start.x + 8 + width / 2, middle + 13, width)];
}

/** Return the texts of a scalar, a vector in a line, or the rows of a matrix. */
function createNumbers(numbers, x, y, width) {
  const rows = Array.isArray(numbers?.[0]) ? numbers : [[numbers].flat()];
  return rows.flatMap((row, index) => {
    const cell = width / row.length;
    return row.map((value, column) => {
      const center = x - width / 2 + cell * (column + 0.5);
      return createSvg("text", { x: center, y: y + LINE * index, "text-anchor": "middle", class: "value" }, shortNumber(value));
    });
  });
}

/** Return the name of a node; what follows an underscore is a subscript. */
function createName(name, x, y) {
  const [base, subscript] = name.split("_");
  const element = createSvg("text", { x, y, "text-anchor": "middle", class: "name" }, base);
  if (subscript) element.append(createSvg("tspan", { dy: 3, class: "subscript" }, subscript));
  return element;
}
