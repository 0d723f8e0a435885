"""The rules of a planted dissection, kept beside its units as `rules.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from mami_core.scenery.planted.rules import FAMILIES, Rule
from mami_core.store import Dissection, DissectionWriter, UnitKey
from mami_core.store.atomic import replacing

if TYPE_CHECKING:
    from mami_core.scenery.planted.units import Rules  # torch: who only reads rules does not wait for it

RULES: Final = "rules.json"
RULES_SCHEMA: Final = 1


def write_rules(writer: DissectionWriter, rules: Rules) -> None:
    """Write the rules, by layer (the family) and in the order of its units."""
    body = {"schema": RULES_SCHEMA, "rules": {name: [rule.to_dict() for rule in own] for name, own in rules.items()}}
    with replacing(writer.path / RULES) as partial:
        partial.write_text(json.dumps(body) + "\n", encoding="utf-8")
    writer.adopt(RULES)


def read_rules(dissection: Dissection) -> dict[UnitKey, Rule]:
    """Return each unit's rule; FileNotFoundError or ValueError where there are none or they cannot be read."""
    path = dissection.path / RULES
    if not path.is_file():
        raise FileNotFoundError(f"{dissection.name} has no {RULES}: its units were not planted, so no rule is known")
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["schema"] != RULES_SCHEMA:
            raise ValueError(f"schema {body['schema']}, this version reads {RULES_SCHEMA}")
        saved = body["rules"].items()
        return {(family, unit): Rule.from_dict(rule) for family, own in saved for unit, rule in enumerate(own)}
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise ValueError(f"{path} cannot be read ({problem}); make the world again") from None


def by_family(rules: Mapping[UnitKey, Rule]) -> dict[str, list[Rule]]:
    """Return rules as they were drawn: by family, in the order of the units."""
    families: dict[str, list[Rule]] = {}
    for family, unit in sorted(rules, key=lambda key: (FAMILIES.index(key[0]), key[1])):
        families.setdefault(family, []).append(rules[family, unit])
    return families
