// The kernel of a model that learned to count diagonals, and the model's answer for the drawing.

import { latestOnly, predict } from "./api.js";
import { whileOnScreen } from "./on_screen.js";
import { decodePng, readTiles } from "./png_tiles.js";

const SIDE = 3;

/** Return whether a model has one trained kernel of 3×3 over the homework's images. */
export function learnsKernel({ signatures }) {
  const { image } = signatures.serving_default?.inputs ?? {};
  const pictures = `${Object.keys(signatures.weights?.outputs ?? {}).filter((name) => name.endsWith("_bytes"))}`;
  return `${image?.shape?.slice(1)}` === "100,100,1" && pictures === "kernel_bytes";
}

/**
 * Show a model's kernel.
 *
 * @returns A function that shows the model's answer for an image.
 */
export function showLearnedKernel({ name, versions }) {
  const element = document.getElementById("learned");
  const answer = document.getElementById("learned-answer");
  element.hidden = false;
  showKernel(name, versions[0]).catch((error) => {
    answer.textContent = `${name} does not show its kernel: ${error.message}`;
  });
  const update = latestOnly(async (image) => {
    try {
      const { prediction } = await predict(name, "serving_default", image);
      const percent = Math.round(100 * Math.max(...prediction.probabilities));
      answer.textContent = `Its answer for this image: Class ${prediction.class + 1}, ${percent}\u00a0%.`;
    } catch (error) {
      answer.textContent = `${name} does not answer: ${error.message}`;
    }
  });
  return whileOnScreen(element, update);
}

async function showKernel(name, version) {
  const { prediction } = await predict(name, "weights", 0, version);
  const [scale] = prediction.scales;
  const tiles = { count: 1, height: SIDE, width: SIDE };
  const numbers = readTiles(await decodePng(prediction.kernel_bytes.b64), tiles, scale, true);
  const cells = [...numbers].map((number) => {
    const cell = document.createElement("span");
    cell.textContent = format(number);
    cell.classList.toggle("negative", number < 0);
    cell.style.setProperty("--share", scale ? Math.abs(number) / scale : 0);
    return cell;
  });
  const kernel = document.querySelector("#learned .kernel");
  kernel.replaceChildren(...cells);
  const rows = [0, 1, 2].map((row) => cells.slice(SIDE * row, SIDE * (row + 1)).map((cell) => cell.textContent).join(", "));
  kernel.setAttribute("aria-label", `Learned kernel of 3 by 3, row by row: ${rows.join("; ")}`);
  document.getElementById("learned-model").textContent = `${name}, version ${version}, has the threshold θ = ${format(-prediction.bias[0])}.`;
}

function format(number) {
  const text = Math.abs(number).toFixed(2);
  return number < 0 && Number(text) ? `−${text}` : text;
}
