use super::*;

fn tables() -> (Table, Table) {
    let mut base = Table::new();
    base.set("here", "/base".into());
    base.set("b", Value::Int(123_456_789_012_345_678));
    let mut over = Table::new();
    over.set("here", "/x".into());
    over.set("n", Value::Int(5));
    over.set("m", Value::Int(-7));
    over.set("z", Value::Int(0));
    (base, over)
}

fn format(text: &str) -> String {
    let (base, over) = tables();
    expand(text, &[&base, &over], "o").unwrap()
}

fn error(text: &str) -> String {
    let (base, over) = tables();
    let error = expand(text, &[&base, &over], "o").unwrap_err().to_string();
    let prefix = format!("Format string {} for 'o' is badly formatted: ", repr(text));
    error.strip_prefix(&prefix).unwrap().to_string()
}

/// Each line was answered by CPython 3.11.
#[test]
fn conversions() {
    for (text, result) in [
        ("no conversions", "no conversions"),
        ("%(here)s/%%/%(n)d", "/x/%/5"),
        (
            "%(n)5d|%(n)-5d|%(n)05d|%(n)+d|%(n) d|%(m)05d|%(n)+05d|",
            "    5|5    |00005|+5| 5|-0007|+0005|",
        ),
        (
            "%(n).3d|%(n)#x|%(n)#08x|%(m)#o|%(n)#X|%(m)#12.5x|",
            "005|0x5|0x000005|-0o7|0X5|    -0x00007|",
        ),
        (
            "%(n)e %(n)f %(n)g %(n).0f %(n)#.0f %(n)#g %(n)E %(n)G",
            "5.000000e+00 5.000000 5 5 5. 5.00000 5.000000E+00 5",
        ),
        ("%(n).3e %(n)010.2f %(m)-10.2f|", "5.000e+00 0000005.00 -7.00     |"),
        (
            "%(n)s %(n)r %(n)a %(here)r %(here)a %(here).1s %(here)5s %(here)-5s| %(here)05s",
            "5 5 5 '/x' '/x' /    /x /x   |    /x",
        ),
        ("%(n)ld %(n)hd %(n)Ld %(n)c", "5 5 5 \u{5}"),
        ("%(n)-05d|%(n)-+5d|%(n)# x|%(n)#.5o|%(n)+#x", "5    |+5   | 0x5|0o00005|+0x5"),
        (
            "%(b)e %(b)g %(b).3g %(b)#.3g %(b)#G",
            "1.234568e+17 1.23457e+17 1.23e+17 1.23e+17 1.23457E+17",
        ),
        (
            "%(b).20e %(b).18g %(b).25g",
            "1.23456789012345680000e+17 123456789012345680 123456789012345680",
        ),
        (
            "%(z)g %(z)e %(z)#x %(z).0f %(n).0g %(n).0e %(n)#.0e %(z)+d",
            "0 0.000000e+00 0x0 0 5 5e+00 5.e+00 +0",
        ),
        (
            "%(n)5r|%(here).0r|%(m)#6o|%(m)#06o|%(n)0#6X|%(n)-#6X|",
            "    5||  -0o7|-0o007|0X0005|0X5   |",
        ),
        ("%(m) 08.3f|%(n) 08.3f|%(here)10.1s|%(n).d", "-007.000| 005.000|         /|5"),
        ("%s %(n)s", "{'here': '/x', 'b': 123456789012345678, 'n': 5, 'm': -7, 'z': 0} 5"),
        ("%(here).99999999s", "/x"),
    ] {
        assert_eq!(format(text), result, "{text}");
    }
}

#[test]
fn badly_formatted_texts() {
    for (text, why) in [
        ("%", "incomplete format"),
        ("%(", "incomplete format key"),
        ("%(here", "incomplete format key"),
        ("%(here)", "incomplete format"),
        ("%(n)-l", "incomplete format"),
        ("%(here)d", "%d format: a real number is required, not str"),
        ("%(here)i", "%i format: a real number is required, not str"),
        ("%(here)x", "%x format: an integer is required, not str"),
        ("%d", "%d format: a real number is required, not dict"),
        ("%(here)c", "%c requires int or char"),
        ("%(m)c", "%c arg not in range(0x110000)"),
        ("%(here)f", "must be real number, not str"),
        ("%(here)y", "unsupported format character 'y' (0x79) at index 7"),
        ("%(here)é", "unsupported format character '?' (0xe9) at index 7"),
        ("%5%", "unsupported format character '%' (0x25) at index 2"),
        ("%(n)lld", "unsupported format character 'l' (0x6c) at index 5"),
        ("%s %s", "not enough arguments for format string"),
        ("%(n)*d", "not enough arguments for format string"),
        ("%(here)*d", "* wants int"),
        ("%*d", "* wants int"),
        ("%(n)99999999999999999999d", "width too big"),
        ("%(n).99999999999d", "precision too big"),
        ("%(n)99999999999d", ""),
        ("%(here)99999999999d", "%d format: a real number is required, not str"),
    ] {
        assert_eq!(error(text), why, "{text}");
    }
}

#[test]
fn unknown_names_list_the_known_ones() {
    let (base, over) = tables();
    assert_eq!(
        expand("%(a(b)c)s", &[&base, &over], "program:x.command").unwrap_err().to_string(),
        "Format string '%(a(b)c)s' for 'program:x.command' contains names ('a(b)c') which cannot be expanded. \
         Available names: b, here, m, n, z"
    );
}

#[test]
fn results_are_bounded() {
    let text = "%(n)1000000d".repeat(100);
    assert_eq!(error(&text), "");
}

proptest::proptest! {
    #[test]
    fn any_text_is_survived(text in "[%()a-z*.0-9# +hlLn-]{0,30}|.{0,20}") {
        let (base, over) = tables();
        let _ = expand(&text, &[&base, &over], "o");
    }
}
