"""Sample values that make a preview read like a mail."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# What the public templates use, as one story: a customer, an order and its parcel, an event, a holiday.
SAMPLES = {
    "account_name": "li.na@example.com",
    "action_name": gettext_lazy("sign in to your account"),
    "affected_features": gettext_lazy("Sign-in, payment and data export"),
    "agenda_time_1": "14:00",
    "agenda_time_2": "15:00",
    "agenda_time_3": "16:30",
    "agenda_topic_1": gettext_lazy("Opening: where the industry stands, and what comes next"),
    "agenda_topic_2": gettext_lazy("Case study: how a factory halved its delivery times"),
    "agenda_topic_3": gettext_lazy("Questions, tea and conversation"),
    "article_url_1": "https://www.example.com/news/1",
    "article_url_2": "https://www.example.com/news/2",
    "article_url_3": "https://www.example.com/news/3",
    "billing_period": gettext_lazy("September 2025"),
    "buyer_name": gettext_lazy("Oceanview Trading Ltd"),
    "campaign_name": gettext_lazy("Members’ week"),
    "carrier_name": gettext_lazy("Example Express"),
    "company_address": gettext_lazy("18 Binjiang Road, Hangzhou"),
    "company_name": gettext_lazy("Example Ltd"),
    "coupon_code": "AUTUMN20",
    "delivery_date": gettext_lazy("15 September 2025"),
    "discount": gettext_lazy("20% off"),
    "discount_amount": gettext_lazy("$20.00"),
    "due_date": gettext_lazy("30 September 2025"),
    "editor_note": gettext_lazy(
        "Autumn is when plans for next year begin. In this issue you find the new release, a customer’s story, "
        "and an article on making meetings shorter."
    ),
    "end_date": gettext_lazy("30 September"),
    "end_time": "23:30",
    "event_date": gettext_lazy("Thursday, 18 September 2025"),
    "event_name": gettext_lazy("Autumn Customer Day 2025"),
    "event_place": gettext_lazy("International Conference Centre, Hall 3"),
    "event_time": "14:00 – 17:30",
    "guide_url": "https://www.example.com/guide",
    "headline_1": gettext_lazy("Reports that write themselves"),
    "headline_2": gettext_lazy("How a team of fifty halved its paperwork"),
    "headline_3": gettext_lazy("Meetings of twenty minutes"),
    "holiday_end": gettext_lazy("4 January"),
    "holiday_name": gettext_lazy("the New Year"),
    "holiday_start": gettext_lazy("24 December"),
    "invoice_number": gettext_lazy("INV-2025-0916"),
    "invoice_type": gettext_lazy("VAT invoice"),
    "invoice_url": "https://www.example.com/invoices/0916",
    "issue_date": gettext_lazy("16 September 2025"),
    "issue_name": gettext_lazy("September 2025 · No. 12"),
    "item_name": gettext_lazy("Cloud subscription, business plan"),
    "minimum_amount": gettext_lazy("$99"),
    "net_amount": gettext_lazy("$187.74"),
    "order_date": gettext_lazy("12 September 2025"),
    "order_number": "20250912001",
    "order_url": "https://www.example.com/orders/20250912001",
    "original_price_1": gettext_lazy("$119.00"),
    "original_price_2": gettext_lazy("$79.00"),
    "payment_method": gettext_lazy("Credit card ending in 4242"),
    "product_amount": gettext_lazy("$209.00"),
    "product_name": gettext_lazy("Wireless headphones"),
    "product_name_1": gettext_lazy("Mechanical keyboard"),
    "product_name_2": gettext_lazy("Travel backpack"),
    "product_price_1": gettext_lazy("$95.00"),
    "product_price_2": gettext_lazy("$63.00"),
    "product_spec": gettext_lazy("Graphite, over-ear"),
    "quantity": "1",
    "question_count": "8",
    "register_url": "https://www.example.com/events/autumn",
    "reply_date": gettext_lazy("12 September"),
    "request_device": gettext_lazy("Chrome on Windows"),
    "request_place": gettext_lazy("Hangzhou, China"),
    "request_time": "2025-09-12 10:24",
    "reset_url": "https://www.example.com/reset/7f3a9c",
    "reward": gettext_lazy("a $10 voucher"),
    "sender_name": gettext_lazy("Chen Yu"),
    "sender_title": gettext_lazy("Managing Director"),
    "service_date": gettext_lazy("Saturday, 20 September 2025"),
    "service_name": gettext_lazy("the order system"),
    "service_phone": "400 000 0000",
    "shipping_address": gettext_lazy("18 Binjiang Road, Hangzhou"),
    "shipping_date": gettext_lazy("13 September 2025"),
    "shipping_fee": gettext_lazy("$10.00"),
    "shop_url": "https://www.example.com/shop",
    "start_time": "22:00",
    "start_url": "https://www.example.com/start",
    "status_url": "https://status.example.com/",
    "summary_1": gettext_lazy(
        "The new release gathers last month’s figures by itself and has the report ready on the first morning."
    ),
    "summary_2": gettext_lazy("Three changes to their approvals, and what they would do differently today."),
    "summary_3": gettext_lazy("Small habits that need no tool and work from tomorrow."),
    "support_email": "support@example.com",
    "survey_minutes": "3",
    "survey_name": gettext_lazy("How satisfied are you with our service?"),
    "survey_url": "https://www.example.com/survey",
    "tax_amount": gettext_lazy("$11.26"),
    "tax_number": "91330100MA00000000",
    "tax_rate": "6%",
    "total_amount": gettext_lazy("$199.00"),
    "tracking_number": "SF1234567890",
    "tracking_url": "https://www.example.com/track/SF1234567890",
    "user_name": gettext_lazy("Li Na"),
    "valid_minutes": "10",
    "verification_code": "628419",
    "work_date": gettext_lazy("5 January"),
}


def sample_values(names: Iterable[str]) -> dict[str, str]:
    """Return a value for each parameter, known or guessed by its name, else the name itself in brackets."""
    return {name: _sample(name.lower()) or f"[{name}]" for name in names}


def _sample(name: str) -> str:
    words = (
        (("url", "link", "href"), "https://www.example.com/"),
        (("email", "mail"), "li.na@example.com"),
        (("company", "brand", "shop", "store"), _("Example Ltd")),
        (("product", "item", "goods"), _("Wireless headphones")),
        (("city", "address"), _("18 Binjiang Road")),
        (("tracking", "waybill", "parcel"), "SF1234567890"),
        (("date", "day"), "2024-08-16"),
        (("start",), "22:00"),
        (("end_time", "finish"), "23:30"),
        (("time",), "17:00"),
        (("order", "number", "serial"), "20240816001"),
        (("code", "otp", "pin"), "628419"),
        (("minute", "hour"), "10"),
        (("count", "quantity"), "2"),
        (("amount", "price", "total", "fee", "sum"), "¥199.00"),
        (("phone", "mobile"), "400 000 0000"),
        (("carrier", "courier"), _("Example Express")),
        (("name", "user", "customer"), _("Li Na")),
    )
    known = SAMPLES.get(name)
    return (
        str(known)
        if known
        else next((value for keys, value in words if any(key in name for key in keys)), "")
    )
