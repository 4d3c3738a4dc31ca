// The diagonals tab: a grid to draw on, the feature map, its peaks, and the class in words.

import { latest, predict } from "./api.js";
import { Board } from "./board.js";
import { Grid } from "./grid.js";

const MAP_SIZE = 18;
// The homework's worked example: two segments from the lower left to the upper right.
const EXAMPLE = [[5, 10], [6, 9], [7, 8], [10, 13], [11, 12], [12, 11]];
const MAIN_DIAGONALS = [[5, 8], [6, 9], [7, 10], [10, 11], [11, 12], [12, 13]];

export function startDiagonals([model]) {
  const { name, versions, signatures } = model;
  const answer = document.getElementById("diagonal-answer");
  const map = new NumberMap(document.getElementById("map"));
  document.getElementById("counter").textContent = `${name}, version ${versions[0]}, counts.`;

  const ask = latest(async (pixels) => {
    try {
      const [steps, result] = await Promise.all(
        ["feature_map", "serving_default"].map((signature) =>
          predict(name, signature, whole(pixels, signatures[signature].inputs.image.shape)),
        ),
      );
      show(steps.prediction, result.prediction);
    } catch (error) {
      answer.textContent = `${name} does not answer: ${error.message}`;
    }
  });

  function show({ feature_map: sums, peaks }, { count, class: label }) {
    const found = placesOf(peaks);
    map.show(sums, found);
    grid.board.frame(found.map(([row, column]) => ({ row, column, side: 3 })));
    answer.textContent = `${count} ${count === 1 ? "peak" : "peaks"}: Class ${label}`;
    document.getElementById("explained").textContent = explained(count, grid.pixels);
    const places = found.map(([row, column]) => `row ${row}, column ${column}`);
    const title = places.length === 1 ? "The peak: " : "The peaks: ";
    document.getElementById("peaks").textContent = places.length
      ? `${title}${places.join("; ")}.`
      : "";
  }

  const grid = new Grid(document.getElementById("grid"), () => ask(grid.pixels));
  const drawings = { "clear-grid": [], example: EXAMPLE, "main-diagonals": MAIN_DIAGONALS };
  for (const [button, drawing] of Object.entries(drawings)) {
    document.getElementById(button).addEventListener("click", () => grid.draw(drawing));
  }
  grid.draw(EXAMPLE);
}

/** The whole image that the model takes, of one channel, the grid in its upper left corner. */
function whole(pixels, [, height, width]) {
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => [pixels[row]?.[column] ? 1 : 0]),
  );
}

/** The places [row, column] that are set. */
function placesOf(peaks) {
  return peaks.flatMap((row, r) => row.flatMap((peak, c) => (peak ? [[r, c]] : [])));
}

/** What the rule says of a count, in words. */
function explained(count, pixels) {
  if (count === 1) return "One diagonal of three pixels.";
  if (count === 2) return "Two diagonals of three pixels, or one of four.";
  if (count > 2) return "More than two peaks: the rule has no class of its own for them.";
  return pixels.flat().some(Boolean)
    ? "No window is full. Only diagonals from the lower left to the upper right count, and the rule says Class 2 of everything else."
    : "Nothing is drawn. The rule says Class 2 even of an empty image, as it knows only “one peak” and “otherwise”.";
}

/** The feature map: a board of numbers, peaks framed. */
class NumberMap {
  constructor(element) {
    this.board = new Board(element, MAP_SIZE);
    this.board.cells.setAttribute("role", "img");
    this.numbers = Array.from({ length: MAP_SIZE ** 2 }, () => document.createElement("span"));
    this.board.cells.append(...this.numbers);
  }

  show(sums, peaks) {
    this.numbers.forEach((number, place) => {
      const sum = sums[Math.floor(place / MAP_SIZE)][place % MAP_SIZE];
      number.textContent = sum;
      number.className = `sum-${sum}`;
    });
    const places = peaks.map(([row, column]) => `row ${row}, column ${column}`).join("; ");
    this.board.cells.setAttribute("aria-label", `Feature map. Peaks: ${places || "none"}`);
    this.board.frame(peaks.map(([row, column]) => ({ row, column, side: 1 })));
  }
}
