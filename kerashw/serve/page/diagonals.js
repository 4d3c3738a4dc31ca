// The diagonals tab: a grid to draw on, the feature map with its peaks, and the class in words.

import { latestOnly, predict } from "./api.js";
import { Board } from "./board.js";
import { Grid } from "./grid.js";
import { showLearnedKernel } from "./learned_kernel.js";
import { keepInLink } from "./link.js";

const MAP_SIZE = 18;
// The homework's worked example: two segments from the lower left to the upper right.
const EXAMPLE = [[5, 10], [6, 9], [7, 8], [10, 13], [11, 12], [12, 11]];
const MAIN_DIAGONALS = [[5, 8], [6, 9], [7, 10], [10, 11], [11, 12], [12, 13]];

/**
 * Start the tab.
 *
 * @param model The model that counts.
 * @param learned The model with a learned kernel; undefined if there is none.
 */
export function startDiagonals(model, learned) {
  const { name, versions, signatures } = model;
  const answer = document.getElementById("diagonal-answer");
  const map = new FeatureMap(document.getElementById("map"));
  document.getElementById("counter").textContent = `${name}, version ${versions[0]}, counts.`;

  const update = latestOnly(async (pixels) => {
    try {
      const [features, result] = await Promise.all(
        ["feature_map", "serving_default"].map((signature) =>
          predict(name, signature, toImage(pixels, signatures[signature].inputs.image.shape)),
        ),
      );
      show(features.prediction, result.prediction);
    } catch (error) {
      answer.textContent = `${name} does not answer: ${error.message}`;
    }
  });

  function show({ feature_map: sums, peaks }, { count, class: label }) {
    const positions = findPositions(peaks);
    map.show(sums, positions);
    grid.board.setFrames(positions.map(([row, column]) => ({ row, column, side: 3 })));
    answer.textContent = `${count} ${count === 1 ? "peak" : "peaks"}: Class ${label}`;
    document.getElementById("explained").textContent = explain(count, grid.pixels);
    const title = positions.length === 1 ? "The peak: " : "The peaks: ";
    document.getElementById("peaks").textContent = positions.length
      ? `${title}${describePositions(positions)}.`
      : "";
  }

  const updateLearned = learned && showLearnedKernel(learned);
  const grid = new Grid(document.getElementById("grid"), () => {
    update(grid.pixels);
    updateLearned?.(toImage(grid.pixels, learned.signatures.serving_default.inputs.image.shape));
  });
  const drawings = { "clear-grid": [], example: EXAMPLE, "main-diagonals": MAIN_DIAGONALS };
  for (const [button, drawing] of Object.entries(drawings)) {
    document.getElementById(button).addEventListener("click", () => grid.draw(drawing));
  }
  grid.draw(EXAMPLE);
  keepInLink("diagonals", {
    read: () => toText(grid.pixels),
    write: (text) => grid.draw(fromText(text, grid.pixels.length)),
  });
}

/** Return the pixels, row by row, as the digits of a hexadecimal number, for a link. */
function toText(pixels) {
  const bits = pixels.flat().map(Number).join("");
  return BigInt(`0b${bits}`).toString(16);
}

/** Return the positions [row, column] of the pixels of a text that are set. */
function fromText(text, size) {
  const bits = BigInt(`0x${text}`).toString(2).padStart(size ** 2, "0");
  return [...bits].flatMap((bit, index) => (bit === "1" ? [[Math.floor(index / size), index % size]] : []));
}

/** Return the image for the model, of one channel, with the grid in its upper left corner. */
function toImage(pixels, [, height, width]) {
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => [pixels[row]?.[column] ? 1 : 0]),
  );
}

/** Return the positions [row, column] of the peaks. */
function findPositions(peaks) {
  return peaks.flatMap((row, r) => row.flatMap((peak, c) => (peak ? [[r, c]] : [])));
}

function describePositions(positions) {
  return positions.map(([row, column]) => `row ${row}, column ${column}`).join("; ");
}

/** Explain in words which class the rule assigns to a number of peaks. */
function explain(count, pixels) {
  if (count === 1) return "One diagonal of three pixels.";
  if (count === 2) return "Two diagonals of three pixels, or one of four.";
  if (count > 2) return "More than two peaks: the rule has no class of its own for them.";
  return pixels.flat().some(Boolean)
    ? "No window of 3×3 pixels matches the kernel. Only diagonals from the lower left to the upper right count, and the rule assigns Class 2 to everything else."
    : "Nothing is drawn. The rule assigns Class 2 even to an empty image, because its only cases are “one peak” and “otherwise”.";
}

/** The feature map: a board of numbers with frames around the peaks. */
class FeatureMap {
  constructor(element) {
    this.board = new Board(element, MAP_SIZE);
    this.board.cells.setAttribute("role", "img");
    this.numbers = Array.from({ length: MAP_SIZE ** 2 }, () => document.createElement("span"));
    this.board.cells.append(...this.numbers);
  }

  show(sums, peaks) {
    this.numbers.forEach((number, index) => {
      const sum = sums[Math.floor(index / MAP_SIZE)][index % MAP_SIZE];
      number.textContent = sum;
      number.className = `sum-${sum}`;
    });
    const label = `Feature map. Peaks: ${describePositions(peaks) || "none"}`;
    this.board.cells.setAttribute("aria-label", label);
    this.board.setFrames(peaks.map(([row, column]) => ({ row, column, side: 1 })));
  }
}
