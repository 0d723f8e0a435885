"""What `pyproject.toml` cannot say: a wheel carries the demo, the models and the settings inside its packages.

In a checkout they stay where people look for them: `assets/` and `streamlit_config.toml` at the top.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent


class WithAssets(build_py):
    """Copy into the built packages what lies beside them; an editable installation reads it where it is."""

    def run(self) -> None:
        """Build, then add the assets."""
        super().run()
        if self.editable_mode:
            return
        built = Path(self.build_lib)
        shutil.copytree(HERE / "assets", built / "mami_core" / "assets", dirs_exist_ok=True)
        settings = built / "dashboard" / ".streamlit" / "config.toml"  # Streamlit looks beside its main script
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.unlink(missing_ok=True)  # a link to where it lies in a checkout
        shutil.copyfile(HERE / "streamlit_config.toml", settings)


setup(cmdclass={"build_py": WithAssets})
