// One model's answer: a bar for each class, the winner marked.

export class Card {
  constructor({ name, versions, labels }) {
    this.name = name;
    this.labels = Array.from({ length: 10 }, (_, place) => labels[place] ?? String(place));
    this.winner = null; // the place of the likeliest class, once there is an answer
    const template = document.getElementById("card");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.querySelector("h2").textContent = name;
    this.element.querySelector(".version").textContent = `version ${versions[0]}`;
    this.element.querySelector("caption").textContent = `What ${name} says: each class and its probability`;
    // Words leave no room for bars where two cards are side by side.
    this.element.classList.toggle("named", this.labels.some((label) => label.length > 2));
    this.rows = this.labels.map(newRow);
    this.element.querySelector("tbody").append(...this.rows.map(({ row }) => row));
    this.took = this.element.querySelector(".took");
    this.clear();
  }

  /** The winner's label, or null. */
  get said() {
    return this.winner === null ? null : this.labels[this.winner];
  }

  clear() {
    this.winner = null;
    this.#fill(() => 0, () => "");
    this.took.textContent = "";
  }

  show(probabilities, winner, milliseconds) {
    this.winner = winner;
    this.#fill((place) => probabilities[place], percent);
    this.took.textContent = `answered in ${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  }

  fail(reason) {
    this.clear();
    this.took.textContent = `No answer: ${reason}`;
  }

  #fill(share, text) {
    this.rows.forEach(({ row, bar, number }, place) => {
      row.classList.toggle("winner", place === this.winner);
      bar.style.width = `${100 * share(place)}%`;
      number.textContent = text(share(place));
    });
  }
}

function newRow(label) {
  const row = document.createElement("tr");
  const name = row.appendChild(document.createElement("th"));
  name.scope = "row";
  name.textContent = label;
  const bar = row.appendChild(document.createElement("td")).appendChild(document.createElement("div"));
  bar.className = "bar";
  const number = row.appendChild(document.createElement("td"));
  return { row, bar, number };
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}
