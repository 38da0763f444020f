"""The macros, rendered: labels and errors wired, nothing inline, text escaped."""

import itertools
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from markupsafe import Markup

from core.text import arabic_digits
from tests.unit.web.design.sheets import WEB

VOID = {"input", "meta", "link", "br", "hr", "img", "use"}


def environment(lang: str = "ar") -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(WEB / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,
    )
    made.filters.update(
        digits=lambda value: arabic_digits(str(value)) if lang == "ar" else str(value),
        isolate=lambda value: Markup('<bdi dir="ltr">{}</bdi>').format(value),
        moment=str,
        clock=str,
        day=str,
    )
    count = itertools.count()
    made.globals.update(
        {
            "_": lambda text: text,
            "ngettext": lambda one, many, n: one if n == 1 else many,
            "lang": lang,
            "dir": "rtl" if lang == "ar" else "ltr",
            "csrf": "a-token",
            "once": lambda: f"once-{next(count)}",
            "me": SimpleNamespace(id=7, name="سلمى الحربي", title="", roles=frozenset({"receptionist"})),
            "request": SimpleNamespace(url=SimpleNamespace(path="/counter/3", query="day=1&full=yes")),
            "nav": [{"href": "/", "label": "Counter", "icon": "ticket", "current": True, "badge": 12}],
        }
    )
    return made


def render(source: str, lang: str = "ar", **values: Any) -> str:
    head = '{% import "components.html" as ui with context %}'
    return environment(lang).from_string(head + source).render(**values)


class Page(HTMLParser):
    """Elements in order, as (tag, attributes); complains about elements closed out of turn."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] or "" for _, attrs in self.elements if "id" in attrs]


@pytest.fixture(params=["ar", "en"])
def guide(request: pytest.FixtureRequest) -> Page:
    return Page(environment(request.param).get_template("styleguide.html").render())


def test_no_page_carries_inline_styles_or_scripts(guide: Page) -> None:
    for tag, attrs in guide.elements:
        assert "style" not in attrs, (tag, attrs)
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        assert tag != "style"
        assert tag != "script" or attrs.get("src")


def test_ids_are_unique_and_what_is_pointed_at_exists(guide: Page) -> None:
    assert len(guide.ids) == len(set(guide.ids))
    for tag, attrs in guide.elements:
        for name in ("for", "aria-labelledby", "aria-describedby", "data-dialog-open", "data-pad-for"):
            for wanted in (attrs.get(name) or "").split():
                assert wanted in guide.ids, (tag, name, wanted)


def test_every_field_has_a_label(guide: Page) -> None:
    labelled = {attrs.get("for") for attrs in guide.all("label")}
    for tag in ("input", "select", "textarea"):
        for attrs in guide.all(tag):
            if attrs.get("type") not in ("hidden", "radio"):
                assert attrs.get("id") in labelled, attrs


def test_the_error_summary_leads_to_the_fields(guide: Page) -> None:
    links = [attrs["href"] for attrs in guide.all("a") if (attrs.get("href") or "").startswith("#f-")]
    assert links
    assert all((link or "")[1:] in guide.ids for link in links)


def test_a_field_with_error_and_hint_is_described_by_both() -> None:
    page = Page(render("{{ ui.field(name='phone', label='Phone', error='Ten digits', hint='We text you') }}"))
    (attrs,) = page.all("input")
    assert attrs["aria-invalid"] == "true"
    assert (attrs["aria-describedby"] or "").split() == ["f-phone-hint", "f-phone-error"]
    assert set((attrs["aria-describedby"] or "").split()) <= set(page.ids)


def test_a_field_without_error_is_not_called_invalid() -> None:
    (attrs,) = Page(render("{{ ui.field(name='phone', label='Phone') }}")).all("input")
    assert "aria-invalid" not in attrs
    assert "aria-describedby" not in attrs


def test_what_a_person_typed_is_escaped_everywhere() -> None:
    evil = "<img src=x onerror=alert(1)>"
    html = render(
        "{{ ui.field(name='a', label=v, value=v, error=v, hint=v) }}{{ ui.textarea(name='b', label=v, value=v) }}"
        "{{ ui.badge(label=v) }}{{ ui.facts(pairs=[(v, v)]) }}"
        "{{ ui.timeline(items=[{'title': v, 'text': v, 'who': v}]) }}"
        "{{ ui.row(title=v, text=v, start=v, aside=v) }}{{ ui.select(name='c', label=v, options=[(v, v)]) }}"
        "{{ ui.radio_cards(name='d', label=v, options=[(v, v, 'user', v)]) }}{{ ui.table(headers=[v], rows=[[v]]) }}"
        "{{ ui.stat(label=v, value=v) }}{{ ui.big_number(value=v) }}{{ ui.person(name=v, text=v) }}"
        "{{ ui.form_errors(errors={v: v}) }}{{ ui.avatar(name=v) }}{{ ui.button(label=v, attrs={'data-x': v}) }}"
        "{{ ui.search_box(value=v, label=v) }}{{ ui.tabs(items=[{'href': v, 'label': v}]) }}"
        "{{ ui.notice(text=v, title=v) }}{{ ui.empty(title=v, text=v) }}{{ ui.meter(label=v, value=3, text=v) }}"
        "{% call ui.card(title=v, subtitle=v) %}{{ v }}{% endcall %}",
        v=evil,
    )
    assert "<img" not in html
    assert "&lt;img" in html


def test_numbers_follow_the_language_and_markup_is_left_alone() -> None:
    assert "١٤" in render("{{ ui.stat(label='x', value=14) }}")
    assert "14" in render("{{ ui.stat(label='x', value=14) }}", lang="en")
    assert 'class="a1"' in render("{{ ui.stat(label='x', value=v) }}", v=Markup('<i class="a1">2</i>'))


def test_each_form_gets_its_own_once_token() -> None:
    html = render("{{ ui.csrf_field() }}{{ ui.csrf_field() }}")
    assert len(set(re.findall(r'name="once" value="([^"]+)"', html))) == 2
    assert html.count('name="csrf" value="a-token"') == 2


def test_the_language_link_leads_back_to_where_one_was() -> None:
    assert 'href="/language/en?back=/counter/3%3Fday%3D1%26full%3Dyes"' in render("{{ ui.language_links() }}")


def test_a_radio_card_is_chosen_only_where_the_value_says_so() -> None:
    source = "{{ ui.radio_cards(name='n', options=[(0, 'None'), (1, 'One')], value=v) }}"
    assert sum("checked" in attrs for attrs in Page(render(source, v="")).all("input")) == 0
    assert [attrs["value"] for attrs in Page(render(source, v=0)).all("input") if "checked" in attrs] == ["0"]


def test_initials_skip_the_article_and_survive_an_empty_name() -> None:
    assert "س" in render("{{ ui.avatar(name='سلمى الحربي') }}")
    assert "ح" in render("{{ ui.avatar(name='سلمى الحربي') }}")
    assert "·" in render("{{ ui.avatar(name='') }}")


def test_a_signed_out_page_has_no_owner_and_no_way_to_sign_out() -> None:
    html = environment().get_template("desk.html").render(me=None, nav=[])
    assert "data-who" not in html
    assert "/sign-out" not in html
    Page(html)


def test_full_screens_have_no_navigation() -> None:
    html = environment().get_template("fullscreen.html").render()
    Page(html)
    assert "<nav" not in html
