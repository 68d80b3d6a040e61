"""Rows → parts of a dossier, one function each. No queries beyond what the caller selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from apps.conductivity.models import KappaPlan, KappaTensor, PhononResult, PlanState
from apps.conductivity.selectors import full_label, waiting_note
from apps.conductivity.trust import scattering_words, supercell_words
from apps.reviews import dossier as d
from apps.reviews.words import convergence_words, mesh_words, thin_words, worst_change
from apps.structures.models import Candidate, Generation, LiteratureValue, Relaxation, Structure, SymmetryReport
from apps.structures.selectors import latent_vector
from apps.training.models import TrainedModel
from kappakit.crystals import Crystal

PARTS = ("forces", "force constants", "phonons", "Boltzmann equation")
"""Of a κ_L, in the order in which they are done."""


def candidate_name(candidate: Candidate) -> str:
    """Curated name of the relaxed or starting structure, else 'known as', else the label of its source."""
    relaxed = candidate.relaxed.name if candidate.relaxed else ""
    known = candidate.known_as.name if candidate.known_as else ""
    return relaxed or candidate.start.name or known or candidate.label


def candidate_ref(candidate: Candidate) -> d.CandidateRef:
    """The name (else '#' and its number) and formula of a candidate from its summary row."""
    summary = getattr(candidate, "summary", None)
    number = f"#{candidate.index}"
    if summary is None:
        return d.CandidateRef(candidate.pk, candidate.index, candidate.label or number, "")
    return d.CandidateRef(candidate.pk, candidate.index, summary.name or number, summary.formula, summary.space_group)


def structure_facts(row: Structure) -> d.StructureFacts:
    """A stored geometry with its arrays."""
    return d.StructureFacts(
        id=row.pk,
        digest=row.digest,
        name=row.name,
        tags=tuple(row.tags),
        formula=row.formula,
        chemical_system=row.chemical_system,
        n_atoms=row.n_atoms,
        volume_per_atom=row.volume_per_atom,
        density=row.density,
        crystal=Crystal(row.cell, row.frac, row.numbers),
    )


def generation_facts(row: Candidate) -> d.GenerationFacts | None:
    """What a trained generator left of the candidate's origin; None for any other origin."""
    found: Generation | None = getattr(row, "generation", None)
    if found is None:
        return None
    return d.GenerationFacts(
        model_id=found.model_id,
        model_name=found.model.name,
        model_sha256=found.model.sha256,
        latent=tuple(latent_vector(found.latent).tolist()),
        consistency=found.consistency,
        symmetrised=found.symmetrised,
        compared=found.compared,
        training_source=found.training_source,
        training_rms=found.training_rms,
    )


def symmetry_facts(row: SymmetryReport) -> d.SymmetryFacts:
    """A symmetry report with its two cells."""
    return d.SymmetryFacts(
        number=row.number,
        symbol=row.symbol,
        point_group=row.point_group,
        crystal_system=row.crystal_system,
        operations=row.operations,
        n_primitive=row.n_primitive,
        wyckoff=tuple(row.wyckoff),
        dimensionality=row.dimensionality,
        primitive=structure_facts(row.primitive),
        conventional=structure_facts(row.conventional),
    )


def model_facts(row: TrainedModel) -> d.ModelFacts:
    """A potential and the digest of what it was trained on."""
    return d.ModelFacts(
        id=row.pk,
        name=row.name,
        engine=row.engine,
        version=row.version,
        sha256=row.sha256,
        warning=row.warning,
        data_set_sha256=row.data_set.sha256 if row.data_set else "",
        seed=row.seed,
    )


def relaxation_facts(row: Relaxation) -> d.RelaxationFacts:
    """A relaxation with its potential and deviations."""
    copied = (
        "settings_digest pressure energy_per_atom max_force max_stress steps converged deviation_volume "
        "deviation_positions soap_distance rejected_reason rejected_detail engine_version precision compiled created_at"
    )
    return d.RelaxationFacts(
        id=row.pk,
        potential=model_facts(row.potential),
        deviation_lengths=_vector(row.deviation_lengths),
        deviation_angles=_vector(row.deviation_angles),
        **_copied(row, copied),
    )


def literature_facts(row: LiteratureValue) -> d.LiteratureFacts:
    """A published κ_L."""
    return d.LiteratureFacts(**_copied(row, "kappa_low kappa_high temperature method citation"))


def plan_note(row: KappaPlan) -> str:
    """What a person is told about a plan: 'planned: 95 supercells, 3 min: start?'"""
    return waiting_note(row) if row.state == PlanState.PLANNED else PlanState(row.state).label


