// Units like this one, fetched once the view stands still.

import { element, figure } from "./element.js";

// Go to another place as a click on a link of Streamlit's does, with one entry in the history.
export function visit(address) {
  history.pushState({}, "", address);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

export class SimilarUnits {
  constructor() {
    this.choice = element("select", { "aria-label": "Measure of similarity", onchange: () => this.draw() });
    this.list = element("ol", { class: "similar" });
    this.root = element("section", { class: "card", "aria-label": "Similar units" },
      element("header", {}, element("h3", {}, "Similar units"), this.choice), this.list);
    this.root.hidden = true;
  }

  async show(base, dissection, layer, unit) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const place = layer.split("/").map(encodeURIComponent).join("/");
    this.link = (entry) => `neuron?${new URLSearchParams({ d: entry.dissection ?? dissection, layer: entry.layer, unit: entry.unit })}`;
    try {
      const answer = await fetch(new URL(`${base}/${place}/${unit}/similar.json`, document.baseURI));
      const measures = answer.ok ? await answer.json() : [];
      if (turn !== this.turn) return;
      const before = this.choice.value;
      this.measures = new Map(measures.map(({ measure, units }) => [measure, units]));
      this.choice.replaceChildren(...[...this.measures.keys()].map((name) => element("option", { value: name }, name)));
      if (this.measures.has(before)) this.choice.value = before;
      this.root.hidden = !this.measures.size;
      this.draw();
    } catch {
      if (turn === this.turn) this.root.hidden = true;
    }
  }

  draw() {
    const units = this.measures.get(this.choice.value) ?? [];
    const rows = units.slice(0, 6).map((entry) => element("li", {}, element("a", {
      href: this.link(entry),
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        visit(event.currentTarget.href);
      },
    }, `${entry.layer} · ${entry.unit}`), element("span", { class: "said" }, entry.captions.join(" / ") || "no caption"),
      element("span", { class: "figures" }, figure(entry.score))));
    this.list.replaceChildren(...(rows.length ? rows : [element("li", { class: "quiet" }, "None by this measure.")]));
  }
}
