"""Texts → lines: plain text, format=flowed, HTML, links."""

import pytest

from digest.message import body, links
from digest.message.html import MAX_DEPTH, to_lines
from digest.message.parse import parse
from tests.message.mails import mail, raw


def _plain(message: bytes) -> str:
    return "\n".join(line.text for line in body.lines(parse(message))[0])


def _html(source: str) -> str:
    return "\n".join(line.text for line in to_lines(source)[0])


def test_flowed_lines_are_joined_within_their_quote_depth() -> None:
    flowed = ["> quoted ", "> on", "answer that ", "goes on", " >not a quote", "-- ", "Ann"]
    assert body.unflow(flowed) == ["> quoted on", "answer that goes on", ">not a quote", "-- ", "Ann"]
    assert body.unflow(["day ", "time"], delsp=True) == ["daytime"]


def test_plain_text_is_preferred_unless_it_is_empty_or_a_stub() -> None:
    page = "<p>The whole story, told at some length for everybody who can read it in a browser.</p>"
    assert _plain(mail("Told in full.\n", html=page)) == "Told in full."
    assert _plain(mail("\n", html=page)).startswith("The whole story")
    assert _plain(mail("Your reader does not support HTML.\n", html=page)).startswith("The whole story")


def test_a_target_behind_a_links_text_is_taken_out_where_the_html_shows_that_link() -> None:
    page = '<p>See <a href="https://example.org/ng">the guide</a>.</p>'
    lines, _ = body.lines(parse(mail("See the guide <https://example.org/ng>.\n", html=page)))
    assert [(line.text, line.links) for line in lines] == [("See the guide.", ("https://example.org/ng",))]
    assert _plain(mail("See <https://example.org/ng>.\n")) == "See <https://example.org/ng>."


SAFE = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1&data=05&reserved=0"


@pytest.mark.parametrize(
    ("wrapped", "target"),
    [
        (SAFE, "https://example.org/a?b=1"),
        (
            f"https://eur02.safelinks.protection.outlook.com/?url={SAFE.replace('&', '%26')}",
            "https://example.org/a?b=1",
        ),
        ("https://urldefense.com/v3/__https://example.org/a__;!!x", "https://example.org/a"),
        ("https://urldefense.us/v3/__https:/*example.org/a**Bb__;LyMjIw!!x", "https://example.org/a###b"),
        ("https://urldefense.com/v3/__https://example.org/a*b__;", "https://example.org/a*b"),
        ("https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fexample.org%2fa&c=E,1,x", "https://example.org/a"),
        ("https://clicktime.symantec.com/39by3e?u=http%3A%2F%2Fexample.org", "http://example.org"),
        ("https://scanmail.trustwave.com/?c=1&d=x&u=https%3a%2f%2fexample%2eorg%2fa", "https://example.org/a"),
        (
            "https://us-east-2.protection.sophos.com/?d=example.org&u=aHR0cHM6Ly9leGFtcGxlLm9yZy9h",
            "https://example.org/a",
        ),
        (
            "https://ctp.trendmicro.com/wis/clicktime/v1/query?url=https%3a%2f%2fexample.org&umid=1",
            "https://example.org",
        ),
        ("https://secure-web.cisco.com/1abc/https%3A%2F%2Fexample.org%2Fa", "https://example.org/a"),
        ("https://protect-eu.mimecast.com/s/AbC1?domain=example.org", None),  # opaque
        ("https://us.protection.sophos.com/?u=%FF%00AA", None),
        ("https://evil.example.net/?url=https://example.org", None),
        ("https://urldefense.proofpoint.com/v2/url?u=https-3A__example.org_a&d=x", "https://example.org/a"),
        ("https://www.google.com/url?q=https://example.org/a&sa=D", "https://example.org/a"),
        (
            "https://www.google.com/search?q=https://example.org/a",
            "https://www.google.com/search?q=https://example.org/a",
        ),
        ("https://eur01.safelinks.protection.outlook.com/?url=javascript%3Aalert", None),
        ("https://[bad", None),
    ],
)
def test_wrapped_links_are_unwrapped_to_their_targets(wrapped: str, target: str | None) -> None:
    assert links.unwrap(wrapped) == (target or wrapped)


