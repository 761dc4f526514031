"""The catalogue as a spreadsheet, out and in."""

from billing.models import PackageSpec, PriceTier
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


class PriceTierResource(PlainResource):
    """One line a tier; prices in force may come in again as they are, not otherwise."""

    class Meta:
        model = PriceTier
        import_id_fields = ("currency", "valid_from", "from_units")
        fields = ("currency", "valid_from", "from_units", "price")
        export_order = fields
        clean_model_instances = True
        skip_unchanged = True
