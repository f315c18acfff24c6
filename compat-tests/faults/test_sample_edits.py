"""The sample is an interface: install scripts cut their configuration out of it with sed and awk.

What such an edit makes of our sample has to be what it makes of the reference's: the same settings in the same
sections, and the same configuration when the two are loaded.
"""

import configparser
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest

import configtools
from harness import binary

SETTING = re.compile(r";?(?:\[[^\]]*\]|[a-z_.]+ ?= ?[^;]*?)(?=\s*$|\s+;)")

# Each is run where `d.conf` is the sample; {D} is a directory to put things into.
EDITS = {
    "include_in_two_steps": r"""sed -i -e 's:;\[include\]:[include]:' -e 's:;files = relative/directory/\*.ini:files = {D}/*.ini:' d.conf""",
    "include_by_position": r"""sed -i -e '/^;\[include\]/s/^;//' -e 's|^;files = .*|files = {D}/*.conf|' d.conf""",
    "include_and_what_follows_it": r"""sed -i -e '/^;\[include\]/,$s/^;//' -e 's|relative/directory/|{D}/|' d.conf""",
    "include_and_a_line_at_the_end": r"""sed -i 's/^;\[include\]$/[include]/' d.conf && echo 'files = {D}/*.ini' >> d.conf""",
    "program_at_the_end": r"""printf '\n[program:web]\ncommand=/bin/cat\n' >> d.conf""",
    "foreground": r"""sed -i 's/^nodaemon=false/nodaemon=true/' d.conf""",
    "foreground_keeping_the_comment": r"""sed -i 's/^\(nodaemon=\)false \( *;\)/\1true  \2/' d.conf""",
    "loglevel": r"""sed -i -E 's/^loglevel=info +;.*/loglevel=debug/' d.conf""",
    "other_paths": r"""sed -i -e 's|/tmp/supervisor.sock|{D}/s.sock|g' -e 's|=/tmp/supervisord|={D}/supervisord|' d.conf""",
    "every_tmp": r"""sed -i 's|/tmp|{D}|' d.conf""",
    "port": r"""sed -i -e 's/;\[inet_http_server\]/[inet_http_server]/' -e 's/;port=127.0.0.1:9001/port=*:9001/' d.conf""",
    "server_up_to_the_next_section": r"""sed -i '/^;\[inet_http_server\]/,/^\[/s/^;//' d.conf""",
    "server_up_to_a_blank_line": r"""sed -i '/^;\[inet_http_server\]/,/^$/s/^;//' d.conf""",
    "server_and_three_lines": r"""sed -i '/inet_http_server\]  /,+3s/^;//' d.conf""",
    "server_by_line_numbers": r"""sed -i '41,44s/^;//' d.conf""",
    "server_by_awk": r"""awk '/^;\[inet_http_server\]/{{on=1}} /^$/{{on=0}} on{{sub(/^;/,"")}} 1' d.conf > new && mv new d.conf""",
    "server_by_paragraph": r"""awk -v RS= -v ORS='\n\n' '/^;\[inet_http_server\]/{{gsub(/(^|\n);/,"\n")}} 1' d.conf > new && mv new d.conf""",
    "socket_modes": r"""sed -i -e 's/^;chmod=0700 /chmod=0777 /' -e 's/^;chown=nobody:nogroup/chown=root:root/' d.conf""",
    "password_of_the_first_server": r"""sed -i -e '0,/;username=user/s//username=admin/' -e '0,/;password=123/s//password=secret/' d.conf""",
    "password_of_the_client": r"""sed -i -e 's/^;username=chris /username=admin /' -e '/^;prompt=/i password=secret' d.conf""",
    "client_over_tcp": r"""sed -i -e 's/^serverurl=unix/;&/' -e 's/^;\(serverurl=http\)/\1/' -e 's/^;prompt=mysupervisor/prompt=ours/' d.conf""",
    "history": r"""sed -i '/;history_file=~\/.sc_history/s/^;//' d.conf""",
    "program_of_the_sample": r"""sed -i -e 's/^;\[program:theprogramname\]/[program:cat]/' -e 's|^;command=/bin/cat|command=/bin/cat|' d.conf""",
    "whole_program_of_the_sample": r"""sed -i -e '/^;\[program:/,/^$/s/^;//' -e 's/user=chrism/user=root/' -e 's|/a/path|{D}/log|' d.conf""",
    "whole_listener_of_the_sample": r"""sed -i -e '/^;\[eventlistener:/,/^$/s/^;//' -e 's/user=chrism/user=root/' -e 's|/a/path|{D}/log|' d.conf""",
    "group_of_the_sample": r"""sed -i -e '/^;\[program:/,/^;command/s/^;//' -e '/^;\[group:thegroupname\]/,/^$/s/^;//' -e 's/progname1,progname2/theprogramname/' d.conf""",
    "user_nobody": r"""sed -i 's/^;user=supervisord .*/user=root/' d.conf""",
    "cleanup": r"""sed -i -e '/^;nocleanup=true/s/^;//' -e '/^;umask=022   /s/^;//' -e 's/^;identifier=supervisor /identifier=here /' d.conf""",
    "variables": r"""sed -i 's/^;environment=KEY="value"/environment=A="1"/' d.conf""",
    "insert_after_a_section": r"""sed -i '/\[supervisord\]/a strip_ansi=true' d.conf""",
    "insert_before_a_section": r"""sed -i '/^;\[program:theprogramname\]/i [program:web]\ncommand=/bin/cat\n' d.conf""",
    "without_comment_lines": r"""grep -v '^;' d.conf | sed '/^$/d' > new && mv new d.conf""",
    "without_any_comment": r"""sed -i -e 's/;.*$//' -e 's/ *$//' -e '/^$/d' d.conf""",
    "one_section_of_it": r"""awk '/^\[/{{on = /supervisord|unix|rpc|ctl/}} on' d.conf > new && mv new d.conf""",
    "last_commented_user": r"""awk '/^;?user=/{{n=NR}} {{a[NR]=$0}} END{{a[n]="user=root"; for (i=1;i<=NR;i++) print a[i]}}' d.conf > new && mv new d.conf""",
    "values_in_place": r"""sed -i -E 's/^(logfile_maxbytes=)50MB( +;)/\110MB\2/; s/^(logfile_backups=)10 /\13 /; s/^minfds=[0-9]+/minfds=512/' d.conf""",
}


