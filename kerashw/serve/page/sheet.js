// The sheet to draw a digit on, with a pointer, with the keyboard, or from a picture.

import { Drawing } from "./drawing.js";
import { listenToStrokes } from "./pointers.js";

const STEP = 1 / 28; // how far an arrow key moves the pen, as a fraction of the side
const DRAWING_SIDE = 280; // pixels of a drawing for the models
const MAX_PICTURE_SIDE = 560; // pixels of an opened picture
const MIN_CURSOR = 0.012; // the least radius of the ring around the pen that the keys move
const MOVES = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Sheet {
  /**
   * @param canvas The element that is drawn on.
   * @param onChange Function that is called after each change.
   * @param setStatus Function that is called with the state of the pen in words.
   */
  constructor(canvas, onChange, setStatus) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.setStatus = setStatus;
    this.drawing = new Drawing();
    this.picture = null; // an opened ImageBitmap, which replaces the drawing
    this.cursor = [0.5, 0.5]; // the point of the pen that the keys move
    this.stroke = null; // the stroke that is being drawn
    this.pressedArrows = new Set();
    this.usesKeys = false;
    this.#listenToPointers();
    this.#listenToKeys();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
    this.#paint();
  }

  get isEmpty() {
    return !this.picture && this.drawing.isEmpty;
  }

  clear() {
    this.show(new Drawing());
  }

  /** Show a drawing. */
  show(drawing) {
    this.#replace(drawing, null);
    this.#update();
  }

  /** Show a picture. The next stroke replaces it with a new drawing. */
  open(picture) {
    this.#replace(new Drawing(), picture);
    this.#update();
  }

  /** Return a function that returns the sheet of now as a PNG file in base64, in a promise. */
  snapshot() {
    const canvas = this.#toCanvas();
    let png; // encoded when it is first needed
    return () => (png ??= encodePng(canvas));
  }

  #update() {
    this.#paint();
    this.onChange();
  }

  /**
   * Return a canvas with what the models receive: a drawing in white on black, enlarged if it is
   * small, or an opened picture unchanged.
   */
  #toCanvas() {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    if (this.picture) {
      const { width, height } = this.picture;
      const scale = Math.min(1, MAX_PICTURE_SIDE / Math.max(width, height));
      canvas.width = Math.max(1, Math.round(width * scale));
      canvas.height = Math.max(1, Math.round(height * scale));
      context.fillStyle = "white"; // behind transparent pixels
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
    } else {
      canvas.width = canvas.height = DRAWING_SIDE;
      context.fillRect(0, 0, DRAWING_SIDE, DRAWING_SIDE);
      this.drawing.paintEnlarged(context, "white");
    }
    return canvas;
  }

  #replace(drawing, picture) {
    this.picture?.close(); // frees its pixels without waiting for the garbage collector
    this.picture = picture;
    this.drawing = drawing;
    this.stroke = null;
  }

  #startStroke(point) {
    if (this.picture) this.#replace(new Drawing(), null);
    this.stroke = this.drawing.startStroke(point);
  }

  #listenToPointers() {
    listenToStrokes(this.canvas, {
      start: (point) => {
        this.usesKeys = false;
        this.setStatus("");
        this.#startStroke(point);
        this.#update();
      },
      extend: (points) => {
        if (!this.stroke || this.usesKeys) return;
        for (const point of points) this.drawing.extend(this.stroke, point);
        this.#update();
      },
      end: () => {
        if (!this.usesKeys) this.stroke = null;
      },
    });
  }

  #listenToKeys() {
    const { canvas } = this;
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key in MOVES) {
        this.pressedArrows.add(event.key);
        this.#useKeys();
        this.#move();
      } else if (event.key === " ") {
        if (!event.repeat) {
          this.#useKeys();
          this.#togglePen();
        }
      } else if (event.key === "Delete" || event.key === "Backspace") {
        this.clear();
        this.setStatus("The sheet is empty, the pen is up.");
      } else {
        return;
      }
      event.preventDefault();
    });
    canvas.addEventListener("keyup", (event) => this.pressedArrows.delete(event.key));
    canvas.addEventListener("blur", () => {
      this.pressedArrows.clear();
      if (this.usesKeys) this.stroke = null;
      this.usesKeys = false;
      this.#paint();
    });
  }

  #useKeys() {
    if (!this.usesKeys) this.stroke = null;
    this.usesKeys = true;
  }

  #move() {
    for (const key of this.pressedArrows) {
      this.cursor = this.cursor.map((each, axis) =>
        Math.min(1 - STEP / 2, Math.max(STEP / 2, each + STEP * MOVES[key][axis])),
      );
    }
    if (this.stroke) {
      this.drawing.extend(this.stroke, this.cursor);
      this.#update();
    } else {
      this.#paint();
    }
    this.#describePen();
  }

  #togglePen() {
    if (this.stroke) {
      this.stroke = null;
      this.#paint();
    } else {
      this.#startStroke(this.cursor);
      this.#update();
    }
    this.#describePen();
  }

  #describePen() {
    const [column, row] = this.cursor.map((each) => Math.floor(each / STEP) + 1);
    this.setStatus(`Pen ${this.stroke ? "down" : "up"}: row ${row} of 28, column ${column}.`);
  }

  #paint() {
    const { canvas } = this;
    const context = canvas.getContext("2d");
    const side = canvas.width;
    context.clearRect(0, 0, side, side);
    if (this.picture) {
      const { width, height } = this.picture;
      const scale = side / Math.max(width, height);
      const size = [width * scale, height * scale];
      context.drawImage(this.picture, (side - size[0]) / 2, (side - size[1]) / 2, ...size);
    }
    const style = getComputedStyle(canvas);
    this.drawing.paint(context, style.color);
    if (this.usesKeys) this.#drawCursor(context, style.getPropertyValue("--mark"));
  }

  #drawCursor(context, color) {
    const side = context.canvas.width;
    const [x, y] = this.cursor.map((each) => each * side);
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = side / 140;
    context.beginPath();
    context.arc(x, y, side * Math.max(this.drawing.penWidth / 2, MIN_CURSOR), 0, 2 * Math.PI);
    if (this.stroke) context.fill();
    context.stroke();
    for (const [dx, dy] of Object.values(MOVES)) {
      context.beginPath();
      context.moveTo(x + (dx * side) / 20, y + (dy * side) / 20);
      context.lineTo(x + (dx * side) / 12, y + (dy * side) / 12);
      context.stroke();
    }
  }
}

/** Return a canvas as a PNG file in base64. Browsers encode it in another thread. */
async function encodePng(canvas) {
  const file = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const reader = new FileReader();
  const result = new Promise((resolve) => reader.addEventListener("load", () => resolve(reader.result)));
  reader.readAsDataURL(file);
  return (await result).split(",")[1];
}
