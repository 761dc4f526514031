"""The operators' forms."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from email_service.operations.services import DECISIONS
from koomessage.common.paging import SIZES


class PauseForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=255, help_text=_("Operators see it, and it stands in the audit log.")
    )


class ChoiceForm(forms.Form):
    """Which messages in doubt are decided how: the ticked ones, or `all` that match the filters.

    `known`: the newest attempt when somebody looked; `asked`: how many the question named.
    """

    decision = forms.ChoiceField(choices=[(name, name) for name in DECISIONS])
    all = forms.BooleanField(required=False)
    known = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    asked = forms.IntegerField(min_value=0, max_value=2**31, required=False)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        # Of one page at most; whoever wants more takes all that match.
        ticked = [
            pk for pk in query.getlist("id")[: max(SIZES)] if pk.isascii() and pk.isdigit() and len(pk) < 19
        ]
        self.fields["id"] = forms.TypedMultipleChoiceField(
            coerce=int, required=False, choices=[(pk, pk) for pk in ticked]
        )
