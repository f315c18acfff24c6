//! Calls and responses, byte for byte as `xmlrpc.client.dumps` writes them.

use std::fmt::Write;

use crate::core::fault::Fault;
use crate::core::text;
use crate::core::value::Value;

const RESPONSE_START: &str = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n";
const RESPONSE_END: &str = "</param>\n</params>\n</methodResponse>\n";
const ARRAY_START: &str = "<value><array><data>\n";
const ARRAY_END: &str = "</data></array></value>\n";

/// Ends of the 32 bits that `<int>` carries.
const INT_RANGE: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);

/// The document that calls a method. Integers are capped to the 32 bits of `<int>`.
pub fn write_call(method: &str, params: &[Value]) -> Vec<u8> {
    let mut text = String::with_capacity(256);
    text.push_str("<?xml version='1.0'?>\n<methodCall>\n<methodName>");
    escape(&mut text, method);
    text.push_str("</methodName>\n<params>\n");
    for param in params {
        text.push_str("<param>\n");
        write_value(&mut text, param);
        text.push_str("</param>\n");
    }
    text.push_str("</params>\n</methodCall>\n");
    text.into_bytes()
}

/// The document that answers a call with its result.
pub fn write_response(result: &Value) -> Vec<u8> {
    let mut text = String::with_capacity(256);
    text.push_str(RESPONSE_START);
    write_value(&mut text, result);
    text.push_str(RESPONSE_END);
    text.into_bytes()
}

/// The document that answers a call with an array, written item after item.
#[derive(Debug)]
pub(crate) struct ArrayResponse {
    text: String,
}

impl ArrayResponse {
    /// No items yet.
    #[allow(clippy::new_without_default)] // nothing there is a default of
    pub(crate) fn new() -> ArrayResponse {
        let mut text = String::with_capacity(256);
        text.push_str(RESPONSE_START);
        text.push_str(ARRAY_START);
        ArrayResponse { text }
    }

    /// The next item.
    pub(crate) fn push(&mut self, item: &Value) {
        write_value(&mut self.text, item);
    }

    /// Bytes so far.
    #[allow(clippy::len_without_is_empty)] // it never is
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// The document.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.text.push_str(ARRAY_END);
        self.text.push_str(RESPONSE_END);
        self.text.into_bytes()
    }
}

/// The document that answers a call with a fault.
pub(crate) fn write_fault(fault: &Fault) -> Vec<u8> {
    let members = Value::Struct(vec![
        ("faultCode".to_string(), Value::Int(fault.code.code())),
        ("faultString".to_string(), Value::str(fault.text.as_str())),
    ]);
    let mut text = String::with_capacity(256);
    text.push_str("<?xml version='1.0'?>\n<methodResponse>\n<fault>\n");
    write_value(&mut text, &members);
    text.push_str("</fault>\n</methodResponse>\n");
    text.into_bytes()
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Int(number) => {
            let capped = (*number).clamp(INT_RANGE.0, INT_RANGE.1);
            // Writing to a String cannot fail.
            let _ = writeln!(out, "<value><int>{capped}</int></value>");
        }
        Value::Bool(flag) => {
            let _ = writeln!(out, "<value><boolean>{}</boolean></value>", i32::from(*flag));
        }
        Value::Double(number) => {
            let _ = writeln!(out, "<value><double>{}</double></value>", float_repr(*number));
        }
        Value::Str(text) => element(out, "string", text),
        Value::DateTime(text) => element(out, "dateTime.iso8601", text),
        Value::BigInt(digits) => element(out, "int", digits),
        Value::Nil => out.push_str("<value><nil/></value>"),
        Value::Array(items) => {
            out.push_str(ARRAY_START);
            items.iter().for_each(|item| write_value(out, item));
            out.push_str(ARRAY_END);
        }
        Value::Struct(members) => {
            out.push_str("<value><struct>\n");
            for (name, value) in members {
                out.push_str("<member>\n<name>");
                escape(out, name);
                out.push_str("</name>\n");
                write_value(out, value);
                out.push_str("</member>\n");
            }
            out.push_str("</struct></value>\n");
        }
    }
}

fn element(out: &mut String, tag: &str, text: &str) {
    // A log may fill megabytes; growing step by step would take up to twice of that.
    out.reserve(text.len() + 64);
    let _ = write!(out, "<value><{tag}>");
    escape(out, text);
    let _ = writeln!(out, "</{tag}></value>");
}

