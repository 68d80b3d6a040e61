"""Phonons and κ_L, from a stage's outputs to rows. Saving the same plan again replaces what it had."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from apps.artifacts import services as stored
from apps.artifacts.models import Artifact
from apps.conductivity.models import KappaPlan, KappaTensor, PhononFile, PhononResult
from apps.conductivity.selectors import validation_word_of
from apps.conductivity.trust import (
    MeshWords,
    rankable,
    scattering_words,
    supercell_words,
    trust_label,
    with_validation,
)
from apps.structures.services import structures_record
from kappakit.convergence import GIVEN, MeshStep
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import Bands, ConductivityOutputs, Fit, ModeData, Tensor
from kappakit.tensors import principal

RANDOM = "random"


@dataclass(frozen=True)
class Standing:
    """What a tensor's label needs beside the outputs. `symmetry_kept` None: nobody screened it."""

    source: str
    version: str
    symmetry_kept: bool | None
    dimensionality: int
    settings: ConductivitySettings
    ranges: bool = True
    """Whether supercell and cutoff are those of the settings (somebody else's force sets have their own)."""


def phonons_record(
    outputs: ConductivityOutputs,
    standing: Standing,
    *,
    job_id: int,
    plan: KappaPlan | None,
    artifacts: Mapping[str, int],
) -> PhononResult:
    """The rows of one crystal: phonons, files (kind → Artifact id), one tensor a method."""
    (primitive,) = structures_record([outputs.primitive])
    values = _phonon_values(outputs) | {
        "source": standing.source,
        "primitive": primitive,
        "job_id": job_id,
        "modes": _modes_stored(outputs.modes),
    }
    row, _ = PhononResult.objects.update_or_create(
        **({"plan": plan} if plan else {"job_id": job_id}), defaults={"plan": plan, **values}
    )
    _record_files(row, artifacts)
    for tensor in outputs.tensors:
        KappaTensor.objects.update_or_create(
            phonons=row, method=tensor.method.upper(), defaults=_tensor_values(tensor, outputs, standing, plan)
        )
    return row


def bands_as_dict(bands: Bands) -> dict[str, Any]:
    """Plain JSON: distances 1/Å, frequencies THz, ticks, breaks."""
    return {
        "distances": bands.distances.tolist(),
        "frequencies": bands.frequencies.tolist(),
        "ticks": [[at, label] for at, label in bands.ticks],
        "breaks": list(bands.breaks),
    }


def _record_files(row: PhononResult, artifacts: Mapping[str, int]) -> None:
    for kind, artifact_id in artifacts.items():
        PhononFile.objects.update_or_create(phonons=row, kind=kind, defaults={"artifact_id": artifact_id})


def _modes_stored(modes: ModeData | None) -> Artifact | None:
    """Frequencies, linewidths, velocities and weights as an npz: too many numbers for a row."""
    if modes is None:
        return None
    content = io.BytesIO()
    np.savez_compressed(content, **asdict(modes))
    return stored.store_bytes(content.getvalue(), kind="modes", name="modes.npz")


def _phonon_values(outputs: ConductivityOutputs) -> dict[str, Any]:
    bands, dos, modes = outputs.bands, outputs.dos, outputs.modes
    return asdict(outputs.verdict) | {
        "bands": bands_as_dict(bands),
        "dos": {"frequencies": dos.frequencies.tolist(), "total": dos.total.tolist()},
        "cumulative": modes
        and {"mean_free_paths": modes.mean_free_paths.tolist(), "cumulative": modes.cumulative.tolist()},
        "residuals": asdict(outputs.residuals),
        "notes": list(outputs.notes),
        "nac": outputs.nac,
        "engine_version": outputs.engine_version,
        "seconds": outputs.seconds,
        "parts": outputs.parts,
        "fit": asdict(outputs.fit) if outputs.fit else None,
    }


def _mesh_values(tensor: Tensor, settings: ConductivitySettings) -> dict[str, Any]:
    """The mesh, every one that was tried, and what the last step changed."""
    found = tensor.convergence
    return {
        "mesh": list(tensor.mesh.numbers),
        "mesh_rule": tensor.mesh.rule,
        "mesh_length": tensor.mesh.length,
        "mesh_points": tensor.mesh.points,
        "mesh_steps": [_step(step) for step in tensor.steps],
        "change": found.largest if found else None,
        "changes": list(found.directions) if found else None,
        "error": found.error if found else None,
        "converged": found.within(settings.mesh_change) if found else None,
        "isotopes": settings.isotopes,
        "boundary": settings.boundary,
    }


