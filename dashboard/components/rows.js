// A table of units that lead to their pages: cells are text, lines of text with a note each, or a unit with its first
// exemplars.

import { element } from "./element.js";
import { visit } from "./similar.js";

function unitCell({ dissection, base, layer, unit, name }) {
  const place = `${layer.split("/").map(encodeURIComponent).join("/")}/${unit}`;
  const picture = base && element("img", {
    src: new URL(`${base}/${place}.jpg?count=3`, document.baseURI).href, alt: "", loading: "lazy", onerror: (event) => event.target.remove(),
  });
  return element("a", {
    href: `neuron?${new URLSearchParams({ d: dissection, layer, unit })}`,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is the browser's business
      event.preventDefault();
      visit(event.currentTarget.href);
    },
    class: name ? "named" : null,
  }, element("span", { class: "id" }, name ?? `${layer} · ${unit}`), picture);
}

function line({ text, note }) {
  return element("div", {}, text, note ? element("span", { class: "note" }, note) : null);
}

function cell(value) {
  if (Array.isArray(value)) return element("td", { class: "lines" }, ...value.map(line));
  if (value === null) return element("td", { class: "quiet" }, "not computed");
  if (typeof value === "object") return element("td", { class: "unit" }, unitCell(value));
  return element("td", { class: typeof value === "number" ? "figure" : null }, String(value));
}

function drawn({ columns, rows }) {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((row) => element("tr", {}, ...row.map(cell)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".rows");
  if (!root || !data) return;
  root.replaceChildren(drawn(data));
  root.dataset.ready = String(data.rows.length);
}
