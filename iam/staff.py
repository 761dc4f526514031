"""Groups of the platform's own staff, by name; made by a migration, filled by operators in the admin."""

REVIEW_STAFF = "Review staff"
# Model (app label, name) -> the rights of review staff: they decide on templates, and on nothing else.
REVIEW_RIGHTS = {
    ("email_service", "template"): ("view",),
    ("email_service", "templateversion"): ("view", "change"),
}
