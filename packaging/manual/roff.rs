//! From text with a little markup to man(7).
//!
//! `# X` and `## X` are headings. A line `- X` begins an item: what it is about, with its text below, two blanks further
//! in. Lines that are four blanks in stand as they are. In a line, `` `x` `` is literal and `<x>` stands for something.
//! The rest is paragraphs, with blank lines between them.

/// What stands at the top of a page.
pub(crate) struct Title<'a> {
    /// What the page is called.
    pub name: &'a str,
    /// Its section.
    pub section: u8,
    /// Its date, as YYYY-MM-DD.
    pub date: &'a str,
    /// What its section is called.
    pub manual: &'a str,
}

/// Bytes in a line of the source, as far as words allow.
const LINE_WIDTH: usize = 78;

/// A page, of its text.
pub(crate) fn page(title: &Title<'_>, text: &str) -> String {
    let Title { name, section, date, manual } = title;
    let source = concat!("supervisord-rs ", env!("CARGO_PKG_VERSION"));
    let mut page = Page {
        out: format!(
            ".TH \"{}\" {section} {date} \"{source}\" \"{manual}\"\n.ad l\n",
            name.to_uppercase()
        ),
        ..Page::default()
    };
    for line in text.lines() {
        page.line(line);
    }
    page.flush();
    page.out
}

/// A page that is being written.
#[derive(Default)]
struct Page {
    out: String,
    /// Words that make one paragraph.
    words: String,
    /// Whether what comes next belongs to an item.
    in_item: bool,
    /// Whether what comes next needs the request that begins a paragraph.
    apart: bool,
    /// Whether lines stand as they are.
    verbatim: bool,
    /// Blank lines among those, if more of them follow.
    gap: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        let indented = line.strip_prefix("    ");
        if self.verbatim && indented.is_none() && !line.is_empty() {
            self.out += ".EE\n";
            self.gap.clear();
            (self.verbatim, self.apart) = (false, true);
        }
        if let Some(code) = indented {
            self.flush();
            self.open_code();
            self.out += &std::mem::take(&mut self.gap);
            self.out += &format!("{}\n", guarded(&literal(code)));
        } else if let Some(heading) = line.strip_prefix("## ") {
            self.heading("SS", heading);
        } else if let Some(heading) = line.strip_prefix("# ") {
            self.heading("SH", heading);
        } else if let Some(about) = line.strip_prefix("- ") {
            self.flush();
            self.out += &format!(".TP\n{}\n", guarded(&inline(about)));
            (self.in_item, self.apart) = (true, false);
        } else if line.is_empty() && self.verbatim {
            self.gap.push('\n');
        } else if line.is_empty() {
            self.flush();
            self.apart = true;
        } else {
            let within = line.starts_with("  ");
            if self.words.is_empty() {
                self.begin(within);
            }
            self.words += &format!(" {}", line.trim());
        }
    }

    fn heading(&mut self, request: &str, heading: &str) {
        self.flush();
        self.out += &format!(".{request} {}\n", inline(heading));
        (self.in_item, self.apart) = (false, false);
    }

    fn open_code(&mut self) {
        if !self.verbatim {
            let fresh = self.out.lines().last().is_some_and(|line| line.starts_with(".S"));
            self.out += match (fresh, self.in_item) {
                (true, _) => ".EX\n",
                (false, true) => ".IP\n.EX\n",
                (false, false) => ".PP\n.EX\n",
            };
            self.verbatim = true;
        }
    }

    fn begin(&mut self, within: bool) {
        if !within && (self.in_item || self.apart) {
            self.out += ".PP\n";
            self.in_item = false;
        } else if self.apart && within {
            self.out += ".IP\n";
        }
        self.apart = false;
    }

    /// Writes the paragraph there is.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.words);
        let mut line = String::new();
        for word in inline(text.trim()).split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > LINE_WIDTH {
                self.out += &format!("{}\n", guarded(&line));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        if !line.is_empty() {
            self.out += &format!("{}\n", guarded(&line));
        }
    }
}

/// A line that is no request, whatever it begins with.
fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_string() }
}

/// Text with its markup as fonts.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['`', '<']) {
        let (font, end) = if rest[start..].starts_with('`') { ("B", '`') } else { ("I", '>') };
        let Some(length) = rest[start + 1..].find(end) else { break };
        let inner = &rest[start + 1..start + 1 + length];
        // Words of it are not cut at syllables.
        let whole: Vec<String> =
            inner.split(' ').map(|word| format!("\\%{}", literal(word))).collect();
        out += &format!("{}\\f{font}{}\\fR", plain(&rest[..start]), whole.join(" "));
        rest = &rest[start + 2 + length..];
    }
    out + &plain(rest)
}

/// Prose, in which a hyphen is one.
fn plain(text: &str) -> String {
    text.replace('\\', "\\e")
}

/// Text that people copy: no character of it may be taken for a nicer one.
fn literal(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\\' => out += "\\e",
            '-' => out += "\\-",
            '\'' => out += "\\(aq",
            '`' => out += "\\(ga",
            '^' => out += "\\(ha",
            '~' => out += "\\(ti",
            other => out.push(other),
        }
    }
    out
}
