"""From κ_L back to where a crystal came from: every link with what fixes it. Pure: rows in, words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.conductivity.models import KappaPlan, KappaTensor, MeshRule, PhononFile, PhononResult
from apps.conductivity.selectors import full_label
from apps.conductivity.trust import scattering_words, supercell_words
from apps.reviews.dossier import Download, ProvenanceLink
from apps.reviews.selectors.parts import generation_facts, part_facts
from apps.reviews.words import ESTIMATE, convergence_words, mesh_words, percent, worst_change
from apps.structures.models import Candidate, Import, Origin, Relaxation, Structure
from apps.training.models import TrainedModel

WRITTEN = {"cif": ("CIF", ".cif"), "poscar": ("POSCAR", ".vasp"), "extxyz": ("extended XYZ", ".extxyz")}
STORED = {
    "phono3py_yaml": "phono3py yaml",
    "fc2": "FC2 (hdf5)",
    "fc3": "FC3, compact (hdf5)",
    "forces": "forces of the displaced supercells (FORCES_FC3)",
    "forces_fc2": "forces of the FC2 supercells (FORCES_FC2)",
}


def provenance(
    row: Candidate,
    plan: KappaPlan | None,
    phonons: PhononResult | None,
    tensors: Sequence[KappaTensor],
    files: Sequence[PhononFile],
    imported: Import | None,
) -> tuple[ProvenanceLink, ...]:
    """The chain κ_L → force constants → displacements → potential → primitive → relaxed → start → origin → campaign,
    as far as it goes for this candidate."""
    links = [_tensor(t, plan.settings if plan else {}) for t in tensors]
    if phonons:
        links += [_force_constants(phonons), *(_file(f) for f in files if f.kind in STORED)]
    if plan:
        links += [_displacements(plan), _potential(plan.potential, "potential of the forces")]
        links.append(_structure(plan.primitive, "primitive cell, relaxed under its symmetry"))
    if row.relaxation:
        links.append(_relaxation(row.relaxation))
        if not plan or plan.potential_id != row.relaxation.potential_id:
            links.append(_potential(row.relaxation.potential, "potential of the relaxation"))
    if row.relaxed:
        links.append(_structure(row.relaxed, "relaxed crystal"))
    links += [_structure(row.start, "crystal as it arrived"), _origin(row, imported), _campaign(row)]
    return tuple(links)


def downloads(row: Candidate, phonons: PhononResult | None, files: Sequence[PhononFile]) -> tuple[Download, ...]:
    """What can be fetched: cells written on request, files of the phonons as they were stored."""
    stem = f"candidate-{row.pk}"
    found = [Download(kind, title, stem + end) for kind, (title, end) in WRITTEN.items()]
    found.append(Download("json", "dossier (JSON)", f"{stem}.json"))
    for f in files:
        a = f.artifact
        found.append(Download(f.kind, STORED.get(f.kind, f.kind), f"{stem}-{a.name or f.kind}", a.pk, a.size, a.sha256))
    if phonons and phonons.modes:
        m = phonons.modes
        found.append(Download("modes", "linewidths and velocities (npz)", f"{stem}-modes.npz", m.pk, m.size, m.sha256))
    return tuple(found)


def _tensor(t: KappaTensor, settings: Mapping[str, Any]) -> ProvenanceLink:
    scattering = scattering_words(t.isotopes, settings.get("isotope_purity", 1.0), t.boundary)
    facts = (
        ("largest principal κ_L", f"{t.largest:.4g} W/(m·K) at {t.temperature:g} K"),
        ("method", t.method),
        ("mesh", f"{mesh_words(t.mesh, t.mesh_rule, t.mesh_length)}, {MeshRule(t.mesh_rule).label}"),
        ("meshes tried", ", ".join(f"{step['length']:.3g} Å" for step in t.mesh_steps) or "one"),
        ("converged", convergence_words(worst_change(t.change, t.changes), t.error, t.converged)),
        ("scattering", f"three phonons, {scattering}" if scattering else "three phonons alone"),
        ("label", " · ".join(full_label(t))),
    )
    return ProvenanceLink("kappa", f"κ_L ({t.method})", facts, at=t.created_at)


def _force_constants(p: PhononResult) -> ProvenanceLink:
    residuals = tuple((name, f"{value:.2e}") for name, value in p.residuals.items())
    parts = ", ".join(f"{part.name} {part.seconds:.3g} s" for part in part_facts(p.parts))
    facts = (
        ("engine", p.engine_version),
        *_fit(p),
        ("phonons", p.dynamical),
        ("non-analytical correction", p.nac),
        *residuals,
        ("time", f"{p.seconds:.3g} s" + (f": {parts}" if parts else "")),
    )
    return ProvenanceLink("force-constants", "force constants", facts, at=p.created_at)


def _fit(p: PhononResult) -> tuple[tuple[str, str], ...]:
    """By which route, from how many supercells, and how well a part of them foretells the others."""
    if not p.fit:
        return ()
    part, error = p.fit.get("part"), p.fit.get("error")
    words = f"{p.fit['route']}, {p.fit['supercells']} supercells"
    foretold = "" if error is None else f"; {part} of them foretell the others' forces to {percent(error)}"
    return (("fit", words + foretold),)


def _file(f: PhononFile) -> ProvenanceLink:
    return ProvenanceLink("file", STORED[f.kind], (("size", f"{f.artifact.size} bytes"),), f.artifact.sha256)


def _displacements(p: KappaPlan) -> ProvenanceLink:
    facts = (
        ("supercell", supercell_words(p.supercell, p.settings.get("fc3_supercell", 0))),
        ("supercells", f"{p.supercells_fc3} for FC3, {p.supercells_fc2} for FC2, {p.atoms_per_supercell} atoms each"),
        *_route(p),
        *(((ESTIMATE, f"{p.promise:.4g} W/(m·K), {p.promise_method}"),) if p.promise is not None else ()),
    )
    return ProvenanceLink("displacements", "displacements", facts, p.settings_digest, p.created_at)


def _route(p: KappaPlan) -> tuple[tuple[str, str], ...]:
    """How atoms are displaced, and how far apart they may be to have third-order force constants."""
    s = p.settings
    if s.get("displacements") == "random":
        reach = f"{s['fc3_cutoff']} Å" if s["fc3_cutoff"] else "none"
        return (("displacements", f"random, {s['random_displacement']} Å"), ("cutoff of FC3", reach))
    cutoff = f"{s.get('pair_cutoff')} Å, {p.pairs_omitted} pairs omitted" if s.get("pair_cutoff") else "none"
    return (("displacements", f"systematic, {s.get('displacement')} Å"), ("pair cutoff", cutoff))


def _potential(m: TrainedModel, title: str) -> ProvenanceLink:
    facts = [("name", m.name), ("engine", m.version or m.engine), ("seed", str(m.seed))]
    if m.data_set:
        facts.append(("training set", f"sha256 {m.data_set.sha256}"))
    return ProvenanceLink("potential", title, tuple(facts), m.sha256, m.finished_at)


def _relaxation(r: Relaxation) -> ProvenanceLink:
    facts = (
        ("potential", r.potential.name),
        ("pressure", f"{r.pressure:g} GPa"),
        ("steps", str(r.steps if r.steps is not None else "–")),
        ("engine", r.engine_version),
        ("precision", r.precision + (", compiled" if r.compiled else "")),
    )
    return ProvenanceLink("relaxation", "relaxation", facts, r.settings_digest, r.created_at)


def _structure(s: Structure, title: str) -> ProvenanceLink:
    return ProvenanceLink("structure", title, (("formula", s.formula), ("structure", f"#{s.pk}")), s.digest)


def _generation_facts(row: Candidate) -> list[tuple[str, str]]:
    """What the page shows of the trained generator behind a crystal."""
    made = generation_facts(row)
    if made is None:
        return []
    facts = [("model", f"{made.model_name}, sha256 {made.model_sha256}")]
    facts.append(("latent vector", f"{len(made.latent)} numbers, by REST"))
    if made.consistency is not None:
        facts.append(("self-consistency", f"encodes {made.consistency:.2f} widths of the posterior away from it"))
    if made.symmetrised:
        facts.append(("symmetrised before relaxation", made.symmetrised))
    if made.compared:
        known = (
            f"matches {made.training_source}, rms {made.training_rms:.3f}" if made.training_source else "none matches"
        )
        facts.append(("its training crystals", known))
    return facts


def _origin(row: Candidate, imported: Import | None) -> ProvenanceLink:
    if row.origin == Origin.GENERATED:
        facts = [("generator", row.generator), ("number and seed", f"{row.source}, seed {row.seed}")]
        facts += _generation_facts(row)
        return ProvenanceLink("generated", "generated crystal", tuple(facts), at=row.created_at)
    if row.origin == Origin.REFERENCE:
        known = (("citation", row.known_as.citation),) if row.known_as else ()
        return ProvenanceLink("reference", "reference crystal", (("source", row.source), *known), at=row.created_at)
    digest = imported.artifact.sha256 if imported else ""
    return ProvenanceLink("import", "imported file", (("source", row.source),), digest, row.created_at)


def _campaign(row: Candidate) -> ProvenanceLink:
    facts = (("campaign", row.campaign.name), ("seed", str(row.campaign.seed)))
    return ProvenanceLink("protocol", "protocol of the campaign", facts, row.campaign.protocol_digest)
