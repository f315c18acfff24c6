use super::super::decoding::DECODE_PIECE_BYTES;
use super::*;

fn read(text: &str) -> Result<Document, Complaint> {
    let mut document = Document::new();
    document.read(text.as_bytes(), "x.conf").map(|()| document)
}

fn value(text: &str, section: &str, option: &str) -> Option<String> {
    read(text).unwrap().get(section, option).map(str::to_string)
}

#[test]
fn comments_start_after_white_space_even_inside_quotes() {
    assert_eq!(value("[a]\nk=v;w ; c\n", "a", "k").as_deref(), Some("v;w"));
    assert_eq!(value("[a]\nk='x #y'\n", "a", "k").as_deref(), Some("'x"));
    assert_eq!(value("[a]\nk=a#b ;c\n", "a", "k").as_deref(), Some("a#b"));
    // The first round finds `#` after a space, so the `;` before it is never looked at again.
    assert_eq!(value("[a]\nk=a;b ;c #d\n", "a", "k").as_deref(), Some("a;b ;c"));
}

#[test]
fn indented_lines_continue_even_sections() {
    assert_eq!(value("[a]\nk=1\n  [b]\n\n 2\n", "a", "k").as_deref(), Some("1\n[b]\n\n2"));
    assert_eq!(value("[a]\nk=1\n\n\n[b]\n", "a", "k").as_deref(), Some("1"));
}

#[test]
fn section_names_are_kept_as_they_are() {
    let document = read("[ A ] junk\nX=1\n[b]c]\nk=[program:p\n[]=2\n").unwrap();
    assert_eq!(document.sections(), [" A ", "b]c"]);
    assert_eq!(document.get(" A ", "x"), Some("1"));
    assert_eq!(document.get("b]c", "k"), Some("[program:p"));
    assert_eq!(document.get("b]c", "[]"), Some("2"));
    // An unterminated header is an option.
    assert_eq!(value("[a]\n[program:p\n", "a", "[program").as_deref(), Some("p"));
}

#[test]
fn default_options_reach_every_section() {
    let document = read("[a]\nx=1\n[DEFAULT]\nX=0\ny=2\n[default]\n").unwrap();
    assert_eq!(document.sections(), ["a", "default"]);
    assert_eq!(document.get("a", "x"), Some("1"));
    assert_eq!(document.get("default", "y"), Some("2"));
    assert_eq!(document.options("a"), ["x", "y"]);
    assert!(!document.has_section("DEFAULT"));
}

#[test]
fn errors_in_pythons_words() {
    assert_eq!(
        read("\u{feff}[a]\n").unwrap_err().to_string(),
        "File contains no section headers.\nfile: 'x.conf', line: 1\n'\\ufeff[a]\\n'"
    );
    assert_eq!(
        read("[a]\nfoo\n=1\n").unwrap_err().to_string(),
        "Source contains parsing errors: 'x.conf'\n\t[line  2]: 'foo\\n'\n\t[line  3]: '=1\\n'"
    );
    let mut content = b"[a]\n".to_vec();
    content.resize(DECODE_PIECE_BYTES + 3, b'\n');
    content.push(0xff);
    assert_eq!(
        Document::new().read(&content, "x").unwrap_err().to_string(),
        "'utf-8' codec can't decode byte 0xff in position 3: invalid start byte"
    );
    assert_eq!(
        Document::new().read(b"[a]\nk=\xe2\x82", "x").unwrap_err().to_string(),
        "'utf-8' codec can't decode bytes in position 0-1: unexpected end of data"
    );
    // The first line is no section header, but it is not known to have ended.
    assert_eq!(
        Document::new().read(b"k\r\xe2\x82", "x").unwrap_err().to_string(),
        "'utf-8' codec can't decode bytes in position 0-1: unexpected end of data"
    );
}

#[test]
fn here_is_replaced_in_copies_of_the_defaults() {
    let mut document = read("[DEFAULT]\nd=%(here)s/d\n[a]\nx=%%(here)s\n").unwrap();
    document.expand_here("/etc");
    assert_eq!(document.get("a", "x"), Some("%/etc"));
    assert_eq!(document.get("a", "d"), Some("/etc/d"));
    document.read(b"[b]\n", "y").unwrap();
    assert_eq!(document.get("b", "d"), Some("%(here)s/d"));
}

#[test]
fn values_keep_their_places() {
    let mut document = read("\n[a]\n; c\nx=1\n  2\n[b]\n[DEFAULT]\ny=0\n").unwrap();
    document.read(b"[a]\n\nz=3\n", "other.conf").unwrap();
    document.expand_here("/here");
    let position =
        |section, option| document.option_position(section, option).map(|at| at.to_string());
    assert_eq!(position("a", "x").as_deref(), Some("x.conf:4"));
    assert_eq!(position("b", "y").as_deref(), Some("x.conf:8"));
    assert_eq!(position("a", "z").as_deref(), Some("other.conf:3"));
    assert_eq!(position("b", "x"), None);
    let of_section = document.option_complaint("b", "x", Mistake::new("why"));
    assert_eq!(of_section.position.unwrap().to_string(), "x.conf:6");
    let why = read("[a]\nb\n").unwrap_err();
    assert_eq!(why.position.unwrap().to_string(), "x.conf:2");
}

#[test]
fn many_options_are_found_in_their_order() {
    let text: String =
        (0..100).map(|number| format!("k{number}=a\nK{number}={number}\n")).collect();
    let mut document = read(&format!("[a]\n{text}")).unwrap();
    let more: String = (0..100).map(|number| format!("[s{number}]\nx={number}\n")).collect();
    document.read(format!("[a]\nk7=seven\n{more}").as_bytes(), "y.conf").unwrap();
    let names: Vec<String> = (0..100).map(|number| format!("k{number}")).collect();
    assert_eq!(document.options("a"), names);
    for (number, name) in names.iter().enumerate() {
        let expected = if number == 7 { "seven".to_string() } else { number.to_string() };
        assert_eq!(document.get("a", name), Some(expected.as_str()));
        assert_eq!(document.get(&format!("s{number}"), "x"), Some(number.to_string().as_str()));
    }
    assert_eq!(document.sections().len(), 101);
}
