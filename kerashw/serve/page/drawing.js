// A drawing: the strokes of a pen whose width fits the drawing, as a picture and as a link's text.

const PEN_WIDTH = 0.075; // for a drawing of the full size or larger, in sides of the sheet
const FULL_SIZE = 0.4; // the longer side of a drawing from which the pen has its full width
const MIN_SIZE = 0.025; // below it, the pen does not become thinner
const UNITS = 4096; // in a side of the sheet; points are rounded to units, as in a link

export class Drawing {
  constructor() {
    this.strokes = []; // arrays of points [x, y], in units
    this.isEmpty = true;
    this.bounds = [[UNITS, UNITS], [0, 0]]; // of the points, as far as they are on the sheet
  }

  /** Add a stroke that begins at a point [x, y], in sides of the sheet, and return it. */
  startStroke(point) {
    const stroke = [];
    this.strokes.push(stroke);
    this.extend(stroke, point);
    return stroke;
  }

  /** Add a point to a stroke. */
  extend(stroke, point) {
    this.#add(stroke, point.map((each) => Math.round(each * UNITS)));
  }

  /** How many times a small drawing must be enlarged to have its full size; at least 1. */
  get zoom() {
    const [least, greatest] = this.bounds;
    const size = Math.max(...greatest.map((each, axis) => each - least[axis])) / UNITS;
    return Math.max(1, FULL_SIZE / Math.max(size, MIN_SIZE));
  }

  /** The width of the pen, in sides of the sheet. */
  get penWidth() {
    return PEN_WIDTH / this.zoom;
  }

  /** Paint the sheet on a canvas. */
  paint(context, color) {
    this.#paint(context, color, 1, [0, 0]);
  }

  /** Paint the sheet, or the part of it that has a small drawing, enlarged to its full size. */
  paintEnlarged(context, color) {
    const { zoom } = this;
    const [least, greatest] = this.bounds;
    // The sheet's corner is moved so that the middle of a small drawing is in the middle.
    const corner = least.map((each, axis) => 0.5 - (zoom * (each + greatest[axis])) / 2 / UNITS);
    this.#paint(context, color, zoom, zoom > 1 ? corner : [0, 0]);
  }

  /** Return the drawing as text for a link: the differences of its points, in base64url. */
  toText() {
    const bytes = [];
    let last = [0, 0];
    const write = (number) => {
      let rest = number < 0 ? -2 * number - 1 : 2 * number; // so that small numbers are short
      for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
      bytes.push(rest);
    };
    for (const stroke of this.strokes) {
      write(stroke.length);
      for (const point of stroke) {
        point.forEach((each, axis) => write(each - last[axis]));
        last = point;
      }
    }
    const text = btoa(bytes.map((byte) => String.fromCharCode(byte)).join(""));
    return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  /** Return the drawing of a text, or throw an error if there is none. */
  static fromText(text) {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    let position = 0;
    const read = () => {
      let number = 0;
      for (let shift = 0; shift < 28; shift += 7) {
        const byte = bytes.charCodeAt(position);
        position += 1;
        number |= (byte & 127) << shift;
        if (byte < 128) return number & 1 ? -(number + 1) / 2 : number / 2;
      }
      throw new Error("The drawing is cut short"); // NaN, after the last byte, is not below 128
    };
    const drawing = new Drawing();
    let point = [0, 0];
    while (position < bytes.length) {
      const stroke = [];
      for (let left = read(); left > 0; left -= 1) {
        point = point.map((each) => each + read());
        drawing.#add(stroke, point);
      }
      if (!stroke.length) throw new Error("The drawing has a stroke without points");
      drawing.strokes.push(stroke);
    }
    return drawing;
  }

  #add(stroke, point) {
    stroke.push(point);
    this.isEmpty = false;
    point.forEach((each, axis) => {
      const onSheet = Math.min(UNITS, Math.max(0, each));
      this.bounds[0][axis] = Math.min(this.bounds[0][axis], onSheet);
      this.bounds[1][axis] = Math.max(this.bounds[1][axis], onSheet);
    });
  }

  #paint(context, color, zoom, corner) {
    const side = context.canvas.width;
    const scale = (zoom * side) / UNITS;
    const place = (point) => point.map((each, axis) => each * scale + corner[axis] * side);
    context.save();
    context.beginPath();
    context.rect(...place([0, 0]), zoom * side, zoom * side);
    context.clip(); // strokes end at the edge of the sheet
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = this.penWidth * zoom * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) {
      const [first, ...rest] = stroke.map(place);
      context.beginPath();
      context.arc(...first, context.lineWidth / 2, 0, 2 * Math.PI);
      context.fill();
      context.beginPath();
      context.moveTo(...first);
      for (const point of rest) context.lineTo(...point);
      context.stroke();
    }
    context.restore();
  }
}
