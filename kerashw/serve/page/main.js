// The entry point of the page: fetch the models, and start the tab that each of them fits.

import { OTHER_SERVER, fetchModels, modelUrl } from "./api.js";
import { startBackprop } from "./backprop_tab.js";
import { startDiagonals } from "./diagonals.js";
import { startDigits } from "./digits.js";
import { learnsKernel } from "./learned_kernel.js";
import { startSpaces } from "./spaces_tab.js";
import { startTabs } from "./tabs.js";
import { startTools } from "./tools.js";

startTabs();
startTools();
try {
  const models = await fetchModels();
  listModels(models);
  start("digits", models.filter(readsDigits), startDigits);
  start("diagonals", models.filter(countsDiagonals), ([model]) => {
    startDiagonals(model, models.find(learnsKernel));
  });
  start("spaces", models.filter(({ signatures }) => signatures.descent), startSpaces);
  start("backprop", models.filter(({ signatures }) => signatures.step), startBackprop);
} catch (error) {
  const alert = document.getElementById("error");
  alert.textContent = `The list of models cannot be read: ${error.message}`;
  alert.hidden = false;
}

function readsDigits({ signatures }) {
  return signatures.image_bytes?.outputs.probabilities?.shape?.at(-1) === 10;
}

function countsDiagonals({ signatures }) {
  const { image } = signatures.feature_map?.inputs ?? {};
  const map = signatures.feature_map?.outputs.feature_map;
  // The tab explains the homework's model: a kernel of 3×3 over 100×100 pixels.
  const fits = `${image?.shape?.slice(1)}` === "100,100,1" && `${map?.shape?.slice(1)}` === "98,98";
  return fits && Boolean(signatures.serving_default?.outputs.count);
}

/** Start a tab with its models, or show how to get one. */
function start(tab, models, startTab) {
  const shown = models.length ? ".present" : ".missing";
  document.querySelector(`#${tab} ${shown}`).hidden = false;
  if (models.length) startTab(models);
}

function listModels(models) {
  if (OTHER_SERVER) document.getElementById("served-title").textContent = `Models of ${OTHER_SERVER}`;
  const list = document.getElementById("served");
  for (const { name, versions } of models) {
    const item = list.appendChild(document.createElement("li"));
    const link = item.appendChild(document.createElement("a"));
    link.href = `${modelUrl(name)}/metadata`;
    link.textContent = name;
    item.append(versions.length ? ` version ${versions.join(", ")}` : " not available");
  }
}
