"""A structured log of commands, jobs and the server: a line of JSON an event, in the file that `MAMI_LOG` names."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

LOG: Final = "MAMI_LOG"  # a file; `-`: standard error; unset: no log
_LOGGER: Final = logging.getLogger("mami")
_ALSO: Final = ("mami_core", "streamlit", "uvicorn.error")  # whose warnings belong into the log


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON: when, how grave, which process, what happened, and its facts."""
        body: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            body["traceback"] = self.formatException(record.exc_info)
        return json.dumps(body, ensure_ascii=False, default=str)


def open_log() -> None:
    """Begin to log where `MAMI_LOG` says; does nothing where it says nothing, or a second time.

    OSError where the file cannot be written.
    """
    named = os.environ.get(LOG, "")
    if not named or any(isinstance(handler.formatter, _Lines) for handler in _LOGGER.handlers):
        return
    if named != "-":
        Path(named).expanduser().parent.mkdir(parents=True, exist_ok=True)
    handler = (
        logging.StreamHandler() if named == "-" else logging.FileHandler(Path(named).expanduser(), encoding="utf-8")
    )
    handler.setFormatter(_Lines())
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    _LOGGER.addHandler(handler)
    for name in _ALSO:
        logging.getLogger(name).addHandler(handler)


def log_event(event: str, **facts: Any) -> None:
    """Log that something happened; nobody listens where `MAMI_LOG` is not set."""
    _LOGGER.info(event, extra={"facts": facts})


def log_problem(event: str, **facts: Any) -> None:
    """Log that something went wrong, with the traceback of the exception that is being handled, if any."""
    _LOGGER.error(event, extra={"facts": facts}, exc_info=True)
