//! `musubi-report`: what `musubi report …` runs. docs/REPORTS.md says what each report holds.

fn main() -> std::process::ExitCode {
    musubi_reports::cli::main()
}
