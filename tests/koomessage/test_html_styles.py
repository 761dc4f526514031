"""Style elements and Outlook's conditional comments: what may stay, where it goes, and what is dropped."""

import time

import pytest

from koomessage.common.html import sanitize, split_style
from koomessage.common.style_blocks import HeavyStyles

GHOST = (
    '<!--[if mso]><table width="600"><tr><td width="300" valign="top"><![endif]--><div>A</div>'
    "<!--[if mso]></td><td><![endif]--><div>B</div><!--[if mso]></td></tr></table><![endif]-->"
)
VML = (
    '<!--[if gte mso 9]><v:rect xmlns:v="urn:schemas-microsoft-com:vml" fill="true" style="width:600px;height:200px;">'
    '<v:fill type="tile" src="https://img.example/b.png" color="#7bceeb" /><v:textbox inset="0,0,0,0"><![endif]-->'
    "<p>On a picture</p><!--[if gte mso 9]></v:textbox></v:rect><![endif]-->"
)


def test_ordinary_rules_move_into_the_elements_and_own_styles_win():
    clean = sanitize("<style>p{color:red;margin:0} .b p{color:blue}</style><p style='margin:4px'>x</p>")

    assert clean.html == '<p style="color: red; margin: 4px">x</p>'
    assert clean.removed == ()


def test_important_rules_win_over_own_styles():
    assert (
        "color: red !important"
        in sanitize("<style>p{color:red!important}</style><p style='color:blue'>x").html
    )


def test_media_queries_and_states_stay_in_one_block_in_front():
    clean = sanitize(
        "<p>Before</p><style>a:hover{color:red}"
        "@media (max-width:600px){.w{width:100%!important}.x{display:none}}</style>"
        "<style media='screen and (max-width:480px)'>p{font-size:18px}</style><p>After</p>"
    )

    style, rest = split_style(clean.html)
    assert style.startswith("<style>\na:hover { color: red }\n@media (max-width:600px) {\n  .w { width: 100%")
    assert "@media screen and (max-width:480px) {\n  p { font-size: 18px }" in style
    assert rest == "<p>Before</p><p>After</p>"
    assert "}}" not in style
    assert "{{" not in style


def test_styles_of_the_body_element_paint_a_division_around_the_mail():
    document = "<html><head><style>body{background:#eee}</style></head><body><p>x</p></body></html>"

    assert sanitize(document).html == '<div style="background: #eee"><p>x</p></div>'


@pytest.mark.parametrize(
    ("css", "removed"),
    [
        ("@import url(//evil.example/x.css);", "@import"),
        ("@font-face{font-family:x;src:url(//evil.example/x.woff)}", "@font-face"),
        ("@media screen{@import 'x';p{color:red}}", "@import"),
        ("p{position:fixed}", "CSS position"),
        ("p{background:url(javascript:alert(1))}", "CSS background"),
        ("p{background:url(http://evil.example/x.png)}", "CSS background"),
        ("@media screen{p{width:expression(alert(1))}}", "CSS width"),
        ("p{behavior:url(x.htc)}", "CSS behavior"),
        ("p{color:red;}</p><b{}", "CSS"),
        ("a[href='</style><script>']{color:red}", "CSS"),
        ("@media </style><script>alert(1)</script>{p{color:red}}", "<script>"),
        ("@media x{p{color:red}", None),
        ("<!-- p{margin:0} -->", None),
        ("@charset 'utf-8';", None),
    ],
)
def test_no_rule_can_load_run_or_leave_its_place(css, removed):
    clean = sanitize(f"<style>{css}</style><p>x</p>")

    assert removed is None or removed in clean.removed
    for word in ("evil", "javascript", "expression", "behavior", "<script", "fixed", "@import"):
        assert word not in clean.html
    assert clean.html.count("<style>") == clean.html.count("</style>") <= 1
    assert sanitize(clean.html).html == clean.html


@pytest.mark.parametrize("text", [GHOST, VML, f"{GHOST}<!--[if !mso]><!--><p>web</p><!--<![endif]-->{VML}"])
def test_conditional_comments_of_tables_and_vml_stay_byte_for_byte(text):
    clean = sanitize(text)

    assert clean.html == text
    assert clean.removed == ()


