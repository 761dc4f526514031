"""What the main demo account has to work with: units, a verified domain, addresses, templates."""

from datetime import timedelta

from django.utils import timezone

from billing.services import grant_package, remaining_units
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
ADDRESSES = (("news", "云帆科技"), ("service", "云帆客户服务"))
WELCOME = """
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background-color:#f2f5f4"><tr><td align="center" style="padding:32px 12px">
<table role="presentation" width="560" cellpadding="0" cellspacing="0" style="background-color:#ffffff;border-radius:8px">
<tr><td style="padding:28px 32px;background-color:#0b7a75;color:#ffffff;font-size:22px;font-weight:bold;border-radius:8px 8px 0 0">云帆科技</td></tr>
<tr><td style="padding:32px;color:#17302e;font-size:16px;line-height:1.8">
<p>{{name}}，您好：</p>
<p>感谢您注册云帆会员。为您准备的优惠码是 <strong style="color:#b45f06">{{code}}</strong>，在 {{city}} 的任意门店出示即可使用。</p>
<p><a href="https://www.acme.example/welcome" style="background-color:#0b7a75;color:#ffffff;padding:10px 22px;border-radius:6px;text-decoration:none">查看会员权益</a></p>
</td></tr></table></td></tr></table>
"""
NEWS = "各位客户：\n\n本月门店营业时间调整为每日 9:00 至 21:00，详情见 https://www.acme.example/hours 。\n\n云帆科技"
TEMPLATES = (
    ("会员欢迎信", BodyType.RICH, WELCOME, True),
    ("门店通知", BodyType.PLAIN, NEWS, True),
    ("服务提醒", BodyType.PLAIN, "您的服务单已处理完毕，感谢您的耐心等待。", False),
)


def make_content(tenant: Tenant, owner: User, operator: User) -> None:
    """Make what is missing; what somebody has renamed or deleted since comes back only if all of it is gone."""
    _make_units(tenant, operator)
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
