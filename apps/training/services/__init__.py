"""What people and stages do with trained models."""

from apps.training.services.generators import (
    ASSESS_STAGE,
    ASSESSED,
    CONFIGURATIONS,
    LARGEST_ASSESSMENT,
    RECONSTRUCTED,
    SPLITS,
    TRAIN_STAGE,
    AssessmentRefused,
    assessment_done,
    assessment_start,
    generator_training_start,
)
from apps.training.services.shipped import ModelDamaged, analytic_models_register, shipped_models_register
from apps.training.services.trainings import (
    MAY_TRAIN,
    STAGE,
    TrainingRefused,
    model_trained,
    training_cancel,
    training_done,
    training_failed,
    training_resume,
    training_start,
)

__all__ = [
    "ASSESSED",
    "ASSESS_STAGE",
    "CONFIGURATIONS",
    "LARGEST_ASSESSMENT",
    "MAY_TRAIN",
    "RECONSTRUCTED",
    "SPLITS",
    "STAGE",
    "TRAIN_STAGE",
    "AssessmentRefused",
    "ModelDamaged",
    "TrainingRefused",
    "analytic_models_register",
    "assessment_done",
    "assessment_start",
    "generator_training_start",
    "model_trained",
    "shipped_models_register",
    "training_cancel",
    "training_done",
    "training_failed",
    "training_resume",
    "training_start",
]
