// The list of units: a layer tree, a filter, and rows or cards. Only what is in sight is fetched and drawn.

import { element, figure, isTyping } from "./element.js";
import { visit } from "./similar.js";

const PAGE = 100;
const NARROW = 640;
const CARD = { least: 240, edges: 28, text: 56, line: 21 }; // pixels
const STATE_NAMES = { dead: "dead", constant: "constant", not_finite: "not finite" };
const STATES = [["", "any state"], ["alive", "alive"], ...Object.entries(STATE_NAMES), ["failed", "captioning failed"], ["not_captioned", "not captioned"]];
const LABELS = [["", "any label"], ["labelled", "labelled"], ["unlabelled", "not labelled"], ["accept", "accepted"],
  ["edit", "corrected"], ["reject", "rejected"], ["unsure", "unsure"]];
const UNSPOKEN = { failed: "captioning failed", dead_unit: "dead: no caption", not_captioned: "not captioned" };

class UnitList {
  constructor(root) {
    this.root = root;
    this.seq = 0;
    this.turn = 0;
    this.tree = element("nav", { class: "tree", "aria-label": "Layers" });
    this.bar = element("form", { class: "bar", role: "search", onsubmit: (event) => event.preventDefault() });
    this.count = element("p", { class: "count", role: "status" });
    this.bounds = element("span", { class: "bounds" });
    this.space = element("div", { class: "space", role: "list" });
    this.pane = element("div", { class: "pane", tabindex: "0", "aria-label": "Units" }, this.space);
    this.pane.addEventListener("scroll", () => this.draw(), { passive: true });
    this.names = element("div", { class: "names row", "aria-hidden": "true" });
    root.replaceChildren(this.tree, element("div", { class: "main" }, this.bar,
      element("div", { class: "line" }, this.count, this.bounds), this.names, this.pane));
    this.sizes = new ResizeObserver(() => requestAnimationFrame(() => this.draw()));
    this.sizes.observe(this.pane);
    this.onKey = (event) => {
      if (event.key !== "/" || isTyping(event)) return;
      event.preventDefault();
      this.text.focus();
    };
    document.addEventListener("keydown", this.onKey);
  }

  receive(data, tell) {
    this.tell = tell;
    const restarted = this.session !== data.session;
    if (!restarted && data.ack < this.seq) return; // an answer to an older filter
    this.session = data.session;
    this.seq = data.ack;
    const before = JSON.stringify([this.data?.base, this.filter]);
    this.data = data;
    this.filter = { ...data.filter };
    if (!this.text || restarted) this.buildBar();
    this.setBar();
    if (before !== JSON.stringify([data.base, this.filter]) || !data.base) this.reload();
  }

  buildBar() {
    const change = () => this.change();
    this.text = element("input", { type: "search", placeholder: "Text, \"whole word\", /regex/, a unit number",
      "aria-label": "Filter captions", "aria-keyshortcuts": "/", oninput: () => { clearTimeout(this.wait); this.wait = setTimeout(change, 120); } });
    this.state = choices("State", STATES, change);
    this.label = choices("Label", LABELS, change);
    this.split = choices("Split", [["", "any split"], ...(this.data.splits ?? []).map((name) => [name, `${name} units`])], change);
    this.split.hidden = !this.data.splits?.length;
    this.sort = choices("Sort", Object.entries(this.data.sorts).map(([key, name]) => [key, `by ${name}`]),
      () => { this.least.value = this.most.value = ""; change(); }); // a bound is of one figure
    [this.least, this.most] = [["Least", "from"], ["Most", "to"]].map(([name, hint]) => element("input", {
      type: "number", step: "any", class: "bound", placeholder: hint, "aria-label": `${name} of the figure that is sorted by`, onchange: change }));
    this.as = ["list", "grid"].map((kind) => element("button", { type: "button", onclick: () => { this.filter.in = kind; this.change(); } },
      kind === "list" ? "List" : "Grid"));
    this.bounds.replaceChildren(this.least, this.most);
    this.bar.replaceChildren(this.text, this.state, this.split, this.label, this.sort,
      element("span", { class: "segments", role: "group", "aria-label": "Show as" }, ...this.as));
  }

