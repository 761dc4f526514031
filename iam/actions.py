"""Policy actions and Django permissions, one to one (PRODUCT.md section 11)."""

# Policy resource -> Django "app.model", and which of the operations each has.
RESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "kooMessage:emailDomain": (
        "email_service.domain",
        ("list", "get", "create", "update", "delete", "verify"),
    ),
    "kooMessage:emailAddress": ("email_service.address", ("list", "get", "create", "update", "delete")),
    "kooMessage:emailTemplate": ("email_service.template", ("list", "get", "create", "update", "delete")),
    "kooMessage:emailSendTask": (
        "email_service.task",
        ("list", "get", "create", "update", "delete", "cancel"),
    ),
    "kooMessage:emailSendDetail": ("email_service.message", ("list", "get", "export", "reveal")),
    "kooMessage:emailReport": ("email_service.report", ("list", "get", "export")),
    "kooMessage:suppression": ("email_service.suppression", ("list", "get", "create", "delete", "export")),
    "kooMessage:package": ("billing.package", ("list", "get", "create", "update")),
    "kooMessage:order": ("billing.order", ("list", "get", "create", "cancel", "pay")),
    "iam:user": ("iam.user", ("list", "get", "create", "update", "delete")),
    "iam:group": ("iam.usergroup", ("list", "get", "create", "update", "delete")),
    "iam:policy": ("iam.policy", ("list", "get", "create", "update", "delete")),
}
# Operation -> the word Django's permissions use; the others keep their name.
WORDS = {"get": "view", "create": "add", "update": "change"}
# The guide's own name for a resource, kept as an alias.
ALIASES = {"kooMessage:devSendTask": "kooMessage:emailSendTask"}


def _permission(model: str, operation: str) -> str:
    app, name = model.split(".")
    return f"{app}.{WORDS.get(operation, operation)}_{name}"


ACTION_OF = {
    _permission(model, operation): f"{resource}:{operation}"
    for resource, (model, operations) in RESOURCES.items()
    for operation in operations
}
PERMISSION_OF = {action: permission for permission, action in ACTION_OF.items()}
