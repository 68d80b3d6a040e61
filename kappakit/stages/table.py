"""The stages by name: module, declared version and contracts. Light: nothing here loads an engine."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.protocol import (
    CommitteeSettings,
    ConductivitySettings,
    DeduplicateSettings,
    DftRunSettings,
    EmbedSettings,
    GenerateSettings,
    NeighbourSettings,
    RelaxSettings,
    SampleSettings,
    ScreenSettings,
)
from kappakit.stages import contracts as c


@dataclass(frozen=True)
class NoSettings:
    """For a stage that the protocol does not parameterise."""


@dataclass(frozen=True)
class Stage:
    """`version` changes whenever the same inputs may give other outputs: it is part of a job's key."""

    name: str
    module: str
    version: str
    inputs: type
    outputs: type
    settings: type


def _stage(name: str, version: str, inputs: type, outputs: type, settings: type = NoSettings) -> tuple[str, Stage]:
    return name, Stage(name, f"kappakit.stages.{name}", version, inputs, outputs, settings)


STAGES: dict[str, Stage] = dict(
    [
        _stage("import_structures", "1", c.ImportInputs, c.ImportOutputs),
        _stage("generate", "2", c.GenerateInputs, c.GenerateOutputs, GenerateSettings),
        _stage("training_crystals", "1", c.TrainingCrystalsInputs, c.ImportOutputs),
        _stage("thin", "1", c.ThinInputs, c.DeduplicateOutputs, GenerateSettings),
        _stage("generation_report", "1", c.GenerationReportInputs, c.GenerationReportOutputs, GenerateSettings),
        _stage("relax", "1", c.RelaxInputs, c.RelaxOutputs, RelaxSettings),
        _stage("deduplicate", "1", c.DeduplicateInputs, c.DeduplicateOutputs, DeduplicateSettings),
        _stage("novelty", "1", c.NoveltyInputs, c.NoveltyOutputs, DeduplicateSettings),
        _stage("training_novelty", "1", c.TrainingNoveltyInputs, c.TrainingNoveltyOutputs, DeduplicateSettings),
        _stage("screen", "2", c.ScreenInputs, c.ScreenOutputs, ScreenSettings),
        _stage("stability", "1", c.StabilityInputs, c.StabilityOutputs),
        _stage("embed", "1", c.EmbedInputs, c.EmbedOutputs, EmbedSettings),
        _stage("sample", "1", c.SampleInputs, c.SampleOutputs, SampleSettings),
        _stage("neighbours", "1", c.NeighboursInputs, c.NeighboursOutputs, NeighbourSettings),
        _stage("kappa_plan", "2", c.KappaPlanInputs, c.KappaPlanOutputs, ConductivitySettings),
        _stage("conductivity", "2", c.ConductivityInputs, c.ConductivityOutputs, ConductivitySettings),
        _stage("force_sets", "2", c.ForceSetInputs, c.ConductivityOutputs, ConductivitySettings),
        _stage("validation_cells", "2", c.ValidationCellsInputs, c.ValidationCellsOutputs, ConductivitySettings),
        _stage("validate", "2", c.ValidateInputs, c.ValidateOutputs, ConductivitySettings),
        _stage("train_potential", "1", c.TrainInputs, c.TrainOutputs),
        _stage("train_generator", "2", c.TrainGeneratorInputs, c.TrainGeneratorOutputs),
        _stage("assess_generator", "1", c.AssessInputs, c.AssessOutputs, GenerateSettings),
        _stage("start_set", "1", c.StartSetInputs, c.StartSetOutputs, CommitteeSettings),
        _stage("train_committee", "1", c.TrainMemberInputs, c.TrainOutputs),
        _stage("final_fit", "1", c.TrainMemberInputs, c.TrainOutputs),
        _stage("uncertainty", "1", c.UncertaintyInputs, c.UncertaintyOutputs, CommitteeSettings),
        _stage("dft_labels", "1", c.RattleInputs, c.RattleOutputs, CommitteeSettings),
        _stage("kappa_spread", "2", c.SpreadInputs, c.SpreadOutputs, ConductivitySettings),
        _stage("kappa_study", "1", c.StudyInputs, c.StudyOutputs, ConductivitySettings),
        _stage("calculate", "1", c.CalculateInputs, c.CalculateOutputs, DftRunSettings),
        _stage("check_upload", "1", c.UploadInputs, c.CalculateOutputs),
        _stage("export", "1", c.ExportInputs, c.ExportOutputs),
    ]
)
