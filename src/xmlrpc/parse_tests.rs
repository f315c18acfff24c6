use proptest::prelude::*;

use super::*;

fn call(params: &str) -> Result<Call, ParseError> {
    parse_call(format!("<methodCall><methodName>a.b</methodName>{params}</methodCall>").as_bytes())
}

fn value(text: &str) -> Option<Value> {
    let params = call(&format!("<params><param>{text}</param></params>")).ok()?.params;
    assert_eq!(params.len(), 1);
    params.into_iter().next()
}

fn refused(body: &str) {
    assert_eq!(parse_call(body.as_bytes()), Err(ParseError::Unmarshallable), "{body}");
}

#[test]
fn scalars_as_the_reference_reads_them() {
    for (text, expected) in [
        ("<value><int> 1_0 </int></value>", Some(Value::Int(10))),
        ("<value><i4>-7</i4></value>", Some(Value::Int(-7))),
        ("<value><int/></value>", None),
        ("<value><int>1.0</int></value>", None),
        ("<value><i8>5</i8></value>", Some(Value::from("5"))),
        ("<value><boolean>1</boolean></value>", Some(Value::Bool(true))),
        ("<value><boolean>true</boolean></value>", Some(Value::Bool(false))),
        ("<value><boolean> 1</boolean></value>", Some(Value::Bool(false))),
        ("<value><boolean/></value>", Some(Value::Bool(false))),
        ("<value> text </value>", Some(Value::from(" text "))),
        ("<value/>", Some(Value::from(""))),
        ("<value><string/></value>", Some(Value::from(""))),
        ("<value><nil/></value>", Some(Value::Nil)),
        ("<value><double>1_0.5e1</double></value>", Some(Value::Double(105.0))),
        ("<value><double>1__0</double></value>", None),
        ("<value><double>Infinity</double></value>", Some(Value::Double(f64::INFINITY))),
        ("<value><base64>Y W I=\n</base64></value>", Some(Value::from("ab"))),
        ("<value><base64>/w==</base64></value>", None),
        ("<value><base64>YQ</base64></value>", None),
        (
            "<value><dateTime.iso8601>20240229T1:2:3</dateTime.iso8601></value>",
            Some(Value::DateTime("20240229T1:2:3".to_string())),
        ),
        ("<value><dateTime.iso8601>20230229T01:02:03</dateTime.iso8601></value>", None),
        ("<value><dateTime.iso8601>20230228T01:02:60</dateTime.iso8601></value>", None),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn containers_look_at_text_whatever_the_names_are() {
    assert_eq!(value("<value>a<x>b</x>c<y>d</y></value>"), Some(Value::from("b")));
    assert_eq!(value("<x>bare</x>"), Some(Value::from("bare")));
    assert_eq!(value("<value><array><x>list</x></array></value>"), Some(Value::from("list")));
    assert_eq!(value("<value><array/></value>"), None);
    let members = "<struct><m><k>a</k><value>1</value></m><m><k/><v/></m></struct>";
    assert_eq!(
        value(&format!("<value>{members}</value>")),
        Some(Value::Struct(vec![("a".to_string(), Value::from("1")), (String::new(), Value::Nil)]))
    );
    assert_eq!(value("<value><struct><m><k>a</k></m></struct></value>"), None);
    assert_eq!(value("<struct><m><array><data><a/></data></array><v/></m></struct>"), None);
}

#[test]
fn what_closes_last_counts() {
    let body = "<x><params><param><value>old</value></param></params><methodName>a</methodName>\
                <methodName> b.c </methodName><y><params/></y></x>";
    assert_eq!(
        parse_call(body.as_bytes()),
        Ok(Call { caller: Caller::Client(0), method: " b.c ".to_string(), params: vec![] })
    );
}

#[test]
fn no_method_name() {
    for body in ["<methodCall/>", "<a><methodName/></a>", "<a><methodName><b/>x</methodName></a>"] {
        assert_eq!(parse_call(body.as_bytes()), Err(ParseError::NoMethodName), "{body}");
    }
}

#[test]
fn names_in_a_namespace_are_unknown() {
    let namespaced = "<methodCall xmlns='urn:x'><methodName>a.b</methodName></methodCall>";
    assert_eq!(parse_call(namespaced.as_bytes()), Err(ParseError::NoMethodName));
    let undone = "<m xmlns='urn:x'><methodName xmlns=''>a.b</methodName></m>";
    assert_eq!(parse_call(undone.as_bytes()).map(|call| call.method), Ok("a.b".to_string()));
    assert_eq!(value("<value><e:nil xmlns:e='urn:e'/></value>"), Some(Value::Nil));
    assert_eq!(value("<value><e:nil/></value>"), None);
}

#[test]
fn text_is_assembled_from_its_pieces() {
    assert_eq!(
        value("<value>a&lt;b&#x41;<!-- c -->d<![CDATA[<&\r\n]]>e\r\nf\rg&#13;</value>"),
        Some(Value::from("a<bAd<&\ne\nf\ng\r"))
    );
}

#[test]
fn declarations_are_checked_and_ignored() {
    for head in [
        "<?xml version='1.0'?>",
        "\u{feff}<?xml version=\"1.0\" encoding='latin-1' standalone='no' ?>\n",
        "<!-- c --><?pi anything?>",
    ] {
        let body = format!("{head}<a><methodName>é</methodName></a>");
        assert_eq!(parse_call(body.as_bytes()).map(|call| call.method), Ok("é".to_string()));
    }
    for head in [
        " <?xml version='1.0'?>",
        "<?xml?>",
        "<?xml encoding='utf-8'?>",
        "<?xml version='1.0' standalone='maybe'?>",
        "<?XML a?>",
        "<!-- a -- b -->",
        "<!DOCTYPE methodCall>",
        "<!DOCTYPE m [<!ENTITY a 'b'>]>",
        "text",
        "&#32;",
    ] {
        refused(&format!("{head}<a><methodName>a</methodName></a>"));
    }
}

#[test]
fn ill_formed_documents() {
    for body in [
        "",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>junk",
        "</a>",
        "<a b='1' b='2'/>",
        "<a b='1'c='2'/>",
        "<a b=1/>",
        "<a b='<'/>",
        "<a b='&nope;'/>",
        "<a>&nope;</a>",
        "<a>& b</a>",
        "<a>]]></a>",
        "<a>\u{1}</a>",
        "<a>&#1;</a>",
        "<a>&#xD800;</a>",
        "<a>&#+65;</a>",
        "<1a/>",
        "<a:b:c xmlns:a='x'/>",
        "<:a/>",
        "< a/>",
        "<a / >",
        "<a xmlns:b=''/>",
        "<a xmlns:xmlns='x'/>",
        "<a xmlns:b='u' xmlns:c='u' b:x='' c:x=''/>",
        "<a><![CDATA[x</a>",
        "<a><!-- x</a>",
    ] {
        refused(body);
    }
    assert_eq!(parse_call(b"<a>\xff</a>"), Err(ParseError::Unmarshallable));
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |levels: usize| {
        format!("<methodName>m</methodName>{}{}", "<a>".repeat(levels), "</a>".repeat(levels))
    };
    assert!(parse_call(format!("<r>{}</r>", nested(63)).as_bytes()).is_ok());
    refused(&format!("<r>{}</r>", nested(64)));
    refused(&"<a>".repeat(1_000_000));
    refused(&format!("<r>{}</r>", "<a/>".repeat(300_000)));
    let declarations = |count: usize| -> String {
        (0..count).map(|number| format!(" xmlns:n{number}='u'")).collect()
    };
    let names = |count| format!("<r{}><methodName>m</methodName></r>", declarations(count));
    assert!(parse_call(names(64).as_bytes()).is_ok());
    refused(&names(65));
}

proptest! {
    #[test]
    fn never_panics_on_bytes(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_call(&body);
    }

    #[test]
    fn never_panics_on_markup(pieces in proptest::collection::vec(prop::sample::select(vec![
        "<a>", "</a>", "<a/>", "<", ">", "&", ";", "<value>", "</value>", "<struct>", "</struct>", "<!--", "-->",
        "<![CDATA[", "]]>", "<?", "?>", "<?xml ", "version='1.0'", "xmlns=", "'", "\"", "é", "\u{feff}", "=", " ",
        "<params>", "</params>", "<!DOCTYPE", "&amp;", "&#", "x", "1", "<int>", "</int>", ":", "/>",
    ]), 0..40)) {
        let _ = parse_call(pieces.concat().as_bytes());
    }
}
