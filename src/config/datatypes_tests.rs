use super::*;

fn environ() -> Environ {
    Environ::from_pairs([("HOME", "/")])
}

#[test]
fn names() {
    assert_eq!(process_or_group_name(" web ").as_deref(), Ok("web"));
    assert_eq!(
        process_or_group_name("it's:x").unwrap_err().to_string(),
        "Invalid name: \"it's:x\" because of character: ':'"
    );
}

#[test]
fn numbers_and_sizes() {
    assert_eq!(integer("1_0"), Ok(10));
    assert_eq!(
        integer("x").unwrap_err().to_string(),
        "invalid literal for int() with base 10: 'x'"
    );
    assert_eq!(integer(&"x".repeat(300)).unwrap_err().to_string().len(), 40 + QUOTED_CHARS);
    assert!(
        integer(&"9".repeat(5000))
            .unwrap_err()
            .to_string()
            .starts_with("Exceeds the limit (4300 digits)")
    );
    assert_eq!(byte_size("5 MB"), Ok(5 << 20));
    assert_eq!(byte_size("99999999999GB"), Ok(i64::MAX));
    assert_eq!(
        byte_size("X").unwrap_err().to_string(),
        "invalid literal for int() with base 10: 'x'"
    );
    assert_eq!(octal_type("0o22"), Ok(18));
    assert_eq!(octal_type("8").unwrap_err().to_string(), "8 can not be converted to an octal type");
}

#[test]
fn key_value_strides() {
    let pairs = |text: &str| key_value_pairs(text).unwrap();
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect()
    };
    assert_eq!(pairs("A=1,B='x,y'"), owned(&[("A", "1"), ("B", "x,y")]));
    // The separator is never looked at, and a repeated key keeps its place.
    assert_eq!(pairs("A=1;B=2 C D=3"), owned(&[("A", "1"), ("B", "2"), ("D", "3")]));
    assert_eq!(pairs("A=1,B=2,A=3"), owned(&[("A", "3"), ("B", "2")]));
    assert_eq!(pairs("A=$HOME"), owned(&[("A", "$")]));
    assert_eq!(pairs("A=\"'x'\""), owned(&[("A", "x")]));
    assert_eq!(
        key_value_pairs("A=1,B").unwrap_err().to_string(),
        "Unexpected end of key/value pairs in value 'A=1,B'"
    );
}

#[test]
fn addresses() {
    assert_eq!(inet_address("*:9001"), Ok((String::new(), 9001)));
    assert_eq!(inet_address("Host:1"), Ok(("host".to_string(), 1)));
    assert_eq!(inet_address("x:").unwrap_err().to_string(), "no port number specified in ''");
    assert_eq!(inet_address("x:0").unwrap_err().to_string(), "0 is below lower bound (1)");
    assert_eq!(
        inet_address("x:65536").unwrap_err().to_string(),
        "65536 is above upper bound (65535)"
    );
    assert_eq!(inet_address("x").unwrap_err().to_string(), "not a valid port number: 'x' ");
}

#[test]
fn log_names() {
    assert_eq!(logfile_name("None", &environ()), Ok(LogFile::None));
    assert_eq!(logfile_name("AUTO", &environ()), Ok(LogFile::Auto));
    assert_eq!(logfile_name("SysLog", &environ()), Ok(LogFile::None));
    assert!(is_syslog("SysLog") && !is_syslog("none"));
    let path = LogFile::Path("/x.log".to_string());
    assert_eq!(logfile_name("~/x.log", &environ()), Ok(path));
    assert_eq!(
        logfile_name("/no/such/x", &environ()).unwrap_err().to_string(),
        "The directory named as part of the path /no/such/x does not exist"
    );
}

#[test]
fn signals_and_restarts() {
    assert_eq!(signal_number(" sigterm "), Ok(15));
    assert_eq!(signal_number("SIG_DFL"), Ok(0));
    assert_eq!(
        signal_number("35").unwrap_err().to_string(),
        "value '35' is not a valid signal number"
    );
    assert_eq!(signal_number("x").unwrap_err().to_string(), "value 'x' is not a valid signal name");
    assert_eq!(auto_restart("Unexpected"), Ok(AutoRestart::Unexpected));
    assert_eq!(auto_restart("X").unwrap_err().to_string(), "invalid 'autorestart' value 'x'");
}

#[test]
fn factories() {
    let known = "a.b:c";
    for spec in ["a.b:c", "a.b : c [x] ", "a.b:c "] {
        assert!(names_factory(spec, known), "{spec}");
    }
    for spec in ["a.b", "a.b:d", " a.b:c", "a.b:c [x", ""] {
        assert!(!names_factory(spec, known), "{spec}");
    }
}
