"""`mami bench dashboard`: what people wait for, in a real Chromium on a real server; needs Playwright and Chromium."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from mami_core.config import BenchDashboardConfig
from mami_core.pipeline.benches.dashboard_parts import browser as screen
from mami_core.pipeline.benches.dashboard_parts.load import Crowd, crowded, memory_walk
from mami_core.pipeline.benches.dashboard_parts.made import made_dissection
from mami_core.pipeline.benches.dashboard_parts.server import errors_logged, serving
from mami_core.pipeline.dashboard import home_page
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.tables.sections import write_section
from mami_core.store import DEMO, Dissection

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_TEXTS: Final = ("r", "red", "brick window", "/^(red|blue) .*roof/", "in forest", "")  # typed into the list's filter
_LARGE_TILE: Final = 224


def run_bench_dashboard(config: BenchDashboardConfig) -> None:
    """Print how long each thing takes that a reader waits for, and what the server needs."""
    with (
        progress(quiet=config.json) as report,
        screen.chromium() as browser,
        tempfile.TemporaryDirectory(prefix="mami-bench-") as folder,
    ):
        figures = measured(config, browser, Path(folder), report)
    text = "\n".join(_lines(figures))
    if config.out is not None:
        write_section(config.out, "bench-dashboard", text, title="Benchmarks")
    print_result(figures, as_json=config.json, text=text)


def measured(config: BenchDashboardConfig, browser: Browser, folder: Path, report: Report) -> dict[str, Any]:
    """Return all figures; times by size of exemplars: "112" is the bundled demo, "224" the large dissection."""
    large = made_dissection(config.units, _LARGE_TILE)
    by_size = {}
    for done, (size, dissection) in enumerate({112: DEMO, _LARGE_TILE: large}.items()):
        report("measuring", done, 3)
        by_size[str(size)] = _one_reader(config, browser, dissection, size, folder / str(size))
    report("measuring", 2, 3)
    names = dict.fromkeys(name for found in by_size.values() for name in found)
    figures = {name: {size: found[name] for size, found in by_size.items()} for name in names}
    figures |= _large_server(config, browser, large, folder / "large")
    return {**figures, "units": config.units, "cores": os.cpu_count(), "machine_load": os.getloadavg()[2]}


def _one_reader(
    config: BenchDashboardConfig, browser: Browser, dissection: Path, size: int, folder: Path
) -> dict[str, Any]:
    """Measure switching and pointing at words, then the same view made of `st.image` columns."""
    layer = Dissection.open(dissection).layers[-1]
    width, place = screen.WIDTHS[size], {"d": dissection.name, "layer": layer}
    with serving(home_page(), [dissection], folder / "ours") as server, screen.window(browser, width) as page:
        screen.open_unit(page, server.address, **place, unit=0)
        tile = screen.tile_width(page)
        screen.switches(page, 3)  # the first ones meet a cold server
        pressed = screen.switches(page, config.switches)
        script, painted = screen.hovers(page, config.switches)
    columns = home_page().parent / "bench" / "columns.py"
    with serving(columns, [dissection], folder / "columns") as server, screen.window(browser, width) as page:
        usual = screen.image_columns(page, server.address, config.switches, **place, tile=size)
    return {
        "tile_pixels": tile,
        "switch_ms_median": screen.rounded_median(pressed),
        "switch_ms_p95": round(quantiles(pressed, n=20, method="inclusive")[-1], 1),
        "image_columns_ms_median": screen.rounded_median(usual),
        "times_image_columns": screen.rounded_median(usual) / screen.rounded_median(pressed),
        "hover_ms_median": screen.rounded_median(script),
        "hover_painted_ms_median": screen.rounded_median(painted),
    }


def _large_server(config: BenchDashboardConfig, browser: Browser, large: Path, folder: Path) -> dict[str, Any]:
    """Measure opening, filtering, a long walk and a crowd on one server that holds the large dissection."""
    width, layer = screen.WIDTHS[112], Dissection.open(large).layers[0]
    began = time.perf_counter()
    with serving(home_page(), [large], folder) as server:
        started = time.perf_counter() - began
        with screen.window(browser, width) as page:
            opened = screen.open_unit(page, server.address, d=large.name, layer=layer, unit=0)
            filtered = screen.filters(page, server.address, list(_TEXTS), d=large.name)
        walked = memory_walk(server, large, config.walk, config.walk // 5)
        one_reader_mb = server.peak_memory_mb()
        crowd = Crowd(config.browsers, config.clients, config.load_seconds)
        load = crowded(browser, server, large, crowd, width)
        return {
            "server_start_s": round(started, 2),
            "open_30000_s": round(opened, 2),
            "filter_ms_median": screen.rounded_median(filtered),
            "filter_ms_max": round(max(filtered), 1),
            "load": {**load, "errors": [*load["errors"], *errors_logged(folder)]},
            "server_memory_mb": one_reader_mb,
            "crowd_memory_mb": server.peak_memory_mb(),
            "memory_slope_mb_per_1000": walked and walked["slope_mb_per_1000"],
            "walk": walked,
        }


def _lines(figures: Mapping[str, Any]) -> list[str]:
    return [
        "## Dashboard",
        "",
        "Written by `mami bench dashboard`: headless Chromium without a GPU, server and browser on the same cores. "
        f"112: the bundled demo; 224: a made dissection of {figures['units']:,} units, its content drawn by lot.",
        "",
        "| exemplars, pixels | next neuron, ms median | 95 % | by `st.image` columns, ms | times "
        "| word's heatmaps, ms of script | painted, ms |",
        "|---|---|---|---|---|---|---|",
        *(_size_line(figures, size) for size in figures["switch_ms_median"]),
        "",
        *_large_lines(figures),
        "",
        f"Wall time, {platform.machine()}, {figures['cores']} cores, mean load of the last 15 minutes "
        f"{figures['machine_load']:.1f}, this bench in it.",
    ]


def _size_line(figures: Mapping[str, Any], size: str) -> str:
    cells = (
        f"{figures['tile_pixels'][size]}",
        f"{figures['switch_ms_median'][size]:.0f}",
        f"{figures['switch_ms_p95'][size]:.0f}",
        f"{figures['image_columns_ms_median'][size]:.0f}",
        f"{figures['times_image_columns'][size]:.1f}",
        f"{figures['hover_ms_median'][size]:.1f}",
        f"{figures['hover_painted_ms_median'][size]:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _large_lines(figures: Mapping[str, Any]) -> list[str]:
    load = figures["load"]
    memory = "not computed: this system does not tell"
    if figures["walk"] is not None:
        memory = (
            f"at most {figures['server_memory_mb']:.0f} MB for one reader and the walk, "
            f"{figures['crowd_memory_mb']:.0f} MB with the crowd; "
            f"{figures['memory_slope_mb_per_1000']:+.2f} MB per 1,000 switches after the first fifth of the walk"
        )
    waited = "none of the browsers' switches succeeded"
    if load["ratio"] is not None:
        waited = (
            f"{load['together_ms_median']:.0f} ms median in the browsers, {load['ratio']:.2f} × one alone "
            f"({load['alone_ms_median']:.0f} ms)"
        )
    return [
        f"- First neuron of {figures['units']:,} units: {figures['open_30000_s']:.1f} s after asking a server that had "
        f"opened nothing (its own start: {figures['server_start_s']:.1f} s).",
        f"- A filter over all units, from the key to the rows: {figures['filter_ms_median']:.0f} ms median, "
        f"{figures['filter_ms_max']:.0f} ms at most.",
        f"- Server memory, mapped files included: {memory}.",
        f"- {load['browsers']} browsers and {load['clients']} websocket clients, each a neuron every "
        f"{load['every']:.0f} s for {load['seconds']:.0f} s: {waited}; "
        f"{load['browser_switches'] + load['client_switches']} switches, {len(load['errors'])} errors.",
    ]
