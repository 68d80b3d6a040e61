"""Settings, read from the environment.

KAPPAWEB_HOME          folder of everything that is written (default: var/ beside manage.py)
DATABASE_URL           postgresql://… ; without it the embedded PostgreSQL of KAPPAWEB_HOME
CELERY_BROKER_URL      redis://… ; without it messages are files in KAPPAWEB_HOME
CACHE_URL              redis://… ; without it each web process has its own cache
SECRET_KEY             without it one is made in KAPPAWEB_HOME (0600)
ALLOWED_HOSTS          separated by commas; default: this machine's loopback names
CSRF_TRUSTED_ORIGINS   separated by commas, e.g. https://kappa.example.org
KAPPAWEB_DFT_QUEUE     where DFT runs: single (this machine, a core each, the default) or hpc (a cluster)
KAPPAWEB_VASP          command that runs VASP; without it VASP's inputs are downloaded and its results uploaded
KAPPAWEB_ARTIFACTS     folder that all hosts share; default: artifacts/ in KAPPAWEB_HOME
KAPPAWEB_SLURM         1: a worker that takes `hpc` hands its jobs to Slurm; without it they run on the worker's host
KAPPAWEB_SLURM_OPTIONS more words for sbatch, e.g. "--partition=long --account=carbon"
KAPPAWEB_SLURM_VIA     words before each command of Slurm, e.g. "ssh login1"; default: none
KAPPAWEB_SLURM_PYTHON  python on the nodes; default: this one
KAPPAWEB_SLURM_FOLDERS folder that this host and all nodes share; default: stages/ in KAPPAWEB_HOME
KAPPAWEB_SLURM_CORES   cores of a job that asks for none (default 1)
KAPPAWEB_SLURM_POLL_SECONDS (10), _GRACE_SECONDS (60: how late files may show), _TIMEOUT_SECONDS (30: of one command)
"""

from __future__ import annotations

import os
import shlex
import sys
from datetime import timedelta
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF, UNSAFE_INLINE

from kappaweb.embedded.places import Places, database
from kappaweb.embedded.secrets import read_or_create

BASE_DIR = Path(__file__).resolve().parents[2]
PLACES = Places(Path(os.environ.get("KAPPAWEB_HOME", BASE_DIR / "var")).resolve())


def _listed(name: str, default: str = "") -> list[str]:
    return [item for item in os.environ.get(name, default).split(",") if item]


SECRET_KEY = os.environ.get("SECRET_KEY") or read_or_create(PLACES.home / "secret-key")
DEBUG = False
ALLOWED_HOSTS = _listed("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = _listed("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "axes",
    "rules",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_tables2",
    "django_htmx",
    "csp",
    "apps.core",
    "apps.accounts",
    "apps.artifacts",
    "apps.jobs",
    "apps.training",
    "apps.campaigns",
    "apps.structures",
    "apps.maps",
    "apps.dft",
    "apps.committees",
    "apps.conductivity",
    "apps.reviews",
    "apps.web",
    "apps.terminal",
    "apps.worker",
]

MIDDLEWARE = [
    "apps.core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "kappaweb.urls"
WSGI_APPLICATION = "kappaweb.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.web.context.approvals",
            ],
        },
    },
]

DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASES = {
    "default": {
        **(dict(dj_database_url.parse(DATABASE_URL)) if DATABASE_URL else database(PLACES)),
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": os.environ.get("KAPPAWEB_TEST_DB") or f"test_kappaweb_{os.getpid()}"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = os.environ.get("CACHE_URL", "")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=30),
    "SECURE_HASH_ALGORITHM": "hashlib.sha512",
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATIC_ROOT = PLACES.home / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("HTTPS", "") == "1"
if SESSION_COOKIE_SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.strictness.CleanJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.ScopedRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "1200/min", "tokens": "30/hour", "exports": "60/hour"},
    "NUM_PROXIES": 1 if SESSION_COOKIE_SECURE else 0,
    "EXCEPTION_HANDLER": "apps.api.errors.problem",
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.ApiSchema",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "kappaweb",
    "DESCRIPTION": "Crystals that conduct heat extremely well: campaigns, candidates, κ_L tensors, lists and exports.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "filesystem://localhost/")
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "data_folder_in": str(PLACES.broker / "messages"),
        "data_folder_out": str(PLACES.broker / "messages"),
        "control_folder": str(PLACES.broker / "control"),
        "polling_interval": 0.1,
    }
    if CELERY_BROKER_URL.startswith("filesystem")
    else {}
)
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_DEFAULT_QUEUE = "heavy"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

ARTIFACTS = Path(os.environ.get("KAPPAWEB_ARTIFACTS", PLACES.artifacts))
STAGE_FOLDERS = PLACES.home / "stages"
DFT_QUEUE = os.environ.get("KAPPAWEB_DFT_QUEUE", "single")
KAPPAWEB_VASP = os.environ.get("KAPPAWEB_VASP", "")
STAGE_MODULE = "kappakit.run"
"""What a worker launches: `python -m STAGE_MODULE FOLDER`."""
LEASE_SECONDS = float(os.environ.get("KAPPAWEB_LEASE_SECONDS", "60"))
HEARTBEAT_SECONDS = float(os.environ.get("KAPPAWEB_HEARTBEAT_SECONDS", "3"))
RECONCILE_SECONDS = float(os.environ.get("KAPPAWEB_RECONCILE_SECONDS", "10"))
HEAVY_THREADS = int(os.environ.get("KAPPAWEB_HEAVY_THREADS", "0")) or len(os.sched_getaffinity(0))
"""Cores of a heavy stage; a light one has one."""

SLURM = os.environ.get("KAPPAWEB_SLURM", "") == "1"
SLURM_OPTIONS = tuple(shlex.split(os.environ.get("KAPPAWEB_SLURM_OPTIONS", "")))
SLURM_VIA = tuple(shlex.split(os.environ.get("KAPPAWEB_SLURM_VIA", "")))
SLURM_PYTHON = os.environ.get("KAPPAWEB_SLURM_PYTHON", sys.executable)
SLURM_FOLDERS = Path(os.environ.get("KAPPAWEB_SLURM_FOLDERS", STAGE_FOLDERS))
SLURM_CORES = int(os.environ.get("KAPPAWEB_SLURM_CORES", "1"))
SLURM_POLL_SECONDS = float(os.environ.get("KAPPAWEB_SLURM_POLL_SECONDS", "10"))
SLURM_GRACE_SECONDS = float(os.environ.get("KAPPAWEB_SLURM_GRACE_SECONDS", "60"))
SLURM_TIMEOUT_SECONDS = float(os.environ.get("KAPPAWEB_SLURM_TIMEOUT_SECONDS", "30"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "apps.core.middleware.RequestIdFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["console"], "level": os.environ.get("KAPPAWEB_LOG_LEVEL", "INFO")},
}
