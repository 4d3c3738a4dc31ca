// The digits tab: a sheet to draw on, and beside it what every model says while one draws.

import { latest, predict } from "./api.js";
import { Card } from "./card.js";
import { Sheet } from "./sheet.js";

const SETTLED = 400; // milliseconds without a new answer before the answer is said

export function startDigits(models) {
  const answer = document.getElementById("digit-answer");
  const pen = document.getElementById("pen");
  const cards = models.map((model) => new Card(model));
  document.getElementById("cards").append(...cards.map((card) => card.element));
  let cleared = 0; // how often: an answer to what is no longer there is not shown
  let settling;
  let due = false;

  function say() {
    clearTimeout(settling);
    settling = setTimeout(() => {
      answer.textContent = sheet.isEmpty ? "Draw a digit" : summary(cards);
    }, SETTLED);
  }

  const asks = cards.map((card) =>
    latest(async ({ png, sheetNumber }) => {
      let show;
      try {
        const { prediction, milliseconds } = await predict(card.name, "image_bytes", { b64: png });
        // Where probabilities are a model's only output, they come without their name.
        const probabilities = prediction.probabilities ?? prediction;
        const winner = prediction.class ?? probabilities.indexOf(Math.max(...probabilities));
        show = () => card.show(probabilities, winner, milliseconds);
      } catch (error) {
        show = () => card.fail(error.message);
      }
      if (sheetNumber !== cleared) return;
      show();
      say();
    }),
  );

  const normalizer = models.find(({ signatures }) => signatures.normalized);
  document.getElementById("seen").hidden = !normalizer;
  const askSeen = latest(async ({ png, sheetNumber }) => {
    try {
      const { prediction } = await predict(normalizer.name, "normalized", { b64: png });
      if (sheetNumber === cleared) showSeen(prediction);
    } catch {
      // The models' cards say what is wrong.
    }
  });

  function changed() {
    if (sheet.isEmpty) {
      cleared += 1;
      for (const card of cards) card.clear();
      showSeen(null);
      say();
    } else if (!due) {
      due = true; // one picture for each frame that is drawn, at most
      requestAnimationFrame(() => {
        due = false;
        if (sheet.isEmpty) return;
        const value = { png: sheet.png(), sheetNumber: cleared };
        for (const ask of asks) ask(value);
        if (normalizer) askSeen(value);
      });
    }
  }

  const sheet = new Sheet(document.getElementById("sheet"), changed, (text) => {
    pen.textContent = text;
  });

  async function open(file) {
    try {
      const picture = await createImageBitmap(file);
      cleared += 1;
      sheet.open(picture);
      pen.textContent = `Opened ${file.name}.`;
    } catch {
      pen.textContent = `${file.name} is not a picture that this browser can read. Try a PNG or JPEG file.`;
    }
  }

  document.getElementById("clear-sheet").addEventListener("click", () => {
    sheet.clear();
    pen.textContent = "";
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
}

/** What the models say, in one sentence. */
function summary(cards) {
  const said = cards.filter((card) => card.said !== null);
  if (!said.length) return "No model answers";
  const classes = new Set(said.map((card) => card.said));
  if (classes.size > 1 || said.length === 1) {
    return said.map((card) => `${card.name} says ${card.said}`).join(", ");
  }
  return `${said.length === 2 ? "Both" : `All ${said.length}`} models say ${said[0].said}`;
}

function showSeen(pixels) {
  const canvas = document.getElementById("pixels");
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", `What the models see${pixels ? "" : ": nothing yet"}`);
  if (!pixels) return;
  canvas.width = pixels[0].length;
  canvas.height = pixels.length;
  const image = context.createImageData(canvas.width, canvas.height);
  pixels.flat().forEach((grey, place) => image.data.set([grey, grey, grey, 255], 4 * place));
  context.putImageData(image, 0, 0);
}