@pytest.fixture(scope="module")
def samples():
    """(the reference's sample, ours)."""
    tool = Path(sys.executable).with_name("echo_supervisord_conf")
    return [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            for command in ([tool], [binary(), "echo_supervisord_conf"])]


@pytest.fixture(scope="module")
def session():
    with configtools.Session() as session:
        yield session


def bare(line):
    """A line without what its comment says: the setting and the space in front of the comment."""
    found = SETTING.match(line)
    return line[:line.index(" ;", found.end() - 1) + 2] if found and " ;" in line else found[0] if found else ""


def edited(edit, text, directory):
    path = directory / "d.conf"
    path.write_text(text, encoding="utf-8")
    subprocess.run(["sh", "-c", edit.format(D=directory)], cwd=directory, check=True)
    return path.read_text(encoding="utf-8")


def settings(text):
    """Section -> its options, as the reference reads them."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(text)
    return {section: dict(parser.items(section)) for section in parser.sections()}


def test_every_line_of_the_reference_stands_in_its_place(samples):
    theirs, ours = (text.splitlines() for text in samples)
    lines = list(zip_longest(theirs, ours[:len(theirs)], fillvalue="(missing)"))
    assert [(a, b) for a, b in lines if bare(a) != bare(b)] == []
    assert sum(bare(line) != "" for line in theirs) > 100
    # What follows has to stay out of the reach of edits up to the end of the file.
    assert [line for line in ours[len(theirs):] if line and not line.startswith(";;")] == []


def test_words_around_settings_are_no_settings(samples):
    """Nor do they become any: neither when every line is switched on, nor for a pattern without a `^`."""
    theirs, ours = samples
    settings(re.sub("(?m)^;", "", ours))
    words = [line for line in ours.splitlines()[:len(theirs.splitlines())] if line.startswith(";;")]
    assert [line for line in words if re.search(r"[a-z]=|\[", line)] == []


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_makes_the_same_of_both(name, samples, session):
    directory = Path(session.scratch)
    texts = [edited(EDITS[name], text, directory) for text in samples]
    assert texts[0] != samples[0] and settings(texts[0]) == settings(texts[1])
    path = directory / "d.conf"
    path.write_text(texts[0], encoding="utf-8")
    reference = session.reference(str(path))
    assert "config" in reference, reference
    path.write_text(texts[1], encoding="utf-8")
    ours = configtools.comparable(session.load(str(path)))
    lines = configtools.differences(ours, reference)
    assert not lines, "\n".join(lines)
