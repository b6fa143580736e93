"""What each program writes, understood: HTML of many clients, header blocks and attributions of many languages."""

import pytest

from digest.message import Ours, Person, understand
from digest.message.reply import new_text
from tests.message.mails import mail

OURS = Ours(
    "stream@lists.example.org",
    "digest@example.org",
    (Person("Dr Ann Carter", ("ann.carter@example.org",)), Person("Dr Ben Okoro", ("ben@okoro.example.org",))),
)
SAID = "We have it in two trusts."
ASKED = "Who has direct access to CT for weight loss?"
BOTH = f"{SAID}\n\nThe trust."


def _new(text: str = "\n", html: str = "") -> str:
    message = mail(text, html=html, Subject="Re: [STREAM] CT access", In_Reply_To="<1@example.org>")
    understood = understand(message, OURS)
    return new_text(understood.text, understood.segments)


CLIENTS = {
    "outlook word": (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office">'
        '<head><style>p.MsoNormal{margin:0}</style></head><body lang=EN-GB link="#0563C1">'
        "<div class=WordSection1><p class=MsoNormal>"
        "<span style='font-size:11.0pt;font-family:\"Calibri\",sans-serif;mso-fareast-language:EN-US'>SAID<o:p>"
        "</o:p></span></p>"
        "<p class=MsoNormal><span><o:p>&nbsp;</o:p></span></p>"
        "<p class=MsoNormal>Kind regards<o:p></o:p></p><p class=MsoNormal>Ann<o:p></o:p></p>"
        "<p class=MsoNormal><b><span style='color:#005EB8'>Dr Ann Carter</span></b><o:p></o:p></p>"
        "<p class=MsoNormal>GP Partner &amp; Cancer Lead | High Lane Surgery<o:p></o:p></p><div>"
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>"
        "<p class=MsoNormal><b>From:</b> Ben Okoro &lt;ben@okoro.example.org&gt; <br>"
        "<b>Sent:</b> 05 January 2026 09:00<br><b>To:</b> stream@lists.example.org<br>"
        "<b>Subject:</b> [STREAM] CT access<o:p></o:p></p></div></div>"
        "<p class=MsoNormal><o:p>&nbsp;</o:p></p>"
        "<p class=MsoNormal>ASKED<o:p></o:p></p></div></body></html>",
        SAID,
    ),
    "owa": (
        "<html><body>"
        '<div class="elementToProof" style="font-family: Aptos; font-size: 12pt; color: rgb(0, 0, 0);">'
        "SAID</div>"
        '<div class="elementToProof"><br></div><div id="Signature" class="elementToProof">'
        '<div>Dr Ann Carter</div><div>GP</div></div><div id="appendonsend"></div>'
        '<hr style="display:inline-block;width:98%" tabindex="-1">'
        '<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt"'
        ' color="#000000">'
        "<b>From:</b> Ben Okoro &lt;ben@okoro.example.org&gt;<br>"
        "<b>Sent:</b> Monday, January 5, 2026 9:00 AM<br><b>To:</b> stream@lists.example.org<br>"
        '<b>Subject:</b> CT access</font><div>&nbsp;</div></div><div class="BodyFragment">'
        '<div class="PlainText">ASKED</div></div></body></html>',
        SAID,
    ),
    "gmail": (
        '<div dir="ltr"><div>SAID</div><div><br></div><div>Best wishes</div><div>Ann</div></div><br>'
        '<div class="gmail_quote gmail_quote_container">'
        '<div dir="ltr" class="gmail_attr">On Mon, 5 Jan 2026 at 09:00, Ben Okoro &lt;<a'
        ' href="mailto:ben@okoro.example.org">ben@okoro.example.org</a>&gt; wrote:<br></div>'
        '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid'
        ' rgb(204,204,204);padding-left:1ex">'
        "<div>ASKED</div></blockquote></div>",
        SAID,
    ),
    "apple mail": (
        '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head>'
        '<body style="overflow-wrap: break-word;">SAID<br id="lineBreakAtBeginningOfMessage"><div>'
        '<br></div><div>Ann<br><div><br><blockquote type="cite">'
        "<div>On 5 Jan 2026, at 09:00, Ben Okoro &lt;ben@okoro.example.org&gt; wrote:</div>"
        '<br class="Apple-interchange-newline"><div><div>ASKED</div></div></blockquote></div>'
        "<br></div></body></html>",
        SAID,
    ),
    "iphone": (
        '<html><body dir="auto">SAID<div><br></div><div>Ann<br><br>'
        '<div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br>'
        '<blockquote type="cite">On 5 Jan 2026, at 09:00, Ben Okoro &lt;ben@okoro.example.org&gt; wrote:<br>'
        '<br></blockquote></div><blockquote type="cite">'
        '<div dir="ltr">\ufeff<p>ASKED</p></div></blockquote></div></body></html>',
        SAID,
    ),
    "samsung": (
        '<html><body><div dir="auto">SAID</div><div dir="auto"><br></div>'
        '<div id="composer_signature" dir="auto">'
        '<div style="font-size:12px;color:#575757" dir="auto">Sent from my Galaxy</div></div>'
        '<div dir="auto"><br></div><div><br></div>'
        '<div align="left" dir="auto" style="font-size:100%;color:#000000">'
        "<div>-------- Original message --------</div>"
        "<div>From: Ben Okoro &lt;ben@okoro.example.org&gt; </div>"
        "<div>Date: 05/01/2026  09:00  (GMT+00:00) </div><div>To: stream@lists.example.org </div>"
        "<div>Subject: CT access </div><div><br></div></div><p>ASKED</p></body></html>",
        SAID,
    ),
    "outlook mobile": (
        '<html><body><div dir="auto">SAID</div>'
        '<div id="ms-outlook-mobile-body-separator-line" dir="auto"><br></div>'
        '<div id="ms-outlook-mobile-signature" dir="auto">Get <a href="https://aka.ms/o0ukef">Outlook for'
        " iOS</a></div>"
        '<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">'
        "<b>From:</b> Ben Okoro &lt;b@x.org&gt;<br><b>Sent:</b> Monday, January 5, 2026 9:00:00 AM<br>"
        "<b>To:</b> s<br><b>Subject:</b> CT</div><div>ASKED</div></body></html>",
        SAID,
    ),
    "yahoo": (
        '<html><body><div class="ydp yahoo-style-wrap" style="font-family:Helvetica">'
        '<div dir="ltr">SAID</div><div><br></div><div class="ydpsignature">Ann</div></div>'
        '<div id="ydpyahoo_quoted_123" class="ydpyahoo_quoted"><div>'
        "<div>On Monday, 5 January 2026 at 09:00:00 GMT, Ben Okoro &lt;b@x.org&gt; wrote:</div><div>"
        "<br></div><div>ASKED</div></div></div></body></html>",
        SAID,
    ),
    "thunderbird": (
        "<html><body><p>SAID<br></p>"
        '<div class="moz-cite-prefix">On 05/01/2026 09:00, Ben Okoro wrote:<br></div>'
        '<blockquote type="cite" cite="mid:1@example.org"><p>ASKED</p></blockquote>'
        '<pre class="moz-signature" cols="72">-- \nDr Ann Carter</pre></body></html>',
        SAID,
    ),
    "thunderbird bottom": (
        '<html><body><div class="moz-cite-prefix">On 05/01/2026 09:00, Ben Okoro wrote:<br></div>'
        '<blockquote type="cite" cite="mid:1@example.org"><p>ASKED</p></blockquote>'
        "<p>SAID</p></body></html>",
        SAID,
    ),
    "android gmail": (
        '<div dir="auto">SAID</div><br><div class="gmail_quote">'
        '<div dir="ltr" class="gmail_attr">On Mon, 5 Jan 2026, 09:00 Ben Okoro, &lt;<a href="mailto:b@x.org">'
        "b@x.org</a>&gt; wrote:<br></div>"
        '<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;'
        'padding-left:1ex">ASKED</blockquote></div>',
        SAID,
    ),
    "new outlook mac": (
        '<html><body><div><span style="font-size:11pt;">SAID</span></div><div><br></div>'
        '<div id="mail-editor-reference-message-container">'
        '<div class="ms-outlook-mobile-reference-message">'
        '<div style="padding:3pt 0in 0in; border-width:1pt medium medium; border-style:solid none none;'
        ' border-color:rgb(181,196,223) currentcolor currentcolor">'
        "<b>From: </b>Ben Okoro &lt;b@x.org&gt;<br><b>Date: </b>Monday, 5 January 2026 at 09:00<br>"
        "<b>To: </b>stream<br><b>Subject: </b>CT access</div><div>ASKED</div></div></div></body></html>",
        SAID,
    ),
    "html inline": (
        '<div>Hi Ben</div><div><br></div><div class="gmail_quote">'
        '<div class="gmail_attr">On Mon, 5 Jan 2026 at 09:00, Ben &lt;b@x.org&gt; wrote:</div>'
        '<blockquote class="gmail_quote" style="border-left:1px solid">ASKED</blockquote><div>SAID</div>'
        '<blockquote class="gmail_quote" style="border-left:1px solid">Who pays?</blockquote>'
        "<div>The trust.</div></div>",
        "Hi Ben\n\n" + BOTH,
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_html_of_a_client_is_taken_apart(client: str) -> None:
    page, said = CLIENTS[client]
    assert _new(html=page.replace("SAID", SAID).replace("ASKED", ASKED)) == said


BLOCKS = {
    "de": "Von: Ben Okoro <b@x.org>\nGesendet: Montag, 5. Januar 2026 09:00\nAn: stream\nBetreff: CT",
    "fr": "De : Ben Okoro <b@x.org>\nEnvoyé : lundi 5 janvier 2026 09:00\nÀ : stream\nObjet : CT",
    "es": "De: Ben Okoro <b@x.org>\nEnviado: lunes, 5 de enero de 2026 9:00\nPara: stream\nAsunto: CT",
    "es2": "De: Ben Okoro <b@x.org>\nEnviado el: lunes, 5 de enero de 2026 9:00\nPara: stream\nAsunto: CT",
    "it": "Da: Ben Okoro <b@x.org>\nInviato: lunedì 5 gennaio 2026 09:00\nA: stream\nOggetto: CT",
    "nl": "Van: Ben Okoro <b@x.org>\nVerzonden: maandag 5 januari 2026 09:00\nAan: stream\nOnderwerp: CT",
    "pt": "De: Ben Okoro <b@x.org>\nEnviada em: segunda-feira, 5 de janeiro de 2026 09:00\nPara: stream\nAssunto: CT",
    "pl": "Od: Ben Okoro <b@x.org>\nWysłano: poniedziałek, 5 stycznia 2026 09:00\nDo: stream\nTemat: CT",
    "sv": "Från: Ben Okoro <b@x.org>\nSkickat: den 5 januari 2026 09:00\nTill: stream\nÄmne: CT",
    "da": "Fra: Ben Okoro <b@x.org>\nSendt: 5. januar 2026 09:00\nTil: stream\nEmne: CT",
    "cy": "Oddi wrth: Ben Okoro <b@x.org>\nAnfonwyd: 05 Ionawr 2026 09:00\nAt: stream\nPwnc: CT",
    "fi": "Lähettäjä: Ben Okoro <b@x.org>\nLähetetty: ma 5. tammikuuta 2026 9.00\nVastaanottaja: stream\nAihe: CT",
    "cs": "Od: Ben Okoro <b@x.org>\nOdesláno: pondělí 5. ledna 2026 9:00\nKomu: stream\nPředmět: CT",
    "tr": "Kimden: Ben Okoro <b@x.org>\nGönderildi: 5 Ocak 2026 Pazartesi 09:00\nKime: stream\nKonu: CT",
    "ro": "De la: Ben Okoro <b@x.org>\nTrimis: luni, 5 ianuarie 2026 09:00\nCătre: stream\nSubiect: CT",
    "hu": "Feladó: Ben Okoro <b@x.org>\nElküldve: 2026. január 5. 9:00\nCímzett: stream\nTárgy: CT",
    "el": "Από: Ben Okoro <b@x.org>\nΣτάλθηκε: Δευτέρα, 5 Ιανουαρίου 2026 9:00\nΠρος: stream\nΘέμα: CT",
    "ru": "От: Ben Okoro <b@x.org>\nОтправлено: понедельник, 5 января 2026 г. 9:00\nКому: stream\nТема: CT",
    "zh": "发件人: Ben Okoro <b@x.org>\n发送时间: 2026年1月5日 9:00\n收件人: stream\n主题: CT",
    "ja": "差出人: Ben Okoro <b@x.org>\n送信日時: 2026年1月5日 9:00\n宛先: stream\n件名: CT",
    "ar": "من: Ben Okoro <b@x.org>\nتم الإرسال: 5 يناير 2026\nإلى: stream\nالموضوع: CT",
    "macos": "From: Ben Okoro <b@x.org>\nDate: Monday, 5 January 2026 at 09:00\nTo: stream\nSubject: CT",
    "emclient": '------ Original Message ------\nFrom "Ben" <b@x.org>\nTo stream\nDate 05/01/2026 09:00:00\nSubject CT',
}


@pytest.mark.parametrize("rule", ["", "________________________________\n"])
@pytest.mark.parametrize("language", BLOCKS)
def test_a_header_block_starts_a_quote_in_any_language_with_and_without_a_rule(language: str, rule: str) -> None:
    assert _new(f"{SAID}\n\n{rule}{BLOCKS[language]}\n\n{ASKED}\n\nBen\n") == SAID


ATTRIBUTIONS = {
    "en-us": "On Mon, Jan 5, 2026 at 9:00 AM Ben Okoro <b@x.org> wrote:",
    "en wrapped": "On Mon, Jan 5, 2026 at 9:00 AM OKORO, Ben (HIGH LANE) via\nStream <stream@lists.example.org> wrote:",
    "de": "Am Mo., 5. Jan. 2026 um 09:00 Uhr schrieb Ben Okoro <b@x.org>:",
    "de wrapped": "Am Mo., 5. Jan. 2026 um 09:00 Uhr schrieb Ben Okoro <\nb@x.org>:",
    "de apple": "> Am 05.01.2026 um 09:00 schrieb Ben Okoro <b@x.org>:",
    "fr wrapped": "Le lun. 5 janv. 2026 à 09:00, Ben Okoro <b@x.org>\na écrit :",
    "es": "El lun, 5 ene 2026 a las 9:00, Ben Okoro (<b@x.org>)\nescribió:",
    "it": "Il giorno lun 5 gen 2026 alle ore 09:00 Ben Okoro <b@x.org>\nha scritto:",
    "nl": "Op ma 5 jan 2026 om 09:00 schreef Ben Okoro <b@x.org>:",
    "pt": "Em seg., 5 de jan. de 2026 às 09:00, Ben Okoro <b@x.org>\nescreveu:",
    "pl": "pon., 5 sty 2026 o 09:00 Ben Okoro <b@x.org> napisał(a):",
    "sv": "Den mån 5 jan. 2026 kl 09:00 skrev Ben Okoro <b@x.org>:",
    "da": "Den man. 5. jan. 2026 kl. 09.00 skrev Ben Okoro <b@x.org>:",
    "no": "man. 5. jan. 2026 kl. 09:00 skrev Ben Okoro <b@x.org>:",
    "cy": "Ar Llun, 5 Ion 2026 am 09:00, ysgrifennodd Ben Okoro <b@x.org>:",
    "tr": "Ben Okoro <b@x.org>, 5 Oca 2026 Pzt, 09:00 tarihinde şunu yazdı:",
    "ru": "пн, 5 янв. 2026 г. в 09:00, Ben Okoro <b@x.org>:",
    "zh": "Ben Okoro <b@x.org> 于2026年1月5日周一 09:00写道：",
    "ja": "2026年1月5日(月) 9:00 Ben Okoro <b@x.org>:",
    "cs": "po 5. 1. 2026 v 9:00 odesílatel Ben Okoro <b@x.org> napsal:",
    "el": "Στις Δευ 5 Ιαν 2026 στις 9:00 π.μ., ο χρήστης Ben Okoro <b@x.org> έγραψε:",
    "ro": "În lun., 5 ian. 2026 la 09:00, Ben Okoro <b@x.org> a scris:",
    "old": "Ben Okoro writes:",
    "said": "Ben Okoro <b@x.org> said:",
    "thus": "Quoting Ben Okoro <b@x.org>:",
}


@pytest.mark.parametrize("language", ATTRIBUTIONS)
def test_an_attribution_is_read_in_any_language(language: str) -> None:
    assert _new(f"{SAID}\n\n{ATTRIBUTIONS[language]}\n\n> {ASKED}\n>\n> Ben\n") == SAID


@pytest.mark.parametrize("language", [name for name in ATTRIBUTIONS if name not in {"old", "said", "thus", "de apple"}])
def test_an_attribution_above_an_unmarked_quote_is_read_in_any_language(language: str) -> None:
    assert _new(f"{SAID}\n\n{ATTRIBUTIONS[language]}\n\n{ASKED}\n\nBen\n") == SAID


@pytest.mark.parametrize(
    "farewell",
    [
        "Kind regards,\nAnn",
        "KR\nAnn",
        "Kindest regards\n\nAnn",
        "Warm wishes\nAnn",
        "Best,\nAnn",
        "All the best,\nAnn",
        "Yours sincerely\n\nAnn Carter",
        "Many thanks in advance\nAnn",
        "With best wishes,\n\nAnn",
        "Cheers\nAnn",
        "Thanks so much\nAnn x",
        "Ta\nA",
        "Thank you\n\nDr Ann Carter\nGP",
        "Best wishes and a happy new year,\nAnn",
        "Speak soon,\nAnn",
        "Have a lovely weekend\nAnn",
        "Take care,\nAnn",
        "BW Ann",
        "Kind regards Ann",
        "Regards, Ann Carter",
        "Diolch\nAnn",
        "Cofion gorau\nAnn",
        "Slainte\nAnn",
        "Thanks again,\nAnn",
        "Thanks everyone\nAnn",
        "Thank you all\nAnn",
        "Yours aye\nAnn",
        "In haste\nAnn",
        "~Ann",
        "- Ann",
        "Ann :-)",
        "Ann 😊",
        "Ann xx",
        "Love Ann",
        "Sincerely,\n\nAnn",
        "Respectfully\nAnn",
        "Yours\nAnn",
        "Warmest regards\nAnn",
        "Best regards / Mit freundlichen Grüßen\nAnn",
        "Ann (she/her)",
        "Ann Carter (she/her)\nClinical Lead",
        "Dr A Carter\nGP",
        "Dr. A. Carter",
        "A Carter",
        "Ann C",
        "Annie",
    ],
)
def test_a_farewell_and_a_name_are_no_new_text(farewell: str) -> None:
    assert _new(f"{SAID}\n\n{farewell}\n") == SAID
