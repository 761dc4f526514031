"""Elements and attributes that mails use less often: what may stay of them."""

import pytest

from koomessage.common.html import sanitize


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<body background='javascript:alert(1)'>x</body>", "x"),
        ("<body background='http://x.example/a.png'>x</body>", "<div>x</div>"),
        ("<body text='red;position:fixed' link='x}</p>'>x</body>", "x"),
        ("<body background=\"https://x/a');position:fixed;x:url('\">x</body>", "x"),
        ("<img srcset='https://a.example/b.png 1x, javascript:alert(1) 2x'>", "<img>"),
        ("<picture><source srcset='data:image/png,x'><source src='https://a.example/b.mp4'></picture>",
         "<picture><source><source></picture>"),
        ("<source srcset='{{a}}'>", "<source>"),
        ("<img usemap='https://x.example/'>", "<img>"),
        ("<map name='m'><area href='javascript:alert(1)' shape='rect' alt='a'></map>",
         '<map name="m"><area shape="rect" alt="a"></map>'),
        ("<p style='-moz-binding:url(https://x.example/y.xml); -o-link:\"x\"; filter:progid:x()'>x</p>", "<p>x</p>"),
        ("<p style='background:#123456 url(http://x.example/a.gif) repeat'>x</p>",
         '<p style="background: #123456  repeat">x</p>'),
        ("<p style='background:red url(javascript:alert(1)) expression(x)'>x</p>", "<p>x</p>"),
    ],
)  # fmt: skip
def test_nothing_comes_in_by_the_less_usual_ways(text, left):
    clean = sanitize(text)

    assert clean.html == left
    assert clean.removed or clean.html == "x"
    assert sanitize(clean.html).html == clean.html


def test_image_maps_and_pictures_for_other_screens_stay():
    body = (
        '<picture><source srcset="https://a.example/d.png" media="(prefers-color-scheme: dark)">'
        '<img src="https://a.example/l.png" srcset="https://a.example/l.png 1x, https://a.example/m.png 2x" '
        'usemap="#m"></picture><map name="m"><area shape="rect" coords="0,0,9,9" href="https://a.example/" alt="Home">'
        "</map>"
    )

    assert sanitize(body).html == body


def test_marks_of_other_programs_go_without_a_word_and_handlers_do_not():
    clean = sanitize(
        '<td mc:edit="a" data-x="1" v:shapes="b" xmlns:o="c"><o:p>x</o:p><st1:place>y</st1:place></td>'
        '<p hx-on:click="x" onclick="y" on:click="z">z</p>'
    )

    assert clean.html == "xy<p>z</p>"
    assert clean.removed == ("hx-on:click", "onclick", "on:click")
