//! Where the shell's lines come from: the line editor on a terminal, standard input byte by byte anywhere else.

use std::io::{self, IsTerminal, Write};

use super::editor::Editor;
use super::history::History;
use crate::config::ClientOptions;
use crate::core::text;
use crate::ctl::lines::{self, Echo};

/// Terminals on which readline edits nothing either.
const PLAIN_TERMINALS: [&str; 3] = ["dumb", "emacs", "cons25"];

/// What came of asking for a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Typed(String),
    /// The end of the input, or Ctrl-C; the cursor is behind the prompt.
    End,
}

/// The shell's input.
pub(super) struct Input {
    editor: Option<Editor>,
    history: History,
}

impl Input {
    /// The line editor if there is a terminal for it, with the history of the options.
    pub(super) fn new(options: &ClientOptions) -> Input {
        if !io::stdin().is_terminal() {
            return Input { editor: None, history: History::default() };
        }
        let (history, lines) = History::open(options.history_file.as_deref());
        if !io::stdout().is_terminal() || !can_edit() {
            return Input { editor: None, history };
        }
        let mut editor = Editor::default();
        for line in lines {
            editor.remember(&line);
        }
        Input { editor: Some(editor), history }
    }

    /// Prompts for the next command and remembers it.
    pub(super) fn command(
        &mut self,
        out: &mut dyn Write,
        options: &ClientOptions,
    ) -> io::Result<Line> {
        let prompt = format!("{}> ", options.prompt);
        if let Some(editor) = &mut self.editor {
            editor.completions.refresh(options);
        }
        let line = match self.read(out, &prompt) {
            // Ctrl-C, or nobody is left who would read.
            Err(error)
                if [io::ErrorKind::Interrupted, io::ErrorKind::BrokenPipe]
                    .contains(&error.kind()) =>
            {
                return Ok(Line::End);
            }
            other => other?,
        };
        let Some(line) = line else { return Ok(Line::End) };
        if let Some(editor) = &mut self.editor {
            editor.remember(&line);
        }
        self.history.add(&line);
        Ok(Line::Typed(line))
    }

    /// Asks a person: the line without its end, `None` at the end of the input; fails as interrupted at Ctrl-C.
    pub(super) fn ask(
        &mut self,
        out: &mut dyn Write,
        prompt: &str,
        echo: Echo,
    ) -> io::Result<Option<String>> {
        match echo {
            Echo::Shown => self.read(out, prompt),
            Echo::Hidden => lines::ask(out, prompt, Echo::Hidden),
        }
    }

    fn read(&mut self, out: &mut dyn Write, prompt: &str) -> io::Result<Option<String>> {
        match &mut self.editor {
            Some(editor) => editor.read(out, &text::shown(prompt)),
            None => lines::ask(out, prompt, Echo::Shown),
        }
    }
}

fn can_edit() -> bool {
    std::env::var("TERM")
        .is_ok_and(|term| !term.is_empty() && !PLAIN_TERMINALS.contains(&term.as_str()))
}
