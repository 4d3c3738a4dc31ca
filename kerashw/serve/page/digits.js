// The digits tab: a sheet to draw on, and the prediction of each model while one draws.

import { latestOnly, predict } from "./api.js";
import { Card } from "./card.js";
import { Drawing } from "./drawing.js";
import { startInside } from "./inside.js";
import { keepInLink } from "./link.js";
import { whileOnScreen } from "./on_screen.js";
import { Sheet } from "./sheet.js";

const ANNOUNCE_DELAY = 400; // milliseconds without a new prediction before it is announced
const NO_DIGIT = "There is no digit on the sheet. Draw one, or open another picture.";

const listeners = [];

/**
 * Call a function with each new drawing: {png, isCurrent}. `await png()` is its PNG file in base64,
 * and `isCurrent()` whether the sheet was not cleared since. The function is called with null when
 * the sheet is cleared. If it returns a promise, the cards are busy until it resolves.
 */
export function onDrawing(listener) {
  listeners.push(listener);
}

export function startDigits(models) {
  const answer = document.getElementById("digit-answer");
  const penStatus = document.getElementById("pen");
  const cardList = document.getElementById("cards");
  const cards = models.map((model) => new Card(model));
  cardList.append(...cards.map((card) => card.element));
  let sheetNumber = 0; // counts the cleared sheets, whose predictions are not shown any more
  let announceTimer;
  let frameRequested = false;
  let updates = 0; // the number of updates that are running

  function announce() {
    clearTimeout(announceTimer);
    announceTimer = setTimeout(() => {
      answer.textContent = sheet.isEmpty ? "Draw a digit" : summarize(cards);
    }, ANNOUNCE_DELAY);
  }

  const updateFunctions = cards.map((card) =>
    latestOnly(async (drawing) => {
      let show;
      try {
        const instance = { b64: await drawing.png() };
        const { prediction, milliseconds } = await predict(card.name, "image_bytes", instance, card.version);
        // The probabilities have no name if they are the only output of the model.
        const probabilities = prediction.probabilities ?? prediction;
        const winner = prediction.class ?? probabilities.indexOf(Math.max(...probabilities));
        show = () => card.show(probabilities, winner, milliseconds);
      } catch (error) {
        show = () => card.fail(error.message);
      }
      if (!drawing.isCurrent()) return;
      show();
      announce();
    }),
  );

  const normalizer = models.find(({ signatures }) => signatures.normalized);
  const seen = document.getElementById("seen");
  seen.hidden = !normalizer;
  if (normalizer) {
    const updatePixels = latestOnly(async (drawing) => {
      let pixels = null; // of an error, which the cards show
      try {
        const instance = { b64: await drawing.png() };
        pixels = (await predict(normalizer.name, "normalized", instance)).prediction;
      } catch {}
      if (drawing.isCurrent()) showPixels(pixels);
    });
    updateFunctions.push(whileOnScreen(seen, updatePixels));
  }

  /** Request the predictions for the sheet, and wait for them. */
  async function update(functions = updateFunctions) {
    frameRequested = false;
    if (!sheet.isEmpty) {
      updates += 1;
      setBusy();
      const number = sheetNumber;
      const drawing = { png: sheet.snapshot(), isCurrent: () => number === sheetNumber };
      await Promise.all([...functions, ...listeners].map((each) => each(drawing)));
      updates -= 1;
    }
    setBusy();
  }

  function setBusy() {
    cardList.setAttribute("aria-busy", String(frameRequested || updates > 0));
  }

  function onChange() {
    if (sheet.isEmpty) {
      sheetNumber += 1;
      for (const card of cards) card.clear();
      for (const listener of listeners) listener(null);
      showPixels(null);
      announce();
    } else if (!frameRequested) {
      frameRequested = true; // at most one update for each frame of the display
      setBusy();
      requestAnimationFrame(() => update());
    }
  }

  startInside(models, cards, onDrawing, (card) => update([updateFunctions[cards.indexOf(card)]]));

  const sheet = new Sheet(document.getElementById("sheet"), onChange, (text) => {
    penStatus.textContent = text;
  });

  async function open(file) {
    try {
      const picture = await createImageBitmap(file);
      sheetNumber += 1;
      sheet.open(picture);
      penStatus.textContent = `Opened ${file.name}.`;
    } catch {
      penStatus.textContent = `${file.name} is not a picture that this browser can read. Try a PNG, JPEG, GIF, BMP or WebP file.`;
    }
  }

  document.getElementById("clear-sheet").addEventListener("click", () => {
    sheet.clear();
    penStatus.textContent = "";
  });
  document.getElementById("open").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) open(file);
    event.target.value = ""; // so that the same file can be opened again
  });
  addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (file && !document.getElementById("digits").hidden) open(file);
  });
  keepInLink("digits", {
    read: () => (sheet.picture ? null : sheet.drawing.toText()),
    write: (text) => {
      const drawing = Drawing.fromText(text);
      sheetNumber += 1;
      sheet.show(drawing);
    },
  });
}

/** Return the predictions of the models in one sentence. */
function summarize(cards) {
  const answered = cards.filter((card) => card.prediction !== null);
  if (!answered.length && cards.some((card) => card.seesNoDigit)) return NO_DIGIT;
  if (!answered.length) return "No model answers";
  const classes = new Set(answered.map((card) => card.prediction));
  if (classes.size > 1 || answered.length === 1) {
    return answered.map((card) => `${card.name} says ${card.prediction}`).join(", ");
  }
  const count = answered.length === 2 ? "Both" : `All ${answered.length}`;
  return `${count} models say ${answered[0].prediction}`;
}

/** Show the normalized digit, rows of pixels from 0 to 255; null clears it. */
function showPixels(pixels) {
  const canvas = document.getElementById("pixels");
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", `What the models see${pixels ? "" : ": nothing yet"}`);
  if (!pixels) return;
  canvas.width = pixels[0].length;
  canvas.height = pixels.length;
  const image = context.createImageData(canvas.width, canvas.height);
  pixels.flat().forEach((grey, index) => image.data.set([grey, grey, grey, 255], 4 * index));
  context.putImageData(image, 0, 0);
}
