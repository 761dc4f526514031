"""Links that lead past the platform, and the picture that tells of an opening: put in once per template.

A mail names its links by their place in the template, so an address of ours never says where to go:
whoever forges one gets nowhere but to what the sender wrote.
"""

import re
from html import unescape

from email_service.delivery.slots import UNSUBSCRIBE_SLOT

TRACK = ":track:"
_SLOT = "{{" + TRACK + "}}"
_HREF = re.compile(r"""(<a\b[^<>]*?\bhref=")([^"]*)(")""", re.IGNORECASE)
_END = re.compile(r"</body\s*>", re.IGNORECASE)
# A parameter that stands where an address begins holds http or https: the task's form saw to it.
_FOLLOWED = re.compile(r"(?:https?://|\{\{[ \t]*[A-Za-z])", re.IGNORECASE)


def add_tracking(html: str, base: str) -> tuple[str, tuple[str, ...]]:
    """Answer the HTML with its links rewritten and a picture at its end, and where each link led.

    The base has no slash at its end. Each recipient's token takes the place of the slot.
    """
    targets: list[str] = []

    def rewrite(found: re.Match[str]) -> str:
        target = unescape(found[2]).strip()
        if not _FOLLOWED.match(target) or UNSUBSCRIBE_SLOT in target:
            return found[0]
        targets.append(target)
        return f"{found[1]}{base}/c/{_SLOT}/{len(targets)}{found[3]}"

    rewritten = _HREF.sub(rewrite, html)
    picture = f'<img src="{base}/o/{_SLOT}" width="1" height="1" alt="">'
    ends = list(_END.finditer(rewritten))
    place = ends[-1].start() if ends else len(rewritten)
    return rewritten[:place] + picture + rewritten[place:], tuple(targets)