@pytest.mark.parametrize(
    "text",
    [
        "<!--[if mso]><script>alert(1)</script><![endif]-->",
        "<!--[if mso]><table><tr><td>text<![endif]-->",
        "<!--[if mso]><table onload='x'><![endif]--><!--[if mso]></table><![endif]-->",
        "<!--[if mso]><v:roundrect href='javascript:alert(1)'><![endif]-->",
        "<!--[if mso]><v:fill src='http://[evil'/><v:fill src='file:///etc/passwd'/><![endif]-->",
        "<!--[if mso]><v:rect style='width:expression(alert(1))'><![endif]-->",
        "<!--[if mso]><v:rect style='behavior:url(#default#VML)'><![endif]-->",
        "<!--[if mso]><img src='https://x.example/'><![endif]-->",
        "<!--[if mso]><table><![endif]-->",
        "<!--[if mso]></td></tr></table><![endif]-->",
    ],
)
def test_what_else_stands_in_one_is_dropped_and_listed(text):
    clean = sanitize(f"<p>a</p>{text}<p>b</p>")

    assert clean.html == "<p>a</p><p>b</p>"
    assert "<!--[if mso]-->" in clean.removed


def test_outlook_sees_the_ordinary_button_where_its_own_was_dropped():
    button = "<!--[if mso]><v:rect><center>Go</center></v:rect><![endif]-->"
    ordinary = '<!--[if !mso]><!--><a href="https://x.example/">Go</a><!--<![endif]-->'

    assert sanitize(button + ordinary).html == '<a href="https://x.example/">Go</a>'


def test_settings_of_outlooks_head_take_no_marks_away():
    head = "<!--[if gte mso 9]><xml><o:x/></xml><![endif]-->"
    marked = "<!--[if !mso]><!--><p>web</p><!--<![endif]-->"

    clean = sanitize(f"<html><head>{head}</head><body>{GHOST}{marked}</body></html>")

    assert clean.html == GHOST + marked
    assert clean.removed == ("<!--[if gte mso 9]-->",)


@pytest.mark.parametrize(
    "text", ["<!--koo:0-->", "<!koo:0>", "\ufdd00\ufdd1", "<!x<b>-->", "</ koo:0>", "<?koo:0?>"]
)
def test_nobody_can_write_our_own_marks(text):
    clean = sanitize(f"<p>a</p>{text}{GHOST}")

    assert clean.html.endswith(GHOST)
    assert "<!--koo" not in clean.html
    assert clean.html.count("<!--") == GHOST.count("<!--")


def test_a_shape_whose_beginning_was_dropped_is_not_closed():
    opening = '<!--[if mso]><v:roundrect href="https://x.example/"><center><![endif]-->'

    assert sanitize(f"{opening}<a>x</a><!--[if mso]></v:roundrect><![endif]-->").html == "<a>x</a>"


def test_media_queries_win_over_rules_that_moved_into_the_elements():
    clean = sanitize(
        "<style>.c{width:50%;color:red}.h{display:none!important}"
        "@media (max-width:600px){.c{width:100%;margin:0}.h{display:block!important}}</style>"
        "<p class='c'>x</p><p class='h'>y</p>"
    )

    style, rest = split_style(clean.html)
    assert ".c { width: 100% !important; margin: 0 }" in style
    assert ".h { display: block !important }" in style
    assert rest == '<p class="c" style="width: 50%; color: red">x</p><p class="h" style="display: none">y</p>'
    assert sanitize(clean.html).html == clean.html


def test_a_media_query_about_the_body_speaks_of_its_division():
    clean = sanitize(
        "<style>body{padding:9px}@media (max-width:9px){body, .body p{padding:0}}</style><p>x</p>"
    )

    style, rest = split_style(clean.html)
    assert "  .koo-body { padding: 0 !important }\n  .body p { padding: 0 !important }" in style
    assert rest == '<div class="koo-body" style="padding: 9px"><p>x</p></div>'
    assert sanitize(clean.html).html == clean.html


@pytest.mark.parametrize(
    "rule",
    [
        "[data-ogsc] .x { color: red !important }",
        "a[x-apple-data-detectors] { color: inherit }",
        "u + #body a { color: red }",
        "#outlook a { padding: 0 }",
        ":root { color-scheme: light dark }",
        ".ExternalClass { width: 100% }",
    ],
)
def test_rules_for_single_mail_programs_stay(rule):
    clean = sanitize(f"<style>{rule}</style><p>x</p>")

    assert clean.html == f"<style>\n{rule}\n</style>\n<p>x</p>"
    assert clean.removed == ()


