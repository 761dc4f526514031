"""The catalogue as a spreadsheet, out and in."""

from billing.models import PackageSpec
from koomessage.common.exchange import PlainResource


class PackageSpecResource(PlainResource):
    """Lines are found again by their name; every limit of the model holds for imported lines too."""

    class Meta:
        model = PackageSpec
        import_id_fields = ("name",)
        fields = (
            "name", "name_en", "units", "price", "currency", "valid_days", "most_per_account", "is_offered", "position",
        )  # fmt: skip
        export_order = fields
        clean_model_instances = True
        skip_unchanged = True
