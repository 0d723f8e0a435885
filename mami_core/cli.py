"""The commands. A command is a config and a function; only this file knows tyro."""

from __future__ import annotations

import dataclasses
import errno
import functools
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import tyro

from mami_core import config
from mami_core.store.log import log_event, open_log


@dataclasses.dataclass(frozen=True)
class Command:
    """A command: its config, the function `pipeline.<module>.<name>` that runs it, and what stands without a dash."""

    config: type
    runs: str  # module:function below mami_core.pipeline; imported when needed, as torch takes seconds
    positional: tuple[str, ...]
    typed: Mapping[str, str] = dataclasses.field(default_factory=dict)  # options whose field cannot have their name


COMMANDS: dict[str, Command] = {
    "demo": Command(config.DemoConfig, "worlds.demo:run_demo", ("out",)),
    "world": Command(config.WorldConfig, "worlds.world:run_world", ("out",)),
    "layers": Command(config.LayersConfig, "layers:run_layers", ("network",)),
    "dissect": Command(config.DissectConfig, "dissect:run_dissection", ("network", "images")),
    "merge": Command(config.MergeConfig, "merge:run_merge", ("out",)),
    "train": Command(config.TrainConfig, "trainings.train:run_training", ("dissection",)),
    "caption": Command(config.CaptionConfig, "captions.caption:run_captioning", ("dissection",)),
    "caption-images": Command(
        config.CaptionImagesConfig, "captions.caption_images:run_image_captioning", ("images", "captioner")
    ),
    "convert": Command(config.ConvertConfig, "exchange.convert:run_conversion", ("file", "out")),
    "evaluate": Command(config.EvaluateConfig, "evaluate:run_evaluation", ("dissection",)),
    "reproduce": Command(config.ReproduceConfig, "tables.reproduce:run_reproduction", ("table",)),
    "reproduce-table1": Command(config.Table1Config, "tables.table1:run_table1", ()),
    "reproduce-table2": Command(config.Table2Config, "tables.table2.run:run_table2", ()),
    "reproduce-planted": Command(config.PlantedConfig, "tables.planted_truth:run_planted", ()),
    "reproduce-published": Command(config.PublishedConfig, "tables.published_captions:run_published", ()),
    "reproduce-stability": Command(config.StabilityTableConfig, "tables.stability:run_stability_table", ()),
    "reproduce-analysis": Command(config.AnalysisConfig, "understanding.analysis:run_analysis", ("dissections",)),
    "reproduce-editing": Command(config.EditingConfig, "understanding.editing:run_editing", ()),
    "bench-dissect": Command(config.BenchDissectConfig, "benches.bench:run_bench_dissect", ()),
    "bench-caption": Command(config.BenchCaptionConfig, "benches.bench:run_bench_caption", ()),
    "bench-dashboard": Command(config.BenchDashboardConfig, "benches.dashboard:run_bench_dashboard", ()),
    "bench-visualise": Command(config.BenchVisualiseConfig, "benches.visualise:run_bench_visualise", ()),
    "visualise": Command(config.VisualiseConfig, "understanding.visualise:run_visualisation", ("of",)),
    "attribute": Command(config.AttributeConfig, "understanding.attribute:run_attribution", ("dissection",)),
    "map": Command(config.MapConfig, "understanding.maps:run_map", ("dissection",)),
    "match": Command(config.MatchConfig, "understanding.side_by_side:run_match", ("dissection", "other")),
    "redundancy": Command(config.RedundancyConfig, "understanding.side_by_side:run_redundancy", ("dissection",)),
    "polysemantic": Command(config.PolysemanticConfig, "understanding.unit_pieces:run_polysemantic", ("dissection",)),
    "stability": Command(config.StabilityConfig, "understanding.unit_stability:run_stability", ("dissection",)),
    "silence": Command(config.SilenceConfig, "understanding.silence:run_silencing", ("dissection",)),
    "audit": Command(config.AuditConfig, "understanding.audit:run_audit", ("dissection", "other", "concept")),
    "inspect": Command(config.InspectConfig, "upkeep.inspect:run_inspection", ("dissection",)),
    "repair": Command(config.RepairConfig, "upkeep.repair:run_repair", ("dissection",)),
    "doctor": Command(config.DoctorConfig, "upkeep.doctor:run_doctor", ()),
    "licences": Command(config.LicencesConfig, "upkeep.licences:run_licences", ()),
    "data": Command(config.DataConfig, "exchange.data:run_data", ("name",)),
    "import": Command(
        config.ImportConfig, "exchange.import_captions:run_import", ("dissection", "file"), {"name": "as"}
    ),
    "export": Command(config.ExportConfig, "exchange.export:run_export", ("dissection", "out")),
    "dashboard": Command(config.DashboardConfig, "dashboard:run_dashboard", ("dissections",)),
}


