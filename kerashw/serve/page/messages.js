// Short messages at the bottom of the page.

const DURATION = 8_000; // milliseconds

let timer;

/** Show a message for some seconds. Screen readers read it out. */
export function announce(text) {
  const element = document.getElementById("message");
  element.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    element.textContent = "";
  }, DURATION);
}
