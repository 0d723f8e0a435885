// One exemplar, large, with the scalar under the pointer.

import { element, figure } from "./element.js";
import { drawTile, volume } from "./exemplars.js";
import { bilinear, smooth } from "./maps.js";

const FULL_SIZE = 448;

// `word`: whose attention is laid over, null for the unit's own activation. `value` says a scalar in words.
export function showFullSize(dialog, exemplars, index, about) {
  draw(dialog, exemplars, index, about);
  dialog.onkeydown = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    index = (index + by + exemplars.count) % exemplars.count;
    draw(dialog, exemplars, index, about);
  };
  dialog.showModal();
}

function draw(dialog, exemplars, index, { word, mode, opacity, value }) {
  const entry = exemplars.record.exemplars[exemplars.part][index];
  const canvas = element("canvas", { width: FULL_SIZE, height: FULL_SIZE });
  const context = canvas.getContext("2d");
  const scalars = scalarsOf(exemplars, index, word);
  drawTile(context, exemplars.sprite, index, FULL_SIZE);
  if (scalars && (word || mode !== "plain")) {
    const over = { size: FULL_SIZE, width: FULL_SIZE, mode, opacity, word };
    exemplars.lay(context, { all: scalars.values, low: scalars.low, high: scalars.high }, 0, over);
  }
  const readout = element("output", {}, "Point at the image to read its value.");
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = [event.offsetX, event.offsetY].map((place) => cell(place, canvas.clientWidth));
    if (scalars) readout.textContent = `${word ? "attention" : "activation"} ${value(scalars.values[y * FULL_SIZE + x])} at ${x}, ${y}`;
  });
  const close = element("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Close");
  const peak = `${index + 1} of ${exemplars.count} · peak ${figure(entry.activation)}`;
  dialog.replaceChildren(element("h3", {}, entry.name), element("p", { class: "figures" }, `${peak} · ← → for the others`), canvas,
    element("footer", {}, readout, close));
  close.focus();
}

function cell(place, width) {
  return Math.min(FULL_SIZE - 1, Math.max(0, Math.floor((place * FULL_SIZE) / width)));
}

function scalarsOf(exemplars, index, word) {
  const maps = word ? { grid: word.head.grid, values: word.head.values } : exemplars.record.maps[exemplars.part];
  if (!maps || index >= maps.grid[0]) return null;
  const [, height, width] = maps.grid;
  const values = new Float32Array(FULL_SIZE * FULL_SIZE);
  const start = (word ? word.index * volume(maps.grid) : 0) + index * height * width;
  (word ? smooth : bilinear)(maps.values, start, height, width, FULL_SIZE, values);
  const range = exemplars.scalars(FULL_SIZE / 4, word); // the same colours as in the grid: over all exemplars
  return { values, low: Math.min(0, range.low), high: range.high };
}
