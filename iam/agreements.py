"""The agreements an account accepts when it activates the service; texts in templates/iam/agreements/."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Agreement:
    """One agreement in its version in force; a new wording is a new version with files of its own."""

    slug: str
    title: str | Promise
    version: str

    def template(self, language: str) -> str:
        return f"iam/agreements/{self.slug}_{self.version}_{'en' if language == 'en' else 'zh'}.html"


SERVICE = Agreement("service", _("KooMessage Service Statement"), "1")
SMS = Agreement("sms", _("SMS Service Statement"), "1")
AGREEMENTS = {agreement.slug: agreement for agreement in (SERVICE, SMS)}
