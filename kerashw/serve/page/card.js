// One model's answer: a bar for each digit, the winner marked.

export class Card {
  constructor({ name, versions }) {
    this.name = name;
    this.said = null; // the digit, once there is an answer
    const template = document.getElementById("card");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.querySelector("h2").textContent = name;
    this.element.querySelector(".version").textContent = `version ${versions[0]}`;
    this.element.querySelector("caption").textContent = `What ${name} says: each digit and its probability`;
    this.rows = Array.from({ length: 10 }, (_, digit) => newRow(digit));
    this.element.querySelector("tbody").append(...this.rows.map(({ row }) => row));
    this.took = this.element.querySelector(".took");
    this.clear();
  }

  clear() {
    this.said = null;
    this.#fill(() => 0, () => "");
    this.took.textContent = "";
  }

  show(probabilities, digit, milliseconds) {
    this.said = digit;
    this.#fill((place) => probabilities[place], percent);
    this.took.textContent = `answered in ${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  }

  fail(reason) {
    this.clear();
    this.took.textContent = `No answer: ${reason}`;
  }

  #fill(share, text) {
    this.rows.forEach(({ row, bar, number }, digit) => {
      row.classList.toggle("winner", digit === this.said);
      bar.style.width = `${100 * share(digit)}%`;
      number.textContent = text(share(digit));
    });
  }
}

function newRow(digit) {
  const row = document.createElement("tr");
  const name = row.appendChild(document.createElement("th"));
  name.scope = "row";
  name.textContent = digit;
  const bar = row.appendChild(document.createElement("td")).appendChild(document.createElement("div"));
  bar.className = "bar";
  const number = row.appendChild(document.createElement("td"));
  return { row, bar, number };
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}
