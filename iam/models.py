"""Accounts, their users, and what those may do."""

import zoneinfo
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import TenantOwned, TenantQuerySet

# Account and user names stand in logins `account/user`, so neither may hold a slash or a space.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{2,31}$"
name_validator = RegexValidator(
    NAME_PATTERN,
    _("Use 3 to 32 letters, digits, dots, hyphens or underscores, starting with a letter or digit."),
)


def time_zones() -> list[tuple[str, str]]:
    """Return the zones an account may choose; a function, so that no migration lists what the system knows."""
    return [(zone, zone) for zone in sorted(zoneinfo.available_timezones()) if "/" in zone or zone == "UTC"]


class Tenant(models.Model):
    """An enterprise account."""

    class Verification(models.TextChoices):
        UNVERIFIED = "unverified", _("Not verified")
        PENDING = "pending", _("Verification under review")
        VERIFIED = "verified", _("Verified")
        REJECTED = "rejected", _("Verification rejected")

    account = models.CharField(_("account name"), max_length=32, unique=True, validators=[name_validator])
    name = models.CharField(_("enterprise name"), max_length=128)
    email = models.EmailField(_("e-mail"), blank=True)
    verification = models.CharField(
        _("enterprise verification"), max_length=12, choices=Verification, default=Verification.UNVERIFIED
    )
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    pay_as_you_go = models.BooleanField(_("pay-as-you-go"), default=False)
    operation_protection = models.BooleanField(_("operation protection"), default=False)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Shanghai", choices=time_zones)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [models.UniqueConstraint(Lower("account"), name="account_name_once_in_any_case")]

    def __str__(self) -> str:
        return self.account

    @property
    def is_activated(self) -> bool:
        return self.activated_at is not None

    @property
    def is_verified(self) -> bool:
        return self.verification == self.Verification.VERIFIED


def login_of(tenant: Tenant, name: str) -> str:
    """Return the login `account/user`, in lower case as it is looked up."""
    return f"{tenant.account}/{name}".lower()


class UserManager(BaseUserManager["User"]):
    def for_tenant(self, tenant: Tenant) -> models.QuerySet["User"]:
        """Keep the users of this account, the main one too."""
        return self.filter(tenant=tenant)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a login without regard to case, as people type it."""
        return self.get(login__iexact=username)

    def create_user(self, login: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(login=login, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, login: str, password: str | None = None, **fields: Any) -> "User":
        """Make an operator with every right of the admin (`manage.py createsuperuser`)."""
        return self.create_user(login, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Who signs in: `account/user` for a tenant's people, a plain name for the platform's staff."""

    login = models.CharField(_("login"), max_length=65, unique=True)
    tenant = models.ForeignKey(
        Tenant,
        verbose_name=_("account"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="users",
    )
    name = models.CharField(_("user name"), max_length=32)
    email = models.EmailField(_("e-mail"), blank=True)
    email_confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, blank=True)
    is_main = models.BooleanField(_("main account"), default=False)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    policies: models.ManyToManyField = models.ManyToManyField(
        "Policy", verbose_name=_("policies"), blank=True, related_name="users"
    )

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(Lower("login"), name="login_once_in_any_case"),
            models.UniqueConstraint(fields=["tenant", "name"], name="user_name_once_a_tenant"),
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_main=True), name="one_main_account_a_tenant"
            ),
            # Staff have no account, and nobody of an account is staff.
            models.CheckConstraint(
                condition=models.Q(is_staff=False, is_superuser=False) | models.Q(tenant=None),
                name="staff_belong_to_no_tenant",
            ),
        ]

    def __str__(self) -> str:
        return self.login

    def get_full_name(self) -> str:
        return self.login

    def get_short_name(self) -> str:
        return self.name


class PolicyQuerySet(TenantQuerySet):
    def system(self) -> "PolicyQuerySet":
        return self.filter(tenant=None)


class Policy(models.Model):
    """A policy document: a system policy where it has no tenant, else a tenant's own."""

    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("policy name"), max_length=64)
    description = models.CharField(_("description"), max_length=255, blank=True)
    document = models.JSONField(_("document"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        default_permissions = ("list", "view", "add", "change", "delete")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="policy_name_once_a_tenant"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(tenant=None), name="system_policy_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class UserGroup(TenantOwned):
    """Users of one account that share policies."""

    name = models.CharField(_("group name"), max_length=64)
    description = models.CharField(_("description"), max_length=255, blank=True)
    users = models.ManyToManyField(User, verbose_name=_("users"), blank=True, related_name="user_groups")
    policies = models.ManyToManyField(
        Policy, verbose_name=_("policies"), blank=True, related_name="user_groups"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("user group")
        verbose_name_plural = _("user groups")
        default_permissions = ("list", "view", "add", "change", "delete")
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="group_name_once_a_tenant")]

    def __str__(self) -> str:
        return self.name


class EnterpriseApplication(TenantOwned):
    """An application for 企业实名认证, decided by an operator."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Under review")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    company_name = models.CharField(_("company name"), max_length=128)
    registration_number = models.CharField(_("registration number"), max_length=32)
    licence = models.FileField(_("business licence"), upload_to="licences/%Y/%m/")
    contact_name = models.CharField(_("contact"), max_length=64)
    contact_phone = models.CharField(_("contact phone"), max_length=32)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("enterprise verification")
        verbose_name_plural = _("enterprise verifications")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(status="pending"), name="one_open_application_a_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.company_name


class AgreementAcceptance(TenantOwned):
    """Who accepted which version of an agreement, when and from where."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    agreement = models.CharField(_("agreement"), max_length=32)
    version = models.CharField(_("version"), max_length=16)
    ip_address = models.GenericIPAddressField(_("IP address"), null=True)
    accepted_at = models.DateTimeField(_("accepted"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("accepted agreement")
        verbose_name_plural = _("accepted agreements")

    def __str__(self) -> str:
        return f"{self.agreement} {self.version}"


class AuditEntry(models.Model):
    """Who did what, and when; written by services, never changed."""

    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    login = models.CharField(_("login"), max_length=65, blank=True)
    action = models.CharField(_("action"), max_length=64)
    target = models.CharField(_("target"), max_length=255, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    at = models.DateTimeField(_("time"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["tenant", "-at", "-id"], name="audit_by_tenant"),
            models.Index(fields=["action", "-at"], name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.login} {self.action} {self.target}"
