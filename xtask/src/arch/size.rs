//! How long files are.

use super::rules::FILE_LINES_MAX;
use super::source::SourceFile;

/// Files that are too long to be one room.
pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let long = |file: &SourceFile| {
        let lines = file.text.lines().count();
        let path = &file.path;
        (lines > FILE_LINES_MAX)
            .then(|| format!("{path} has {lines} lines, more than {FILE_LINES_MAX}: split it"))
    };
    files.iter().filter_map(long).collect()
}

/// The median and the longest, in words.
pub(super) fn summary(mut lines: Vec<usize>) -> String {
    lines.sort_unstable();
    let median = lines.get(lines.len() / 2).unwrap_or(&0);
    let longest = lines.last().unwrap_or(&0);
    format!("median {median} lines, longest {longest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::source::sample;

    #[test]
    fn a_file_one_line_too_long_is_found() {
        let (fits, long) = ("x\n".repeat(FILE_LINES_MAX), "x\n".repeat(FILE_LINES_MAX + 1));
        let found = check(&sample(&[("a.rs", &fits), ("b.rs", &long)]));
        assert_eq!(found, ["b.rs has 601 lines, more than 600: split it"]);
    }

    #[test]
    fn the_summary_is_by_rank() {
        assert_eq!(summary(vec![900, 10, 200]), "median 200 lines, longest 900");
        assert_eq!(summary(vec![]), "median 0 lines, longest 0");
    }
}
