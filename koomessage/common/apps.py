from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "koomessage.common"
    label = "common"
