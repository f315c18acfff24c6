"""What a page of the web interface tells, read from the markup of either side."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
CTIME = re.compile(r"\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\b")


class Node:
    """An element: its tag, its attributes, what is in it."""

    def __init__(self, tag, attrs):
        self.tag, self.attrs, self.children = tag, dict(attrs), []

    def walk(self):
        """The elements below, in the order of the page; templates are no part of it."""
        for child in self.children:
            if isinstance(child, Node) and child.tag != "template":
                yield child
                yield from child.walk()

    def find(self, tag=None, **attrs):
        """The elements below of a tag that have the attributes; of `cls`, one of the classes."""
        cls = attrs.pop("cls", None)
        return [node for node in self.walk() if tag in (None, node.tag)
                and (cls is None or cls in (node.attrs.get("class") or "").split())
                and all(node.attrs.get(name) == value for name, value in attrs.items())]

    def text(self):
        """All text below, as it stands there."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def words(self):
        """All text below, with white space as a browser shows it."""
        return " ".join(self.text().split())


class _Builder(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = Node("", ())
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, attrs)
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Node(tag, attrs))

    def handle_endtag(self, tag):
        if any(node.tag == tag for node in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parse(html):
    """The tree of a page."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


def hrefs(node):
    """The addresses of all links below."""
    return [link.attrs.get("href", "") for link in node.find("a")]


def query(href):
    """The parameters of an address, each once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(href).query).items()}


def timeless(text):
    """A message without the time in it."""
    return CTIME.sub("<CTIME>", text)


def status(html, side):
    """The facts of the status page."""
    page = parse(html)
    rows = _reference_rows(page) if side == "python" else _our_rows(page)
    return {
        "title": page.find("title")[0].words(),
        "message": timeless(_message(page, side)),
        "empty": "No programs to manage" in "".join(_visible(page)),
        "programs": rows,
        "for all": sorted(_for_all(page, side) & {"refresh", "restartall", "stopall"}),
        "version": "4.3.0" in page.text(),
    }


def _visible(node):
    if isinstance(node, str):
        return [node]
    if "hidden" in node.attrs or node.tag == "template":
        return []
    return [text for child in node.children for text in _visible(child)]


def _message(page, side):
    if side == "python":
        return "".join(node.text() for node in page.find("div", cls="status_msg"))
    return page.find(id="message")[0].text()


def _for_all(page, side):
    linked = {query(href).get("action") for href in hrefs(page) if "processname" not in query(href)}
    if side == "python":
        return linked
    return linked | {button.attrs.get("value") for form in page.find("form")
                     for button in form.find("button", name="action")}


def _reference_rows(page):
    rows = []
    for row in page.find("tr"):
        names = [link for link in row.find("a") if link.attrs.get("href", "").startswith("tail.html?")]
        if not names:
            continue
        cells = row.find("td")
        links = hrefs(row)
        acting = [query(href) for href in links if href.startswith("index.html?")]
        rows.append({
            "name": names[0].text(),
            "state": cells[0].words(),
            "description": cells[1].words(),
            "actions": sorted(each["action"] for each in acting),
            "acts on": sorted({each["processname"] for each in acting}),
            "tail": query(names[0].attrs["href"])["processname"],
            "streams": sorted(unquote(href) for href in links if href.startswith("logtail/")),
        })
    return sorted(rows, key=lambda row: row["name"])


def _our_rows(page):
    rows = []
    for row in page.find("tr", cls="process"):
        links = hrefs(row)
        forms = row.find("form", method="post", action="index.html")
        tails = [query(href) for href in links if href.startswith("tail.html?")]
        rows.append({
            "name": row.find("th", cls="name")[0].words(),
            "state": row.find(cls="statename")[0].words(),
            "description": row.find(cls="description")[0].words(),
            "actions": sorted(button.attrs["value"] for form in forms for button in form.find("button", name="action")
                              if "hidden" not in button.attrs),
            "acts on": sorted({field.attrs["value"] for form in forms for field in form.find("input", name="processname")}),
            "tail": next(each["processname"] for each in tails if "channel" not in each),
            "streams": sorted(unquote(href) for href in links if href.startswith("logtail/")),
        })
    return sorted(rows, key=lambda row: row["name"])


def tail(html):
    """The facts of the page of a log; the link that shows it again is the only one, or is called so."""
    page = parse(html)
    again = [link for link in page.find("a") if link.attrs.get("href", "").startswith("tail.html?")]
    refresh = [query(link.attrs["href"]) for link in again if link.words() in ("", "Refresh")]
    return {"title": page.find("title")[0].words(), "text": page.find("pre")[0].text(), "refresh": refresh}
