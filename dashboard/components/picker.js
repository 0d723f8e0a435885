// Choose one of many images, a page of them at a time.

import { element } from "./element.js";

const PAGE = 12;

class Picker {
  constructor(root) {
    this.strip = element("div", { class: "strip", role: "group", "aria-label": "Exemplar images" });
    this.place = element("span", { class: "figures", role: "status" });
    const turn = (label, by) => element("button", { type: "button", class: "button", onclick: () => this.turn(by) }, label);
    root.replaceChildren(this.strip, element("footer", {}, turn("Earlier", -1), this.place, turn("Later", 1)));
    this.root = root;
  }

  receive(data, tell) {
    [this.data, this.tell] = [data, tell];
    this.pages = Math.ceil(data.ids.length / PAGE);
    this.page = Math.floor(Math.max(0, data.ids.indexOf(data.chosen)) / PAGE);
    this.draw();
  }

  turn(by) {
    this.page = (this.page + by + this.pages) % this.pages;
    this.draw();
  }

  draw() {
    const { ids, base, chosen } = this.data;
    const shown = ids.slice(this.page * PAGE, (this.page + 1) * PAGE);
    this.strip.replaceChildren(...shown.map((id) => element("button", {
      type: "button", "aria-label": `image ${id}`, "aria-pressed": String(id === chosen), onclick: () => this.choose(id),
    }, base ? element("img", { src: new URL(`${base}/-/image/${id}.webp`, document.baseURI).href, alt: "", loading: "lazy" }) : String(id))));
    this.place.textContent = `${this.page + 1} of ${this.pages}`;
    this.root.dataset.ready = String(chosen);
  }

  choose(id) {
    this.data.chosen = id;
    this.draw();
    this.tell("image", id);
  }
}

const pickers = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".picker");
  if (!root || !data) return undefined;
  if (!pickers.has(root)) pickers.set(root, new Picker(root));
  pickers.get(root).receive(data, setStateValue);
  return () => pickers.delete(root);
}
