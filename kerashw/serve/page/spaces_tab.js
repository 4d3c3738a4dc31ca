// The tab of Question 2: gradient descent in W and in (A + B) C, from the same function.

import { latestOnly, predict } from "./api.js";
import { create } from "./elements.js";
import { keepInLink } from "./link.js";
import { NumberField } from "./number_field.js";
import { createMatrix, fromLinkText, tinyNumber, toLinkText } from "./numbers.js";
import { whileOnScreen } from "./on_screen.js";
import { drawLosses, drawPaths } from "./spaces_charts.js";
import { Plane } from "./spaces_plane.js";
import { StepPlayer } from "./step_player.js";

// The points of each class, and the W of the function from which both descents start.
const POINTS = [
  [[-0.75, 0.2], [-0.5, 0.55], [-0.35, -0.05], [-0.6, -0.2], [-0.1, 0.3], [0.15, 0.05]],
  [[0.7, 0.15], [0.45, -0.3], [0.8, -0.25], [0.3, 0.45], [0.05, -0.25], [0.55, 0.6]],
  [[-0.2, -0.8], [0.15, -0.65], [-0.5, -0.7], [0.4, -0.85], [-0.05, -0.5], [0.2, -0.15]],
];
const START = [[0.4, 0.6, 0.1], [-0.3, -0.5, 0.2], [0.1, 0.5, -0.3]];
const RATE = { value: 0.5, min: 0.1, max: 2, step: 0.1 };
const FACTOR = { value: 1, min: 0.5, max: 3, step: 0.1 };
const STEP_TIME = 60; // milliseconds of each step while it plays

export function startSpaces([{ name }]) {
  const [answer, collapse] = ["answer", "collapse"].map((each) => document.getElementById(`spaces-${each}`));
  const sizes = [...document.querySelectorAll("#spaces-size input")];
  const readSize = () => Number(sizes.find((each) => each.checked).value);
  let outputs = null; // the last answer

  const plane = new Plane(document.getElementById("spaces-plane"), () => request());
  const [rate, factor] = [["rate", RATE], ["factor", FACTOR]].map(([id, range]) => {
    const label = document.querySelector(`#spaces-${id} .label`).textContent;
    const field = new NumberField(label, range, () => request());
    document.getElementById(`spaces-${id}`).append(field.element);
    return field;
  });

  const ask = latestOnly(async (instance) => {
    try {
      outputs = (await predict(name, "descent", instance)).prediction;
      show();
    } catch (error) {
      answer.textContent = `${name} does not answer: ${error.message}`;
    }
  });
  const update = whileOnScreen(document.getElementById("spaces"), ask);

  function request() {
    const size = readSize();
    return update({
      points: plane.points.map(({ position }) => position),
      labels: plane.points.map(({ label }) => label),
      learning_rate: rate.value,
      A: diagonal(size, factor.value),
      B: diagonal(size, 0),
      C: START.slice(0, size).map((row) => row.map((each) => each / factor.value)),
    });
  }

  function show() {
    if (!outputs) return;
    const { step } = player;
    const { W1, W2, loss1, loss2 } = outputs;
    const isCollapsed = collapse.getAttribute("aria-pressed") === "true";
    const collapsed = isCollapsed ? { collapsed: W2[step] } : {};
    plane.showBoundaries({ ...collapsed, h1: W1[step], h2: W2[step] });
    drawPaths(document.getElementById("spaces-paths"), { h1: W1, h2: W2 }, step);
    drawLosses(document.getElementById("spaces-losses"), { h1: loss1, h2: loss2 }, step);
    const steps = `${step} ${step === 1 ? "step" : "steps"}`;
    answer.textContent = `After ${steps}: loss ${loss1[step].toFixed(3)} in W, ${loss2[step].toFixed(3)} in (A + B) C`;
    document.getElementById("spaces-W").replaceChildren(
      createPart("W", W1[step], createKey("h1")),
      createPart("(A + B) C", W2[step], createKey("h2")),
    );
    showCollapse(isCollapsed);
  }

  function showCollapse(isCollapsed) {
    const { A, B, C, W2, difference } = outputs;
    const parts = ["(", createPart("A", A), "+", createPart("B", B), ")", createPart("C", C)];
    if (isCollapsed) {
      const W = createPart("W", W2.at(-1));
      W.classList.add("result");
      parts.push("=", W);
    }
    document.getElementById("spaces-factors").replaceChildren(...parts);
    const text = isCollapsed
      ? `One matrix, the same model: for all ${plane.points.length} points, the probabilities of softmax(W x) and of softmax((A + B) C x) differ by at most ${tinyNumber(difference)}. The two spaces are equal. Only the paths through them differ.`
      : `After ${W2.length - 1} steps the model consists of three matrices.`;
    // A screen reader reads each change, also to the same text.
    const status = document.getElementById("spaces-collapsed");
    if (status.textContent !== text) status.textContent = text;
  }

  const options = { first: 0, stepTime: STEP_TIME, onStep: show };
  const player = new StepPlayer(document.getElementById("spaces-step"), document.getElementById("spaces-play"), answer, options);
  collapse.addEventListener("click", () => {
    collapse.setAttribute("aria-pressed", String(collapse.getAttribute("aria-pressed") !== "true"));
    player.set(player.last);
  });

  function setPoints(positions) {
    const labels = POINTS.slice(0, readSize()).flatMap((each, label) => each.map(() => label));
    plane.setPoints(labels.map((label, index) => ({ position: positions[index], label })));
    return request();
  }

  const reset = () => setPoints(POINTS.flat());
  for (const each of sizes) each.addEventListener("change", reset);
  document.getElementById("spaces-reset").addEventListener("click", reset);
  reset();

  keepInLink("spaces", {
    read: () => {
      const positions = plane.points.flatMap(({ position }) => position);
      return toLinkText([readSize(), player.step, rate.value, factor.value, ...positions]);
    },
    write: (text) => {
      const size = Number(text.split("_")[0]) / 1000;
      const count = POINTS.slice(0, size).flat(2).length;
      const [, step, rateValue, factorValue, ...numbers] = fromLinkText(text, 4 + count);
      sizes.find((each) => Number(each.value) === size).checked = true;
      player.set(step);
      rate.set(rateValue);
      factor.set(factorValue);
      setPoints(Array.from({ length: count / 2 }, (_, index) => numbers.slice(2 * index, 2 * index + 2)));
    },
  });
}

function diagonal(size, value) {
  const indices = [...Array(size).keys()];
  return indices.map((row) => indices.map((column) => (row === column ? value : 0)));
}

function createPart(name, rows, ...key) {
  return create("figure", { className: "part" }, createMatrix(name, rows), create("figcaption", {}, ...key, name));
}

/** Return a sample of the lines of a space. */
function createKey(space) {
  return create("span", { className: `line-key ${space}` });
}
