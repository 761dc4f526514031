"""Nothing of the demo exists where settings.DEMO is off."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from koomessage.demo.management.commands import demo, demo_data


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/demo/inbox/", "/demo/inbox/0/", "/demo/dns/", "/demo/dns/publish/1/", "/demo/pay/"]
)
def test_no_page_of_the_demo_exists(client: Client, address: str):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("name", ["demo", "demo_data"])
def test_the_commands_refuse(name: str):
    command = {"demo": demo, "demo_data": demo_data}[name].Command()

    with pytest.raises(CommandError, match=r"demo"):
        call_command(command)
