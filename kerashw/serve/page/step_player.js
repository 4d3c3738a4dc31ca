// A slider of steps, with a button that plays them one after the other.

export class StepPlayer {
  /**
   * @param slider The element of the slider.
   * @param button The element of the button.
   * @param status The status that changes with the steps. A screen reader reads only the last one.
   * @param options {first, stepTime, onStep}: the step from which the button plays, the milliseconds
   *   of each step, and a function that is called after each change.
   */
  constructor(slider, button, status, { first, stepTime, onStep }) {
    this.slider = slider;
    this.button = button;
    this.status = status;
    this.onStep = onStep;
    this.name = button.textContent;
    this.timer = null;
    slider.addEventListener("input", () => this.set(slider.value));
    button.addEventListener("click", () => {
      if (this.timer) this.stop();
      else this.#play(first, stepTime);
    });
  }

  /** The number of the step. */
  get step() {
    return Number(this.slider.value);
  }

  /** The number of the last step. */
  get last() {
    return Number(this.slider.max);
  }

  /** Go to a step, and stop playing. */
  set(step) {
    this.stop();
    this.#goTo(step);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = this.name;
    this.status.removeAttribute("aria-busy");
  }

  #play(first, stepTime) {
    this.#goTo(first);
    this.button.textContent = "Stop";
    this.status.setAttribute("aria-busy", "true");
    this.timer = setInterval(() => {
      if (this.step + 1 === this.last) this.stop();
      this.#goTo(this.step + 1);
    }, stepTime);
  }

  #goTo(step) {
    this.slider.value = step;
    this.onStep();
  }
}
