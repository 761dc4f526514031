"""Mails in the manners found in the wild, and what may be missing from each after the clean-up."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "mails"


@dataclass(frozen=True)
class Mail:
    """A file, how to read it, and what the clean-up owes its author and must tell them."""

    name: str
    charset: str = "utf-8"
    parameters: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()
    # Addresses that no mail may lead to; their words stay.
    refused: frozenset[str] = frozenset()
    # Words that come in this order in the text part.
    phrases: tuple[str, ...] = ()
    # Looks that go with what is refused: how the page lies then is nobody's promise.
    is_laid_out: bool = True
    # Words between table rows, which browsers show in front of the table.
    moves_words: bool = False

    @property
    def file(self) -> Path:
        """Those that are not UTF-8 end in .htm: editors and tools take .html for UTF-8."""
        return next(FOLDER.glob(f"{self.name}.htm*"))

    @property
    def content(self) -> bytes:
        return self.file.read_bytes()

    @property
    def source(self) -> str:
        return self.content.decode(self.charset).replace("\r\n", "\n")


MAILS = (
    Mail(
        "mjml_newsletter",
        parameters=("name", "customer_id"),
        removed=frozenset({"@import", "<link>", "<!--[if mso]-->", "<!--[if lte mso 11]-->"}),
        phrases=("Good morning, {{name}}", "Conference pears", "Book a basket (https://", "Cider tasting"),
    ),
    Mail(
        "foundation_welcome",
        parameters=("first_name", "boat"),
        removed=frozenset({"CSS position"}),
        phrases=("Welcome aboard, {{ first_name }}!", "Connect", "Start here (", "Contact", "Phone: +49"),
    ),
    Mail(
        "chimp_campaign",
        parameters=("customer_id",),
        removed=frozenset({"href=*|ARCHIVE|*", "<!--[if gte mso 15]-->"}),
        refused=frozenset({"*|ARCHIVE|*"}),
        phrases=("View this email in your browser\n", "* Bring a jacket\n* Leave the dog", "Leave this list ("),
    ),
    Mail(
        "hybrid_sale",
        parameters=("code",),
        removed=frozenset({"<!--[if mso]-->"}),
        phrases=("Light for long evenings", "Choose a lamp (", "Floor lamps (", "Wall lamps ("),
    ),
    Mail(
        "old_tables",
        charset="cp1252",
        parameters=("name",),
        phrases=("Nº 12 – “May”", "Dear {{name}},", "Ink  Weeks\nMadder red  40\nSmalt  3", "Home (https://"),
    ),
    Mail(
        "edm_gbk",
        charset="gbk",
        parameters=("name", "points", "uid"),
        phrases=("会员日全场八折 (https://qinghe.example/vip)", "喆記茶叶", "￥128.00", "￥239.00", "立即抢购 ("),
    ),
    Mail(
        "report_utf16",
        charset="utf-16",
        parameters=("week",),
        phrases=("渠道  访问  转化", "搜索 “春季”  2,000 9.1%", "7. 下周安排", "负责人\n李雷"),
    ),
    Mail(
        "receipt_bom",
        charset="utf-8-sig",
        parameters=("order_number", "name", "city", "invoice_link"),
        removed=frozenset({"@font-face"}),
        phrases=("Thank you, {{name}}", "Oak shelf, 80 cm  € 64.00", "Total  € 73.50", "({{invoice_link}})"),
    ),
    Mail(
        "word_letter",
        parameters=("name",),
        removed=frozenset({"@font-face", "<!--[if !mso]-->", "<!--[if gte mso 9]-->"}),
        phrases=("Dear {{name}},", "· Two copies, signed\n· One deposit slip", "Workshop 840", "Kind regards"),
    ),
    Mail(
        "dark_mode",
        parameters=("name",),
        removed=frozenset({"<!--[if mso]-->"}),
        phrases=("Bread after dark", "The shop window is lit in white.", "Order a loaf (https://"),
    ),
    Mail(
        "amp_leftovers",
        parameters=("name", "uid"),
        removed=frozenset({
            "<script>", "@import", "CSS position", "CSS top", "CSS z-index", "CSS background", "<noscript>", "<select>",
            "<video>", "<svg>", "<iframe>", "<base>", "<link>", "<amp-img>", "<form>", "<input>", "<button>", "onclick",
            "href=ridge.html", "href=javascript:void(0)", "src=data:image/gif;base64,R0lGODlhAQABAAAAAC",
        }),
        refused=frozenset({"ridge.html", "javascript:void(0)", "data:image/gif;base64,R0lGODlhAQABAAAAACw="}),
        phrases=("Paths are open", "Will you come?", "Open the map (https://", "or nothing", "Bring water."),
        is_laid_out=False,
    ),
    Mail(
        "reply_quote",
        parameters=("name",),
        phrases=("Hi {{name}},", "1. keys\n2. the blue folder\n", "gate 4\n<7 x 9>", "Kit <kit@site.example> wrote"),
    ),
    Mail("rtl_arabic", parameters=("name", "order"), phrases=("مرحبا {{name}}", "* كتاب الرحلة", "تفاصيل الطلب (")),
    Mail(
        "broken_markup",
        parameters=("week", "name"),
        removed=frozenset({"CSS"}),
        phrases=("Beans  2.10\nLeeks new  1.80", "< last year's, {{name}}!", "A button that is a table (https://"),
    ),
    Mail(
        "other_senders_marks",
        parameters=("item_one", "member_id", "link"),
        removed=frozenset({"href=*|UNSUB|*", "href=%%unsub%%"}),
        refused=frozenset({"*|UNSUB|*", "%%unsub%%"}),
        phrases=("{% if premium %}", "{{ item_one }}  [[price]]", "Yours ({{link}}) Top", "${first} and <%= name %>"),
        moves_words=True,
    ),
)  # fmt: skip
