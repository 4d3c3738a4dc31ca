// The tab of Question 1: the numbers of x, A and B, the network, its dual, and the gradients.

import { latestOnly, predict } from "./api.js";
import { BackpropDiagram } from "./backprop_diagram.js";
import { create } from "./elements.js";
import { keepInLink } from "./link.js";
import { NumberField } from "./number_field.js";
import { createMatrix, fromLinkText, longNumber, shortNumber, tinyNumber, toLinkText } from "./numbers.js";
import { whileOnScreen } from "./on_screen.js";
import { StepPlayer } from "./step_player.js";

const RANGE = { min: -5, max: 5, step: 0.1 };
const START = {
  x: [[1], [-0.5], [0.8]],
  A: [[0.8, -0.5, 0.3], [0.4, 0.6, -0.7], [-0.2, 0.5, 0.9]],
  B: [[0.7, -0.4, 0.2], [-0.6, 0.9, 0.5], [0.3, -0.8, 0.6]],
};
const SIZE = 3; // the largest K
// The step in which the signal of a node, or the entry of A, arrives in the dual network.
const ARRIVALS = { L: 1, w: 2, "A-w": 3, z: 3, "A-z": 4, s: 4, u: 5, v: 5, "B-v": 6, B: 6, y: 6, "A-y": 7, x: 7 };
const STEP_TIME = 1000; // milliseconds of each step while it runs
const TEXTS = [
  "The values are computed. Nothing is fed to the dual network yet.",
  "The number 1 is fed to the dual network at L.",
  "2w maps 1 to g_w.",
  "g_w goes on to z, and fills the entry of A at w: g_w zᵀ.",
  "g_z goes on to s, and adds the entry of A at z: g_z sᵀ.",
  "g_s is multiplied by v on its way to u, and by u on its way to v.",
  "The slope of σ maps g_u to g_y; g_v xᵀ is the only entry of B: its gradient.",
  "g_y adds the entry of A at y, g_y xᵀ. The sum is its gradient. x receives Aᵀ g_y + Bᵀ g_v.",
];

export function startBackprop([{ name }]) {
  const answer = document.getElementById("backprop-answer");
  const status = document.getElementById("backprop-text");
  const values = new BackpropDiagram(document.getElementById("backprop-values"), false);
  const dual = new BackpropDiagram(document.getElementById("backprop-dual"), true);
  let inputs; // {x, A, B} of the last answer
  let outputs; // the last answer

  const fields = createFields(() => request());
  const sizes = [...document.querySelectorAll("#backprop-size input")];
  const readSize = () => Number(sizes.find((each) => each.checked).value);

  const ask = latestOnly(async (instance) => {
    try {
      const { prediction } = await predict(name, "step", instance);
      [inputs, outputs] = [instance, prediction];
      answer.textContent = `L = ${longNumber(outputs.L)}. Dual network and finite differences agree to ${tinyNumber(outputs.relative_error)}.`;
      show();
    } catch (error) {
      answer.textContent = `${name} does not answer: ${error.message}`;
    }
  });
  const update = whileOnScreen(document.getElementById("backprop"), ask);

  function request() {
    const size = readSize();
    const read = (matrix) => fields[matrix].slice(0, size).map((row) => row.slice(0, size).map(({ value }) => value));
    return update({ x: read("x").flat(), A: read("A"), B: read("B") });
  }

  function show() {
    if (!outputs) return;
    const { step } = player;
    const received = ["A-w", "A-z", "A-y"].filter((entry) => ARRIVALS[entry] <= step).length;
    const { y, u, v, s, z, w, L, slope, g_w } = outputs;
    values.show({ ...inputs, y, u, v, s, z, w, L });
    const signals = Object.fromEntries(["y", "u", "v", "s", "z", "w"].map((node) => [node, outputs[`g_${node}`]]));
    const maps = { x: inputs.x, A: transpose(inputs.A), B: transpose(inputs.B), u, v, s, z, slope, g_w };
    const gradients = { x: outputs.gradient_x, A: outputs.sums_A[Math.max(0, received - 1)], B: outputs.gradient_B };
    dual.show({ ...gradients, ...signals, L: 1 }, maps, (node, end) => {
      if (node === "A" && !end) return received > 0;
      return step >= (ARRIVALS[`${node}-${end}`] ?? ARRIVALS[node]);
    });
    status.replaceChildren(...withSubscripts(`Step ${step} of ${player.last}. ${TEXTS[step]}`));
    showSum(outputs, received);
    showGradients(outputs);
  }

  const [slider, button] = ["step", "run"].map((each) => document.getElementById(`backprop-${each}`));
  const player = new StepPlayer(slider, button, status, { first: 1, stepTime: STEP_TIME, onStep: show });

  function setSize() {
    const size = readSize();
    for (const [matrix, rows] of Object.entries(fields)) {
      const columns = matrix === "x" ? 1 : size;
      document.getElementById(`backprop-${matrix}`).style.setProperty("--columns", columns);
      rows.forEach((row, r) => row.forEach(({ element }, c) => {
        element.hidden = r >= size || c >= columns;
      }));
    }
    request();
  }
  for (const each of sizes) each.addEventListener("change", setSize);
  setSize();

  const all = Object.values(fields).flat(2);
  keepInLink("backprop", {
    read: () => toLinkText([readSize(), player.step, ...all.map(({ value }) => value)]),
    write: (text) => {
      const [size, step, ...numbers] = fromLinkText(text, 2 + all.length);
      sizes.find((each) => Number(each.value) === size).checked = true;
      all.forEach((field, index) => field.set(numbers[index]));
      player.set(step);
      setSize();
    },
  });
}

