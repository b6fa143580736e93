"""What machines and employers put around what people write."""

import pytest

from digest.message.boilerplate import is_banner, is_disclaimer, is_tag_line


@pytest.mark.parametrize(
    "line",
    [
        *("Sent from my iPhone", "Sent from Outlook for iOS<https://aka.ms/o0ukef>", "Get Outlook for Android"),
        *("Sent from my Samsung Galaxy smartphone.", "Sent from Yahoo Mail on Android", "Sent via BT Email App"),
        *("Yahoo Mail: Search, organise, conquer", "Sent from Mail for Windows 10", "Sent from AOL Mobile Mail"),
        *("Sent from my BlackBerry 10 smartphone on the EE network.", "Sent with Proton Mail secure email.", "iPhone"),
        *("Apologies for brevity - sent from my phone", "Please excuse brevity and typos", "Typed with thumbs"),
        *("Sent whilst on the move - please excuse brevity", "Dictated, apologies for errors", "Anfonwyd o fy iPhone"),
        *("Gesendet von meinem iPhone", "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Inviato da iPhone"),
        *("Verzonden vanaf mijn iPhone", "Skickat från min iPhone", "Sendt fra min iPhone", "Wysłane z iPhone'a"),
    ],
)
def test_a_tag_line_is_known(line: str) -> None:
    assert is_tag_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "Sent it to the hub on Friday.",
        "Apologies, there were errors in the table I sent last week: the second row is wrong.",
        "Dictated letters go out on the same day.",
        "iPhone users cannot open the form.",
        "Please excuse my late answer.",
    ],
)
def test_what_people_write_is_no_tag_line(line: str) -> None:
    assert not is_tag_line(line)


DISCLAIMERS = [
    "This message may contain confidential information. If you are not the intended recipient please tell the sender.",
    "NHSmail is the secure email, collaboration and directory service available for all NHS staff in England.",
    "Please consider the environment before printing this email.",
    "The content of this email is intended for the addressee only. We monitor e-mail traffic.",
    "This e-mail is from a government department and is intended for the named addressee only.",
    "Disclaimer The information contained in this communication is confidential.",
    "Notice of Confidentiality: the material in this message is for the addressee.",
    "Any views or opinions presented are solely those of the author; the Trust accepts no liability for this message.",
    "The Trust accepts no liability for any damage caused by any virus transmitted by this email.",
    "The information in this e-mail may have to be disclosed under the Freedom of Information Act 2000.",
    "OFFICIAL-SENSITIVE",
    "OFFICIAL: SENSITIVE COMMERCIAL",
    "TLP: GREEN",
]


@pytest.mark.parametrize("paragraph", DISCLAIMERS)
def test_a_disclaimer_is_known_without_a_signature_above(paragraph: str) -> None:
    assert is_disclaimer(paragraph, signed=False)


@pytest.mark.parametrize(
    "paragraph",
    [
        "Cancer Help is a registered charity in England and Wales (100000) and Scotland (SC000000).",
        "The mailbox is not monitored at weekends.",
        "We do not accept clinical requests here; the address does not accept service of documents.",
        "See our privacy notice.",
    ],
)
def test_what_only_an_organisation_says_is_a_disclaimer_below_a_signature(paragraph: str) -> None:
    assert is_disclaimer(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        "We put in a freedom of information request and a third of the trusts never answered.",
        "A registered charity drives our patients to the scanner.",
        "Radiology accepts no responsibility for chasing the result, which is the whole trouble.",
        "Our inbox is monitored by the duty doctor.",
        "Disclaimer: I helped to write the pathway.",
        "OFFICIAL figures are out.",
    ],
)
def test_what_people_write_about_is_no_disclaimer(paragraph: str) -> None:
    assert not is_disclaimer(paragraph, signed=False)


@pytest.mark.parametrize(
    "paragraph",
    [
        *("[EXTERNAL]", "[External Email]", "***EXTERNAL EMAIL***", "⚠ External sender", "Report suspicious"),
        "EXTERNAL: This email originated from outside the Trust. Please be careful.",
        "CAUTION: This email originated from outside of the organisation. Do not click links.",
        "⚠️ **CAUTION** This is an external email",
        "You don't often get email from ben@example.org. Learn why this is important<https://aka.ms/Learn>",
        "[You don't often get email from ben@example.org. Learn why this is important at https://aka.ms/Learn ]",
        "Some people who received this message don't often get email from ben@example.org.",
        "This message originated from outside of NHSmail. Please do not open attachments unless you trust the sender.",
        "WARNING: This email has come from an external source. If you were not expecting it, do not open links.",
        "ZjQcmQRYFpfptBannerStart This Message Is From an External Sender ZjQcmQRYFpfptBannerEnd",
        "[Please note this e-mail is from an EXTERNAL e-mail address]",
        "** This mail originated from OUTSIDE the NHS. Do not click on links. **",
        "You have received this email from an external sender.",
    ],
)
def test_a_banner_is_known(paragraph: str) -> None:
    assert is_banner(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        "Caution: the new form drops the box for weight loss.",
        "Important: the deadline is Friday.",
        "External funding has run out here, so we stopped.",
        "Please note that our address has changed.",
        "Attention all practices in the north.",
    ],
)
def test_what_people_warn_of_is_no_banner(paragraph: str) -> None:
    assert not is_banner(paragraph)
