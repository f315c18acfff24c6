//! Names in columns, as lists of them are shown.

/// Space between two columns.
const GAP: &str = "  ";

/// The names in as few lines as go into the width, one below the other (`cmd.Cmd.columnize`); each line with its end.
pub(crate) fn downwards(names: &[&str], width: usize) -> String {
    let fitting = (1..names.len()).find(|rows| {
        let widths = widths(names, *rows);
        widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1) <= width
    });
    let Some(rows) = fitting else {
        return names.iter().map(|name| format!("{name}\n")).collect();
    };
    let widths = widths(names, rows);
    let mut text = String::new();
    for row in 0..rows {
        let in_row = names.iter().skip(row).step_by(rows).zip(&widths);
        let cells: Vec<String> = in_row.map(|(name, width)| format!("{name:<width$}")).collect();
        text.push_str(&cells.join(GAP));
        text.push('\n');
    }
    text
}

/// How wide each column is when there are so many names in it.
fn widths(names: &[&str], rows: usize) -> Vec<usize> {
    let widest = |column: &[&str]| column.iter().map(|name| name.chars().count()).max();
    names.chunks(rows).map(|column| widest(column).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_lines_as_fit() {
        let names = ["a", "bbb", "cc", "d", "ee"];
        for (width, text) in [
            (80, "a  bbb  cc  d  ee\n"),
            (17, "a  bbb  cc  d  ee\n"),
            (16, "a    cc  ee\nbbb  d \n"),
            (10, "a    d \nbbb  ee\ncc \n"),
            (6, "a\nbbb\ncc\nd\nee\n"),
            (1, "a\nbbb\ncc\nd\nee\n"),
        ] {
            assert_eq!(downwards(&names, width), text, "{width}");
        }
        assert_eq!(downwards(&[], 80), "");
    }
}
