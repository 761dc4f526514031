"""THE table of words that spam and fraud like, and of those that advertise; reviewers are shown where they stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
# Characters without width between letters: what they part is one word all the same.
UNSEEN = re.compile(r"(?<=\w)[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]+(?=\w)")
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])[\s\u00b7*._-]+(?=[{HAN}])")


@dataclass(frozen=True, slots=True)
class WordGroup:
    """Words of one kind. English ones are matched as whole words, Chinese ones anywhere; case is ignored."""

    label: str | Promise
    chinese: tuple[str, ...]
    english: tuple[str, ...]


SPAM_WORDS = (
    WordGroup(
        _("prizes and gifts"),
        ("中奖", "抽奖", "大奖", "领奖", "奖金", "免费领取", "免费送", "零元购", "白送", "红包", "天上掉", "幸运用户"),
        (
            "you won", "winner", "prize", "jackpot", "lottery", "free gift", "100% free", "claim now", "claim your",
            "lucky customer", "giveaway",
        ),
    ),
    WordGroup(
        _("quick money"),
        (
            "贷款", "低息", "无抵押", "秒到账", "套现", "提额", "刷单", "兼职日结", "日赚", "躺赚", "稳赚", "高回报",
            "保本", "理财", "荐股", "内幕消息", "返利", "代开发票", "虚拟币", "比特币", "暴富",
        ),
        (
            "make money", "earn money", "extra income", "get rich", "quick cash", "cash bonus", "easy loan",
            "no credit check", "guaranteed return", "double your", "risk free", "risk-free", "bitcoin", "crypto",
            "investment opportunity", "work from home", "million dollars", "inheritance", "wire transfer",
        ),
    ),
    WordGroup(
        _("passwords and payment details"),
        (
            "输入密码", "确认密码", "银行卡号", "身份证号", "验证您的账户", "验证您的账号", "账户异常", "账号异常",
            "账户被冻结", "账号被冻结", "解除冻结", "信用卡安全码", "重新认证", "社保卡停用", "医保卡停用", "etc停用",
        ),
        (
            "verify your account", "confirm your password", "confirm your identity", "account suspended",
            "account has been suspended", "unusual activity", "update your payment", "credit card number",
            "social security", "pin code", "security code", "account will be closed",
        ),
    ),
    WordGroup(
        _("pressure"),
        ("最后机会", "立即点击", "马上点击", "仅限今天", "仅限今日", "逾期不候", "错过不再", "立刻抢购", "速抢"),
        (
            "act now", "urgent", "last chance", "only today", "expires today", "final notice", "click here",
            "click now", "limited time", "don't miss", "dont miss", "while supplies last", "order now", "buy now",
        ),
    ),
    WordGroup(
        _("gambling and adult content"),
        ("博彩", "赌场", "百家乐", "六合彩", "时时彩", "棋牌", "澳门", "色情", "成人视频", "裸聊", "约炮", "一夜情"),
        ("casino", "betting", "poker", "slots", "viagra", "cialis", "xxx", "adult video", "hot singles", "escort"),
    ),
    WordGroup(
        _("cures and superlatives"),
        ("根治", "包治", "特效药", "祖传秘方", "减肥", "壮阳", "丰胸", "全网最低", "全球第一", "国家级", "百分百"),
        (
            "miracle", "lose weight", "weight loss", "anti-aging", "no prescription", "cure", "best price",
            "lowest price", "100% satisfied", "amazing", "once in a lifetime",
        ),
    ),
)  # fmt: skip

MARKETING = WordGroup(
    _("advertising"),
    (
        "优惠", "促销", "折扣", "打折", "特价", "满减", "秒杀", "抢购", "限时", "新品", "上新", "会员日", "双十一",
        "双11", "618", "大促", "清仓", "包邮", "优惠券", "代金券", "折起", "买一送一", "活动", "免费试用", "订阅",
    ),
    (
        "sale", "discount", "% off", "offer", "offers", "deal", "deals", "coupon", "promo", "promotion", "voucher",
        "newsletter", "new arrivals", "shop now", "buy now", "limited time", "free shipping", "clearance",
        "black friday", "special price", "subscribe",
    ),
)  # fmt: skip
# Services that hide where a link leads.
SHORTENERS = frozenset({
    "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "rb.gy",
    "shorturl.at", "tiny.cc", "lnkd.in", "bl.ink", "v.gd", "t.cn", "dwz.cn", "url.cn", "suo.im", "suo.nz", "mrw.so",
    "u.nu", "dwz.mk", "c7.gg", "985.so", "sourl.cn", "m.tb.cn", "w.url.cn", "6url.cn", "adf.ly", "soo.gd",
})  # fmt: skip


def words_in(group: WordGroup, text: str) -> Iterator[tuple[str, int]]:
    """Yield the group's words that stand in the text, and how often; disguises by blanks do not help."""
    plain = UNSEEN.sub("", text).lower()
    joined = _BETWEEN_HAN.sub("", plain)
    for word in group.chinese:
        if times := joined.count(word):
            yield word, times
    for word in group.english:
        if times := len(re.findall(rf"(?<![a-z]){re.escape(word)}(?![a-z])", plain)):
            yield word, times
