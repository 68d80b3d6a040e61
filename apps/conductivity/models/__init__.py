"""Plans, phonons and conductivities. One κ_L is never without its method, mesh, potential and verdict."""

from apps.conductivity.models.meshes import MeshRule
from apps.conductivity.models.phonons import Dynamical, PhononFile, PhononResult
from apps.conductivity.models.plans import PLAN_MOVES, KappaPlan, PlanState
from apps.conductivity.models.studies import (
    POINT_MOVES,
    STUDY_MOVES,
    KappaStudy,
    PointState,
    StudyParameter,
    StudyPoint,
    StudyState,
)
from apps.conductivity.models.tensors import KappaMethod, KappaSpread, KappaTensor
from apps.conductivity.models.validations import (
    VALIDATION_MOVES,
    VALIDATION_ORDER,
    Validation,
    ValidationPart,
    ValidationState,
    ValidationVerdict,
)

__all__ = [
    "PLAN_MOVES",
    "POINT_MOVES",
    "STUDY_MOVES",
    "VALIDATION_MOVES",
    "VALIDATION_ORDER",
    "Dynamical",
    "KappaMethod",
    "KappaPlan",
    "KappaSpread",
    "KappaStudy",
    "KappaTensor",
    "MeshRule",
    "PhononFile",
    "PhononResult",
    "PlanState",
    "PointState",
    "StudyParameter",
    "StudyPoint",
    "StudyState",
    "Validation",
    "ValidationPart",
    "ValidationState",
    "ValidationVerdict",
]
