"""All settings, from the environment (see .env.example); what is missing or odd stops the start."""

import os
import socket
from datetime import timedelta
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from koomessage import env
from koomessage.content_policy import content_policy
from koomessage.env import BASE_DIR

env.load()

# --- the installation -------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
DEMO = env.flag("DEMO", False)
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# First key encrypts, all decrypt: rotate by putting a new one in front.
FIELD_ENCRYPTION_KEYS = env.words("FIELD_ENCRYPTION_KEYS") or [SECRET_KEY]
BASE_URL = env.web_address("BASE_URL", "http://localhost:8000")
PUBLIC_URL = env.web_address("PUBLIC_URL", BASE_URL)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", BASE_URL)
DATA_DIR = env.folder("DATA_DIR", BASE_DIR / "var")
DATA_DIR.mkdir(parents=True, exist_ok=True)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "lucide",
    "csp",
    "axes",
    "guardian",
    "import_export",
    "django_prometheus",
    "koomessage.common",
    "iam",
    "billing",
    "email_service",
    "koomessage.console",
]
INSTALLED_APPS += ["koomessage.demo"] if DEMO else []

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "koomessage.common.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "koomessage.common.htmx.FragmentMiddleware",
    "koomessage.common.body_limit.BodyLimitMiddleware",
    "iam.middleware.TenantMiddleware",
    "koomessage.common.kept_forms.KeptFormMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "koomessage.urls"
WSGI_APPLICATION = "koomessage.wsgi.application"
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
                "django.template.context_processors.i18n",
                "koomessage.console.context.shell",
            ],
        },
    }
]

# --- data ---------------------------------------------------------------------------------------------------
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'koomessage.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    SILENCED_SYSTEM_CHECKS = ["models.W040"]  # what an index carries along is read from its rows there
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = env.folder("MEDIA_ROOT", DATA_DIR / "media")
STATIC_URL = "/static/"
STATIC_ROOT = env.folder("STATIC_ROOT", DATA_DIR / "static")
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "koomessage.common.node_packages.NodePackagesFinder",
]
# Plain names while developing and testing, so that nothing must be collected first.
_static = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if env.flag("STATIC_MANIFEST", not DEBUG)
    else ("django.contrib.staticfiles.storage.StaticFilesStorage")
)
# Read by the object store's backend; without them the machine may know (a role).
AWS_ACCESS_KEY_ID = env.text("AWS_ACCESS_KEY_ID", "") or None
AWS_SECRET_ACCESS_KEY = env.text("AWS_SECRET_ACCESS_KEY", "") or None
STORAGES = {"default": env.media_storage("MEDIA_STORAGE"), "staticfiles": {"BACKEND": _static}}
WHITENOISE_USE_FINDERS = not env.flag("STATIC_MANIFEST", not DEBUG)

# --- language and time --------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["koomessage.formats"]
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "Asia/Shanghai")

# --- people -------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "iam.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "iam.backends.PolicyBackend",
    "iam.backends.StaffBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
