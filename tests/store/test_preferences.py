"""What a user settled on survives a restart, and a damaged file says what to do."""

from __future__ import annotations

import pytest

from mami_core.store.preferences import FILE, Preferences


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MAMI_HOME", str(tmp_path))


def test_nothing_saved_is_the_defaults():
    assert Preferences.load() == Preferences()


def test_what_was_saved_is_read_back():
    wanted = Preferences(reviewer="Ada", device="cpu", sentence_model="/models/small")
    wanted.save()
    assert Preferences.load() == wanted


def test_settings_of_another_version_are_taken_as_far_as_they_are_known(tmp_path):
    (tmp_path / FILE).write_text('{"reviewer": "Ada", "colour": "blue"}')
    assert Preferences.load() == Preferences(reviewer="Ada")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ValueError, match=r"settings\.json is damaged"):
        Preferences.load()
