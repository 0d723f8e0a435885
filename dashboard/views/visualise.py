"""Feature visualisation: pictures made for units, layer by layer; what in an exemplar a unit, or a word, answers to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import loaders, visuals
from dashboard.charts import deletion_chart
from dashboard.controls import chosen_view, open_dissection, rounded
from dashboard.links import page_of
from dashboard.plain import plain
from dashboard.running import job_problems, running_jobs, start_job
from mami_core.store.kept_results import KeptResult

EVERY = "every layer"
SHOWN = 6  # units a layer, where all layers are shown
AT_ONCE = 48
EXEMPLARS = 5


def pictures() -> None:
    """Draw the pictures that are kept, layer by layer, and the way to more."""
    layer = _layer_choice()
    _ask_for_pictures(None if layer == EVERY else layer)
    running_jobs("visualise")
    shown = 0
    for name in dissection.layers if layer == EVERY else (layer,):
        made = visuals.made_of_layer(found, name)[: SHOWN if layer == EVERY else AT_ONCE]
        if made:
            st.markdown(f"**{plain(name)}** :gray[pictures above, exemplars below]")
            st.html(visuals.cards(found, name, made))
        shown += len(made)
    if not shown:
        st.info("No pictures yet. Make some: the button above, or `mami visualise D --layer L --units 3 17`.")
    st.caption(
        "From noise → the strongest cell on the finished picture, in the layer’s own units. A picture shows what "
        "excites a unit most, not all that excites it, and need not look like anything the network was shown."
    )


def _layer_choice() -> str:
    options = [EVERY, *dissection.layers]
    named = st.query_params.get("layer", EVERY)
    at = options.index(named) if named in options else 0
    chosen = st.columns(3)[0].selectbox("Layer", options, index=at, key="pictured layer")
    if chosen != EVERY:
        st.query_params["layer"] = chosen
    else:
        st.query_params.pop("layer", None)
    return str(chosen)


def _ask_for_pictures(layer: str | None) -> None:
    with st.expander("Make pictures"), st.form("pictures", border=False):
        columns = st.columns([3, 1, 1, 1, 1], vertical_alignment="bottom")
        units = columns[0].text_input("Units", st.query_params.get("unit", ""), placeholder="3 17 … or the first six")
        steps = columns[1].number_input("Steps", 1, 4096, 256, step=64)
        size = columns[2].number_input("Pixels", 16, 512, None, placeholder="own")
        copies = columns[3].number_input("Diversity", 1, 8, 1, help="Pictures of each unit that differ")
        negative = columns[4].checkbox("Negative", help="What the unit answers to least, before its ReLU")
        weights = st.text_input("Weights file", placeholder="as dissected", help="Where the weights are a file.")
        if not st.form_submit_button("Make pictures", type="primary"):
            return
    named = units.replace(",", " ").split()
    if not all(entry.isdecimal() for entry in named):
        st.error("Units are numbers with spaces between them, such as 3 17.")
        return
    line = ["visualise", str(found.path)] + (["--layer", layer] if layer else [])
    line += ["--units", *named] if named else []
    line += ["--steps", str(steps), "--diversity", str(copies)] + (["--size", str(size)] if size else [])
    _start([*line, *(["--negative"] if negative else [])], weights)


def _start(line: list[str], weights: str = "") -> None:
    chosen = ["--weights", weights.strip()] if weights.strip() else []
    start_job([*line, *chosen, "--device", loaders.preferences().device], _spec())


def _spec() -> str:
    """Return what opening the dissected network again would run."""
    return str(dissection.manifest.settings.get("network") or dissection.manifest.network)


def _unit_choice() -> tuple[str, int]:
    left, right, _ = st.columns([2, 1, 3])
    order = {layer: units for layer, units in loaders.layer_units(found).items() if units}
    layers = list(order)
    named = st.query_params.get("layer", layers[-1])
    layer = left.selectbox("Layer", layers, layers.index(named) if named in order else len(layers) - 1)
    asked = st.query_params.get("unit", "")
    at = order[layer].index(int(asked)) if asked.isdecimal() and int(asked) in order[layer] else 0
    unit = right.selectbox("Unit", order[layer], at, key=f"unit of {layer}")
    st.query_params.update(layer=layer, unit=str(unit))
    st.page_link(
        page_of("neuron"), label="This neuron", query_params={"d": found.id, "layer": layer, "unit": str(unit)}
    )
    return layer, int(unit)


def attribution() -> None:
    """Draw what in one exemplar a unit answers to, by each method, with deletion curves."""
    layer, unit = _unit_choice()
    exemplar = int(
        st.segmented_control("Exemplar", range(EXEMPLARS), default=0, format_func=lambda at: str(at + 1)) or 0
    )
    running_jobs("attribute")
    kept = list(visuals.attributions_of(found, layer, unit, exemplar))
    line = ["attribute", str(found.path), "--layer", layer, "--units", str(unit), "--exemplar", str(exemplar)]
    if not kept:
        st.info("Not attributed yet: a few seconds for a small network.")
        if st.button("Attribute", type="primary"):
            _start(line)
        return
    for result in kept:
        _attributed(result)


def _attributed(result: KeptResult) -> None:
    facts, drawn = result.facts, visuals.attribution_pictures(result)
    what = f"class {facts['question']['class_number']}" if facts["question"]["class_number"] is not None else "unit"
    st.markdown(
        f"**{facts['question']['reading']} of the {what}: {facts['answer']:.3g}** :gray[· {facts['answer_plain']:.3g} "
        "on a picture of its mean colour alone. Red speaks for it, blue against.]"
    )
    for column, (title, picture) in zip(st.columns(len(drawn)), drawn.items(), strict=True):
        column.image(picture, width="stretch")
        column.caption(f"**{title}**{_beside(facts, title)}")
    st.markdown("**Deletion** :gray[cells taken away, the most important first: the faster it falls, the better]")
    st.plotly_chart(deletion_chart(facts, visuals.arrays(result)), key=f"deletion {result.name}")


def _beside(facts: Mapping[str, Any], title: str) -> str:
    if title == "activation mask":
        return f"  \n{facts['mask_share']:.0%} of the picture"
    method = facts["methods"].get(title)
    if method is None:
        return ""
    share = "" if method["on_mask"] is None else f"  \n{method['on_mask']:.0%} on the mask"
    return f"{share}  \ndeletion {rounded(method['auc'])}, random {rounded(facts['random_auc'])}"


def words() -> None:
    """Draw which region made each word of a caption."""
    layer, unit = _unit_choice()
    running_jobs("attribute")
    kept = {str(result.facts["captioner"]): result for result in visuals.words_of(found, layer, unit)}
    missing = [name for name in loaders.spoken(found, layer, unit) if name not in kept]
    if missing:
        st.caption(f"Not attributed yet: {plain(', '.join(missing))}.")
        if st.button("Attribute words", type="primary"):
            line = ["attribute", str(found.path), "--layer", layer, "--units", str(unit)]
            start_job([*line, "--captioner", *missing], "")
    if kept:
        name = st.segmented_control("Captioner", list(kept), default=next(iter(kept)), key="words of")
        _words_of(layer, kept[name or next(iter(kept))])


def _words_of(layer: str, result: KeptResult) -> None:
    facts = result.facts
    places = list(range(len(facts["words"])))
    losses = [with_ - without for with_, without in zip(facts["log_p"], facts["log_p_plain"], strict=True)]
    word = st.pills("Word", places, default=int(max(places, key=lambda at: losses[at])), key=f"word {result.name}",
                    format_func=lambda at: facts["words"][at])  # fmt: skip
    chosen = int(word or 0)
    st.markdown(
        f"log p **{facts['log_p'][chosen]:.2f}** :gray[· {facts['log_p_plain'][chosen]:.2f} when every region is the "
        "unit’s mean region. Red speaks for the word, blue against.]"
    )
    agrees = {name: values[chosen] for name, values in facts["agreement"].items()}
    drawn = visuals.word_pictures(found, layer, result, chosen, EXEMPLARS)
    for name in ("attention", "gradients", "occlusion"):
        known = rounded(agrees.get(name))
        beside = "" if name == "occlusion" else f" :gray[agrees with occlusion: {'–' if known is None else known}]"
        st.markdown(f"**{name}**{beside}")
        for column, picture in zip(st.columns(EXEMPLARS), drawn[name], strict=False):
            column.image(picture, width="stretch")
    st.caption(
        "Attention: where the heads looked. Gradients: integrated over the regions. Occlusion: what the word loses "
        "when the region becomes the mean region, which is the honest check: rank correlation over all regions."
    )


found, dissection = open_dissection()
st.title("Feature visualisation")
job_problems()
VIEWS = {"Pictures": pictures, "Attribution": attribution, "Words": words}
VIEWS[chosen_view("What", VIEWS)]()