/** Create the fields of all numbers: {x, A, B}, each an array of rows. */
function createFields(onChange) {
  return Object.fromEntries(
    Object.entries(START).map(([matrix, rows]) => {
      const fields = rows.map((row, r) =>
        row.map((value, c) => {
          const position = row.length === SIZE ? `row ${r + 1}, column ${c + 1}` : `entry ${r + 1}`;
          return new NumberField(`${matrix}, ${position}`, { value, ...RANGE }, onChange);
        }),
      );
      document.getElementById(`backprop-${matrix}`).append(...fields.flat().map(({ element }) => element));
      return [matrix, fields];
    }),
  );
}

function transpose(matrix) {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}

/** Show the entries of A that have arrived, and their sum. */
function showSum({ entries_A: entries, sums_A: sums }, received) {
  const nothing = entries[0].map((row) => row.map(() => null));
  const names = ["g_w zᵀ", "g_z sᵀ", "g_y xᵀ"];
  const parts = entries.flatMap((entry, index) => {
    const isThere = index < received;
    const part = createPart(names[index], isThere ? entry : nothing, shortNumber);
    part.classList.toggle("waiting", !isThere);
    return [index ? "+" : "", part];
  });
  const sum = createPart(received === entries.length ? "∂L/∂A" : "sum so far", received ? sums[received - 1] : nothing, shortNumber);
  sum.classList.add("result");
  document.getElementById("backprop-sum").replaceChildren(...parts, "=", sum);
}

/** Show the gradient of each input beside its finite difference. */
function showGradients(outputs) {
  const rows = ["A", "B", "x"].map((input) =>
    create(
      "div",
      { className: "gradient" },
      createPart(`∂L/∂${input}, dual network`, outputs[`gradient_${input}`], longNumber),
      createPart(`∂L/∂${input}, finite differences`, outputs[`difference_${input}`], longNumber),
    ),
  );
  document.getElementById("backprop-gradients").replaceChildren(...rows);
}

function createPart(name, rows, format) {
  return create("figure", { className: "part" }, createMatrix(name.replace("_", " "), rows, format), create("figcaption", {}, ...withSubscripts(name)));
}

/** Return a text as nodes, in which a letter after an underscore is a subscript. */
function withSubscripts(text) {
  return text.split(/_(\w)/).map((part, index) => (index % 2 ? create("sub", {}, part) : part));
}
