"""The mail every side sends: 10 KB of HTML with 57 links and five parameters."""

PARAMETERS = ("name", "city", "code", "product", "link")
_NAMES = [
    "李娜",
    "王伟",
    "张敏",
    "刘洋",
    "陈静",
    "杨帆",
    "赵磊",
    "黄丽",
    "周强",
    "吴欣怡",
    "欧阳建国",
    "Anna",
]
_CITIES = ["上海", "北京", "广州", "深圳", "杭州", "成都", "呼和浩特", "乌鲁木齐"]
_PRODUCTS = ["无线耳机", "机械键盘", "保温杯", "充电宝", "智能手表5"]
_ROW = (
    '<tr><td style="padding:6px 12px;font-size:14px;line-height:22px;color:#333">'
    '<a href="https://shop.example.com/item/{number}">商品 {number}</a> 现货，次日送达</td></tr>'
)
_INTRO = (
    '<p style="margin:0 0 12px">{{name}}，您在{{city}}订购的{{product}}已经发出，提货码 {{code}}。'
    '<a href="{{link}}">查看订单</a></p>'
)
SUBJECT = "Your order has left"
HTML = (
    f'<div style="max-width:640px;margin:0 auto;font-family:Arial,sans-serif">{_INTRO}<table>'
    + "".join(_ROW.format(number=number) for number in range(1, 57))
    + "</table></div>"
)


def values_of(number: int) -> list[str]:
    """Return a recipient's own five values."""
    name = f"{_NAMES[number % len(_NAMES)]}{number}"
    city, product = _CITIES[number % len(_CITIES)], _PRODUCTS[number % len(_PRODUCTS)]
    return [
        name,
        city,
        f"SF{number:010}",
        product,
        f"https://shop.example.com/orders/{number}?from=mail&lang=zh",
    ]
