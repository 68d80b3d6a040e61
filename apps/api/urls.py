"""Addresses of the REST face; mounted under /api/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from apps.api.root import NowhereView
from apps.api.tokens import TokenListView, TokenView

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="api-schema"),
    path(
        "v1/docs/",
        SpectacularSwaggerSplitView.as_view(permission_classes=[AllowAny], url_name="api-schema"),
        name="api-docs",
    ),
    path("v1/tokens/", TokenListView.as_view(), name="api-tokens"),
    re_path(r"^v1/tokens/(?P<key>[0-9a-f]{8,25})/$", TokenView.as_view(), name="api-token"),
    re_path(r"", NowhereView.as_view()),
]
