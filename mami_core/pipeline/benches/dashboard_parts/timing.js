// Measure in the page, on its own clock: from an input event to two frames after what it asked for is painted.

(() => {
  const PATIENCE_MS = 60_000;
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  let host; // the component's shadow root, once it is there

  function inComponent(selector) {
    if (host?.host.isConnected && host.querySelector(selector)) return host.querySelector(selector);
    for (const candidate of document.querySelectorAll("*")) {
      if (candidate.shadowRoot?.querySelector(selector)) {
        host = candidate.shadowRoot;
        return host.querySelector(selector);
      }
    }
    return null;
  }

  const attribute = (node, name) => new Promise((done) => {
    const observer = new MutationObserver(() => { observer.disconnect(); done(); });
    observer.observe(node, { attributes: true, attributeFilter: [name] });
  });

  // A measurement that never ends says so, instead of holding up all the others.
  const within = (answer, what) => Promise.race([answer, new Promise((_, refuse) => {
    setTimeout(() => refuse(new Error(`no ${what} within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  })]);
  const event = (kind, node = window) => new Promise((done) => {
    node.addEventListener(kind, (found) => done(found.timeStamp), { capture: true, once: true });
  });

  window.bench = {
    // Arm before the key is pressed; await afterwards. Milliseconds to the next unit's picture on the screen.
    armSwitch() {
      const painted = attribute(inComponent(".neuron"), "data-painted");
      const pressed = event("keydown");
      this.answer = within((async () => { await painted; await frames(); return performance.now() - await pressed; })(), "next neuron");
    },
    // The same for a word that is pointed at: [script of the repaint, to the screen].
    armHover() {
      const root = inComponent(".neuron");
      const painted = attribute(root, "data-script");
      const moved = event("mouseover", root); // within the component: from word to word it is not heard outside
      this.answer = within((async () => {
        await painted;
        const script = Number(root.dataset.script);
        await frames();
        return [script, performance.now() - await moved];
      })(), "heatmaps of a word");
    },
    // The list: from the letter typed to the rows on the screen.
    armFilter() {
      const ready = attribute(inComponent(".units"), "data-ready");
      const typed = event("input");
      this.answer = within((async () => { await ready; await frames(); return performance.now() - await typed; })(), "filtered list");
    },
    // A page of plain pictures: every one decoded, and the last line naming the new unit.
    armColumns(unit) {
      const pressed = event("keydown");
      const shown = () => [...document.querySelectorAll("[data-testid=stText]")].some((line) => line.textContent.trim() === `shown ${unit}`);
      this.answer = within((async () => {
        while (!shown()) await new Promise((done) => setTimeout(done, 2));
        await Promise.all([...document.querySelectorAll("[data-testid=stImage] img")].map((image) => image.decode()));
        await frames();
        return performance.now() - await pressed;
      })(), "next page of pictures");
    },
  };
})();
