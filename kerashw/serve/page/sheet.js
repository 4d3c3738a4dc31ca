// The sheet that a digit is drawn on: with a pointer, with the keys, or from a picture.

const INK_WIDTH = 0.075; // of the sheet's side
const STEP = 1 / 28;
const PNG_SIDE = 280;
const PICTURE_SIDE = 560;
const MOVES = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Sheet {
  /**
   * @param canvas The element that is drawn on.
   * @param changed Called after every change.
   * @param say Called with what the keys did, in words.
   */
  constructor(canvas, changed, say) {
    this.canvas = canvas;
    this.changed = changed;
    this.say = say;
    this.strokes = []; // of points [x, y], in shares of the side
    this.picture = null; // an ImageBitmap that was opened instead
    this.cursor = [0.5, 0.5];
    this.stroke = null; // that is being drawn
    this.held = new Set(); // arrow keys
    this.withKeys = false;
    this.#listenToPointers();
    this.#listenToKeys();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
    this.#paint();
  }

  get isEmpty() {
    return !this.picture && !this.strokes.length;
  }

  clear() {
    this.strokes = [];
    this.stroke = null;
    this.#replacePicture(null);
    this.#show();
  }

  /** Show a picture; the next stroke starts a new drawing. */
  open(picture) {
    this.strokes = [];
    this.stroke = null;
    this.#replacePicture(picture);
    this.#show();
  }

  /** The sheet as a PNG in base64: the drawing white on black, a picture as it is. */
  png() {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    if (this.picture) {
      const { width, height } = this.picture;
      const scale = Math.min(1, PICTURE_SIDE / Math.max(width, height));
      canvas.width = Math.max(1, Math.round(width * scale));
      canvas.height = Math.max(1, Math.round(height * scale));
      context.fillStyle = "white"; // under what is transparent
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
    } else {
      canvas.width = canvas.height = PNG_SIDE;
      context.fillRect(0, 0, PNG_SIDE, PNG_SIDE);
      this.#drawStrokes(context, "white");
    }
    return canvas.toDataURL("image/png").split(",")[1];
  }

  #show() {
    this.#paint();
    this.changed();
  }

  #replacePicture(picture) {
    this.picture?.close(); // at once: its pixels are not the collector's
    this.picture = picture;
  }

  #start(point) {
    this.#replacePicture(null);
    this.stroke = [point];
    this.strokes.push(this.stroke);
  }

  #listenToPointers() {
    const { canvas } = this;
    const place = ({ clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.withKeys = false;
      this.say("");
      this.#start(place(event));
      this.#show();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.stroke || this.withKeys || !event.isPrimary) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.stroke.push(place(each));
      this.#show();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        if (event.isPrimary && !this.withKeys) this.stroke = null;
      });
    }
  }

  #listenToKeys() {
    const { canvas } = this;
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key in MOVES) {
        this.held.add(event.key);
        this.#useKeys();
        this.#move();
      } else if (event.key === " ") {
        if (!event.repeat) {
          this.#useKeys();
          this.#turnPen();
        }
      } else if (event.key === "Delete" || event.key === "Backspace") {
        this.clear();
        this.say("The sheet is empty, the pen is up.");
      } else {
        return;
      }
      event.preventDefault();
    });
    canvas.addEventListener("keyup", (event) => this.held.delete(event.key));
    canvas.addEventListener("blur", () => {
      this.held.clear();
      if (this.withKeys) this.stroke = null;
      this.withKeys = false;
      this.#paint();
    });
  }

  #useKeys() {
    if (!this.withKeys) this.stroke = null;
    this.withKeys = true;
  }

  #move() {
    for (const key of this.held) {
      this.cursor = this.cursor.map((each, axis) =>
        Math.min(1 - STEP / 2, Math.max(STEP / 2, each + STEP * MOVES[key][axis])),
      );
    }
    if (this.stroke) {
      this.stroke.push(this.cursor);
      this.#show();
    } else {
      this.#paint();
    }
    this.#sayPen();
  }

  #turnPen() {
    if (this.stroke) {
      this.stroke = null;
      this.#paint();
    } else {
      this.#start(this.cursor);
      this.#show();
    }
    this.#sayPen();
  }

  #sayPen() {
    const [column, row] = this.cursor.map((each) => Math.floor(each / STEP) + 1);
    this.say(`Pen ${this.stroke ? "down" : "up"}: row ${row} of 28, column ${column}.`);
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
    this.#drawStrokes(context, style.color);
    if (this.withKeys) this.#drawCursor(context, style.getPropertyValue("--mark"));
  }

  #drawStrokes(context, color) {
    const side = context.canvas.width;
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = INK_WIDTH * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) {
      const points = stroke.map(([x, y]) => [x * side, y * side]);
      context.beginPath();
      context.arc(...points[0], context.lineWidth / 2, 0, 2 * Math.PI);
      context.fill();
      context.beginPath();
      for (const point of points) context.lineTo(...point);
      context.stroke();
    }
  }

  #drawCursor(context, color) {
    const side = context.canvas.width;
    const [x, y] = this.cursor.map((each) => each * side);
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = side / 140;
    context.beginPath();
    context.arc(x, y, (INK_WIDTH * side) / 2, 0, 2 * Math.PI);
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