def _with_positionals(command: Command) -> type:
    """Return the command's config as tyro should see it: some fields stand without a dash.

    The configs themselves stay free of tyro, as they are also what is saved with every result.
    """
    hints = typing.get_type_hints(command.config)
    fields: list[tuple[str, Any, Any]] = []
    for entry in dataclasses.fields(command.config):
        if entry.name in command.positional:
            marks = (tyro.conf.Positional, tyro.conf.arg(metavar=entry.name.upper()))
            required = entry.default is dataclasses.MISSING
            default = dataclasses.field() if required else dataclasses.field(default=entry.default)
            fields.append((entry.name, Annotated[(hints[entry.name], *marks)], default))
        elif entry.name in command.typed:
            fields.append(_renamed(entry, hints[entry.name], command.typed[entry.name]))
    text = {"__doc__": command.config.__doc__, "__module__": command.config.__module__}
    return dataclasses.make_dataclass(
        command.config.__name__, fields, bases=(command.config,), frozen=True, namespace=text
    )


def _renamed(entry: dataclasses.Field[Any], kind: Any, name: str) -> tuple[str, Any, Any]:
    """Return a field that is typed as `--name`, e.g. `--as`, which Python keeps for itself."""
    default = dataclasses.field() if entry.default is dataclasses.MISSING else dataclasses.field(default=entry.default)
    return entry.name, Annotated[kind, tyro.conf.arg(name=name)], default


def _load(runs: str) -> Callable[[Any], int | None]:
    module, _, function = runs.partition(":")
    return getattr(import_module(f"mami_core.pipeline.{module}"), function)


def _joined(arguments: Sequence[str]) -> list[str]:
    """Return arguments with a command of two words, `bench caption`, as the one that is listed, `bench-caption`."""
    joined = "-".join(arguments[:2])
    return [joined, *arguments[2:]] if joined in COMMANDS else list(arguments)


@functools.cache
def _shown() -> dict[str, Callable[..., Any]]:
    """Return every command as tyro should see it."""
    return {name: _with_positionals(command) for name, command in COMMANDS.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 done, 1 found something wrong, 2 cannot be done as asked."""
    shown = _shown()
    typed = _joined(sys.argv[1:] if arguments is None else arguments)
    chosen = tyro.extras.subcommand_cli_from_dict(shown, prog="mami", args=typed)
    name = next(name for name, kind in shown.items() if type(chosen) is kind)
    command = COMMANDS[name]
    try:
        open_log()
        log_event("command begins", command=name)
        # the plain config again: what tyro saw is a class made on the fly, which another process could not unpickle
        settings = {entry.name: getattr(chosen, entry.name) for entry in dataclasses.fields(command.config)}
        status = _load(command.runs)(command.config(**settings)) or 0
        log_event("command ended", command=name, status=status)
        return status
    except BrokenPipeError:  # the reader of our output had enough, as `head` does
        sys.stdout = None  # type: ignore[assignment]  # so that leaving does not write to it again
        return 0
    except (OSError, ValueError) as problem:
        log_event("command refused", command=name, reason=str(problem))
        print(f"mami: {problem}{_advice(problem)}", file=sys.stderr)
        return 2
    except KeyError as problem:
        print(f"mami: {problem.args[0]}", file=sys.stderr)
        return 2
    except MemoryError as problem:
        print(
            f"mami: not enough memory ({problem or 'for this input'}); fewer layers or smaller files", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        print("mami: stopped; the same command goes on where it was", file=sys.stderr)
        return 130


def _advice(problem: OSError | ValueError) -> str:
    """Return what to do about a disk that takes no more: nothing was half written, so going on is safe."""
    number = getattr(problem, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "; make room, then run the same command again: every file is the old one or the new one"
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "; name a folder that may be written, then run the same command again"
    return ""


def console() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(main())
