// The classes of a model with their probabilities, of which one is chosen.

import { create } from "./elements.js";

export class ClassList {
  /**
   * @param labels The names of the classes.
   * @param onHover Function that is called with the class under a mouse, or null.
   * @param onChoose Function that is called with a class.
   */
  constructor(labels, onHover, onChoose) {
    this.rows = labels.map((label, index) => {
      const input = create("input", { type: "radio", name: "inside-class", value: String(index), "aria-label": label });
      const bar = create("span", { className: "bar" });
      const number = create("span", { className: "class-probability" });
      const track = create("span", { className: "track" }, bar);
      const row = create("label", { className: "class" }, input, create("span", {}, label), track, number);
      input.addEventListener("change", () => onChoose(index));
      input.addEventListener("focus", () => {
        if (input.matches(":focus-visible")) onChoose(index);
      });
      row.addEventListener("pointerenter", ({ pointerType }) => {
        if (pointerType === "mouse") onHover(index);
      });
      row.addEventListener("pointerleave", () => onHover(null));
      return { row, input, bar, number };
    });
    this.element = create("fieldset", { className: "class-list" },
      create("legend", { className: "hidden" }, "Class that the evidence is for"),
      ...this.rows.map(({ row }) => row));
  }

  show(probabilities) {
    const winner = probabilities.indexOf(Math.max(...probabilities));
    this.rows.forEach(({ row, bar, number }, index) => {
      row.classList.toggle("winner", index === winner);
      bar.style.width = `${100 * probabilities[index]}%`;
      number.textContent = `${(100 * probabilities[index]).toFixed(1)} %`;
    });
  }

  clear() {
    for (const { row, bar, number } of this.rows) {
      row.classList.remove("winner");
      bar.style.width = "0";
      number.textContent = "";
    }
  }

  choose(index) {
    this.rows[index].input.checked = true;
  }
}
