// A number that one types, changes with the arrow keys, or drags to the left and right.

import { create } from "./elements.js";

const PIXELS_A_STEP = 6; // that a pointer moves for one step of the number
const DRAG_START = 4; // pixels that a pointer moves before it drags

export class NumberField {
  /**
   * @param label The name of the number.
   * @param range {value, min, max, step}.
   * @param onChange Function that is called after each change.
   */
  constructor(label, { value, min, max, step }, onChange) {
    this.range = { min, max, step };
    this.value = value;
    this.onChange = onChange;
    this.element = create("input", {
      type: "number", className: "number", inputMode: "decimal", value, min, max, step, "aria-label": label,
    });
    this.element.addEventListener("input", () => this.#read());
    this.element.addEventListener("change", () => {
      this.element.value = this.value;
    });
    this.#listenToDrags();
  }

  /** Set the number, without a call of `onChange`. */
  set(value) {
    this.value = this.#limit(value);
    this.element.value = this.value;
  }

  #limit(value) {
    return Math.min(this.range.max, Math.max(this.range.min, value));
  }

  #read() {
    const value = this.element.valueAsNumber;
    if (Number.isFinite(value)) this.#change(value);
  }

  #change(value) {
    const limited = this.#limit(value);
    if (limited === this.value) return;
    this.value = limited;
    this.onChange();
  }

  #listenToDrags() {
    const { element } = this;
    let start = null; // {x, value} where the pointer went down
    let isDragging = false;
    element.addEventListener("mousedown", (event) => {
      // Otherwise a drag selects the text. In a number that has the focus, it should.
      if (document.activeElement !== element) event.preventDefault();
    });
    element.addEventListener("pointerdown", (event) => {
      isDragging = false;
      if (!event.isPrimary || event.button !== 0 || document.activeElement === element) return;
      element.setPointerCapture(event.pointerId);
      start = { x: event.clientX, value: this.value };
    });
    element.addEventListener("pointermove", (event) => {
      if (!start || !event.isPrimary) return;
      const distance = event.clientX - start.x;
      isDragging ||= Math.abs(distance) >= DRAG_START;
      if (isDragging) this.#dragTo(start.value, distance);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      element.addEventListener(end, () => {
        start = null;
      });
    }
    element.addEventListener("click", () => {
      if (isDragging || document.activeElement === element) return;
      element.focus();
      element.select();
    });
  }

  #dragTo(start, distance) {
    const { step } = this.range;
    const steps = Math.round(start / step) + Math.round(distance / PIXELS_A_STEP);
    this.#change(Number((steps * step).toFixed(6)));
    this.element.value = this.value;
  }
}
