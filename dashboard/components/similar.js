// Units like this one, fetched once the view stands still.

import { element, figure } from "./element.js";

// Go to another place as a click on a link of Streamlit's does, with one entry in the history.
export function visit(address) {
  history.pushState({}, "", address);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

export class SimilarUnits {
  constructor() {
    const chosen = () => this.draw();
    this.measure = element("select", { "aria-label": "Measure of similarity", onchange: chosen });
    this.where = element("select", { "aria-label": "Where to look for similar units", onchange: chosen });
    this.list = element("ol", { class: "similar" });
    this.root = element("section", { class: "card", "aria-label": "Similar units" },
      element("header", {}, element("h3", {}, "Similar units"), element("span", {}, this.measure, " ", this.where)), this.list);
    this.root.hidden = true;
  }

  async show(base, dissection, layer, unit) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const place = layer.split("/").map(encodeURIComponent).join("/");
    this.link = (entry) => `neuron?${new URLSearchParams({ d: entry.dissection ?? dissection, layer: entry.layer, unit: entry.unit })}`;
    try {
      const answer = await fetch(new URL(`${base}/${place}/${unit}/similar.json`, document.baseURI));
      const found = answer.ok ? await answer.json() : [];
      if (turn !== this.turn) return;
      this.found = found;
      offer(this.measure, found.map(({ measure }) => measure));
      offer(this.where, found.map(({ where }) => where));
      this.root.hidden = !found.length;
      this.draw();
    } catch {
      if (turn === this.turn) this.root.hidden = true;
    }
  }

  draw() {
    const asked = this.found.find(({ measure, where }) => measure === this.measure.value && where === this.where.value);
    const rows = (asked?.units ?? []).slice(0, 6).map((entry) => element("li", {}, element("a", {
      href: this.link(entry),
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        visit(event.currentTarget.href);
      },
    }, `${entry.layer} · ${entry.unit}`), element("span", { class: "said" }, entry.captions.join(" / ") || "no caption"),
      element("span", { class: "figures" }, figure(entry.score))));
    const why = asked ? asked.why ?? "None by this measure." : "Not compared by this measure there.";
    this.list.replaceChildren(...(rows.length ? rows : [element("li", { class: "quiet" }, why)]));
  }
}

// Fill a list of choices, each once; what was chosen stays chosen where it is still there.
function offer(select, names) {
  const before = select.value, each = [...new Set(names)];
  select.replaceChildren(...each.map((name) => element("option", { value: name }, name)));
  if (each.includes(before)) select.value = before;
}
