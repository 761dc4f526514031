"""What the main demo account has to work with: units, a verified domain, addresses, templates."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.utils import timezone

from billing.models import BankAccount, MoneyEntry
from billing.services import grant_package, remaining_units
from billing.services_money import change_balance
from email_service.addresses.models import Address
from email_service.addresses.services import create_address
from email_service.domains import services as domain_services
from email_service.domains import verification
from email_service.domains.models import Domain
from email_service.mail_templates.models import BodyType, Template
from email_service.mail_templates.services import save_template
from iam.models import Tenant, User
from koomessage.demo.services import publish_domain

DOMAIN = "acme.example"
UNITS = 100_000
BALANCE = Decimal("1000.00")
BANK = ("演示银行", "6222 0000 0000 0001", "KooMessage 演示有限公司")
ADDRESSES = (("news", "云帆科技"), ("service", "云帆客户服务"))
WELCOME = Path(__file__).with_name("welcome_mail.html")
NEWS = "各位客户：\n\n本月门店营业时间调整为每日 9:00 至 21:00，详情见 https://www.acme.example/hours 。\n\n云帆科技"
TEMPLATES = (
    ("会员欢迎信", BodyType.RICH, WELCOME.read_text(encoding="utf-8"), True),
    ("门店通知", BodyType.PLAIN, NEWS, True),
    ("服务提醒", BodyType.PLAIN, "您的服务单已处理完毕，感谢您的耐心等待。", False),
)


def make_content(tenant: Tenant, owner: User, operator: User) -> None:
    """Make what is missing; what somebody has renamed or deleted since comes back only if all of it is gone."""
    _make_units(tenant, operator)
    _make_money(tenant, operator)
    domain = _make_domain(tenant, owner)
    if not Address.objects.for_tenant(tenant).exists():
        for prefix, alias in ADDRESSES:
            create_address(tenant=tenant, user=owner, domain=domain.pk, prefix=prefix, alias=alias)
    if not Template.objects.for_tenant(tenant).exists():
        for title, body_type, body, can_unsubscribe in TEMPLATES:
            save_template(
                tenant=tenant,
                user=owner,
                title=title,
                body_type=body_type,
                body=body,
                can_unsubscribe=can_unsubscribe,
            )


def _make_money(tenant: Tenant, operator: User) -> None:
    """Credit something to buy with, once, and name a bank account to transfer to."""
    BankAccount.objects.get_or_create(bank=BANK[0], number=BANK[1], defaults={"holder": BANK[2]})
    if not MoneyEntry.objects.for_tenant(tenant).exists():
        change_balance(tenant=tenant, amount=BALANCE, reason="Demo", user=operator)


def _make_units(tenant: Tenant, operator: User) -> None:
    """Grant the package once more when it is used up or has ended: the demo never runs dry."""
    if remaining_units(tenant) < UNITS // 10:
        grant_package(
            tenant=tenant,
            name="演示套餐包",
            units=UNITS,
            valid_until=timezone.now() + timedelta(days=365),
            granted_by=operator,
            reason="Demo",
        )


def _make_domain(tenant: Tenant, owner: User) -> Domain:
    """Register the domain, publish its records, and have them looked up for real."""
    domain = Domain.objects.for_tenant(tenant).filter(name=DOMAIN).first()
    if domain is None:
        domain = domain_services.register_domain(tenant=tenant, user=owner, name=DOMAIN)
    if not domain.is_verified:
        publish_domain(domain)
        verification.check_domain(domain.pk)
        domain.refresh_from_db()
    return domain
