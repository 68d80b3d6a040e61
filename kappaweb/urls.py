"""The addresses: admin, REST, pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("apps.accounts.urls")),
    path("api/", include("apps.api.urls")),
    path("", include("apps.web.urls")),
]
