//! Parses many INI texts in one process. Input: for each, its length in bytes as 4 bytes little-endian, then the text.
//! Output: for each, one JSON line, `{"sections": [[name, [[option, value], ...]], ...]}` or `{"error": "..."}`.
//! Options that come from `DEFAULT` are listed in every section.

#[path = "json.rs"]
mod json;

use std::io::{self, BufWriter, ErrorKind, Read, Write};

use supervisord_rs::parts::config::ini::Document;

/// The file name in messages; the Python side uses the same.
const SOURCE: &str = "random.conf";

fn parse(content: &[u8]) -> String {
    let mut document = Document::new();
    if let Err(why) = document.read(content, SOURCE) {
        return json::object(&[("error", json::string(&why.to_string()))]);
    }
    let sections = document.sections().into_iter().map(|section| {
        let options = document.options(&section).into_iter().map(|option| {
            let value = document.get(&section, &option).unwrap_or_default();
            json::array([json::string(&option), json::string(value)])
        });
        json::array([json::string(&section), json::array(options)])
    });
    json::object(&[("sections", json::array(sections))])
}

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = BufWriter::new(io::stdout().lock());
    let mut length = [0; 4];
    loop {
        match input.read_exact(&mut length) {
            Ok(()) => {}
            Err(why) if why.kind() == ErrorKind::UnexpectedEof => return output.flush(),
            Err(why) => return Err(why),
        }
        let mut content = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut content)?;
        writeln!(output, "{}", parse(&content))?;
    }
}
