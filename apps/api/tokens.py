"""Tokens of the asking person: make, list, revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication import ByPerson
from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.strictness import StrictSerializer

LONGEST_DAYS = 365


class TokenSerializer(serializers.Serializer):
    """A token without its secret."""

    key = serializers.CharField(source="token_key", help_text="First characters of the token.")
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)


class NewTokenSerializer(TokenSerializer):
    """A token that was just made: the only time that it is shown."""

    token = serializers.CharField(help_text="Send it as `Authorization: Bearer TOKEN`. It is shown only once.")


class TokenRequestSerializer(StrictSerializer):
    """How long a new token shall live."""

    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, default=30)


class TokenListView(ListView):
    """Your tokens."""

    permission_classes = [IsAuthenticated, ByPerson]
    post_scope = "tokens"
    item = TokenSerializer
    sorts = {"created_at": Sort("created")}
    default_sort = "-created_at"

    def rows(self, **where: Any) -> QuerySet[AuthToken]:
        """Live and expired ones of the asking person."""
        return AuthToken.objects.filter(user=self.request.user)

    @extend_schema(request=TokenRequestSerializer, responses={201: NewTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make a token. Needs a signed-in session: a token cannot make another."""
        days = self.body(TokenRequestSerializer)["days"]
        row, token = AuthToken.objects.create(request.user, expiry=timedelta(days=days))
        answer = {**TokenSerializer(row).data, "token": token}
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})


class TokenView(ApiView):
    """One of your tokens."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key: str) -> Response:
        """Revoke a token, at once and for good. With a token: only itself."""
        mine = AuthToken.objects.filter(user=request.user, token_key=key)
        gone, _ = (mine.filter(pk=request.auth.pk) if request.auth else mine).delete()
        if not gone:
            raise Http404
        return Response(status=204)
