from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class CommonConfig(AppConfig):
    name = "koomessage.common"
    label = "common"

    def ready(self) -> None:
        from koomessage.common.kept_forms import drop_strangers

        user_logged_in.connect(drop_strangers, dispatch_uid="drop_strangers")
