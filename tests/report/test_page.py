"""The page: one file, nothing runs, nothing is fetched, every text stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from doxa.errors import DataError
from doxa.report import tables
from doxa.report.corners import strength
from doxa.report.html import render_html, write_html
from report import runs

INPUTS = runs.edges_of_input()
EMPTY = {"meta", "br", "wbr"}
HTML = {"html", "head", "title", "style", "body", "main", "header", "section", "article", "figure", "figcaption"}
HTML |= {"details", "summary", "div", "p", "h1", "h2", "h3", "span", "em", "b", "i", "bdi", "time", "code", "pre"}
HTML |= {"small", "sup", "table", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd"}
SVG = {"svg", "desc", "g", "a", "line", "circle", "rect", "text", "polyline", "polygon"}


class Page(HTMLParser):
    """Reads a page back and keeps its tags, attributes and text; a tag closed out of order fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open += [] if tag in EMPTY else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += [] if self.open[-1:] == ["style"] else [data]


@cache
def page(name: str) -> str:
    return render_html(*INPUTS[name])


@pytest.mark.parametrize("name", INPUTS)
def test_nothing_runs_and_nothing_is_fetched(name: str) -> None:
    read = Page(page(name))
    assert not read.open
    assert {tag for tag, _ in read.tags} <= HTML | SVG | EMPTY
    for _, attributes in read.tags:
        assert not {"src", "style", "srcset", "action"} & set(attributes)
        assert not [key for key in attributes if key.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page(name) and "@import" not in page(name)


@pytest.mark.parametrize("name", INPUTS)
def test_the_policy_allows_this_very_style_and_nothing_else(name: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page(name), re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    metas = {attributes.get("http-equiv"): attributes for tag, attributes in Page(page(name)).tags if tag == "meta"}
    policy = metas["Content-Security-Policy"]["content"]
    assert (
        policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("name", INPUTS)
def test_ids_are_unique_and_links_arrive(name: str) -> None:
    tags = Page(page(name)).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"] for _, attributes in tags if "href" in attributes} <= {f"#{id_}" for id_ in ids}


@pytest.mark.parametrize("name", INPUTS)
def test_what_is_shown_has_no_control_characters_and_no_leaks_of_python(name: str) -> None:
    text = "".join(Page(page(name)).text)
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert not [c for c in text if "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"]
    assert not re.search(r"\b(nan|None|inf|Undefined)\b", text)


def test_hostile_text_is_shown_as_it_is() -> None:
    text = "".join(Page(page("hostile")).text)
    for payload in ("<script>document.title='pwned'</script>", "{{ 7*7 }}{% raw %}", "&lt;b&gt;", "**bold** `code`"):
        assert payload in text


def test_every_section_is_there_and_says_so_when_it_is_empty() -> None:
    for name in ("usual", "no estimator"):
        ids = [attributes.get("id") for tag, attributes in Page(page(name)).tags if tag == "section"]
        assert ids == ["agreement", "estimators", "changes", "reliability", "refusing", "groups", "examples", "made"]
    text = "".join(Page(page("no estimator")).text)
    assert "No method here gives an answer of its own." in text
    assert "No estimator was run." in text and "There are none to show." in text


def test_methods_about_their_own_answer_are_ranked_apart() -> None:
    _, after = page("usual").split("About their own answer")
    before = page("usual").split("About the reply")[1].split("About their own answer")[0]
    assert "stated_top_k" not in before and "stated_top_k" in after


def test_an_incomplete_run_says_so_above_its_numbers() -> None:
    header = page("interrupted").split('<section id="agreement">')[0]
    assert "the run is interrupted" in header and "15 failed calls" in header
    assert "is interrupted" not in page("usual")


def test_the_same_numbers_give_the_same_page() -> None:
    assert render_html(runs.run(), runs.metrics()) == page("usual")


def test_a_blank_cell_has_a_note_and_another_n_is_shown() -> None:
    row = runs.metrics()["estimators"][1]
    row["raw"]["auroc"]["n"] = 41
    table = tables.estimators([row])
    cells = dict(zip([" ".join(filter(None, c)) for c in table.columns], table.rows[0], strict=True))
    assert cells["AUROC"].text.endswith("(n 41)")
    assert (cells["Brier raw"].text, cells["Brier raw"].mark) == ("—", "a")
    assert table.notes == {tables.NOT_UNIT: "a"}


@pytest.mark.parametrize("name", INPUTS)
def test_every_table_of_measurements_has_a_column_n(name: str) -> None:
    _, metrics = INPUTS[name]
    drawn = [tables.estimators(metrics["estimators"]), tables.measures(metrics["estimators"], "raw")]
    drawn += [tables.groups(metrics["groups"])]
    drawn += [tables.corners(metrics["agreement"])] if metrics["agreement"] else []
    for table in drawn:
        assert "n" in [column for column, _ in table.columns]
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_groups_come_worst_first_and_unknown_last() -> None:
    rows = runs.metrics()["groups"]
    rows[0]["overconfidence"] = None
    order = [row["overconfidence"] and row["overconfidence"]["value"] for row in tables.worst_first(rows)]
    assert order[-1] is None
    assert order[:-1] == sorted(order[:-1], reverse=True)


def test_groups_without_overconfidence_show_the_share_right() -> None:
    rows = [{**row, "overconfidence": None, "estimator": None} for row in runs.metrics()["groups"]]
    text = "".join(Page(render_html(runs.run(), runs.metrics(groups=rows))).text)
    assert "The share of right replies by group" in text


def write_run(folder: Path, **changes: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({**runs.run(), **changes}))
    (folder / "metrics.json").write_text(json.dumps(runs.metrics()))
    return folder


def test_the_page_is_written_whole_beside_the_run_or_elsewhere(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "r")
    assert write_html(folder) == folder / "report.html"
    assert write_html(folder, tmp_path / "new" / "x.html").read_text() == page("usual")
    assert sorted(f.name for f in folder.iterdir()) == ["metrics.json", "report.html", "run.json"]


def test_a_folder_without_a_run_is_refused_with_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run\.json does not exist"):
        write_html(tmp_path)
    folder = write_run(tmp_path / "r", schema="doxa.run/9")
    with pytest.raises(DataError, match=r"schema 'doxa\.run/9'") as caught:
        write_html(folder)
    assert caught.value.hint
    (folder / "run.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        write_html(folder)
    with pytest.raises(DataError, match="cannot be written"):
        write_html(write_run(tmp_path / "ok"), tmp_path / "ok" / "run.json" / "x.html")


def test_an_edge_without_an_interval_is_not_drawn_as_certain() -> None:
    rank = {"name": "rank", "value": 0.7, "low": None, "high": None, "n": 5, "reason": "", "better": "high"}
    assert strength("knows-says", {"rank": rank}) == (0.0, 0.7, 0.7)
    assert strength("knows-says", {"rank": {**rank, "value": -0.7}}) == (-0.7, -0.7, 0.0)
    assert strength("knows-world", {"auroc": {**rank, "value": 0.75}}) == (0.0, 0.5, 0.5)