/// Escapes what `xmlrpc.client.escape` escapes, and nothing else; bytes that are not UTF-8 are shown.
fn escape(out: &mut String, text: &str) {
    let shown = text::shown(text);
    let mut rest = &*shown;
    while let Some(at) = rest.find(['&', '<', '>']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            _ => "&gt;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// `repr(float)`: the fewest digits that read back the same, with an exponent outside 1e-4 … 1e16.
fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_string();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let (digits, exponent) = shortest(number);
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let fraction_digits = i32::try_from(fraction_len(&digits)).unwrap_or_default() - exponent;
    match usize::try_from(fraction_digits) {
        Ok(decimals) if decimals > 0 => format!("{number:.decimals$}"),
        _ => format!("{number:.1}"),
    }
}

/// Mantissa and exponent of the shortest form. Of two shortest forms equally near, Python takes the even one, as exact
/// formatting does and shortest formatting does not.
fn shortest(number: f64) -> (String, i32) {
    let any = format!("{number:e}");
    let decimals = any.split_once('e').map_or(0, |(digits, _)| fraction_len(digits));
    let even = format!("{number:.decimals$e}");
    let text = if even.parse() == Ok(number) { even } else { any };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.to_string(), exponent.parse().unwrap_or_default())
}

fn fraction_len(digits: &str) -> usize {
    digits.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fault::FaultCode;

    fn text(value: &Value) -> String {
        let document = String::from_utf8(write_response(value)).unwrap();
        let start = document.find("<param>\n").unwrap() + 8;
        let end = document.find("</param>").unwrap();
        document[start..end].to_string()
    }

    #[test]
    fn whole_documents() {
        assert_eq!(
            String::from_utf8(write_response(&Value::from("a"))).unwrap(),
            "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n\
             <value><string>a</string></value>\n</param>\n</params>\n</methodResponse>\n"
        );
        assert_eq!(
            String::from_utf8(write_fault(&Fault::new(FaultCode::BadName, "a<b"))).unwrap(),
            "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n\
             <name>faultCode</name>\n<value><int>10</int></value>\n</member>\n<member>\n\
             <name>faultString</name>\n<value><string>BAD_NAME: a&lt;b</string></value>\n</member>\n\
             </struct></value>\n</fault>\n</methodResponse>\n"
        );
    }

    #[test]
    fn an_array_item_after_item() {
        let items = [Value::Int(1), Value::from("a<b"), Value::Array(vec![Value::Nil])];
        let mut response = ArrayResponse::new();
        items.iter().for_each(|item| response.push(item));
        assert_eq!(response.finish(), write_response(&Value::Array(items.to_vec())));
    }

    #[test]
    fn whole_calls() {
        assert_eq!(
            String::from_utf8(write_call("a.b", &[Value::Int(1), Value::from("<")])).unwrap(),
            "<?xml version='1.0'?>\n<methodCall>\n<methodName>a.b</methodName>\n<params>\n<param>\n\
             <value><int>1</int></value>\n</param>\n<param>\n<value><string>&lt;</string></value>\n</param>\n\
             </params>\n</methodCall>\n"
        );
    }

    #[test]
    fn floats_as_python_prints_them() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1.5, "1.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e16, "1e+16"),
            (9999999999999998.0, "9999999999999998.0"),
            (1.25e-7, "1.25e-07"),
            (703_285_944_708_067.0 + 0.25, "703285944708067.2"),
            (123456789.125, "123456789.125"),
            (1e15, "1000000000000000.0"),
            (5e-324, "5e-324"),
            (1e300, "1e+300"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float_repr(number), expected);
        }
    }

    #[test]
    fn integers_keep_to_32_bits() {
        assert_eq!(text(&Value::Int(i64::MAX)), "<value><int>2147483647</int></value>\n");
        assert_eq!(text(&Value::Int(-1 << 40)), "<value><int>-2147483648</int></value>\n");
    }

    #[test]
    fn only_markup_is_escaped() {
        assert_eq!(
            text(&Value::from("<a & \"b\" 'c'>\r\n")),
            "<value><string>&lt;a &amp; \"b\" 'c'&gt;\r\n</string></value>\n"
        );
    }
}
