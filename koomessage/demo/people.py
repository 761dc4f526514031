"""Who can sign in to the demo; the same every time, so that notes and screenshots stay true."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    what: str
    login: str
    password: str
    email: str


OWNER = Person("Main account", "acme/admin", "Acme-demo-2026", "admin@acme.demo")
READER = Person("IAM user, reads only", "acme/reader", "Reader-demo-2026", "reader@acme.demo")
SENDER = Person("IAM user, full access", "acme/sender", "Sender-demo-2026", "sender@acme.demo")
NEWCOMER = Person("Account to activate", "newco/admin", "Newco-demo-2026", "admin@newco.demo")
OPERATOR = Person("Operator", "operator", "Operator-demo-2026", "operator@koomessage.demo")
REVIEWER = Person("Reviewer", "reviewer", "Reviewer-demo-2026", "reviewer@koomessage.demo")
LOGINS = (OWNER, READER, SENDER, NEWCOMER, OPERATOR, REVIEWER)
