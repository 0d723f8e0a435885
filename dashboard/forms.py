"""A form for a command, made from the very record that is its command line; out comes that command line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import streamlit as st

HIDDEN = {"json"}


def command_form(
    name: str, config: type, positional: tuple[str, ...], suggested: Mapping[str, str] | None = None
) -> list[str] | None:
    """Draw a command's options; return its arguments once they are sent, checked by the record itself.

    `suggested`: what to write into some fields at first.
    """
    hints, helps = get_type_hints(config), _comments(config)
    with st.form(f"form {name}"):
        st.caption((inspect.getdoc(config) or "").splitlines()[0])
        shown = [entry for entry in fields(config) if entry.name not in HIDDEN]
        first = [entry for entry in shown if entry.name in positional or entry.default is MISSING]
        for field in {entry.name for entry in shown} & set(suggested or {}):
            st.session_state.setdefault(f"{name} {field}", (suggested or {})[field])
        values = {entry.name: _widget(name, entry, hints[entry.name], helps) for entry in first}
        with st.expander("More options"):
            rest = (entry for entry in shown if entry not in first)
            values |= {entry.name: _widget(name, entry, hints[entry.name], helps) for entry in rest}
        sent = st.form_submit_button("Start")
    if not sent:
        return None
    try:
        chosen = {key: _parsed(hints[key], value) for key, value in values.items()}
        config(**chosen)
    except ValueError as problem:
        st.error(str(problem))
        return None
    return arguments(name, config, positional, chosen)


def arguments(name: str, config: type, positional: tuple[str, ...], chosen: dict[str, Any]) -> list[str]:
    """Return the command line for some values: what stands without a dash, then what differs from the defaults."""
    line = [name]
    for entry in fields(config):
        if entry.name in positional:
            value = chosen[entry.name]
            line += map(str, value) if isinstance(value, tuple) else [str(value)]
    for entry in fields(config):
        value = chosen.get(entry.name, entry.default)
        if entry.name in positional or entry.name in HIDDEN or value == entry.default:
            continue
        line += _option(entry.name.replace("_", "-"), value)
    return line


def _option(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", *map(str, value if isinstance(value, tuple) else (value,))]


def _widget(command: str, entry: Field, hint: Any, helps: dict[str, str]) -> Any:
    label, key, help_ = entry.name.replace("_", " "), f"{command} {entry.name}", helps.get(entry.name)
    default = None if entry.default is MISSING else entry.default
    if get_origin(hint) is Literal:
        return st.selectbox(label, get_args(hint), get_args(hint).index(default), key=key, help=help_)
    if hint is bool:
        return st.checkbox(label, bool(default), key=key, help=help_)
    if hint is int:
        return st.number_input(label, value=default, step=1, key=key, help=help_)
    if hint is float:
        return st.number_input(label, value=default, format="%g", key=key, help=help_)
    text = " ".join(map(str, default)) if isinstance(default, tuple) else str(default or "")
    st.session_state.setdefault(key, text)
    return st.text_input(label, key=key, help=help_)


def _parsed(hint: Any, value: Any) -> Any:
    """Return a widget's value as the record wants it. ValueError for a path that was left empty."""
    if get_origin(hint) is tuple:
        kind = get_args(hint)[0]
        return tuple(kind(piece) for piece in str(value).split())
    if hint is Path:
        if not str(value).strip():
            raise ValueError("a folder is missing: fill in every field above the line")
        return Path(str(value).strip())
    if isinstance(value, str) and type(None) in get_args(hint):
        return value.strip() or None
    return value


def _comments(config: type) -> dict[str, str]:
    """Return what stands behind each field in the record's source: the command line's own help."""
    lines = inspect.getsource(config).splitlines()
    found = (re.match(r"    (\w+): .*?  # (.+)$", line) for line in lines)
    return {match.group(1): match.group(2) for match in found if match}
