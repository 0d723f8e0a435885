// What speaks against the captions, and which classes excite the unit: fetched when the card is opened.

import { element, figure } from "./element.js";

export class Doubts {
  constructor() {
    this.body = element("div", {});
    this.root = element("details", { class: "card doubts", ontoggle: () => this.fill() },
      element("summary", {}, element("h3", {}, "Counter-examples and classes")), this.body);
    this.root.hidden = true;
  }

  show(base, layer, unit) {
    [this.base, this.place] = [base, `${layer.split("/").map(encodeURIComponent).join("/")}/${unit}`];
    this.root.hidden = false;
    this.body.replaceChildren();
    this.fill();
  }

  async fill() {
    if (!this.root.open || this.body.childElementCount) return;
    const place = this.place;
    this.body.replaceChildren(element("p", { class: "quiet" }, "Looking …"));
    try {
      const answer = await fetch(new URL(`${this.base}/${place}/doubts.json`, document.baseURI));
      if (!answer.ok) throw new Error(await answer.text());
      const found = await answer.json();
      if (place === this.place) this.draw(found);
    } catch (problem) {
      if (place === this.place) this.body.replaceChildren(element("p", { class: "quiet" }, problem.message));
    }
  }

  draw({ captions, classes }) {
    const sections = captions.map((entry) => element("section", {},
      element("h4", {}, `${entry.captioner}: ${entry.caption}`),
      entry.named.length
        ? element("p", { class: "quiet" }, `names ${entry.named.join(", ")}; judged by ${entry.judged_by}; ${entry.looked_at} images looked at`)
        : element("p", { class: "quiet" }, "names nothing that could be looked for"),
      this.pictures("the caption fits, the unit is silent", entry.silent),
      this.pictures("the unit fires, nothing named is there", entry.fires)));
    const rows = classes.map((entry) => element("tr", {}, element("td", {}, entry.name), element("td", {}, figure(entry.mean)),
      element("td", {}, figure(entry.auc)), element("td", {}, String(entry.images ?? ""))));
    const table = classes.length ? element("table", {}, element("thead", {}, element("tr", {},
      ...["class", "mean peak", "AUC", "images"].map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, ...rows)) : null;
    const parts = [...sections, table].filter(Boolean);
    this.body.replaceChildren(...(parts.length ? parts : [element("p", { class: "quiet" }, "Not computed: peaks were not kept.")]));
  }

  pictures(title, entries) {
    if (!entries.length) return null;
    const images = entries.map(({ image, peak }) => element("figure", {}, element("img", {
      src: new URL(`${this.base}/-/image/${image}.webp`, document.baseURI).href, alt: `image ${image}, peak ${figure(peak)}`, loading: "lazy",
    }), element("figcaption", {}, figure(peak))));
    return element("div", {}, element("p", {}, title), element("div", { class: "strip small" }, ...images));
  }
}
