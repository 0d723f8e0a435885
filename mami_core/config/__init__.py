"""One frozen, self-checking record per command: it is the command line, and it is saved with every result."""

from mami_core.config.bench_visualise import BenchVisualiseConfig
from mami_core.config.benches import BenchCaptionConfig, BenchDashboardConfig, BenchDissectConfig
from mami_core.config.captioners import CaptionConfig, CaptionImagesConfig, ConvertConfig, TrainConfig
from mami_core.config.checks import parse_shard, parse_units, settings_sha256
from mami_core.config.dissections import DissectConfig, InspectConfig, LayersConfig, MergeConfig, RepairConfig
from mami_core.config.files import DataConfig, ExportConfig, Exported, ImportConfig
from mami_core.config.installation import DashboardConfig, DemoConfig, DoctorConfig, LicencesConfig
from mami_core.config.interventions import AnalysisConfig, AuditConfig, EditingConfig, SilenceConfig
from mami_core.config.results import (
    EvaluateConfig,
    PlantedConfig,
    PublishedConfig,
    ReproduceConfig,
    Table1Config,
    Table2Config,
    WorldConfig,
)
from mami_core.config.spaces import (
    MapConfig,
    MatchConfig,
    PolysemanticConfig,
    RedundancyConfig,
    StabilityConfig,
    StabilityTableConfig,
)
from mami_core.config.understanding import AttributeConfig, VisualiseConfig

__all__ = [
    "AnalysisConfig",
    "AttributeConfig",
    "AuditConfig",
    "BenchCaptionConfig",
    "BenchDashboardConfig",
    "BenchDissectConfig",
    "BenchVisualiseConfig",
    "CaptionConfig",
    "CaptionImagesConfig",
    "ConvertConfig",
    "DashboardConfig",
    "DataConfig",
    "DemoConfig",
    "DissectConfig",
    "DoctorConfig",
    "EditingConfig",
    "EvaluateConfig",
    "ExportConfig",
    "Exported",
    "ImportConfig",
    "InspectConfig",
    "LayersConfig",
    "LicencesConfig",
    "MapConfig",
    "MatchConfig",
    "MergeConfig",
    "PlantedConfig",
    "PolysemanticConfig",
    "PublishedConfig",
    "RedundancyConfig",
    "RepairConfig",
    "ReproduceConfig",
    "SilenceConfig",
    "StabilityConfig",
    "StabilityTableConfig",
    "Table1Config",
    "Table2Config",
    "TrainConfig",
    "VisualiseConfig",
    "WorldConfig",
    "parse_shard",
    "parse_units",
    "settings_sha256",
]