def test_addresses_end_before_the_punctuation_that_follows() -> None:
    text = "(https://example.org/a_(b)) and https://example.org/c. Or https://example.org/d, too: https://"
    assert [text[a:b] for a, b in links.find(text)] == [
        "https://example.org/a_(b)",
        "https://example.org/c",
        "https://example.org/d",
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>One</p><p>two<br>three</p>", "One\n\ntwo\nthree"),
        ("<div>One</div><div><br></div><div>two</div>", "One\n\ntwo"),
        (
            '<p class="MsoNormal">One</p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><p class="MsoNormal">two</p>',
            "One\n\ntwo",
        ),
        ("a&nbsp;b\n  c&#8203;d", "a b cd"),
        ("<ul><li>x</li><li>y</li></ul><ol start=3><li>z</li></ol>", "- x\n- y\n\n3. z"),
        ("<table><tr><th>Age</th><th>Tests</th></tr><tr><td>40</td><td>7</td></tr></table>", "Age | Tests\n40 | 7"),
        ("<table><tr><td><p>Only</p><p>layout</p></td></tr></table>", "Only\n\nlayout"),
        ("<blockquote type=cite>old<blockquote>older</blockquote></blockquote>new", "> old\n>\n>> older\nnew"),
        ('<blockquote style="margin:0 0 0 40px;border:none;padding:0px">indented</blockquote>', "indented"),
        ('<div class="yahoo_quoted">old</div>', "> old"),
        ('x<div style="display: none">hidden</div><style>p{}</style><script>1</script><!-- c -->y', "x\ny"),
        ('<pre>a\n  b</pre><span style="white-space:pre-wrap">c\nd</span>', "a\nb\n\nc\nd"),
        ('new<div class="gmail_signature">Ann</div>', "new\n\n-- \nAnn"),
        ('<span>-- </span><br><div class="gmail_signature">Ann</div>', "--\nAnn"),
        (
            'new<div id="divRplyFwdMsg"><b>From:</b> B<br><b>Sent:</b> 1</div>',
            "new\n" + "_" * 32 + "\nFrom: B\nSent: 1",
        ),
        ("", ""),
        ("<?xml version='1.0' encoding='utf-16'?><p>x", "x"),
    ],
)
def test_html_becomes_text(source: str, text: str) -> None:
    assert _html(source) == text


def test_links_keep_to_their_line_unless_their_text_is_their_address() -> None:
    source = f'<p>a <a href="{SAFE}">guide</a></p><p><a href="https://example.org/x">example.org/x</a></p>'
    lines, _ = to_lines(source)
    assert [(line.text, line.links) for line in lines if line.text] == [
        ("a guide", ("https://example.org/a?b=1",)),
        ("example.org/x", ()),
    ]


def test_quotes_nested_without_end_stay_at_a_depth_and_html_too_deep_keeps_its_words() -> None:
    deep = _html("<blockquote>" * 100 + "x" + "</blockquote>" * 100)
    assert deep == ">" * MAX_DEPTH + " x"
    lines, whole = to_lines("<div>a" * 5000 + "<p>end")
    assert not whole
    assert lines[-1].text == "end"


def test_placeholders_of_inline_pictures_are_no_text() -> None:
    assert _plain(mail("Chart:\n\n[cid:image001.png@01]\n\nFlat.\n")) == "Chart:\n\nFlat."


def test_latin_text_without_a_label_is_read() -> None:
    assert _plain(raw("Content-Type: text/plain", body="It’s £80".encode("cp1252"))) == "It’s £80"


def test_a_line_knows_the_colour_or_weight_that_all_of_it_is_written_in() -> None:
    source = (
        '<p style="color:#1F497D">plain</p><p><span style="color: red">red</span></p>'
        "<p>half <font color=blue>blue</font></p><p><b>bold</b></p>"
        '<p><font color="#0070C0"><b>both</b></font></p><p><a style="color:blue" href="https://x.org">link</a></p>'
    )
    assert [line.tint for line in to_lines(source)[0] if line.text] == ["", "red", "", "bold", "#0070c0 bold", ""]


def test_the_html_is_read_when_the_text_says_that_colours_matter() -> None:
    page = '<p>My answers are in red.</p><blockquote><p>Who pays?</p><p style="color:red">We do.</p></blockquote>'
    found, _ = body.lines(parse(mail("My answers are in red.\n\n> Who pays?\n> We do.\n", html=page)))
    assert [line.tint for line in found if "We do" in line.text] == ["red"]
