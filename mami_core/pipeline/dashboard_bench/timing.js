// Measure in the page, on its own clock: from an input event to two frames after what it asked for is painted.

(() => {
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

  const event = (kind) => new Promise((done) => addEventListener(kind, (found) => done(found.timeStamp), { capture: true, once: true }));

  window.bench = {
    // Arm before the key is pressed; await afterwards. Milliseconds to the next unit's picture on the screen.
    armSwitch() {
      const painted = attribute(inComponent(".neuron"), "data-painted");
      const pressed = event("keydown");
      this.answer = (async () => { await painted; await frames(); return performance.now() - await pressed; })();
    },
    // The same for a word that is pointed at: [script of the repaint, to the screen].
    armHover() {
      const root = inComponent(".neuron");
      const painted = attribute(root, "data-script");
      const moved = event("mouseover");
      this.answer = (async () => {
        await painted;
        const script = Number(root.dataset.script);
        await frames();
        return [script, performance.now() - await moved];
      })();
    },
    // The list: from the letter typed to the rows on the screen.
    armFilter() {
      const ready = attribute(inComponent(".units"), "data-ready");
      const typed = event("input");
      this.answer = (async () => { await ready; await frames(); return performance.now() - await typed; })();
    },
    // A page of plain pictures: every one decoded, and the last line naming the new unit.
    armColumns(unit) {
      const pressed = event("keydown");
      const shown = () => [...document.querySelectorAll("[data-testid=stText]")].some((line) => line.textContent.trim() === `shown ${unit}`);
      this.answer = (async () => {
        while (!shown()) await new Promise((done) => setTimeout(done, 2));
        await Promise.all([...document.querySelectorAll("[data-testid=stImage] img")].map((image) => image.decode()));
        await frames();
        return performance.now() - await pressed;
      })();
    },
  };
})();
