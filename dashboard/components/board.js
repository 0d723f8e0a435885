// A table of figures: each with its interval, as numbers and as a line on the column's scale, and a way to the units.
// Rows may stand in named groups; a cell may be a list of words, each with its own way.

import { element } from "./element.js";
import { visit } from "./similar.js";

function place(value, { least, most }) {
  return `${Math.max(0, Math.min(100, (100 * (value - least)) / (most - least)))}%`;
}

function track(cell, scale) {
  const line = element("span", { class: "track", "aria-hidden": "true" });
  const [low, high] = [cell.low ?? cell.value, cell.high ?? cell.value];
  const range = element("i", {});
  Object.assign(range.style, { left: place(low, scale), right: `calc(100% - ${place(high, scale)})` });
  const point = element("b", {});
  point.style.left = place(cell.value, scale);
  line.append(range, point);
  return line;
}

function numbers(cell, column) {
  const shown = (value) => (Number(value.toFixed(column.digits)) + 0).toFixed(column.digits).replace("-", "−"); // no −0.00
  const interval = cell.low == null ? "" : `${shown(cell.low)}${cell.low < 0 ? " to " : "–"}${shown(cell.high)}`;
  return [element("span", { class: "value" }, shown(cell.value)), element("span", { class: "interval" }, interval)];
}

function content(cell, column) {
  if (cell?.words) return [element("span", { class: "words" }, ...cell.words.map(word))];
  if (cell === null || cell.value == null) {
    return [element("span", { class: "quiet", title: cell?.why ?? null }, cell?.why ? "not computed" : "–")];
  }
  const inside = [...numbers(cell, column), ...(column.most == null ? [] : [track(cell, column)])];
  return cell.href ? [way(cell, ...inside)] : inside;
}

function way({ href, title }, ...inside) {
  return element("a", {
    href, title: title ?? null,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is the browser's business
      event.preventDefault();
      visit(event.currentTarget.href);
    },
  }, ...inside);
}

function word(entry) {
  return entry.href ? way(entry, element("span", { class: "value" }, entry.text)) : element("span", {}, entry.text);
}

function heading(column) {
  return element("th", { scope: "col", title: column.help ?? null, class: column.wide ? "wide" : null }, column.name);
}

function groupOf({ group, about }, columns) {
  return element("tr", { class: "group" }, element("th", { scope: "rowgroup", colspan: columns.length + 1 }, group,
    about ? element("span", { class: "quiet" }, about) : null));
}

function rowOf(row, columns) {
  const name = element("th", { scope: "row" }, element("span", { class: "name" }, row.name),
    row.about ? element("span", { class: "about", title: row.about }, row.about) : null);
  const cells = row.cells.map((cell, at) => element("td", { class: cell?.best ? "best" : null }, ...content(cell, columns[at])));
  return element("tr", { class: row.kind }, name, ...cells);
}

function drawn({ columns, rows }) {
  const head = element("tr", {}, element("th", { scope: "col" }, element("span", { class: "hidden" }, "who speaks")), ...columns.map(heading));
  return element("table", { class: columns.length > 8 ? "many" : null }, element("thead", {}, head), element("tbody", {}, ...rows.map((row) => (row.group ? groupOf : rowOf)(row, columns))));
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".board");
  if (!root || !data) return;
  root.replaceChildren(drawn(data));
  root.dataset.ready = String(data.rows.length);
}
