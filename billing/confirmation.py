"""Operation protection (操作保护): who pays says once more who they are."""

from django.contrib.auth import authenticate

from koomessage.common.requests import ConsoleRequest


def proves_identity(request: ConsoleRequest, password: str) -> bool:
    """Say whether the password is the signed-in user's; wrong ones count towards the lock of its login."""
    user = authenticate(request, username=request.user.login, password=password)
    return user is not None and user.pk == request.user.pk