def _step(step: MeshStep) -> dict[str, Any]:
    return {
        "length": step.mesh.length,
        "numbers": list(step.mesh.numbers),
        "points": step.mesh.points,
        "irreducible": step.irreducible,
        "principal": principal(step.kappa)[0].tolist(),
        "seconds": step.seconds,
    }


def _tensor_values(
    tensor: Tensor, outputs: ConductivityOutputs, standing: Standing, plan: KappaPlan | None
) -> dict[str, Any]:
    at = int(np.argmin(np.abs(tensor.temperatures - standing.settings.temperature)))
    temperature = float(tensor.temperatures[at])
    return {
        "candidate_id": plan.candidate_id if plan else None,
        **_mesh_values(tensor, standing.settings),
        "temperature": temperature,
        "largest": float(tensor.principal[at].max()),
        "principal": tensor.principal[at].tolist(),
        "directions": tensor.directions[at].tolist(),
        "uvw": list(tensor.uvw),
        "temperatures": tensor.temperatures.tolist(),
        "kappa": tensor.kappa.tolist(),
        "principal_by_temperature": tensor.principal.tolist(),
        "rankable": rankable(
            dynamical=outputs.verdict.dynamical,
            symmetry_kept=standing.symmetry_kept is not False,
            dimensionality=standing.dimensionality,
        ),
        "label": list(_validated(_label(tensor, temperature, outputs, standing, plan), plan)),
        "seconds": tensor.seconds,
    }


def tensors_relabel(candidate_id: int) -> None:
    """Every κ_L of a candidate says what its newest validation found."""
    word = validation_word_of(candidate_id)
    for tensor in KappaTensor.objects.filter(candidate_id=candidate_id).only("label"):
        KappaTensor.objects.filter(pk=tensor.pk).update(label=list(with_validation(tensor.label, word)))


def _validated(label: tuple[str, ...], plan: KappaPlan | None) -> tuple[str, ...]:
    word = validation_word_of(plan.candidate_id) if plan else ""
    return with_validation(label, word) if word else label


def _label(
    tensor: Tensor, temperature: float, outputs: ConductivityOutputs, standing: Standing, plan: KappaPlan | None
) -> tuple[str, ...]:
    settings, ranges = standing.settings, standing.ranges
    supercell = supercell_words(plan.supercell if plan else [], settings.fc3_supercell)
    return trust_label(
        source=standing.source,
        version=standing.version,
        method=tensor.method.upper(),
        mesh=_mesh_words(tensor, settings),
        temperature=temperature,
        dynamical=outputs.verdict.dynamical,
        symmetry_kept=standing.symmetry_kept,
        dimensionality=standing.dimensionality,
        supercell=supercell if ranges else "",
        pair_cutoff=settings.pair_cutoff if ranges else None,
        nac=outputs.nac,
        force_noise=outputs.residuals.force_noise,
        scattering=scattering_words(settings.isotopes, settings.isotope_purity, settings.boundary),
        fitted=_fit_words(outputs.fit, settings) if ranges else "",
    )


def _mesh_words(tensor: Tensor, settings: ConductivitySettings) -> MeshWords:
    found = tensor.convergence
    return MeshWords(
        numbers=tensor.mesh.numbers,
        rule=tensor.mesh.rule,
        length=tensor.mesh.length,
        meant=settings.mesh_length if tensor.mesh.rule != GIVEN else None,
        change=max(abs(found.largest), *map(abs, found.directions)) if found else None,
        error=found.error if found else None,
        converged=found.within(settings.mesh_change) if found else None,
        lengths=tuple(step.mesh.length for step in tensor.steps[-2:]),
    )


def _fit_words(fit: Fit | None, settings: ConductivitySettings) -> str:
    """'FC3 within 4 Å fitted to 40 random supercells, forces of those left out to 1.2 %'; '' for systematic ones."""
    if fit is None or fit.route != RANDOM:
        return ""
    within = f" within {settings.fc3_cutoff:g} Å" if settings.fc3_cutoff else ""
    foretold = f", forces of those left out to {100 * fit.error:.2g} %" if fit.error is not None else ""
    return f"FC3{within} fitted to {fit.supercells} random supercells{foretold}"
