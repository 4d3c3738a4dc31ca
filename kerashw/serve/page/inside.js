// The buttons of the cards that open the view inside a model, of which one at a time is open.

import { InsideView } from "./inside_view.js";

const NEEDED = ["inside", "attributions", "weights", "normalized"]; // signatures
const IS_WIDE = matchMedia("(min-width: 48rem)"); // as in the style sheet
const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Give a button to the card of each model that can be looked into.
 *
 * @param models The models of the cards.
 * @param cards Their cards, in the same order.
 * @param onDrawing Function that registers a listener to drawings; see digits.js.
 * @param refresh Function that asks for the predictions of a card again, and calls the listeners.
 */
export function startInside(models, cards, onDrawing, refresh) {
  const section = document.getElementById("inside");
  const title = document.getElementById("inside-title");
  let open = null; // {view, card}
  let drawing = null;

  onDrawing((newest) => {
    drawing = newest;
    return open?.view.update(newest);
  });

  function close() {
    if (!open) return;
    const { view, card } = open;
    open = null;
    view.close();
    section.hidden = true;
    section.parentElement.classList.remove("looking-inside");
    card.insideButton.setAttribute("aria-expanded", "false");
    if (card.version === undefined) return;
    card.setVersion(undefined);
    refresh(card);
  }

  async function toggle(model, card) {
    const isOpen = open?.card === card;
    close();
    if (isOpen) return;
    title.textContent = `Inside ${model.name}`;
    section.hidden = false;
    section.parentElement.classList.add("looking-inside");
    card.insideButton.setAttribute("aria-expanded", "true");
    const view = new InsideView(document.getElementById("inside-view"), model, card.labels, (version, epoch) => {
      card.setVersion(version, epoch);
      refresh(card);
    });
    open = { view, card };
    await view.start(drawing);
    if (open?.view !== view) return;
    const behavior = REDUCED_MOTION.matches ? "instant" : "smooth";
    const top = IS_WIDE.matches ? document.getElementById("sheet") : section;
    top.scrollIntoView({ block: "start", behavior });
  }

  cards.forEach((card, index) => {
    const model = models[index];
    if (!NEEDED.every((signature) => model.signatures[signature])) return;
    card.insideButton.hidden = false;
    card.insideButton.addEventListener("click", () => toggle(model, card));
  });
  document.getElementById("close-inside").addEventListener("click", () => {
    const { card } = open;
    close();
    card.insideButton.focus();
  });
}
