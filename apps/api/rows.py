"""What a row of a list shows. Numbers with a unit are Quantities: their units stand in each page's `units`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from apps.api.facts import Quantity, WithUnits, serializer_of
from apps.campaigns.selectors import JobCounts
from apps.conductivity.selectors import full_label
from apps.reviews.dossier import CandidateDossier, StructureFacts
from apps.reviews.tables import ControlRow, RankedTable
from apps.reviews.words import ESTIMATE
from apps.structures.selectors.funnel import Funnel


def text(source: str = "", **kwargs: Any) -> s.CharField:
    """A text that may be empty."""
    return s.CharField(allow_blank=True, **({"source": source} if source else {}), **kwargs)


def moment(**kwargs: Any) -> s.DateTimeField:
    """A time, UTC; null: not yet."""
    return s.DateTimeField(allow_null=True, **kwargs)


def maybe(unit: str, what: str = "", **kwargs: Any) -> Quantity:
    """A Quantity that may be missing."""
    return Quantity(unit, allow_null=True, help_text=f"{what or 'unit'}: {unit}", **kwargs)


class ModelNameSerializer(s.Serializer):
    """A model that values depend on; `warning` is not empty where its shipping rule fails."""

    id = s.IntegerField()
    name = s.CharField()
    sha256 = text(help_text="of the weights; empty for an analytic potential")
    warning = text()


class CampaignRowSerializer(s.Serializer):
    """A campaign."""

    id = s.IntegerField()
    name = s.CharField()
    description = text()
    owner = s.CharField(source="owner.username")
    state = s.CharField()
    halt_reason = text()
    potential = ModelNameSerializer(allow_null=True)
    generator = ModelNameSerializer(allow_null=True)
    protocol_digest = s.CharField(help_text="sha256 of the protocol's snapshot")
    seed = s.IntegerField()
    created_at = s.DateTimeField()
    started_at = moment()
    finished_at = moment()


class CampaignSerializer(CampaignRowSerializer):
    """A campaign with its protocol, what it waits for and what you may do in it."""

    protocol = s.JSONField(help_text="Snapshot; the names carry their units in the protocol's description.")
    cloned_from = s.IntegerField(source="cloned_from_id", allow_null=True)
    why_waiting = text(help_text="One sentence; empty when something goes on.")
    may = s.ListField(child=s.CharField(), help_text="What you may do here: view, review, curate, operate …")


class FunnelSerializer(serializer_of(Funnel)):  # type: ignore[misc]
    """Counts of a campaign's candidates."""


class JobCountsSerializer(serializer_of(JobCounts)):  # type: ignore[misc]
    """Jobs by state."""


class StepSerializer(s.Serializer):
    """A step of a campaign."""

    id = s.IntegerField()
    name = s.CharField()
    title = s.CharField()
    sweep = s.IntegerField()
    iteration = s.IntegerField()
    state = s.CharField()
    note = text()
    expected_units = s.IntegerField()
    units_done = Quantity("1")
    progress = Quantity("1", help_text="0 to 1")
    jobs = JobCountsSerializer()
    started_at = s.DateTimeField()
    ended_at = moment()
    elapsed_s = Quantity("s")
    expected_s = maybe("s", "the whole of the step")
    why_waiting = text()
    report = s.JSONField(allow_null=True)


class StepsSerializer(WithUnits):
    """A campaign's steps, in order."""

    results = StepSerializer(many=True)


class CandidateRowSerializer(s.Serializer):
    """A candidate as lists show it; κ_L are the largest principal values at the protocol's temperature."""

    id = s.IntegerField(source="candidate_id")
    campaign = s.IntegerField(source="campaign_id")
    index = s.IntegerField()
    name = text()
    tags = s.ListField(child=s.CharField())
    formula = s.CharField()
    chemical_system = s.CharField()
    origin = s.CharField()
    outcome = s.CharField()
    outcome_reason = text()
    excluded = s.BooleanField()
    verdict = text()
    novelty = text()
    n_atoms = s.IntegerField(allow_null=True, help_text="atoms in the primitive cell")
    space_group_number = s.IntegerField(allow_null=True)
    space_group = text()
    operations = s.IntegerField(allow_null=True)
    dimensionality = s.IntegerField(allow_null=True)
    density = maybe("g/cm³")
    energy_per_atom = maybe("eV/atom")
    above_hull = maybe("eV/atom")
    kappa_rta = maybe("W/(m·K)", "κ_L by RTA")
    kappa_lbte = maybe("W/(m·K)", "κ_L by LBTE")
    promise = maybe("W/(m·K)", ESTIMATE)
    kappa_change = maybe("1", "share of κ_L that the mesh's last step changed")
    kappa_error = maybe("1", "share of κ_L that the mesh is expected to miss")
    converged = s.BooleanField(allow_null=True, help_text="κ_L on its mesh; null: not tested")
    rankable = s.BooleanField()
    dynamical = text()
    kappa_state = text()
    trust_label = text()
    uncertainty = maybe("meV/atom")


