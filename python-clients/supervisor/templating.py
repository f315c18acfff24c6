"""The web interface is inside the daemon. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "AUTOCLOSE", "IGNOREEND", "Replace", "PyHelper", "helper", "doctype", "MeldTreeBuilder", "HTMLXMLParser",
    "do_parse", "parse_xml", "parse_html", "parse_xmlstring", "parse_htmlstring", "attrib_needs_escaping",
    "cdata_needs_escaping", "insert_doctype", "insert_meld_ns_decl", "prefeed", "sharedlineage", "diffreduce",
    "intersection", "melditerator", "fixtag",
))