LOGIN_URL = "iam:login"
LOGIN_REDIRECT_URL = "console:overview"
LOGOUT_REDIRECT_URL = "iam:login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("login", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
AXES_FAILURE_LIMIT = env.number("LOGIN_FAILURE_LIMIT", 10, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("LOGIN_COOLOFF_MINUTES", 15, least=1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "iam.backends.login_tried"
AXES_LOCKOUT_CALLABLE = "iam.views.locked_out"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
# New enterprise accounts from one IP address.
SIGN_UPS_AN_HOUR = env.number("SIGN_UPS_AN_HOUR", 10, least=1)

# --- safety -------------------------------------------------------------------------------------------------
_https = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = _https and env.flag("SECURE_SSL_REDIRECT", True)
# Machines inside ask these over plain http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 31_536_000 if _https else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "koomessage.console.views.error_csrf"
SESSION_COOKIE_AGE = env.number("SESSION_HOURS", 12, least=1) * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
PAYMENT_GATEWAY_URL = env.web_address_or_none("PAYMENT_GATEWAY_URL")
PAYMENT_GATEWAY_KEY = env.shared_key("PAYMENT_GATEWAY_KEY", needed=bool(PAYMENT_GATEWAY_URL))
# A form that pays is redirected to the gateway.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_policy(forms_lead_to=env.origins(PAYMENT_GATEWAY_URL))}
# The largest form: a recipient file of 40 MB, attachments of 4 MB, and the rest.
MAX_REQUEST_MB = env.number("MAX_REQUEST_MB", 48, least=45)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# --- jobs ---------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "filesystem://")
CELERY_BROKER_FOLDER = env.folder("CELERY_BROKER_FOLDER", DATA_DIR / "broker")
CELERY_TASK_ALWAYS_EAGER = env.flag("CELERY_TASK_ALWAYS_EAGER", False)
# How often the sweep looks in the database for work that nobody was told of.
SWEEP_SECONDS = env.real("SWEEP_SECONDS", 5.0, least=0.1)
# Every worker asks for a sweep of its own, too, in case the schedule is dead.
IDLE_SWEEP_SECONDS = env.real("IDLE_SWEEP_SECONDS", 30.0, least=0.5)
# How often hours with new outcomes are counted anew; the figures of an hour are final at its minute zero.
REPORT_SECONDS = env.real("REPORT_SECONDS", 30.0, least=0.5)

# --- watching -----------------------------------------------------------------------------------------------
# After so many seconds in which mail was due and nothing was claimed, /healthz turns red.
HEALTH_STALLED_SECONDS = env.real("HEALTH_STALLED_SECONDS", 120.0, least=1.0)
# Who brings it sees /metrics; closed where it is empty.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
PROMETHEUS_EXPORT_MIGRATIONS = False
# Where the console's processes of one host add up their figures; read by prometheus_client itself.
PROMETHEUS_MULTIPROC_DIR = env.text("PROMETHEUS_MULTIPROC_DIR", "")
if PROMETHEUS_MULTIPROC_DIR:
    Path(PROMETHEUS_MULTIPROC_DIR).mkdir(parents=True, exist_ok=True)
else:
    # Set and empty it would mean the current folder there.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

# --- the platform as senders and recipients see it ------------------------------------------------------------
PLATFORM_NAME = env.text("PLATFORM_NAME", "KooMessage")
PLATFORM_MX = env.text("PLATFORM_MX", "mx.koomessage.example")
PLATFORM_SPF_INCLUDE = env.text("PLATFORM_SPF_INCLUDE", "spf.koomessage.example")
PLATFORM_DMARC_HOST = env.text("PLATFORM_DMARC_HOST", "_dmarc.koomessage.example")
PLATFORM_TRACKING_HOST = env.text("PLATFORM_TRACKING_HOST", "track.koomessage.example")
PLATFORM_BOUNCE_HOST = env.text("PLATFORM_BOUNCE_HOST", "bounce.koomessage.example")
DKIM_SELECTOR_PREFIX = env.text("DKIM_SELECTOR_PREFIX", "koo")
DKIM_RETIRE_DAYS = env.real("DKIM_RETIRE_DAYS", 7.0)
DNS_NAMESERVERS = env.host_ports("DNS_NAMESERVERS", 53)
DNS_TIMEOUT_SECONDS = env.real("DNS_TIMEOUT_SECONDS", 5.0, least=0.1)
DOMAIN_RECHECK_HOURS = env.real("DOMAIN_RECHECK_HOURS", 24.0, least=0.01)
DOMAIN_GRACE_HOURS = env.real("DOMAIN_GRACE_HOURS", 72.0)

# --- sending ------------------------------------------------------------------------------------------------
# The name under which claims and workers of this host are listed, and its journals kept.
HOST_NAME = env.host_name("HOST_NAME", socket.gethostname())
JOURNAL_DIR = env.folder("JOURNAL_DIR", DATA_DIR / "journal")
JOURNAL_FSYNC = env.flag("JOURNAL_FSYNC", False)
LEASE_SECONDS = env.real("LEASE_SECONDS", 60.0, least=1.0)
LEASE_RENEW_SECONDS = env.real("LEASE_RENEW_SECONDS", 15.0, least=0.2)
READING_LEASE_SECONDS = env.real("READING_LEASE_SECONDS", 180.0, least=0.5)
HOST_SILENT_SECONDS = env.real("HOST_SILENT_SECONDS", 600.0, least=1.0)
SHUTDOWN_GRACE = env.real("SHUTDOWN_GRACE", 60.0)
MESSAGE_LIFETIME_HOURS = env.real("MESSAGE_LIFETIME_HOURS", 72.0)
RETRY_FIRST_SECONDS = env.real("RETRY_FIRST_SECONDS", 300.0, least=0.01)
RELAY_HOST = env.text("RELAY_HOST", "127.0.0.1")
RELAY_PORT = env.number("RELAY_PORT", 25, least=1, most=65535)
RELAY_SECURITY = env.text("RELAY_SECURITY", "none", choices=("none", "starttls", "tls"))
RELAY_USERNAME = env.text("RELAY_USERNAME", "")
RELAY_PASSWORD = env.text("RELAY_PASSWORD", "")
RELAY_CONNECTIONS = env.number("RELAY_CONNECTIONS", 8, least=1, most=200)
DIRECT_PORT = env.number("DIRECT_PORT", 25, least=1, most=65535)
DIRECT_ALLOWED_NETWORKS = env.networks("DIRECT_ALLOWED_NETWORKS")

# --- limits (PRODUCT.md) ------------------------------------------------------------------------------------
MAX_RECIPIENT_ROWS = env.number("MAX_RECIPIENT_ROWS", 1_000_000, least=1)
CHECK_KEPT_DAYS = env.real("CHECK_KEPT_DAYS", 7.0, least=0.01)
CHECK_FRESH_HOURS = env.real("CHECK_FRESH_HOURS", 24.0, least=0.01)
TEST_MAILS_AN_HOUR = env.number("TEST_MAILS_AN_HOUR", 10, least=1)
SCHEDULE_LATEST_START_HOURS = env.real("SCHEDULE_LATEST_START_HOURS", 24.0)
PICTURES_MB = env.number("PICTURES_MB", 200, least=1)
EXPORTS_AT_ONCE = env.number("EXPORTS_AT_ONCE", 3, least=1)
EXPORT_DAYS = env.real("EXPORT_DAYS", 7.0, least=0.01)
RETENTION_DAYS = env.number("RETENTION_DAYS", 400)
PURGE_MINUTES = env.real("PURGE_MINUTES", 120.0, least=0.1)
ORDER_LIFETIME_HOURS = env.real("ORDER_LIFETIME_HOURS", 24.0, least=0.01)
ARREARS_GRACE_HOURS = env.number("ARREARS_GRACE_HOURS", 0)

# --- the platform's own mail, never by the engine -------------------------------------------------------------
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", RELAY_HOST)
EMAIL_PORT = env.number("EMAIL_PORT", RELAY_PORT, least=1, most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", RELAY_USERNAME)
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", RELAY_PASSWORD)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", RELAY_SECURITY == "starttls")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", RELAY_SECURITY == "tls")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "no-reply@koomessage.example")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}

DEMO_INBOX_DIR = env.folder("DEMO_INBOX_DIR", Path(DATA_DIR) / "inbox")  # `manage.py demo` alone uses these
DEMO_ZONE_FILE = env.folder("DEMO_ZONE_FILE", Path(DATA_DIR) / "zone.json")
