"""Addresses of the pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.web.views import campaign_new, campaigns, candidate, candidates, controls, jobs, lists, maps, models, refusals

urlpatterns: list[URLPattern | URLResolver] = [
    path("", campaigns.campaigns, name="campaigns"),
    path("campaigns/new/", campaign_new.campaign_new, name="campaign-new"),
    path("campaigns/<int:pk>/", campaigns.campaign, name="campaign"),
    path("campaigns/<int:pk>/progress/", campaigns.campaign_progress, name="campaign-progress"),
    path("campaigns/<int:pk>/results/", campaigns.campaign_results, name="campaign-results"),
    path("campaigns/<int:pk>/protocol/", campaigns.campaign_protocol, name="protocol"),
    path("campaigns/<int:pk>/members/", campaigns.campaign_members, name="members"),
    path("campaigns/<int:pk>/start/", campaigns.campaign_start, name="campaign-start"),
    path("campaigns/<int:pk>/cancel/", campaigns.campaign_cancel, name="campaign-cancel"),
    path("campaigns/<int:pk>/resume/", campaigns.campaign_resume, name="campaign-resume"),
    path("campaigns/<int:pk>/archive/", campaigns.campaign_archive, name="campaign-archive"),
    path("campaigns/<int:pk>/unarchive/", campaigns.campaign_unarchive, name="campaign-unarchive"),
    path("campaigns/<int:pk>/clone/", campaigns.campaign_clone, name="campaign-clone"),
    path("campaigns/<int:pk>/files/", campaigns.campaign_files, name="campaign-files"),
    path("campaigns/<int:pk>/potential/", campaigns.campaign_potential, name="campaign-potential"),
    path("campaigns/<int:pk>/plans/<int:plan>/start/", candidate.plan_start, name="plan-start"),
    path("campaigns/<int:pk>/candidates/", candidates.candidates, name="candidates"),
    path("campaigns/<int:pk>/candidates/chosen/", candidates.candidates_chosen, name="candidates-chosen"),
    path("campaigns/<int:pk>/candidates/export/", candidates.candidates_export, name="candidates-export"),
    path("campaigns/<int:pk>/map/", maps.soap_map_page, name="map"),
    path("campaigns/<int:pk>/lists/", lists.lists, name="lists"),
    path("campaigns/<int:pk>/refusals/", refusals.refusals, name="refusals"),
    path("lists/<int:pk>/", lists.candidate_list, name="list"),
    path("lists/<int:pk>/remove/", lists.list_remove, name="list-remove"),
    path("lists/<int:pk>/archive/", lists.list_archive, name="list-archive"),
    path("exports/<int:pk>/file/", lists.export_file, name="export-file"),
    path("exports/<int:pk>/again/", lists.export_again, name="export-again"),
    path("candidates/<int:pk>/", candidate.candidate, name="candidate"),
    path("candidates/<int:pk>/place/", candidate.candidate_place_part, name="candidate-place"),
    path("candidates/<int:pk>/files/<slug:kind>/", candidate.candidate_file, name="candidate-file"),
    path("candidates/<int:pk>/review/", candidate.candidate_review, name="candidate-review"),
    path("candidates/<int:pk>/listed/", candidate.candidate_listed, name="candidate-listed"),
    path("models/", models.models, name="models"),
    path("models/new/", models.model_new, name="model-new"),
    path("models/<int:pk>/", models.model, name="model"),
    path("models/<int:pk>/progress/", models.model_progress, name="model-progress"),
    path("models/<int:pk>/cancel/", models.model_cancel, name="model-cancel"),
    path("models/<int:pk>/resume/", models.model_resume, name="model-resume"),
    path("models/<int:pk>/files/<str:name>/", models.model_file, name="model-file"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("jobs/<int:pk>/again/", jobs.job_again, name="job-again"),
    path("jobs/<int:pk>/attempts/<int:number>/log/", jobs.attempt_log, name="attempt-log"),
    path("controls/", controls.controls_page, name="controls"),
]
