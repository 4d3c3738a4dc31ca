// The card of one model: a bar for the probability of each class, with the likeliest class marked.

export class Card {
  constructor({ name, versions, labels }) {
    this.name = name;
    this.labels = Array.from({ length: 10 }, (_, index) => labels[index] ?? String(index));
    this.winner = null; // the index of the likeliest class; null without a prediction
    this.seesNoDigit = false; // whether the model found no digit on the sheet
    this.version = undefined; // the version that predicts; the newest
    this.newest = versions[0];
    const template = document.getElementById("card");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.querySelector("h2").textContent = name;
    this.insideButton = this.element.querySelector(".look-inside");
    this.insideButton.setAttribute("aria-label", `Look inside ${name}`);
    this.setVersion(undefined);
    this.element.querySelector("caption").textContent = `What ${name} says: each class and its probability`;
    // Bars do not fit beside long labels where two cards are side by side.
    this.element.classList.toggle("wide", this.labels.some((label) => label.length > 2));
    this.rows = this.labels.map(createRow);
    this.element.querySelector("tbody").append(...this.rows.map(({ row }) => row));
    this.status = this.element.querySelector(".status");
    this.clear();
  }

  /** The label of the likeliest class; null without a prediction. */
  get prediction() {
    return this.winner === null ? null : this.labels[this.winner];
  }

  /** Set the version that predicts, undefined for the newest, and its epoch in words. */
  setVersion(version, epoch) {
    this.version = version;
    const text = `version ${version ?? this.newest}`;
    this.element.querySelector(".version").textContent = version === undefined ? text : `${text}: ${epoch}`;
  }

  clear() {
    this.winner = null;
    this.seesNoDigit = false;
    this.#fill(() => 0, () => "");
    this.status.textContent = "";
  }

  show(probabilities, winner, milliseconds) {
    this.winner = winner;
    this.seesNoDigit = false;
    this.#fill((index) => probabilities[index], percent);
    this.status.textContent = `answered in ${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  }

  fail(message) {
    this.clear();
    this.seesNoDigit = message.includes("has no digit");
    this.status.textContent = this.seesNoDigit ? "finds no digit" : `No answer: ${message}`;
  }

  #fill(probability, format) {
    this.rows.forEach(({ row, bar, number }, index) => {
      row.classList.toggle("winner", index === this.winner);
      bar.style.width = `${100 * probability(index)}%`;
      number.textContent = format(probability(index));
    });
  }
}

function createRow(label) {
  const row = document.createElement("tr");
  const header = row.appendChild(document.createElement("th"));
  header.scope = "row";
  header.textContent = label;
  const bar = row.appendChild(document.createElement("td")).appendChild(document.createElement("div"));
  bar.className = "bar";
  const number = row.appendChild(document.createElement("td"));
  return { row, bar, number };
}

function percent(probability) {
  return `${Math.round(100 * probability)} %`;
}