def test_rules_for_links_reach_links_alone():
    clean = sanitize("<style>a:link{color:red}</style><a href='https://x.example/'>x</a><a name='y'>y</a>")

    assert clean.html == '<a href="https://x.example/" style="color: red">x</a><a name="y">y</a>'


def test_tables_after_open_paragraphs_stand_beside_them():
    clean = sanitize("<style>td{color:red}</style><p align=right>a<table><tr><td>b</table>c")

    assert clean.html.startswith('<p align="right">a</p><table>')
    assert "<p></p>" not in clean.html


@pytest.mark.parametrize(
    "css",
    [
        r"a:hover{background:url(https://x.example/\3c/style\3e\3cscript\3e alert\28 1\29\3c/script\3e)}",
        r"@media screen{p{background:url(https://x.example/\3c\2fstyle\3e\3cimg\20src=x\20onerror=x\3e)}}",
        r"a:hover{font-family:'\3c/style\3e'}",
    ],
)
def test_escapes_of_css_write_no_end_of_the_style_element(css):
    assert sanitize(f"<style>{css}</style><p>x</p>").html == "<p>x</p>"


@pytest.mark.parametrize(
    "css",
    [
        "font-family:'{{name}}'",
        r"font-family:'\7b\7bname\7d\7d'",
        "background:url(https://x.example/{{name}})",
        "background:url('https://x.example/{{name}}')",
        "color:{{name}}",
    ],
)
@pytest.mark.parametrize("mail", ['<p style="{}">x</p>', "<style>a:hover{{{}}}</style><p>x</p>"])
def test_no_parameter_stands_in_a_style_whose_string_its_value_could_end(css, mail):
    clean = sanitize(mail.format(css))

    assert clean.html == "<p>x</p>"
    assert clean.removed == (f"CSS {css.partition(':')[0]}",)


@pytest.mark.parametrize("attributes", ["style='width:{{a}}px'", "arcsize={{a}}", "href={{a}}"])
def test_parameters_in_outlooks_tags_stand_between_quotes_and_in_no_style(attributes):
    clean = sanitize(f"<p>a</p><!--[if mso]><v:rect {attributes}></v:rect><![endif]-->")

    assert clean.html == "<p>a</p>"
    assert clean.removed == ("<!--[if mso]-->",)


def test_outlooks_button_may_lead_to_an_address_of_each_recipient():
    button = '<!--[if mso]><v:roundrect href="{{link}}" arcsize="8%"></v:roundrect><![endif]--><p>x</p>'

    assert sanitize(button).html == button


@pytest.mark.parametrize(
    "text",
    [
        "<style>*{font-family:" + "a" * 20_000 + "}</style>" + "<p>x" * 20_000,
        "<style>p{" + "".join(f"margin-{'a' * n}:0;" for n in range(600)) + "}</style>" + "<p>x" * 4_000,
        "<style>"
        + ",".join(f"a{n}:hover" for n in range(3_000))
        + "{color:"
        + "a" * 30_000
        + "}</style><p>x",
        "<style>" + ("div " * 99 + "p{color:red}") * 600 + "</style>" + "<div>" * 150 + "<p>x" * 10_000,
        "<style>" + "".join(f".a{n} b{{color:red}}" for n in range(12_000)) + "</style>" + "<p>x" * 40_000,
    ],
)
def test_rules_that_would_fill_the_memory_are_refused_at_once(text):
    started = time.process_time()

    with pytest.raises(HeavyStyles):
        sanitize(text)

    assert time.process_time() - started < 3


def test_selectors_that_compare_all_elements_are_left_to_mail_programs():
    css = "h1 ~ p { color: red }\ntd:has(img) { color: red }\np:not(h1 + p) { color: red }"

    assert sanitize(f"<style>{css}</style><p>x</p>").html == f"<style>\n{css}\n</style>\n<p>x</p>"


def test_many_rules_for_many_elements_are_no_reason_to_refuse_where_few_apply():
    rules = "".join(f".c{n}{{font-family:Arial,Helvetica,sans-serif;margin:{n % 9}px}}" for n in range(1000))

    clean = sanitize(f"<style>{rules}</style>" + "".join(f"<p class=c{n}>x</p>" for n in range(500)))

    assert clean.html.count("font-family") == 500
