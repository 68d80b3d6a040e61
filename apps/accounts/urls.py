"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth import views
from django.urls import path

from apps.accounts.views import enter

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("enter/<str:token>/", enter, name="login-link"),
]
