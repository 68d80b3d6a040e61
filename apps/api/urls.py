"""Addresses of the REST face; mounted under /api/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from apps.api import (
    artifacts,
    campaigns,
    candidates,
    committees,
    exports,
    findings,
    gate,
    generation,
    lists,
    studies,
    trained,
)
from apps.api.root import NowhereView
from apps.api.tokens import TokenListView, TokenView

SHA256 = r"(?P<sha256>[0-9a-f]{64})"
C = "v1/campaigns/<int:campaign>/"
S = "v1/structures/<int:structure>/files/"

machinery: list[URLPattern | URLResolver] = [
    path("v1/schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="api-schema"),
    path(
        "v1/docs/",
        SpectacularSwaggerSplitView.as_view(permission_classes=[AllowAny], url_name="api-schema"),
        name="api-docs",
    ),
    path("v1/tokens/", TokenListView.as_view(), name="api-tokens"),
    re_path(r"^v1/tokens/(?P<key>[0-9a-f]{8,25})/$", TokenView.as_view(), name="api-token"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    *machinery,
    path("v1/campaigns/", campaigns.CampaignListView.as_view(), name="api-campaigns"),
    path(C, campaigns.CampaignView.as_view(), name="api-campaign"),
    path(f"{C}start/", campaigns.CampaignMoveView.as_view(move="start"), name="api-start"),
    path(f"{C}cancel/", campaigns.CampaignMoveView.as_view(move="cancel"), name="api-cancel"),
    path(f"{C}resume/", campaigns.CampaignMoveView.as_view(move="resume"), name="api-resume"),
    path(f"{C}imports/", campaigns.ImportsView.as_view(), name="api-imports"),
    path(f"{C}funnel/", campaigns.FunnelView.as_view(), name="api-funnel"),
    path(f"{C}generation/", generation.GenerationView.as_view(), name="api-generation"),
    path(f"{C}committee/", committees.CommitteeView.as_view(), name="api-committee"),
    path(f"{C}dft-requests/", gate.DftRequestListView.as_view(), name="api-dft-requests"),
    path(f"{C}dft-budget/", gate.DftBudgetView.as_view(), name="api-dft-budget"),
    path(f"{C}dft-ledger/", gate.DftLedgerView.as_view(), name="api-dft-ledger"),
    path("v1/dft-requests/<int:dft_request>/", gate.DftRequestView.as_view(), name="api-dft-request"),
    path("v1/dft-calculations/decide/", gate.DftDecideView.as_view(), name="api-dft-decide"),
    path("v1/dft-calculations/<int:calculation>/", gate.DftCalculationView.as_view(), name="api-dft-calculation"),
    path(f"{C}steps/", campaigns.StepListView.as_view(), name="api-steps"),
    path(f"{C}candidates/", candidates.CandidateListView.as_view(), name="api-candidates"),
    path(f"{C}ranking/", candidates.RankedTableView.as_view(), name="api-ranking"),
    path(f"{C}lists/", lists.CampaignListsView.as_view(), name="api-campaign-lists"),
    path(f"{C}exports/", exports.CampaignExportsView.as_view(), name="api-campaign-exports"),
    path("v1/exports/<int:export>/", exports.ExportView.as_view(), name="api-export"),
    path("v1/exports/<int:export>/file/", exports.ExportFileView.as_view(), name="api-export-file"),
    path("v1/plans/<int:plan>/start/", exports.PlanMoveView.as_view(move="start"), name="api-plan-start"),
    path("v1/plans/<int:plan>/retry/", exports.PlanMoveView.as_view(move="retry"), name="api-plan-retry"),
    path("v1/candidates/<int:candidate>/", candidates.CandidateView.as_view(), name="api-candidate"),
    path("v1/candidates/<int:candidate>/like/", generation.LikenessView.as_view(), name="api-like"),
    path("v1/candidates/<int:candidate>/reviews/", lists.ReviewsView.as_view(), name="api-reviews"),
    path("v1/candidates/<int:candidate>/validations/", lists.ValidationsView.as_view(), name="api-validations"),
    path("v1/candidates/<int:candidate>/studies/", studies.CandidateStudiesView.as_view(), name="api-studies"),
    path("v1/studies/<int:study>/", studies.StudyView.as_view(), name="api-study"),
    path("v1/studies/<int:study>/cancel/", studies.StudyMoveView.as_view(move="cancel"), name="api-study-cancel"),
    path("v1/studies/<int:study>/retry/", studies.StudyMoveView.as_view(move="retry"), name="api-study-retry"),
    path("v1/controls/", candidates.ControlsView.as_view(), name="api-controls"),
    path("v1/lists/", lists.AllListsView.as_view(), name="api-lists"),
    path("v1/lists/<int:row>/", lists.CandidateListView.as_view(), name="api-list"),
    path("v1/lists/<int:row>/items/", lists.ListItemsView.as_view(), name="api-list-items"),
    path("v1/lists/<int:row>/items/remove/", lists.ListRemovalView.as_view(), name="api-list-remove"),
    path("v1/structures/", findings.StructureListView.as_view(), name="api-structures"),
    path("v1/structures/<int:structure>/", findings.StructureView.as_view(), name="api-structure"),
    path(f"{S}cif/", findings.StructureFileView.as_view(form="cif"), name="api-structure-cif"),
    path(f"{S}poscar/", findings.StructureFileView.as_view(form="poscar"), name="api-structure-poscar"),
    path(f"{S}extxyz/", findings.StructureFileView.as_view(form="extxyz"), name="api-structure-extxyz"),
    path("v1/tensors/", findings.TensorListView.as_view(), name="api-tensors"),
    path("v1/tensors/<int:tensor>/", findings.TensorView.as_view(), name="api-tensor"),
    path("v1/models/", trained.ModelListView.as_view(), name="api-models"),
    path("v1/models/<int:model>/", trained.ModelView.as_view(), name="api-model"),
    path("v1/models/<int:model>/assessments/", trained.AssessmentsView.as_view(), name="api-assessments"),
    path("v1/jobs/", findings.JobListView.as_view(), name="api-jobs"),
    path("v1/jobs/<int:job>/", findings.JobView.as_view(), name="api-job"),
    re_path(rf"^v1/artifacts/{SHA256}/$", artifacts.ArtifactView.as_view(), name="api-artifact"),
    re_path(rf"^v1/artifacts/{SHA256}/file/$", artifacts.ArtifactFileView.as_view(), name="api-artifact-file"),
    re_path(r"", NowhereView.as_view()),
]
