"""The demo's accounts and people."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from email_service.setup.models import EmailService, Transport
from iam.models import Policy, Tenant, User
from iam.services import activate_tenant
from iam.staff import REVIEW_STAFF
from koomessage.demo.people import NEWCOMER, OPERATOR, OWNER, READER, REVIEWER, SENDER, Person

FULL_ACCESS = "KooMessage FullAccess"
READ_ONLY = "KooMessage ReadOnlyAccess"


@transaction.atomic
def make_accounts() -> tuple[Tenant, User, User]:
    """Make what is missing of accounts and people; return the main demo account, its owner, and the operator."""
    transport = make_transport()
    operator = make_staff()
    acme, owner = _account("acme", "云帆科技（演示）", OWNER, transport)
    if not acme.is_activated:
        activate_tenant(tenant=acme, user=owner, ip_address="127.0.0.1")
    _member(acme, READER, READ_ONLY)
    _member(acme, SENDER, FULL_ACCESS)
    _account("newco", "新程贸易（演示）", NEWCOMER, transport)
    return Tenant.objects.get(pk=acme.pk), owner, operator


def make_transport() -> Transport:
    """Point the demo's transport at the inbox, whose port may differ at each start."""
    return Transport.objects.update_or_create(
        name="Demo inbox",
        defaults={
            "host": settings.RELAY_HOST,
            "port": settings.RELAY_PORT,
            "security": "none",
            "connections": 8,
        },
    )[0]


def make_staff() -> User:
    """Make operator and reviewer; return the operator."""
    operator = _user(OPERATOR, name="operator", is_staff=True, is_superuser=True)
    reviewer = _user(REVIEWER, name="reviewer", is_staff=True)
    reviewer.groups.add(Group.objects.get(name=REVIEW_STAFF))
    return operator


def _account(account: str, name: str, person: Person, transport: Transport) -> tuple[Tenant, User]:
    tenant, _ = Tenant.objects.get_or_create(
        account=account,
        defaults={"name": name, "email": person.email, "verification": Tenant.Verification.VERIFIED},
    )
    EmailService.objects.get_or_create(tenant=tenant, defaults={"transport": transport})
    return tenant, _user(person, tenant=tenant, name=person.login.partition("/")[2], is_main=True)


def _member(tenant: Tenant, person: Person, policy: str) -> None:
    user = _user(person, tenant=tenant, name=person.login.partition("/")[2])
    if not user.policies.exists():
        user.policies.add(Policy.objects.get(tenant=None, name=policy))


def _user(person: Person, **fields: object) -> User:
    """Return the person's login, made with the demo's password where it is missing."""
    known = User.objects.filter(login=person.login).first()
    if known is not None:
        return known
    return User.objects.create_user(
        person.login, person.password, email=person.email, email_confirmed_at=timezone.now(), **fields
    )
