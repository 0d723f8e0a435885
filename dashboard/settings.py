"""Whether Streamlit found our settings. A checkout without symbolic links loses them silently otherwise."""

from __future__ import annotations

from streamlit import config

_OURS = "theme.light.primaryColor"


def problem_with_settings() -> str | None:
    """Return what to do where `streamlit_config.toml` was not read; None where it was."""
    if "config.toml" in config.get_where_defined(_OURS):
        return None
    return (
        "The theme and server settings were not found: dashboard/.streamlit/config.toml must link to, or be a copy "
        "of, streamlit_config.toml. Copy the file there and start again."
    )
