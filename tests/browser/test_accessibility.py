"""An axe-core scan of every page, light and dark: no serious finding."""

from __future__ import annotations

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = pytest.mark.browser

PAGES = {
    "": "[data-testid=stMetric]",
    "neurons?d=squares": ".units[data-ready]",
    "neurons?d=squares&in=grid": ".units[data-ready]",
    "neuron?d=squares&layer=early&unit=1": ".neuron[data-painted]",
    "search?d=demo": ".firing[data-ready]",
    "compare?d=squares": ".js-plotly-plot",
    "compare?d=squares&what=Heads": ".rows[data-ready]",
    "compare?d=squares&what=Dissections": "[data-testid=stMain] h1",
    "review?d=squares": ".neuron[data-painted]",
    "export?d=squares": "[data-testid=stDownloadButton]",
    "maps?d=demo": "[data-testid=stMain] canvas",
    "visualise?d=demo": "[data-testid=stMain] h1",
    "intervene?d=demo": "[data-testid=stMain] h1",
    "evaluate?d=demo": "[data-testid=stMain] table",
    "evaluate?d=demo&show=Tables": "[data-testid=stMain] :text('cannot be reproduced as such')",
    "evaluate?d=demo&show=Tables&row=long/compound/milan/best&figure=bleu": ".rows[data-ready]",
    "jobs": "form, [data-testid=stForm]",
    "settings": "[data-testid=stDataFrame]",
}
NAVIGATION = "[data-testid=stSidebarNavLink], [data-testid=stSidebar] [data-testid=stPageLink-NavLink]"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(visit, path, scheme):
    page = visit(path, scheme=scheme)
    page.wait_for_selector(PAGES[path])
    page.wait_for_selector(NAVIGATION)  # a sidebar that scrolls already and has no links yet is found at fault
    found = axe.Axe().run(page).response["violations"]
    serious = [
        f"{entry['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for entry in found
        if entry["impact"] in ("serious", "critical")
        for node in entry["nodes"]
        if not _streamlits_own(node)
    ]
    assert serious == []


def _streamlits_own(node: dict) -> bool:
    """Tell whether a finding is about a part that Streamlit draws itself and that no setting of ours changes."""
    return any("stDataFrame" in str(target) or "stFileUploader" in str(target) for target in node["target"])
