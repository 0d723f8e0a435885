"""`mami dashboard`: start the Streamlit application on some dissections."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from mami_core.config import DashboardConfig
from mami_core.store import Dissection, find_dissections


def home_page() -> Path:
    """Return the dashboard's entry point. FileNotFoundError where only the library is installed."""
    spec = find_spec("dashboard")
    places = [Path(folder) / "Home.py" for folder in (spec.submodule_search_locations or ())] if spec else []
    for place in (*places, Path(__file__).parents[2] / "dashboard" / "Home.py"):  # the latter: a checkout
        if place.is_file():
            return place
    raise FileNotFoundError("the dashboard is not installed; install it with `pip install -r requirements.txt`")


def run_dashboard(config: DashboardConfig) -> int:
    """Serve the dashboard until it is stopped; its exit status is the server's."""
    for folder in config.dissections:
        Dissection.open(folder)  # a wrong folder is refused here, in one sentence, before a browser opens
    named = tuple(folder.resolve() for folder in config.dissections)
    if not find_dissections(named):
        print("mami: nothing dissected yet; the dashboard will say how to start", file=sys.stderr)
    command = [sys.executable, "-m", "streamlit", "run", str(home_page())]
    command += [f"--server.port={config.port}", f"--server.address={config.address}"]
    command += [f"--server.headless={'true' if config.headless else 'false'}"]
    environment = {**os.environ, "MAMI_DISSECTIONS": os.pathsep.join(map(str, named))}
    environment["MAMI_ALLOW_CODE"] = "1" if config.allow_code else "0"
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0