  setBar() {
    const { text = "", state = "", split = "", label = "", sort = "unit", in: shown = "list" } = this.filter;
    if (this.text.value !== text && this.root.getRootNode().activeElement !== this.text) this.text.value = text;
    [this.state.value, this.split.value, this.label.value, this.sort.value] = [state, split, label, sort];
    for (const [field, bound] of [[this.least, this.filter.least], [this.most, this.filter.most]]) {
      field.value = bound ?? "";
    }
    this.bounds.hidden = !this.figured();
    this.as.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent.toLowerCase() === shown)));
    this.buildTree();
  }

  buildTree() {
    const all = this.data.layers.reduce((sum, [, units]) => sum + units, 0);
    const entry = (layer, name, units, alive) => element("button", {
      type: "button", "aria-current": (this.filter.layer ?? "") === layer ? "true" : null,
      title: alive === undefined ? null : `${units} units, ${alive} alive`,
      onclick: () => { this.filter.layer = layer; this.change(); },
    }, element("span", {}, name), element("span", { class: "figures" }, String(units)));
    this.tree.replaceChildren(entry("", "All layers", all), ...grouped(this.data.layers).map(([group, layers]) => {
      const entries = layers.map(([name, units, alive]) => entry(name, group ? name.slice(group.length + 1) : name, units, alive));
      if (!group) return entries[0];
      const total = layers.reduce((sum, [, units]) => sum + units, 0);
      return element("details", { open: true }, element("summary", {}, element("span", {}, group), element("span", { class: "figures" }, String(total))), ...entries);
    }));
  }

  change() {
    Object.assign(this.filter, { text: this.text.value, state: this.state.value, split: this.split.value, label: this.label.value, sort: this.sort.value,
      least: this.least.value, most: this.most.value });
    this.setBar();
    this.seq += 1;
    const said = { ...this.filter, seq: this.seq };
    if (!this.data.base) return this.tell("changed", said);
    return this.reload().then(() => said.seq === this.seq && this.tell("changed", said)); // who types fast is told once
  }

  async reload() {
    const turn = ++this.turn;
    this.pages = new Map();
    this.total = null;
    try {
      const first = await this.page(0);
      if (turn !== this.turn) return;
      this.total = first.total;
      [this.captioners, this.figure] = [first.captioners, first.figure];
      this.count.textContent = this.total === 1 ? "1 unit" : `${this.total.toLocaleString("en")} units`;
      this.pane.scrollTop = 0;
      this.setNames();
      this.drawn = null;
      this.draw();
      this.root.dataset.ready = String(this.total);
    } catch (problem) {
      if (turn !== this.turn) return;
      this.count.textContent = problem.message;
      this.space.replaceChildren();
    }
  }

  // Whether units are listed by a figure that can be bounded.
  figured() {
    return !["unit", "meaning"].includes(this.filter.sort ?? "unit");
  }

  // Who said what stands above the columns; cards carry it themselves.
  setNames() {
    this.names.hidden = this.filter.in === "grid";
    this.names.style.setProperty("--captioners", Math.max(1, this.captioners.length));
    this.names.replaceChildren(...["unit", this.figure, ...this.captioners, "label"].map((name) => element("span", { title: name }, name)));
  }

  page(number) {
    if (!this.data.base) return Promise.resolve(this.data.inline);
    if (!this.pages.has(number)) {
      const address = new URL(`${this.data.base}/-/units.json`, document.baseURI);
      const { in: _, ...filter } = this.filter;
      address.search = new URLSearchParams({ ...filter, start: number * PAGE, count: PAGE });
      this.pages.set(number, fetch(address).then(async (answer) => {
        if (!answer.ok) throw new Error(await answer.text());
        return answer.json();
      }));
    }
    return this.pages.get(number);
  }

  // Where each item lies: columns, and a row's height.
  shape() {
    const width = this.pane.clientWidth;
    const lines = Math.max(1, this.captioners.length);
    if (this.filter.in !== "grid") return { columns: 1, width, height: width < NARROW ? 24 + CARD.line * lines : 38 };
    const columns = Math.max(1, Math.floor(width / CARD.least));
    const pictures = (width / columns - CARD.edges) / 3;
    return { columns, width: width / columns, height: pictures + CARD.text + CARD.line * lines };
  }

  async draw() {
    if (!this.total) {
      this.space.replaceChildren();
      this.space.style.height = "0";
      return;
    }
    const { columns, width, height } = this.shape();
    this.space.style.height = `${Math.ceil(this.total / columns) * height}px`;
    const first = Math.max(0, Math.floor(this.pane.scrollTop / height) - 3) * columns;
    const last = Math.min(this.total, (Math.ceil((this.pane.scrollTop + this.pane.clientHeight) / height) + 3) * columns);
    const sight = `${first}-${last}-${columns}-${width}-${this.filter.in}-${this.turn}`;
    if (sight === this.drawn) return;
    this.drawn = sight;
    const numbers = [];
    for (let number = Math.floor(first / PAGE); number * PAGE < last; number++) numbers.push(number);
    const pages = await Promise.all(numbers.map((number) => this.page(number)));
    if (sight !== this.drawn) return; // scrolled on meanwhile
    const units = pages.flatMap((page) => page.units);
    const from = this.data.base ? numbers[0] * PAGE : 0;
    const items = [];
    for (let i = first; i < last && units[i - from]; i++) {
      const item = this.filter.in === "grid" ? this.card(units[i - from]) : this.row(units[i - from]);
      item.style.transform = `translate(${(i % columns) * width}px, ${Math.floor(i / columns) * height}px)`;
      Object.assign(item.style, { width: `${width}px`, height: `${height}px` });
      items.push(item);
    }
    this.space.replaceChildren(...items);
  }

  link(entry, ...children) {
    const address = new URLSearchParams({ d: this.data.dissection, layer: entry.layer, unit: entry.unit });
    return element("div", { class: "item", role: "listitem" }, element("a", {
      href: `neuron?${address}`, "aria-label": `${entry.layer} unit ${entry.unit}: ${entry.captions.filter(Boolean).join("; ") || "no caption"}`,
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is the browser's business
        event.preventDefault();
        visit(event.currentTarget.href);
      },
    }, ...children));
  }

  captions(entry) {
    const said = entry.captions.map((text, i) => {
      const words = text ?? UNSPOKEN[entry.captioned[i]] ?? "not captioned";
      return element("span", { class: text ? "said" : "said quiet", title: `${this.captioners[i]}: ${words}` }, words);
    });
    return said.length ? said : [element("span", { class: "said quiet" }, "not captioned")];
  }

  name(entry) {
    const state = STATE_NAMES[entry.state];
    return [element("span", { class: "id" }, `${entry.layer} · ${entry.unit}`),
      element("span", { class: "figures" }, state ?? figure(entry.figure))];
  }

  row(entry) {
    const label = entry.label ? element("span", { class: "label", title: `label: ${entry.label}` }, entry.label) : element("span", { class: "label" });
    const made = this.link(entry, ...this.name(entry), ...this.captions(entry), label);
    made.firstChild.className = "row";
    made.firstChild.style.setProperty("--captioners", Math.max(1, entry.captions.length));
    return made;
  }

  card(entry) {
    const base = this.data.base;
    const layer = entry.layer.split("/").map(encodeURIComponent).join("/");
    const picture = base && element("img", { src: new URL(`${base}/${layer}/${entry.unit}.jpg?count=3`, document.baseURI).href, alt: "", loading: "lazy" });
    const said = this.captions(entry).map((caption, i) => element("span", { class: "by" }, caption, this.captioners[i] ?? ""));
    const made = this.link(entry, picture, element("span", { class: "head" }, ...this.name(entry)), ...said);
    made.firstChild.className = "card";
    return made;
  }

  close() {
    this.sizes.disconnect();
    document.removeEventListener("keydown", this.onKey);
  }
}

function choices(name, options, onchange) {
  return element("select", { "aria-label": name, onchange }, ...options.map(([value, text]) => element("option", { value }, text)));
}

// Layers under their first name part, where several share one: layer1.0.conv1 and layer1.0.conv2 under layer1.
function grouped(layers) {
  const groups = new Map();
  for (const layer of layers) {
    const group = layer[0].split(".")[0];
    groups.set(group, [...(groups.get(group) ?? []), layer]);
  }
  return [...groups].flatMap(([group, found]) => (found.length > 1 ? [[group, found]] : [["", found]]));
}

const lists = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".units");
  if (!root || !data) return undefined;
  if (!lists.has(root)) lists.set(root, new UnitList(root));
  lists.get(root).receive(data, setStateValue);
  return () => {
    lists.get(root)?.close();
    lists.delete(root);
  };
}
