// The plane of Question 2: points that one can move, and the boundaries of the classes.

import { createSvg, toPath } from "./svg.js";

const SIZE = 320; // of the picture, for coordinates from -1 to 1
const KEY_STEP = 0.02; // that an arrow key moves a point; with Shift, five times as much
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SYMBOLS = ["M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0Z", "M-5.5-5.5H5.5V5.5H-5.5Z", "M0-7L6.5 5H-6.5Z"];

/** Return the path of the symbol of a class. */
export function symbolOf(label) {
  return SYMBOLS[label];
}

export class Plane {
  /**
   * @param svg The element.
   * @param onMove Function that is called after a point has moved.
   */
  constructor(svg, onMove) {
    this.svg = svg;
    this.onMove = onMove;
    this.points = []; // of {position: [x, y], label}
    svg.setAttribute("viewBox", `0 0 ${SIZE} ${SIZE}`);
    svg.setAttribute("role", "group");
    this.boundaries = createSvg("g", { "aria-hidden": "true" });
    this.marks = createSvg("g");
    const frame = createSvg("rect", { class: "frame-line", x: 0.5, y: 0.5, width: SIZE - 1, height: SIZE - 1 });
    const axes = createSvg("path", { class: "axis", d: `M${SIZE / 2} 0V${SIZE}M0 ${SIZE / 2}H${SIZE}` });
    svg.append(frame, axes, this.boundaries, this.marks);
  }

  /** Replace the points: an array of {position, label}. */
  setPoints(points) {
    this.points = points;
    this.marks.replaceChildren(...points.map((point, index) => this.#createMark(point, index)));
  }

  /** Show the boundaries of models: {class name: W}, each W an array with a row for each class. */
  showBoundaries(models) {
    const lines = Object.entries(models).map(([name, W]) => {
      const segments = findBoundaries(W).map((ends) => toPath(ends.map(toPixels)));
      return createSvg("path", { class: name, d: segments.join("") });
    });
    this.boundaries.replaceChildren(...lines);
  }

  #createMark(point, index) {
    const mark = createSvg(
      "g",
      { class: `point class-${point.label}`, tabindex: 0, role: "button", "aria-roledescription": "movable point" },
      createSvg("circle", { class: "target", r: 13 }),
      createSvg("path", { class: "symbol", d: symbolOf(point.label) }),
    );
    const place = () => {
      mark.setAttribute("transform", `translate(${toPixels(point.position)})`);
      const [x, y] = point.position.map((each) => each.toFixed(2).replace("-", "−"));
      mark.setAttribute("aria-label", `Point ${index + 1}, class ${point.label + 1}, at ${x}, ${y}`);
    };
    const moveTo = (position) => {
      point.position = position.map((each) => Math.min(1, Math.max(-1, Number(each.toFixed(3)))));
      place();
      this.onMove();
    };
    this.#listen(mark, point, moveTo);
    place();
    return mark;
  }

  #listen(mark, point, moveTo) {
    mark.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const step = KEY_STEP * (event.shiftKey ? 5 : 1);
      moveTo(point.position.map((each, axis) => each + step * move[axis]));
    });
    let isMoving = false;
    mark.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      isMoving = true;
      mark.setPointerCapture(event.pointerId);
    });
    mark.addEventListener("pointermove", (event) => {
      if (!isMoving || !event.isPrimary) return;
      const { left, top, width, height } = this.svg.getBoundingClientRect();
      moveTo([(2 * (event.clientX - left)) / width - 1, 1 - (2 * (event.clientY - top)) / height]);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      mark.addEventListener(end, () => {
        isMoving = false;
      });
    }
  }
}

function toPixels([x, y]) {
  return [(1 + x) * (SIZE / 2), (1 - y) * (SIZE / 2)];
}

/** Return the ends of the segments on which two classes are likeliest, in the square. */
function findBoundaries(W) {
  return W.flatMap((row, j) =>
    W.slice(j + 1).flatMap((other, index) => {
      const rest = W.filter((_, l) => l !== j && l !== j + 1 + index);
      return findSegment(subtract(row, other), rest.map((each) => subtract(row, each)));
    }),
  );
}

/** Return the segment of the line a·x + b·y + c = 0 in the square with `bounds` ≥ 0, or nothing. */
function findSegment([a, b, c], bounds) {
  const square = a ** 2 + b ** 2;
  if (!square) return [];
  const at = (t) => [(-c * a) / square - b * t, (-c * b) / square + a * t];
  let [first, last] = [-Infinity, Infinity];
  for (const [p, q, r] of [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1], ...bounds]) {
    const [x, y] = at(0);
    const value = p * x + q * y + r;
    const slope = q * a - p * b;
    if (slope > 0) first = Math.max(first, -value / slope);
    else if (slope < 0) last = Math.min(last, -value / slope);
    else if (value < 0) return [];
  }
  return first < last ? [[at(first), at(last)]] : [];
}

function subtract(one, other) {
  return one.map((each, index) => each - other[index]);
}