class StructureRowSerializer(s.Serializer):
    """A geometry without its atoms."""

    id = s.IntegerField()
    digest = s.CharField()
    name = text()
    tags = s.ListField(child=s.CharField())
    formula = s.CharField()
    chemical_system = s.CharField()
    n_atoms = s.IntegerField()
    volume_per_atom = Quantity("Å³/atom")
    density = Quantity("g/cm³")
    created_at = s.DateTimeField()


class StructureSerializer(serializer_of(StructureFacts), WithUnits):  # type: ignore[misc]
    """A geometry with lattice and sites."""


class CandidateSerializer(serializer_of(CandidateDossier), WithUnits):  # type: ignore[misc]
    """Everything known of one candidate."""


class RankedTableSerializer(serializer_of(RankedTable), WithUnits):  # type: ignore[misc]
    """One campaign's κ_L by one method: rows whose mesh converged, largest principal value first, then the others;
    what is left out is counted by reason."""


class ControlSerializer(serializer_of(ControlRow)):  # type: ignore[misc]
    """A known crystal: published κ_L, the paper's value, and ours beside it."""


class ControlsSerializer(WithUnits):
    """All controls."""

    results = ControlSerializer(many=True)


class TensorRowSerializer(s.Serializer):
    """κ_L by one method; never without method, mesh, temperature, potential and trust label."""

    id = s.IntegerField()
    candidate = s.IntegerField(source="candidate_id", allow_null=True)
    campaign = s.IntegerField(source="candidate.campaign_id", allow_null=True, default=None)
    formula = s.CharField(source="phonons.primitive.formula")
    method = s.CharField()
    potential = s.CharField(source="phonons.source")
    mesh = s.ListField(child=s.IntegerField(), min_length=3, max_length=3)
    mesh_rule = s.CharField(help_text="spacing, axes (the paper's) or given")
    mesh_length = maybe("Å", "one over the widest spacing of q-points")
    change = maybe("1", "share that the mesh's last step changed of the largest principal value")
    changes = s.ListField(
        child=Quantity("1"), min_length=3, max_length=3, allow_null=True, help_text="the same along each direction"
    )
    error = maybe("1", "share that the mesh is expected to miss")
    converged = s.BooleanField(allow_null=True, help_text="within the protocol's limit; null: not tested")
    isotopes = s.CharField(help_text="none, natural or enriched")
    boundary = Quantity("µm", help_text="mean free path at the sample's boundary; 0: an infinite sample")
    temperature = Quantity("K")
    largest = Quantity("W/(m·K)")
    principal = s.ListField(child=Quantity("W/(m·K)"), min_length=3, max_length=3, help_text="descending")
    uvw = s.ListField(child=text(), help_text="direction of each principal value")
    dynamical = s.CharField(source="phonons.dynamical")
    nac = text("phonons.nac", help_text="non-analytical correction")
    rankable = s.BooleanField()
    label = s.SerializerMethodField(help_text="the trust label's words")
    created_at = s.DateTimeField()

    def get_label(self, row: Any) -> list[str]:
        """As it was stored, with what the committee says by now."""
        return list(full_label(row))


class MeshStepSerializer(s.Serializer):
    """κ_L on one mesh of the convergence test."""

    length = Quantity("Å")
    numbers = s.ListField(child=s.IntegerField(), min_length=3, max_length=3)
    points = s.IntegerField(help_text="q-points")
    irreducible = s.IntegerField(help_text="irreducible q-points")
    principal = s.ListField(child=Quantity("W/(m·K)"), min_length=3, max_length=3, help_text="descending")
    seconds = Quantity("s")


class TensorSerializer(TensorRowSerializer, WithUnits):
    """κ_L(T) as a tensor, with its directions."""

    directions = s.ListField(
        child=s.ListField(child=Quantity("1")), help_text="row i belongs to principal value i; Cartesian"
    )
    temperatures = s.ListField(child=Quantity("K"))
    kappa = s.ListField(
        child=s.ListField(child=s.ListField(child=Quantity("W/(m·K)"))), help_text="(temperatures, 3, 3), Cartesian"
    )
    principal_by_temperature = s.ListField(child=s.ListField(child=Quantity("W/(m·K)")))
    mesh_points = s.IntegerField(allow_null=True, help_text="q-points, symmetry not used")
    mesh_steps = MeshStepSerializer(many=True, help_text="κ_L on every mesh that was tried, shortest first")
    residuals = s.JSONField(source="phonons.residuals")
    fit = s.JSONField(source="phonons.fit", allow_null=True, help_text="how force constants came from forces")
    engine_version = s.CharField(source="phonons.engine_version")
    seconds = Quantity("s")
