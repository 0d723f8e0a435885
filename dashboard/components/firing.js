// One image, and the units that fire for it: where, and how unusually.

import { element, figure } from "./element.js";
import { Layer, coloured, fitted } from "./exemplars.js";
import { bilinear, halves } from "./maps.js";
import { visit } from "./similar.js";

const SIDE = 168;

async function draw(root, data) {
  const image = new Image();
  image.src = data.image;
  await image.decode();
  const layer = new Layer();
  const cards = data.units.map((entry) => {
    const canvas = element("canvas", { role: "img", "aria-label": `where ${entry.layer} unit ${entry.unit} fires` });
    const size = fitted(canvas, SIDE);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, size, size);
    const scalars = new Float32Array(size * size);
    bilinear(halves(entry.float16), 0, ...entry.grid, size, scalars);
    layer.resize(size);
    coloured(scalars, 0, Math.min(0, entry.low), entry.high, layer.pixels);
    layer.drawOn(context, 0.6, size);
    const address = `neuron?${new URLSearchParams({ d: data.dissection, layer: entry.layer, unit: entry.unit })}`;
    return element("a", { class: "card", href: address, onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      visit(event.currentTarget.href);
    } }, canvas, element("span", { class: "head" }, element("b", {}, `${entry.layer} · ${entry.unit}`),
      element("span", { class: "figures" }, `${figure(entry.percentile, 1)} %`)),
    ...entry.captions.map((text) => element("span", { class: "said" }, text)),
    element("span", { class: "figures" }, `peak ${figure(entry.activation)}`));
  });
  root.replaceChildren(...cards);
  root.dataset.ready = String(cards.length);
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".firing");
  if (root && data) draw(root, data);
}