def plan_facts(row: KappaPlan) -> d.PlanFacts:
    """A plan with its potential and primitive cell."""
    copied = (
        "state error settings settings_digest sweep space_group_number space_group symmetry_kept dimensionality "
        "energy_change max_force max_stress supercells_fc3 supercells_fc2 atoms_per_supercell pairs_omitted "
        "evaluations mesh_rule mesh_length q_points expected_minutes expected_force_minutes expected_bte_minutes "
        "expected_lbte_minutes expected_memory promise promise_method promise_note created_at"
    )
    return d.PlanFacts(
        id=row.pk,
        note=plan_note(row),
        potential=model_facts(row.potential),
        primitive=structure_facts(row.primitive),
        supercell=tuple((a, b, c) for a, b, c in row.supercell),
        supercell_words=supercell_words(row.supercell, row.settings.get("fc3_supercell", 0)),
        mesh=tuple(row.mesh),
        mesh_words=mesh_words(row.mesh, row.mesh_rule, row.mesh_length),
        shells=tuple(d.Shell(*shell) for shell in row.shells),
        started_by=str(row.started_by or ""),
        **_copied(row, copied),
    )


def phonon_facts(row: PhononResult) -> d.PhononFacts:
    """Phonons with bands, DOS and cumulative κ."""
    copied = (
        "source dynamical lowest_commensurate lowest_mesh lowest_path acoustic_lowest residuals nac engine_version "
        "seconds created_at"
    )
    return d.PhononFacts(
        id=row.pk,
        primitive=structure_facts(row.primitive),
        bands=bands_facts(row.bands),
        dos=d.DosFacts(row.dos["frequencies"], row.dos["total"]),
        cumulative=d.CumulativeFacts(**row.cumulative) if row.cumulative else None,
        notes=tuple(row.notes),
        parts=part_facts(row.parts),
        fit=d.FitFacts(**row.fit) if row.fit else None,
        **_copied(row, copied),
    )


def part_facts(stored: Mapping[str, float]) -> tuple[d.PartFacts, ...]:
    """The parts of a calculation in the order in which they are done; the database keeps no order."""
    known = [name for name in PARTS if name in stored]
    return tuple(d.PartFacts(name, stored[name]) for name in [*known, *sorted(set(stored) - set(PARTS))])


def bands_facts(bands: Mapping[str, Any]) -> d.BandsFacts:
    """Stored bands."""
    ticks = [(float(at), str(label)) for at, label in bands["ticks"]]
    return d.BandsFacts(bands["distances"], bands["frequencies"], ticks, list(bands["breaks"]))


def tensor_facts(row: KappaTensor, source: str, settings: Mapping[str, Any]) -> d.TensorFacts:
    """κ_L by one method, a row of conductivity.selectors.labelled; `source`: the phonons' own, `settings`: the snapshot
    of ConductivitySettings that it was computed by."""
    copied = (
        "method mesh_rule mesh_length mesh_points change error converged isotopes boundary temperature largest "
        "directions kappa principal_by_temperature rankable seconds created_at"
    )
    label = full_label(row)
    return d.TensorFacts(
        id=row.pk,
        potential=source,
        mesh=tuple(row.mesh),
        mesh_words=mesh_words(row.mesh, row.mesh_rule, row.mesh_length),
        mesh_steps=mesh_steps(row.mesh_steps),
        thin=thin_words(label),
        changes=_vector(row.changes),
        convergence=convergence_words(worst_change(row.change, row.changes), row.error, row.converged),
        tolerance=settings.get("mesh_change"),
        scattering=scattering_words(row.isotopes, settings.get("isotope_purity", 1.0), row.boundary),
        principal=tuple(row.principal),
        uvw=tuple(row.uvw),
        temperatures=tuple(row.temperatures),
        label=label,
        **_copied(row, copied),
    )


def mesh_steps(stored: Sequence[Mapping[str, Any]]) -> tuple[d.MeshStepFacts, ...]:
    """The meshes of a tensor, shortest first, each with what it changed of the largest principal value."""
    largest = [step["principal"][0] for step in stored]
    changes = [None, *((after - before) / after for before, after in pairwise(largest))]
    return tuple(
        d.MeshStepFacts(
            length=step["length"],
            numbers=tuple(step["numbers"]),
            points=step["points"],
            irreducible=step["irreducible"],
            principal=tuple(step["principal"]),
            change=change,
            seconds=step["seconds"],
        )
        for step, change in zip(stored, changes, strict=False)
    )


def _copied(row: Any, names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names.split()}


def _vector(values: list[float] | None) -> d.Vector | None:
    return None if values is None else (values[0], values[1], values[2])
