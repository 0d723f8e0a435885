"""Take the pictures of the dashboard that the documents show, of the bundled demo alone.

`python docs/pictures/take.py [ADDRESS]`, while `mami dashboard` runs; needs Chromium. Look at them before committing.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
SIZE = {"width": 1440, "height": 900}
SCALE = 1.25
PAINTED, LISTED = ".neuron[data-painted]", ".units[data-ready]"
NEURON = "neuron?d=demo&layer={layer}&unit={unit}"
PICTURES = {  # name: (address, colour scheme, what must be there, a word to point at)
    "neuron-light": (NEURON, "light", PAINTED, None),
    "neuron-dark": (NEURON, "dark", PAINTED, ".head.bahdanau .word >> nth=3"),
    "overview-light": ("?d=demo", "light", ".rows[data-ready]", None),
    "neurons-light": ("neurons?d=demo", "light", LISTED, None),
    "neurons-grid-dark": ("neurons?d=demo&in=grid&sort=disagreement", "dark", LISTED, None),
    "maps-light": ("maps?d=demo&method=t-SNE&layer={layer}&unit={unit}", "light", ".card[data-near]", None),
    "compare-light": ("compare?d=demo&what=Heads", "light", ".rows[data-ready]", None),
    "intervene-light": ("intervene?d=demo", "light", ".rows[data-ready]", None),  # after `mami silence assets/demo …`
    "review-light": ("review?d=demo", "light", PAINTED, None),
    "search-light": ("search?d=demo&image=40", "light", ".firing[data-ready]", None),
    "evaluate-light": ("evaluate?d=demo", "light", ".board[data-ready]", None),
    "tables-light": ("evaluate?d=demo&show=Tables", "light", ".board[data-ready]", None),
    "export-light": ("export?d=demo", "light", "[data-testid=stDownloadButton]", None),
    "visualise-light": ("visualise?d=demo", "light", ".pictures img", None),
    "attribution-light": ("visualise?d=demo&what=Attribution&layer=layer4&unit=3", "light", ".js-plotly-plot", None),
    "jobs-light": ("jobs", "light", "[data-testid=stForm]", None),
}


def take(page: Page, name: str, selector: str, word: str | None) -> None:
    """Wait until a page stands still, and keep it as `name`.jpg."""
    page.wait_for_selector(selector)
    page.wait_for_load_state("networkidle")
    if word:
        page.locator(word).click()
    page.wait_for_timeout(1200)  # fonts and lazy images
    raw = HERE / f"{name}.png"
    page.screenshot(path=raw)
    Image.open(raw).convert("RGB").save(HERE / f"{name}.jpg", quality=76, optimize=True)
    raw.unlink()


def main(address: str, layer: str, unit: str) -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, (path, scheme, selector, word) in PICTURES.items():
            page = browser.new_page(viewport=SIZE, color_scheme=scheme, device_scale_factor=SCALE)
            page.set_default_timeout(150_000)
            page.goto(f"{address}/{path.format(layer=layer, unit=unit)}")
            take(page, name, selector, word)
            page.close()
        browser.close()


if __name__ == "__main__":
    given = sys.argv[1:] + ["http://127.0.0.1:8501", "layer4", "87"][len(sys.argv) - 1 :]
    main(*given)
